// One store: encrypt, send, and hear of every step.

import { encrypt } from "./secret.js";

/**
 * What is wanted of a store.
 * @typedef {object} Wish
 * @property {number} epochs
 * @property {boolean} deletable
 * @property {string | null} owner Account that gets the token
 * @property {import("./secret.js").Readers | null} readers Who can read, if not everybody
 * @property {string} token For a gateway that stores only for those who have one; else empty
 * @property {boolean} padded Whether the length is hidden too, when not everybody can
 */

/**
 * How a store ended.
 * @typedef {object} Stored
 * @property {string} blobId
 * @property {bigint | null} tokenId
 * @property {number} endEpoch
 * @property {boolean} before Whether it was certified before
 * @property {number} size Bytes that were sent
 */

/** How long the last steps of an upload are waited for once its answer is here, in milliseconds. */
const LAST_STEPS_MS = 1_500;

/** A step, as the gateway tells it (docs/page-api.md section 2) or as it happens here. @typedef {{stage: string, [field: string]: any}} Step */

/**
 * Stores one file as a blob, or several together as a quilt.
 * @param {File[]} files
 * @param {Wish} wish
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 * @returns {Promise<Stored>}
 */
export async function store(files, wish, watch, signal) {
  const [file] = files;
  if (!file) throw new Error("There is no file to store.");
  const quilt = files.length > 1;
  let body = quilt ? form(files) : /** @type {Blob} */ (file);
  let size = files.reduce((sum, each) => sum + each.size, 0);
  if (wish.readers) {
    if (quilt) throw new Error("The files of a quilt cannot be encrypted here; store them one by one.");
    watch({ stage: "encrypting", bytes_done: 0, bytes_total: file.size });
    body = await encrypt(file, wish.readers, wish.padded, (done) =>
      watch({ stage: "encrypting", bytes_done: done, bytes_total: file.size }),
    );
    size = body.size;
    signal.throwIfAborted();
  }
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const events = new EventSource(`/v1/uploads/${id}/events`);
  const told = new Promise((resolve) => {
    events.onerror = resolve;
    events.onmessage = (event) => {
      const step = /** @type {Step} */ (JSON.parse(event.data));
      watch(step);
      if (!["certified", "stored", "failed"].includes(step.stage)) return;
      // The stream ends here; left open, the browser would ask again.
      events.close();
      resolve(undefined);
    };
  });
  try {
    const query = new URLSearchParams({ epochs: String(wish.epochs), upload: id });
    query.set(wish.deletable ? "deletable" : "permanent", "true");
    if (wish.owner) query.set("send_object_to", wish.owner);
    const path = `/v1/${quilt ? "quilts" : "blobs"}?${query}`;
    const answer = JSON.parse(await put(path, wish.token, body, size, watch, signal));
    // The answer may overtake the last steps, which say what became of each node.
    await Promise.race([told, new Promise((resolve) => setTimeout(resolve, LAST_STEPS_MS))]);
    return { ...understood(quilt ? answer.blobStoreResult : answer), size };
  } finally {
    events.close();
  }
}

/** The form of a quilt: every file under its name, and their types. @param {File[]} files */
function form(files) {
  const fields = new FormData();
  const described = files.map((file) => ({
    identifier: file.name,
    tags: file.type ? { "content-type": file.type } : {},
  }));
  if (new Set(files.map((file) => file.name)).size < files.length)
    throw new Error("Two of the files have the same name. Remove or rename one.");
  fields.append("_metadata", JSON.stringify(described));
  for (const file of files) fields.append(file.name, file);
  return fields;
}

/**
 * Sends the bytes. Not `fetch`, which does not tell how far it is.
 * @param {string} path
 * @param {string} token
 * @param {Blob | FormData} body
 * @param {number} size Bytes of the files
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
function put(path, token, body, size, watch, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    if (token !== "") request.setRequestHeader("authorization", `Bearer ${token}`);
    request.upload.onprogress = (event) =>
      watch({ stage: "sending", bytes_done: Math.min(event.loaded, size), bytes_total: size });
    request.upload.onload = () => watch({ stage: "sent" });
    request.onload = () => {
      if (request.status === 200) resolve(request.responseText);
      else reject(new Error(refusal(request.status, request.responseText)));
    };
    request.onerror = () =>
      reject(
        new Error(
          "The connection to the gateway broke. Check that it is running, then try again: nothing is paid twice.",
        ),
      );
    request.onabort = () => reject(new DOMException("Cancelled", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** What went wrong and what to do about it. @param {number} status @param {string} text @returns {string} */
export function refusal(status, text) {
  let message = "";
  try {
    message = JSON.parse(text).error.message;
  } catch {
    message = text.length < 200 ? text.trim() : "";
  }
  if (status === 401 || status === 403)
    return `${sentence(message, "This gateway stores only for those who have a token.")} Ask whoever runs it for one.`;
  if (status === 413) return "The file is larger than this gateway takes.";
  if (status === 429 || status === 503) return `${sentence(message, "The gateway is busy.")} Try again in a moment.`;
  return sentence(message, `The gateway answered ${status}. Try again.`);
}

/** @param {string} message @param {string} otherwise */
function sentence(message, otherwise) {
  if (message === "") return otherwise;
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The publisher's answer about a blob. @param {any} answer @returns {Omit<Stored, "size">} */
function understood(answer) {
  const { newlyCreated, alreadyCertified } = answer;
  if (newlyCreated) {
    const { blobId, id, storage } = newlyCreated.blobObject;
    return { blobId, tokenId: BigInt(id), endEpoch: storage.endEpoch, before: false };
  }
  if (alreadyCertified) {
    const { blobId, object, endEpoch } = alreadyCertified;
    return { blobId, tokenId: object ? BigInt(object) : null, endEpoch, before: true };
  }
  throw new Error("The gateway gave an answer that this page does not understand.");
}
