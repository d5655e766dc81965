// The chain, read through the gateway's proxy: calls, events, and errors put into words.

import {
  decodeErrorResult,
  decodeEventLog,
  decodeFunctionResult,
  encodeEventTopics,
  encodeFunctionData,
} from "../vendor/viem.js";
import * as abis from "./abi.js";
import { wal } from "./format.js";

/** A refusal or failure of the chain, in words a person can act on. */
export class ChainError extends Error {
  /** @param {string} message @param {string} [name] Name of the contract's error */
  constructor(message, name) {
    super(message);
    this.name = name ?? "ChainError";
  }
}

let requestId = 0;

/**
 * One JSON-RPC request.
 * @param {string} method
 * @param {any[]} [params]
 * @returns {Promise<any>}
 */
export async function rpc(method, params = []) {
  requestId += 1;
  let answer;
  try {
    const response = await fetch("/v1/rpc", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: requestId, method, params }),
    });
    answer = await response.json();
  } catch {
    throw new ChainError("The gateway did not answer. Check that it is running, then try again.");
  }
  if (answer?.error) throw explain(answer.error);
  if (!answer || !("result" in answer)) throw new ChainError("The gateway gave an answer that is not JSON-RPC.");
  return answer.result;
}

/** @typedef {Exclude<keyof typeof abis, "Errors">} ContractName */

/** Call data of a function. @param {ContractName} contract @param {string} fn @param {any[]} args @returns {string} */
export const encode = (contract, fn, args) =>
  encodeFunctionData({ abi: /** @type {any} */ (abis[contract]), functionName: fn, args });

/**
 * What a view function answers.
 * @param {ContractName} contract
 * @param {string} address
 * @param {string} fn
 * @param {any[]} [args]
 * @returns {Promise<any>}
 */
export async function read(contract, address, fn, args = []) {
  const data = await rpc("eth_call", [{ to: address, data: encode(contract, fn, args) }, "latest"]);
  return decodeFunctionResult({ abi: /** @type {any} */ (abis[contract]), functionName: fn, data });
}

/** The fields of an event in a receipt; null when it is not there. @param {ContractName} contract @param {string} address @param {string} event @param {any} receipt @returns {any} */
export function found(contract, address, event, receipt) {
  const abi = /** @type {any} */ (abis[contract]);
  const [topic] = encodeEventTopics({ abi, eventName: event });
  const log = receipt.logs.find(
    (/** @type {any} */ each) => each.address.toLowerCase() === address.toLowerCase() && each.topics[0] === topic,
  );
  return log ? decodeEventLog({ abi, eventName: event, data: log.data, topics: log.topics }).args : null;
}

/** Blocks that one question for events may cover; gateways refuse more. */
const BLOCKS_PER_QUESTION = 100_000;

/**
 * Events of one contract, oldest first.
 * @param {ContractName} contract
 * @param {string} address
 * @param {string} event
 * @param {Record<string, any>} args Values of indexed fields
 * @param {number} fromBlock
 * @returns {Promise<{args: any, block: number, transaction: string}[]>}
 */
