/** Part of a blob: `length` bytes from `offset`, everything from `offset` on, or the `last` bytes. */
export type ByteRange = { offset: number; length?: number } | { last: number };

/** The value of the `Range` header. */
export function rangeHeader(range: ByteRange): string {
  if ("last" in range) return `bytes=-${whole(range.last, 1)}`;
  const offset = whole(range.offset, 0);
  if (range.length === undefined) return `bytes=${offset}-`;
  return `bytes=${offset}-${whole(offset + whole(range.length, 1) - 1, 0)}`;
}

function whole(value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`a range's numbers are whole and at least ${least}, not ${value}`);
}
