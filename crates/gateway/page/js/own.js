// One store that the account in use pays for. Nobody is trusted: the blob id is computed here, the account registers it,
// the gateway's relay only carries the bytes, and the contract checks the certificate that comes back.

import { tokensOf } from "./blobs.js";
import { certOf } from "./certificate.js";
import { ChainError, encode, found } from "./chain.js";
import { blobIdHex, objectId, toHex } from "./format.js";
import { identify, layOut } from "./identity.js";
import { nameCalls, remember } from "./names.js";
import * as network from "./network.js";
import { forgetTip, rememberTip, rememberedTip, tipFor, tipWanted } from "./tip.js";
import { Refused, upload } from "./transfer.js";
import { sealed } from "./upload.js";
import * as wallet from "./wallet.js";

/**
 * What is done already of a store. A repetition takes it along, so that nothing is computed or paid again.
 * @typedef {object} Kept
 * @property {Blob} [body] What is stored: the file, its encrypted form, or several files as a quilt
 * @property {boolean} [quilt] Whether it is a quilt
 * @property {boolean} [encrypted] Whether it was encrypted before
 * @property {import("./identity.js").Identity} [identity]
 * @property {{tokenId: bigint, endEpoch: number, deletable: boolean}} [registered]
 * @property {{signature: string, signers: bigint}} [certificate]
 */

/** @typedef {import("./transfer.js").Step} Step */

/**
 * Stores a file, or several together as a quilt, as a blob of the account in use.
 * @param {File[]} files
 * @param {{name: string, type: string}} named What the blob is called
 * @param {import("./upload.js").Wish} wish
 * @param {boolean} publishName Whether name and type are written on the chain
 * @param {Kept} kept Is added to as things get done
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 * @returns {Promise<import("./upload.js").Stored>}
 */
export async function storeByAccount(files, named, wish, publishName, kept, watch, signal) {
  const account = wallet.needAccount();
  const body = (kept.body ??= await bodyOf(files, wish, watch, signal));
  const quilt = (kept.quilt ??= files.length > 1);
  const encrypted = (kept.encrypted ??= wish.readers !== null);
  const tip = await tipWanted();
  const identity = (kept.identity ??= await identityOf(body, tip !== null, watch, signal));
  const { blobId } = identity;
  const stored = (/** @type {bigint} */ tokenId, /** @type {number} */ endEpoch, before = false) => {
    remember(blobId, { ...named, encrypted, quilt });
    return { blobId, tokenId, endEpoch, before, size: body.size };
  };
  if (!kept.registered) {
    const earlier = await earlierToken(identity, wish, account.address);
    if (earlier && earlier.certifiedEpoch > 0) return stored(earlier.tokenId, earlier.endEpoch, true);
    kept.registered = earlier ?? (await register(identity, wish, account.address, watch, signal));
    watch({ stage: "registered", resumed: earlier !== null });
  } else watch({ stage: "registered", resumed: true });
  const { tokenId, endEpoch, deletable } = kept.registered;
  // From here on this browser can say whose upload is not finished.
  stored(tokenId, endEpoch);

  if (!kept.certificate) {
    signal.throwIfAborted();
    const query = new URLSearchParams({ blob_id: blobId, encoding_type: "RS2" });
    if (deletable) query.set("deletable_blob_object", objectId(tokenId));
    if (tip) {
      const paid = rememberedTip(blobId) ?? (await payTip(tip, identity, watch));
      query.set("tx_id", paid.hash);
      query.set("nonce", paid.nonce);
    }
    kept.certificate = await relayed(query, blobId, body, watch, signal);
  }
  await certify(tokenId, kept, publishName ? nameCalls(tokenId, named, quilt) : [], watch);
  forgetTip(blobId);
  return stored(tokenId, endEpoch);
}

/** What is stored. @param {File[]} files @param {import("./upload.js").Wish} wish @param {(step: Step) => void} watch @param {AbortSignal} signal */
async function bodyOf(files, wish, watch, signal) {
  const [file] = files;
  if (!file) throw new Error("There is no file to store.");
  if (files.length === 1) return sealed(file, wish, watch, signal);
  watch({ stage: "naming", bytes_done: 0, bytes_total: 1 });
  return layOut(files, Number(network.overview().parameters.nShards), signal);
}

/** The body's identity. @param {Blob} body @param {boolean} digest @param {(step: Step) => void} watch @param {AbortSignal} signal */
function identityOf(body, digest, watch, signal) {
  const shards = Number(network.overview().parameters.nShards);
  const progress = (/** @type {number} */ done) => watch({ stage: "naming", bytes_done: done, bytes_total: body.size });
  progress(0);
  return identify(body, shards, { digest, progress, signal });
}

/**
 * A token of the same content that serves the wish: a certified one, or a registration that was not finished.
 * @param {import("./identity.js").Identity} identity
 * @param {import("./upload.js").Wish} wish
 * @param {string} owner
 */
