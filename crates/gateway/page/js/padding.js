// Hiding how long an encrypted file is, exactly as `walrus store` does (docs/encryption.md): what is encrypted is the
// content, zeros, and a line that says where the content ends and that this file's header vouches for.

import { sha256 } from "../vendor/age.js";

const NAME = "walrus-padding/1";

/** Bytes of the line at the end. */
const TRAILER_BYTES = 104;

/** Everything shorter is padded to this. */
const SHORTEST = 64 * 1024;

/** Zeros are made in pieces of this length. */
const STEP = 64 * 1024;

/** Longest header of an age file, and the nonce after it. */
const HEADER_BYTES_MAX = 64 * 1024;
const NONCE_BYTES = 16;

/** The smallest length of at least `length` whose binary form has no more significant bits than its exponent has digits. @param {number} length */
function padme(length) {
  if (length < 2) return length;
  const exponent = length.toString(2).length - 1;
  const significant = exponent.toString(2).length;
  const unit = 2 ** Math.max(0, exponent - significant);
  return Math.ceil(length / unit) * unit;
}

/** Bytes that a content becomes before it is encrypted. @param {number} content */
export const paddedSize = (content) => Math.max(SHORTEST, padme(content + TRAILER_BYTES));

/** About how long the encrypted file is. @param {number} content @param {boolean} padded */
export function sealedSize(content, padded) {
  const plain = padded ? paddedSize(content) : content;
  // A header of one recipient, and 16 bytes for every chunk.
  return plain + 200 + 16 * Math.max(1, Math.ceil(plain / STEP));
}

/** The line for a content of so many bytes. @param {Uint8Array} header @param {number} content */
function trailer(header, content) {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(content), true);
  const hash = sha256
    .create()
    .update(new TextEncoder().encode(NAME))
    .update(Uint8Array.of(0))
    .update(header)
    .update(length);
  const tag = [...hash.digest()].map((/** @type {number} */ byte) => byte.toString(16).padStart(2, "0")).join("");
  return new TextEncoder().encode(`\n${NAME} ${String(content).padStart(20, "0")} ${tag}\n`);
}

/**
 * Adds the padding to a content that flows through.
 * @param {number} content Its length
 * @param {Promise<Uint8Array>} header Of the file it becomes part of, known once that begins
 * @returns {any} A pair of streams
 */
export function padding(content, header) {
  return new TransformStream({
    async flush(controller) {
      let zeros = paddedSize(content) - content - TRAILER_BYTES;
      for (; zeros > 0; zeros -= STEP) controller.enqueue(new Uint8Array(Math.min(zeros, STEP)));
      controller.enqueue(trailer(await header, content));
    },
  });
}

/** Length of header and nonce in the first bytes of a file; null when they are not all there. @param {Uint8Array} start */
function headerLength(start) {
  // The header is ASCII; what follows may be anything, one character a byte.
  const text = new TextDecoder("latin1").decode(start.subarray(0, HEADER_BYTES_MAX));
  const mac = text.indexOf("\n--- ");
  const end = mac < 0 ? -1 : text.indexOf("\n", mac + 5);
  const length = end + 1 + NONCE_BYTES;
  return end < 0 || start.length < length ? null : length;
}

/** Looks at an encrypted file that flows through until its header is complete. */
export class HeaderWatch {
  constructor() {
    let start = new Uint8Array();
    /** @type {(header: Uint8Array) => void} */
    let found = () => {};
    /** @type {Promise<Uint8Array>} */
    this.header = new Promise((resolve) => {
      found = resolve;
    });
    let done = false;
    this.stream = new TransformStream({
      transform(chunk, controller) {
        controller.enqueue(chunk);
        if (done) return;
        start = Uint8Array.from([...start, ...chunk.subarray(0, HEADER_BYTES_MAX)]);
        const length = headerLength(start);
        if (length === null) return;
        done = true;
        found(start.slice(0, length));
      },
    });
  }
}

/** Where the content of a decrypted file ends: before its padding, if it has one. @param {Blob} sealed @param {Blob} plain */
export async function contentLength(sealed, plain) {
  if (plain.size < TRAILER_BYTES) return plain.size;
  const line = new Uint8Array(await plain.slice(plain.size - TRAILER_BYTES).arrayBuffer());
  const [, digits = ""] =
    new TextDecoder("latin1").decode(line).match(/^\nwalrus-padding\/1 (\d{20}) [0-9a-f]{64}\n$/) ?? [];
  const length = Number(digits);
  if (digits === "" || !Number.isSafeInteger(length) || length + TRAILER_BYTES > plain.size) return plain.size;
  const start = new Uint8Array(await sealed.slice(0, HEADER_BYTES_MAX + NONCE_BYTES).arrayBuffer());
  const header = start.subarray(0, headerLength(start) ?? 0);
  const expected = trailer(header, length);
  // What only looks like padding is content.
  return expected.every((byte, index) => byte === line[index]) ? length : plain.size;
}
