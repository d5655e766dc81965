// The encoding's vectors (crates/redstuff/tests/vectors), and the blobs that they are about.

import { readFileSync } from "node:fs";

const read = (name) =>
  JSON.parse(readFileSync(new URL(`../../../crates/redstuff/tests/vectors/${name}.json`, import.meta.url), "utf8"));

export const vectors = read("redstuff");
export const { quilts } = read("quilt");

/** The bytes of a vector's blob, which its length and generator define. */
export function content({ length, generator }) {
  if (generator.kind === "constant") return Buffer.alloc(length, generator.byte);
  if (generator.kind === "affine251") return Uint8Array.from({ length }, (_, index) => (index * 31 + 7) % 251);
  if (generator.kind === "xorshift64") return xorshift64(BigInt(generator.seed), length);
  throw new Error(`unknown generator ${generator.kind}`);
}

/** The generator of that name: words of 8 bytes, least first. */
export function xorshift64(seed, length) {
  const words = new BigUint64Array(Math.ceil(length / 8));
  let state = seed;
  for (const index of words.keys()) {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}