async function earlierToken({ blobId }, wish, owner) {
  const end = network.epoch() + wish.epochs;
  const tokens = await tokensOf(/** @type {string} */ (blobIdHex(blobId)));
  const fitting = tokens.filter(
    (each) =>
      each.owner?.toLowerCase() === owner.toLowerCase() &&
      !each.deleted &&
      !each.invalid &&
      each.deletable === wish.deletable &&
      each.endEpoch >= end,
  );
  return fitting.find((each) => each.certifiedEpoch > 0) ?? fitting[0] ?? null;
}

/**
 * Buys storage and registers, in one transaction with the permission to take the price.
 * @param {import("./identity.js").Identity} identity
 * @param {import("./upload.js").Wish} wish
 * @param {string} owner
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 */
async function register(identity, wish, owner, watch, signal) {
  const { cost, storagePayment, writeFee } = await network.quote(identity.size, wish.epochs);
  const system = network.address("system");
  const what = {
    rootHash: toHex(identity.rootHash),
    size: BigInt(identity.size),
    encodingType: identity.encodingType,
    deletable: wish.deletable,
    capacityId: 0n,
    to: owner,
    maxWriteFee: writeFee,
  };
  signal.throwIfAborted();
  watch({ stage: "registering" });
  const say = (/** @type {string} */ words) => watch({ stage: "registering", words });
  const gas = (/** @type {bigint} */ wei) => watch({ stage: "price", wal: cost, wei });
  const receipt = await wallet.pay(
    cost,
    { contract: "WalrusSystem", to: system, fn: "buyAndRegister", args: [what, wish.epochs, storagePayment] },
    { say, gas },
  );
  const event = found("WalrusSystem", system, "BlobRegistered", receipt);
  if (!event || event.blobId !== blobIdHex(identity.blobId))
    throw new ChainError("The transaction registered another blob. Do not go on with this gateway.");
  return { tokenId: BigInt(event.tokenId), endEpoch: Number(event.endEpoch), deletable: wish.deletable };
}

/** Pays the relay. @param {import("./tip.js").Tip} tip @param {import("./identity.js").Identity} identity @param {(step: Step) => void} watch */
async function payTip(tip, identity, watch) {
  const { amount, data, nonce } = await tipFor(tip, identity);
  watch({ stage: "tipping", wei: amount });
  const say = (/** @type {string} */ words) => watch({ stage: "tipping", wei: amount, words });
  // Remembered before it is in a block: whoever goes away meanwhile has paid all the same.
  const sent = (/** @type {string} */ hash) => void rememberTip(identity.blobId, { hash, nonce });
  const { transactionHash } = await wallet.sendRaw(tip.address, data, { value: amount, say, sent });
  return { hash: transactionHash, nonce };
}

/**
 * Lets the relay spread the bytes; the certificate.
 * @param {URLSearchParams} query
 * @param {string} blobId
 * @param {Blob} body
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 */
async function relayed(query, blobId, body, watch, signal) {
  try {
    const answer = await upload(
      { method: "POST", path: "/v1/blob-upload-relay", query, body, size: body.size },
      watch,
      signal,
    );
    return certOf(answer.confirmation_certificate);
  } catch (error) {
    // Paid too long ago, or for other bytes: the next try pays a new one.
    if (error instanceof Refused && /TIP/.test(error.reason)) forgetTip(blobId);
    throw error;
  }
}

/**
 * Hands in the certificate, with the name in the same transaction.
 * @param {bigint} tokenId
 * @param {Kept} kept
 * @param {string[]} calls Of the same contract, to be made with it
 * @param {(step: Step) => void} watch
 */
async function certify(tokenId, kept, calls, watch) {
  watch({ stage: "certifying" });
  const system = network.address("system");
  const say = (/** @type {string} */ words) => watch({ stage: "certifying", words });
  const call = encode("WalrusSystem", "certify", [tokenId, kept.certificate]);
  try {
    if (calls.length === 0) await wallet.send("WalrusSystem", system, "certify", [tokenId, kept.certificate], { say });
    else await wallet.send("WalrusSystem", system, "multicall", [[call, ...calls]], { say });
  } catch (error) {
    const name = error instanceof ChainError ? error.name : "";
    // Somebody may have handed it in before: anybody can.
    if (name === "AlreadyCertified") return;
    // A certificate counts in its epoch only; the relay gives a new one.
    if (name !== "Declined") delete kept.certificate;
    throw error;
  }
}

/**
 * What is known of a registration whose upload was not finished, if these are its bytes.
 * @param {Blob} file
 * @param {import("./blobs.js").Blob} blob
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 * @returns {Promise<Kept>}
 */
export async function resumed(file, blob, watch, signal) {
  const other = "This is another file than the one that was registered. Choose the same, unchanged.";
  if (file.size !== blob.size) throw new Error(other);
  const identity = await identityOf(file, (await tipWanted()) !== null, watch, signal);
  if (identity.blobId !== blob.blobId) throw new Error(other);
  return {
    body: file,
    identity,
    registered: { tokenId: blob.tokenId, endEpoch: blob.endEpoch, deletable: blob.deletable },
  };
}
