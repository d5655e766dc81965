// What the gateway's relay wants to be paid, in the chain's own coin, and for which bytes it was.

import { toHex } from "./format.js";

/** @typedef {{address: string, kind: {const: number} | {linear: {base: number, encoded_size_mul_per_kib: number}}}} Tip */
/** A payment that the relay counts. @typedef {{hash: string, nonce: string}} Paid */

/** The tip that is wanted; null when none is. @returns {Promise<Tip | null>} */
export async function tipWanted() {
  const response = await fetch("/v1/tip-config").catch(() => null);
  if (!response?.ok) throw new Error("The gateway did not answer. Check that it is running, then try again.");
  const answer = await response.json();
  return typeof answer === "string" ? null : answer.send_tip;
}

/** How much a blob's tip is. @param {Tip} tip @param {number} encodedSize @returns {bigint} */
export function tipAmount({ kind }, encodedSize) {
  if ("const" in kind) return BigInt(kind.const);
  const { base, encoded_size_mul_per_kib: perKib } = kind.linear;
  return BigInt(base) + BigInt(Math.ceil(encodedSize / 1024)) * BigInt(perKib);
}

/**
 * The payment for a blob: how much, and the data that binds it to these bytes and to whoever knows the nonce.
 * @param {Tip} tip
 * @param {import("./identity.js").Identity} identity With the file's SHA-256
 */
export async function tipFor(tip, identity) {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const data = new Uint8Array(72);
  data.set(/** @type {Uint8Array} */ (identity.sha256), 0);
  data.set(new Uint8Array(await crypto.subtle.digest("SHA-256", nonce)), 32);
  new DataView(data.buffer).setBigUint64(64, BigInt(identity.size), true);
  const text = btoa(String.fromCharCode(...nonce))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
  return { amount: tipAmount(tip, identity.encodedSize), data: toHex(data), nonce: text };
}

const KEY = "walrus.tips";

/** @returns {Record<string, Paid>} By blob id */
function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {Record<string, Paid>} tips */
function keep(tips) {
  try {
    localStorage.setItem(KEY, JSON.stringify(tips));
  } catch {
    // Not remembered, then: an upload that is broken off pays again.
  }
}

/** A tip that was paid for a blob whose upload did not finish. @param {string} blobId @returns {Paid | undefined} */
export const rememberedTip = (blobId) => all()[blobId];

/** @param {string} blobId @param {Paid} paid */
export const rememberTip = (blobId, paid) => keep({ ...all(), [blobId]: paid });

/** @param {string} blobId */
export function forgetTip(blobId) {
  const { [blobId]: _, ...rest } = all();
  keep(rest);
}
