// Where the blob id's computation reads its file from, and whom it tells how far it is. The module of
// crates/redstuff-wasm imports this; whoever starts it says first what to read.

/** @type {{read: (offset: number, length: number) => Uint8Array, progress: (done: number) => void}} */
let source = { read: () => new Uint8Array(), progress() {} };

/** Sets what is read from now on. @param {typeof source} next */
export const use = (next) => {
  source = next;
};

/** Fills `into` with the bytes from `offset` on. @param {number} offset @param {Uint8Array} into */
export function read(offset, into) {
  const bytes = source.read(offset, into.length);
  if (bytes.length !== into.length) throw new Error("The file is shorter than it was.");
  into.set(bytes);
}

/** @param {number} done Bytes */
export const progress = (done) => source.progress(done);
