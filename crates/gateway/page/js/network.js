// What is known of the network, kept fresh: the gateway's configuration and the contracts' overview.

import { ChainError, read } from "./chain.js";
import { now } from "./format.js";

/**
 * @typedef {object} Config What `GET /v1/config` answers
 * @property {boolean} local
 * @property {number} chain_id
 * @property {number} deploy_block
 * @property {string} lens
 * @property {string | null} dev_exchange
 * @property {Record<string, string>} contracts
 * @property {{addresses: string[], max_blob_bytes: number, max_epochs: number, authentication?: boolean} | null} publisher
 * Null when it does not store; with `authentication` it wants a token
 * @property {{max_blob_bytes: number} | null} [relay] Null when it does not carry blobs that others pay for
 * @property {string} [development_key] Only on a development chain of this machine
 */

/** Time between two looks at the chain, in milliseconds. */
const REFRESH_MS = 5_000;

/** Tells of changes: `change`, and `lost` when the gateway does not answer. */
export const news = new EventTarget();

/** @type {Config | undefined} */
let loaded;
/** @type {any} */
let latest;
let healthy = true;

/** The gateway's configuration. @returns {Config} */
export function config() {
  if (!loaded) throw new ChainError("The page is not connected yet.");
  return loaded;
}

/** The latest `Overview` of the Lens. */
export function overview() {
  if (!latest) throw new ChainError("The page is not connected yet.");
  return latest;
}

/** Whether the gateway answered the last time. */
export const connected = () => healthy && latest !== undefined;

/** Loads the configuration and begins to look at the chain regularly. */
export async function connect() {
  const response = await fetch("/v1/config").catch(() => null);
  if (!response?.ok)
    throw new ChainError("The gateway does not answer. Check that it is running, then reload this page.");
  loaded = /** @type {Config} */ (await response.json());
  await refresh();
  setInterval(() => refresh().catch(() => {}), REFRESH_MS);
}

/** Looks at the chain now. */
export async function refresh() {
  try {
    latest = await read("WalrusLens", config().lens, "overview");
    healthy = true;
    news.dispatchEvent(new Event("change"));
  } catch (error) {
    healthy = false;
    news.dispatchEvent(new Event("lost"));
    throw error;
  }
}

/** A contract's address by its name in the deployment. @param {string} name */
export function address(name) {
  const found = config().contracts[name];
  if (!found) throw new ChainError(`The gateway's configuration does not name the contract “${name}”.`);
  return found;
}

/** Length of an epoch in seconds. */
export const epochSeconds = () => Number(overview().parameters.epochDuration);

/** The current epoch. */
export const epoch = () => Number(overview().clock.epoch);

/** The earliest Unix time at which an epoch can begin. Epochs may last longer than planned, never shorter. @param {number} of */
export function epochStart(of) {
  const { clock } = overview();
  const current = Number(clock.epoch);
  const next = Number(clock.startableAt) || Number(clock.startedAt) + epochSeconds();
  if (of <= current) return Number(clock.startedAt) - (current - of) * epochSeconds();
  return Math.max(next, now()) + (of - current - 1) * epochSeconds();
}

/** Everything about a committee of the previous, current or next epoch. @param {number} of */
export async function committee(of) {
  const info = await read("WalrusLens", config().lens, "committee", [of]);
  return /** @type {{epoch: number, nodeIds: number[], weights: number[], keys: string, shardMap: string}} */ (info);
}

/** Nodes per call of the Lens. */
const NODES_PER_CALL = 100n;

/** All registered nodes. @returns {Promise<any[]>} */
export async function allNodes() {
  const total = BigInt(overview().nodeCount);
  const nodes = [];
  for (let from = 1n; from <= total; from += NODES_PER_CALL) {
    nodes.push(...(await read("WalrusLens", config().lens, "nodes", [Number(from), NODES_PER_CALL])));
  }
  return nodes;
}

/** All pools, in the order of the nodes. @returns {Promise<any[]>} */
export async function allPools() {
  const total = BigInt(overview().nodeCount);
  const pools = [];
  for (let from = 1n; from <= total; from += NODES_PER_CALL) {
    pools.push(...(await read("WalrusLens", config().lens, "pools", [Number(from), NODES_PER_CALL])));
  }
  return pools;
}

/** What storing so many bytes costs. @param {number} size @param {number} epochs */
export async function quote(size, epochs) {
  const [encodedSize, storagePayment, writeFee] = await read("WalrusSystem", address("system"), "quote", [
    BigInt(size),
    epochs,
  ]);
  return { encodedSize: Number(encodedSize), cost: storagePayment + writeFee, storagePayment, writeFee };
}

/** How the nodes are, as the gateway sees them; null when it does not tell. @returns {Promise<any[] | null>} */
export async function nodeHealth() {
  const response = await fetch("/v1/nodes").catch(() => null);
  return response?.ok ? response.json() : null;
}
