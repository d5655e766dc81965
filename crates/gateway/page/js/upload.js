// One store that the gateway pays for.

import { encrypt } from "./secret.js";
import { upload } from "./transfer.js";

/**
 * What is wanted of a store.
 * @typedef {object} Wish
 * @property {"gateway" | "account"} payer
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

/** @typedef {import("./transfer.js").Step} Step */

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
  if (quilt && wish.readers) throw new Error("The files of a quilt cannot be encrypted here; store them one by one.");
  const body = quilt ? form(files) : await sealed(file, wish, watch, signal);
  const size = body instanceof Blob ? body.size : files.reduce((sum, each) => sum + each.size, 0);
  const query = new URLSearchParams({ epochs: String(wish.epochs) });
  query.set(wish.deletable ? "deletable" : "permanent", "true");
  if (wish.owner) query.set("send_object_to", wish.owner);
  const path = `/v1/${quilt ? "quilts" : "blobs"}`;
  const answer = await upload({ method: "PUT", path, query, token: wish.token, body, size }, watch, signal);
  return { ...understood(quilt ? answer.blobStoreResult : answer), size };
}

/**
 * What is stored of a file: itself, or its encrypted form, which only this browser has.
 * @param {Blob} file
 * @param {Wish} wish
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export async function sealed(file, wish, watch, signal) {
  if (!wish.readers) return file;
  const told = (/** @type {number} */ done) => watch({ stage: "encrypting", bytes_done: done, bytes_total: file.size });
  told(0);
  const body = await encrypt(file, wish.readers, wish.padded, told);
  signal.throwIfAborted();
  return body;
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
