// A blob's certificate, taken from the transaction that handed it in and checked here: who signed, that their shards
// suffice, and that the one signature is theirs and on this blob.

import { bls12_381 } from "../vendor/bls.js";
import { decodeFunctionData } from "../vendor/viem.js";
import { WalrusSystem } from "./abi.js";
import { ChainError, events, rpc } from "./chain.js";
import { fromHex } from "./format.js";
import { address, committee, config, overview } from "./network.js";

/**
 * @typedef {object} Signer
 * @property {number} seat
 * @property {number} nodeId
 * @property {number} weight
 * @property {boolean} signed
 */
/**
 * @typedef {object} Certificate
 * @property {number} epoch
 * @property {Signer[]} members
 * @property {number} weight Shards of those who signed
 * @property {number} needed
 * @property {number} shards
 * @property {string} signature `0x…`, 256 bytes
 * @property {boolean} good Whether the signature is right, by this browser's own computation
 */

/** The message's type and form (docs/protocol/onchain.md section 2.4): storage confirmation, version 1, this application. */
const STORAGE_CONFIRMATION = [1, 1, 3];

/**
 * @param {import("./blobs.js").Blob} blob
 * @param {{transaction: string}} certified Where the chain accepted it
 * @returns {Promise<Certificate>}
 */
export async function certificateOf(blob, certified) {
  const { signature, signers } = certIn(await rpc("eth_getTransactionByHash", [certified.transaction]), blob.tokenId);
  const { nodeIds, weights, keys } = await committeeOf(blob.certifiedEpoch);
  const members = nodeIds
    .map((nodeId, seat) => ({
      seat,
      nodeId: Number(nodeId),
      weight: Number(weights[seat]),
      signed: ((signers >> BigInt(seat)) & 1n) === 1n,
    }))
    .filter(({ nodeId }) => nodeId !== 0);
  const signing = members.filter(({ signed }) => signed);
  const shards = Number(overview().parameters.nShards);
  const weight = signing.reduce((sum, each) => sum + each.weight, 0);
  const needed = Math.floor((2 * shards + 3) / 3);
  const known = signers >> BigInt(nodeIds.length) === 0n && bits(signers) === signing.length;
  const good =
    known &&
    3 * weight >= 2 * shards + 1 &&
    verify(
      message(blob),
      fromHex(signature),
      signing.map(({ seat }) => keyAt(keys, seat)),
    );
  return { epoch: blob.certifiedEpoch, members, weight, needed, shards, signature, good };
}

/** @param {bigint} set */
const bits = (set) => [...set.toString(2)].filter((digit) => digit === "1").length;

/** The certificate in a transaction. @param {any} transaction @param {bigint} tokenId @returns {{signature: string, signers: bigint}} */
function certIn(transaction, tokenId) {
  const search = (/** @type {any} */ data) => {
    /** @type {any} */
    let call;
    try {
      call = decodeFunctionData({ abi: /** @type {any} */ (WalrusSystem), data });
    } catch {
      return null;
    }
    if (call.functionName === "certify" && call.args[0] === tokenId) return call.args[1];
    if (call.functionName === "multicall") return call.args[0].map(search).find(Boolean) ?? null;
    return null;
  };
  const found = search(transaction?.input);
  if (!found)
    throw new ChainError(
      "The certificate was handed in by another contract; it is checked by the chain but cannot be shown here.",
    );
  return found;
}

/**
 * Members and keys of an epoch, which the contract keeps for three epochs and data contracts for ever.
 * @param {number} epoch
 * @returns {Promise<{nodeIds: number[], weights: number[], keys: string}>}
 */
async function committeeOf(epoch) {
  const current = Number(overview().clock.epoch);
  if (epoch >= current - 1) return committee(epoch);
  const [selected] = await events(
    "Committees",
    address("committees"),
    "CommitteeSelected",
    { epoch },
    config().deploy_block,
  );
  if (!selected) throw new ChainError(`The committee of epoch ${epoch} cannot be found any more.`);
  const { nodeIds, weights, keyTable } = selected.args;
  const code = await rpc("eth_getCode", [keyTable, "latest"]);
  // A data contract begins with one byte that keeps it from being called.
  return { nodeIds, weights, keys: `0x${code.slice(4)}` };
}

/** What the nodes signed. @param {import("./blobs.js").Blob} blob */
function message(blob) {
  const epoch = new Uint8Array(4);
  new DataView(epoch.buffer).setUint32(0, blob.certifiedEpoch, true);
  const token = fromHex(blob.tokenId.toString(16).padStart(64, "0"));
  const persistence = blob.deletable ? [1, ...token] : [0];
  return Uint8Array.from([
    ...STORAGE_CONFIRMATION,
    ...epoch,
    ...fromHex(overview().domain),
    ...fromHex(blob.blobIdHex),
    ...persistence,
  ]);
}

const { Fp, Fp2 } = bls12_381.fields;
const big = (/** @type {Uint8Array} */ bytes) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** A member's key: a point of G1. @param {string} keys @param {number} seat */
function keyAt(keys, seat) {
  const bytes = fromHex(keys).subarray(96 * seat, 96 * seat + 96);
  return bls12_381.G1.Point.fromAffine({
    x: Fp.create(big(bytes.subarray(0, 48))),
    y: Fp.create(big(bytes.subarray(48))),
  });
}

/** The signature: a point of G2 whose four coordinates have 64 bytes each. @param {Uint8Array} bytes */
function signaturePoint(bytes) {
  const at = (/** @type {number} */ index) => big(bytes.subarray(64 * index, 64 * index + 64));
  const point = bls12_381.G2.Point.fromAffine({
    x: Fp2.create({ c0: at(0), c1: at(1) }),
    y: Fp2.create({ c0: at(2), c1: at(3) }),
  });
  point.assertValidity();
  return point;
}

/**
 * A relay's certificate as the contract takes it. Whether it is good, the contract says.
 * @param {{signers: number[], signature: string}} certificate The signature compressed, in base64
 * @returns {{signature: string, signers: bigint}}
 */
export function certOf({ signers, signature }) {
  const bytes = Uint8Array.from(atob(signature), (char) => char.charCodeAt(0));
  const { x, y } = bls12_381.G2.Point.fromBytes(bytes).toAffine();
  const words = [x.c0, x.c1, y.c0, y.c1].map((word) => word.toString(16).padStart(128, "0"));
  return { signature: `0x${words.join("")}`, signers: signers.reduce((set, seat) => set | (1n << BigInt(seat)), 0n) };
}

/** @param {Uint8Array} text @param {Uint8Array} signature @param {any[]} keys */
function verify(text, signature, keys) {
  if (keys.length === 0) return false;
  try {
    const scheme = bls12_381.longSignatures;
    const sum = keys.reduce((total, key) => total.add(key));
    return scheme.verify(/** @type {any} */ (signaturePoint(signature)), scheme.hash(text), sum);
  } catch {
    return false;
  }
}
