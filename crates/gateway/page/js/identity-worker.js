// Runs in a worker of its own: computes a file's blob id, which keeps a processor busy for seconds, and lays out quilts.

import init, { QuiltFiles, compute, sha256 } from "../vendor/redstuff.js";
import { use } from "./source.js";

/** What only workers have. @type {any} */
const worker = globalThis;

/** Least time between two words on progress, in milliseconds. */
const INTERVAL_MS = 50;

/** Bytes of a quilt that are handed over at once. */
const PIECE_BYTES = 8 << 20;

worker.onmessage = async (/** @type {MessageEvent} */ { data: { file, files, shards, digest } }) => {
  const bytes = files ? new Blob(files) : file;
  const reader = new worker.FileReaderSync();
  let told = 0;
  use({
    read: (offset, length) => new Uint8Array(reader.readAsArrayBuffer(bytes.slice(offset, offset + length))),
    progress(done) {
      if (performance.now() - told < INTERVAL_MS) return;
      told = performance.now();
      worker.postMessage({ done });
    },
  });
  try {
    await init({ module_or_path: new URL("../vendor/redstuff.wasm", import.meta.url) });
    if (files) return void worker.postMessage({ quilt: quiltOf(files, shards) });
    const found = compute(shards, file.size);
    worker.postMessage({
      identity: {
        blobId: found.blob_id,
        rootHash: found.root_hash,
        encodingType: found.encoding_type,
        size: found.size,
        encodedSize: found.encoded_size,
        sha256: digest ? sha256(file.size) : null,
      },
    });
  } catch (error) {
    worker.postMessage({ problem: words(error) });
  }
};

/** @param {File[]} files @param {number} shards @returns {Blob} */
function quiltOf(files, shards) {
  const form = new QuiltFiles(shards);
  for (const { name, type, size } of files)
    form.add(name, type === "" ? [] : ["content-type"], type === "" ? [] : [type], size);
  const quilt = form.lay_out();
  const pieces = [];
  for (let offset = 0; offset < quilt.size; offset += PIECE_BYTES)
    pieces.push(new Blob([/** @type {any} */ (quilt.read(offset, Math.min(PIECE_BYTES, quilt.size - offset)))]));
  return new Blob(pieces);
}

/** @param {any} error @returns {string} */
function words(error) {
  // The module gives up so when the browser refuses it memory.
  if (error instanceof WebAssembly.RuntimeError)
    return "This browser has not enough memory for a file of this size. Use the walrus command for it.";
  const message = String(error?.message ?? error);
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}
