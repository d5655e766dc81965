// Blob tokens as the chain knows them.

import { blockTime, events, read } from "./chain.js";
import { blobIdText } from "./format.js";
import { NAME, TYPE, remembered } from "./names.js";
import { address, config, epoch, overview } from "./network.js";

/**
 * A blob token.
 * @typedef {object} Blob
 * @property {bigint} tokenId
 * @property {string | null} owner Null once deleted or burned
 * @property {string} blobId Text form
 * @property {string} blobIdHex
 * @property {number} size
 * @property {number} encodedSize
 * @property {number} registeredEpoch
 * @property {number} certifiedEpoch 0 while not certified
 * @property {number} endEpoch
 * @property {boolean} deletable
 * @property {boolean} deleted
 * @property {boolean} burned
 * @property {boolean} invalid
 */

const DELETABLE = 1;
const BURNED = 2;
const DELETED = 4;
const NOBODY = /^0x0{40}$/;
const MIB = 1 << 20;

/** Tokens per call of the Lens. */
const PER_CALL = 250;

/** @param {any} view A `BlobView` @returns {Blob} */
function blobOf({ tokenId, owner, invalid, record }) {
  return {
    tokenId: BigInt(tokenId),
    owner: NOBODY.test(owner) ? null : owner,
    blobId: blobIdText(record.blobId),
    blobIdHex: record.blobId,
    size: Number(record.size),
    encodedSize: Number(record.encodedSize),
    registeredEpoch: Number(record.registeredEpoch),
    certifiedEpoch: Number(record.certifiedEpoch),
    endEpoch: Number(record.endEpoch),
    deletable: (record.flags & DELETABLE) !== 0,
    burned: (record.flags & BURNED) !== 0,
    deleted: (record.flags & DELETED) !== 0,
    invalid,
  };
}

/**
 * Tokens from the newest backwards, page by page.
 * @param {number} newest Highest token to look at
 * @returns {Promise<{blobs: Blob[], next: number}>} Newest first, and where the next page begins; 0 at the end
 */
export async function page(newest) {
  const from = Math.max(1, newest - PER_CALL + 1);
  const views = await read("WalrusLens", config().lens, "blobViews", [BigInt(from), BigInt(newest - from + 1)]);
  return { blobs: views.map(blobOf).reverse(), next: from - 1 };
}

/** The highest token. */
export const newest = () => Number(overview().blobCount);

/** One token; null if it was never registered. @param {bigint} tokenId @returns {Promise<Blob | null>} */
export async function token(tokenId) {
  const [view] = await read("WalrusLens", config().lens, "blobViews", [tokenId, 1n]);
  return view ? blobOf(view) : null;
}

/** Most calls spent on looking for the tokens of a blob id. */
const SEARCH_CALLS = 40;

/** The tokens of a blob id, newest first. @param {string} hex @returns {Promise<Blob[]>} */
export async function tokensOf(hex) {
  const found = [];
  let next = newest();
  for (let call = 0; next > 0 && call < SEARCH_CALLS; call += 1) {
    const { blobs, next: after } = await page(next);
    found.push(...blobs.filter((blob) => blob.blobIdHex === hex));
    next = after;
  }
  return found;
}

/** How a blob is, as a word and a kind for its colour. @param {Blob} blob @returns {{word: string, kind: "ok" | "warn" | "bad" | "past"}} */
export function stateOf(blob) {
  if (blob.invalid) return { word: "invalid", kind: "bad" };
  if (blob.deleted) return { word: "deleted", kind: "past" };
  if (blob.endEpoch <= epoch()) return { word: "ended", kind: "past" };
  if (blob.certifiedEpoch === 0) return { word: "not certified", kind: "warn" };
  if (blob.burned) return { word: "stored, token dropped", kind: "ok" };
  if (blob.endEpoch - epoch() <= 1) return { word: "ends soon", kind: "warn" };
  return { word: "stored", kind: "ok" };
}

/** Whether its end can still be moved. @param {Blob} blob */
export const alive = (blob) => !blob.deleted && !blob.burned && !blob.invalid && blob.endEpoch > epoch();

/** What an extension costs at the present price. @param {Blob} blob @param {number} epochs @returns {bigint} */
export function extensionCost(blob, epochs) {
  const units = BigInt(Math.ceil(blob.encodedSize / MIB));
  return BigInt(overview().storagePrice) * units * BigInt(epochs);
}

/** All attributes, as pairs. Empty for a token that is gone. @param {Blob} blob @returns {Promise<[string, string][]>} */
export async function attributes(blob) {
  if (!blob.owner) return [];
  const [keys, values] = await read("BlobNFT", address("blobs"), "attributes", [blob.tokenId]);
  return keys.map((/** @type {string} */ key, /** @type {number} */ index) => [key, values[index]]);
}

/** A blob's name and type: from the chain, or from this browser's memory. @param {Blob} blob @param {[string, string][]} [known] */
export function nameOf(blob, known = []) {
  const written = new Map(known);
  const own = remembered(blob.blobId);
  return {
    name: written.get(NAME) ?? own?.name ?? null,
    type: written.get(TYPE) ?? own?.type ?? "",
    encrypted: own?.encrypted ?? false,
    quilt: own?.quilt ?? false,
    published: written.has(NAME),
  };
}

/** When and by which transactions a token was registered and certified. @param {Blob} blob */
export async function history(blob) {
  const search = async (/** @type {string} */ event) => {
    const found = await events(
      "WalrusSystem",
      address("system"),
      event,
      { tokenId: blob.tokenId },
      config().deploy_block,
    );
    const first = found.find(({ args }) => !args.isExtension);
    return first ? { ...first, time: await blockTime(first.block) } : null;
  };
  const [registered, certified] = await Promise.all([
    search("BlobRegistered"),
    blob.certifiedEpoch > 0 ? search("BlobCertified") : null,
  ]);
  return { registered, certified };
}
