// Names of blobs. The chain knows none unless the owner writes one into an attribute; this browser remembers the others.

/** The attribute that holds a name. */
export const NAME = "name";
/** The attribute that holds a type, which the gateway also answers with. */
export const TYPE = "content-type";

/** The attribute that marks a quilt, and its value. */
export const QUILT = ["_walrusBlobType", "quilt"];

const KEY = "walrus.names";
/** Names remembered at most; the oldest are forgotten. */
const MOST = 2_000;

/** @typedef {{name: string, type?: string, encrypted?: boolean}} Remembered */

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
