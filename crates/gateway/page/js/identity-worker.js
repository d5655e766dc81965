// Runs in a worker of its own: computes a file's blob id, which keeps a processor busy for seconds.

import init, { compute, sha256 } from "../vendor/redstuff.js";
import { use } from "./source.js";

/** What only workers have. @type {any} */
const worker = globalThis;

/** Least time between two words on progress, in milliseconds. */
const INTERVAL_MS = 50;

worker.onmessage = async (/** @type {MessageEvent} */ { data: { file, shards, digest } }) => {
  const reader = new worker.FileReaderSync();
  let told = 0;
  use({
    read: (offset, length) => new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, offset + length))),
    progress(done) {
      if (performance.now() - told < INTERVAL_MS) return;
      told = performance.now();
      worker.postMessage({ done });
    },
  });
  try {
    await init({ module_or_path: new URL("../vendor/redstuff.wasm", import.meta.url) });
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

/** @param {any} error @returns {string} */
function words(error) {
  // The module gives up so when the browser refuses it memory.
  if (error instanceof WebAssembly.RuntimeError)
    return "This browser has not enough memory for a file of this size. Use the walrus command for it.";
  const message = String(error?.message ?? error);
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}