export async function events(contract, address, event, args, fromBlock) {
  const abi = /** @type {any} */ (abis[contract]);
  const topics = encodeEventTopics({ abi, eventName: event, args });
  const head = Number(await rpc("eth_blockNumber"));
  const found = [];
  for (let from = fromBlock; from <= head; from += BLOCKS_PER_QUESTION) {
    const to = Math.min(head, from + BLOCKS_PER_QUESTION - 1);
    const range = { fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` };
    for (const log of await rpc("eth_getLogs", [{ address, topics, ...range }])) {
      const { args: fields } = /** @type {any} */ (
        decodeEventLog({ abi, eventName: event, data: log.data, topics: log.topics })
      );
      found.push({ args: fields, block: Number(log.blockNumber), transaction: log.transactionHash });
    }
  }
  return found;
}

/** Unix time of a block. @param {number} number */
export async function blockTime(number) {
  const block = await rpc("eth_getBlockByNumber", [`0x${number.toString(16)}`, false]);
  return Number(block.timestamp);
}

// ----- Errors

/** What to say of the contracts' errors that a person can meet here. @type {Record<string, (args: any[]) => string>} */
const WORDS = {
  NotBlobOwner: () => "This account does not own the blob. Switch to the account that does.",
  NotDeletable: () => "This blob was stored as permanent: nobody can delete it before its end.",
  BlobExpired: () => "This blob's time is over; it can no longer be changed.",
  BlobRetired: () => "This blob was deleted, or its token was dropped.",
  NotCertified: () => "This blob is not certified: its upload did not finish. Store the file again.",
  AlreadyCertified: () => "This blob is certified already.",
  BlobIdIsInvalid: () => "Storage nodes found that this blob was encoded wrongly. It cannot be kept.",
  TooFarAhead: () => "That is further ahead than storage is sold. Choose an earlier end.",
  CapacityExceeded: () => "The network has not enough free space for that time. Choose an earlier end.",
  PaymentAboveMax: ([payment]) => `The price has risen to ${wal(payment)} meanwhile. Look at it again and repeat.`,
  WriteFeeAboveMax: ([fee]) => `The fee has risen to ${wal(fee)} meanwhile. Look at it again and repeat.`,
  SalesPaused: () => "New sales are paused for a while by the network's guardian. Try again later.",
  StakingPaused: () => "New stakes are paused for a while by the network's guardian. Try again later.",
  EmptyRange: () => "The end must be later than now.",
  BadAttributeKey: () => "An attribute's name must have 1 to 64 bytes.",
  BadAttributeValue: () => "An attribute's value must have 1 to 1,024 bytes.",
  TooManyAttributes: () => "A blob can have 32 attributes. Remove one first.",
  UnknownAttribute: () => "The blob has no such attribute any more.",
  UnknownBlob: () => "No blob was registered under this number.",
  ERC721NonexistentToken: () => "This token does not exist any more.",
  ERC721InvalidReceiver: () => "The receiver's contract does not accept such tokens.",
  ERC721InsufficientApproval: () => "This account does not own the token.",
  ERC721IncorrectOwner: () => "The token has another owner by now.",
  ERC20InsufficientBalance: ([, balance, needed]) =>
    `Not enough WAL: ${wal(needed)} needed, the account has ${wal(balance)}.`,
  ERC20InsufficientAllowance: () => "The allowance for WAL is too small. Repeat, and confirm the amount in the wallet.",
  StakeBelowMinimum: () => "A stake has at least 1 WAL.",
  ActiveSetFrozen: () => "The next committee is being selected; stake does not move for a moment. Try again shortly.",
  PoolIsRetired: () => "This node was slashed so far that it takes no stake any more.",
  AlreadyLeaving: () => "This stake is leaving already.",
  WithdrawAtOnce: () => "This stake can be withdrawn at once.",
  WithdrawNotRequested: () => "Ask for the stake to leave first.",
  WithdrawTooEarly: ([, epoch]) => `This stake can be withdrawn from epoch ${epoch} on.`,
  NotPositionOwner: () => "This account does not own the stake.",
};

/**
 * Any failure of a request or wallet as an error with words.
 * @param {any} error
 * @returns {ChainError}
 */
export function explain(error) {
  if (error instanceof ChainError) return error;
  const data = [error?.data?.data, error?.data?.originalError?.data, error?.data].find(
    (each) => typeof each === "string" && each.startsWith("0x") && each.length >= 10,
  );
  if (data) {
    try {
      const { errorName, args } = decodeErrorResult({ abi: /** @type {any} */ (abis.Errors), data });
      const words = WORDS[errorName]?.(/** @type {any} */ (args ?? []));
      return new ChainError(words ?? `The contract refused: ${errorName}(${(args ?? []).join(", ")}).`, errorName);
    } catch {
      // Not an error of ours: the node's message says more.
    }
  }
  const message = String(error?.message ?? error);
  if (error?.code === 4001 || /user (rejected|denied)/i.test(message)) {
    return new ChainError("You declined in the wallet; nothing was sent.", "Declined");
  }
  if (/insufficient funds/i.test(message)) {
    return new ChainError(
      "The account has too little of the chain's own coin to pay for gas. Send it some, then try again.",
    );
  }
  return new ChainError(message);
}
