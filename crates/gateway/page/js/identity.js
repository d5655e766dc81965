// The blob id of a file, computed here: nobody has to be believed about it.

/**
 * What names a file on a network, and what its registration needs.
 * @typedef {object} Identity
 * @property {string} blobId
 * @property {Uint8Array} rootHash
 * @property {number} encodingType
 * @property {number} size
 * @property {number} encodedSize Bytes on all nodes together
 * @property {Uint8Array | null} sha256 Of the file itself, if it was asked for
 */

/**
 * Computes the identity of a file. Takes half the file's size of memory, and a worker's processor.
 * @param {Blob} file
 * @param {number} shards Of the network
 * @param {object} [options]
 * @param {boolean} [options.digest] Whether the file's SHA-256 is wanted too
 * @param {(done: number) => void} [options.progress] Told of bytes that are done
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Identity>}
 */
export async function identify(file, shards, { digest = false, progress = () => {}, signal } = {}) {
  return (await work({ file, shards, digest }, progress, signal)).identity;
}

/**
 * Several files as the one blob that they become together, with their names and types inside.
 * @param {File[]} files
 * @param {number} shards Of the network
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export const layOut = async (files, shards, signal) => (await work({ files, shards }, () => {}, signal)).quilt;

/**
 * Has a worker of its own do something.
 * @param {object} job
 * @param {(done: number) => void} progress
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<any>} What it said in the end
 */
function work(job, progress, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return void reject(new DOMException("Cancelled", "AbortError"));
    const worker = new Worker(new URL("./identity-worker.js", import.meta.url), { type: "module" });
    const end = (/** @type {() => void} */ how) => {
      worker.terminate();
      how();
    };
    worker.onmessage = ({ data }) => {
      if ("done" in data) progress(data.done);
      else if ("problem" in data) end(() => reject(new Error(data.problem)));
      else end(() => resolve(data));
    };
    worker.onerror = () =>
      end(() =>
        reject(new Error("This browser cannot compute the blob id: it needs WebAssembly with vectors. Update it.")),
      );
    signal?.addEventListener("abort", () => end(() => reject(new DOMException("Cancelled", "AbortError"))));
    worker.postMessage(job);
  });
}
