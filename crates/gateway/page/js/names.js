// Names of blobs. The chain knows none unless the owner writes one into an attribute; this browser remembers the others.

import { encode } from "./chain.js";

/** The attribute that holds a name. */
export const NAME = "name";
/** The attribute that holds a type, which the gateway also answers with. */
export const TYPE = "content-type";

/** The attribute that marks a quilt, and its value. */
export const QUILT = ["_walrusBlobType", "quilt"];

/** Bytes that a name may have on the chain. */
const NAME_BYTES = 1024;

/** Calls that write name and type to the chain. @param {bigint} tokenId @param {{name: string, type: string}} file @param {boolean} [quilt] @returns {string[]} */
export function nameCalls(tokenId, file, quilt = false) {
  const pairs = [[NAME, cut(file.name)], ...(file.type ? [[TYPE, file.type]] : []), ...(quilt ? [QUILT] : [])];
  return pairs.map(([key, value]) => encode("WalrusSystem", "setAttribute", [tokenId, key, value]));
}

/** A name of at most the bytes that an attribute takes. @param {string} name */
function cut(name) {
  let text = name;
  while (new TextEncoder().encode(text).length > NAME_BYTES) text = text.slice(0, -1);
  return text;
}

const KEY = "walrus.names";
/** Names remembered at most; the oldest are forgotten. */
const MOST = 2_000;

/** @typedef {{name: string, type?: string, encrypted?: boolean, quilt?: boolean}} Remembered */

/** @returns {Record<string, Remembered>} */
function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** What this browser remembers of a blob. @param {string} blobId @returns {Remembered | undefined} */
export const remembered = (blobId) => all()[blobId];

/** @param {string} blobId @param {Remembered} what */
export function remember(blobId, what) {
  const names = all();
  delete names[blobId];
  names[blobId] = what;
  for (const old of Object.keys(names).slice(0, -MOST)) delete names[old];
  try {
    localStorage.setItem(KEY, JSON.stringify(names));
  } catch {
    // Not remembered, then.
  }
}
