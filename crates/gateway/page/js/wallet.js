// Accounts and transactions. An account is a wallet that the browser's extensions offer (EIP-6963, EIP-1193), or, on a
// local network, the development account whose key the gateway hands out.

import { getAddress, privateKeyToAccount } from "../vendor/viem.js";
import { ChainError, encode, explain, read, rpc } from "./chain.js";
import { wal } from "./format.js";
import { address, config } from "./network.js";

/**
 * @typedef {object} Account
 * @property {string} address
 * @property {string} name
 * @property {"development" | "injected"} kind
 * @property {any} [provider]
 * @property {any} [key]
 */

/** Tells of another account: `change`. */
export const news = new EventTarget();

/** @type {Account | null} */
let current = null;

/** Wallets that announced themselves, by their id. @type {Map<string, {name: string, icon: string, provider: any}>} */
const wallets = new Map();

/** Time between two looks for a receipt, and how long one is waited for, in milliseconds. */
const RECEIPT_POLL_MS = 400;
const RECEIPT_WAIT_MS = 180_000;

/** The account in use. */
export const account = () => current;

/** The account in use, or an error that says to connect one. */
export function needAccount() {
  if (!current) throw new ChainError("Connect an account first (the button at the top right).");
  return current;
}

/** Begins to listen for wallets, and takes the account of last time or the development account. */
export async function begin() {
  window.addEventListener("eip6963:announceProvider", (/** @type {any} */ event) => {
    const { info, provider } = event.detail ?? {};
    if (info?.uuid && provider?.request)
      wallets.set(info.uuid, { name: String(info.name ?? "Wallet"), icon: "", provider });
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  const last = remembered();
  if (last === "none") return;
  if (config().development_key && last !== "injected") useDevelopment();
  else if (last === "injected") {
    const [wallet] = injected();
    const accounts = await wallet?.provider.request({ method: "eth_accounts" }).catch(() => []);
    if (wallet && accounts?.length > 0) await useInjected(wallet);
  }
}

/** Wallets to choose from. */
export function injected() {
  const found = [...wallets.values()];
  const legacy = /** @type {any} */ (window).ethereum;
  if (found.length === 0 && legacy?.request) found.push({ name: "Browser wallet", icon: "", provider: legacy });
  return found;
}

/** Uses the development account of a local network. */
export function useDevelopment() {
  const key = privateKeyToAccount(/** @type {any} */ (config().development_key));
  set({ address: key.address, name: "Development account", kind: "development", key });
}

/** Asks a wallet for an account. @param {{name: string, provider: any}} wallet */
export async function useInjected(wallet) {
  let accounts;
  try {
    accounts = await wallet.provider.request({ method: "eth_requestAccounts" });
  } catch (error) {
    throw explain(error);
  }
  if (!accounts?.[0]) throw new ChainError("The wallet offered no account. Unlock it and try again.");
  const take = (/** @type {string} */ each) =>
    set({ address: getAddress(each), name: wallet.name, kind: "injected", provider: wallet.provider });
  wallet.provider.on?.("accountsChanged", (/** @type {string[]} */ next) => {
    if (current?.provider !== wallet.provider) return;
    if (next[0]) take(next[0]);
    else disconnect();
  });
  take(accounts[0]);
}

/** Uses no account. */
export const disconnect = () => set(null);

/** @param {Account | null} next */
function set(next) {
  current = next;
  try {
    localStorage.setItem("walrus.account", next?.kind ?? "none");
  } catch {
    // Not remembered, then.
  }
  news.dispatchEvent(new Event("change"));
}

function remembered() {
  try {
    return localStorage.getItem("walrus.account");
  } catch {
    return null;
  }
}

/** What the account has. @param {string} of */
export async function balances(of) {
  const [has, coin] = await Promise.all([
    read("WAL", address("wal"), "balanceOf", [of]),
    rpc("eth_getBalance", [of, "latest"]),
  ]);
  return { wal: /** @type {bigint} */ (has), coin: BigInt(coin) };
}

// ----- Transactions

/**
 * How a transaction is sent.
 * @typedef {object} Options
 * @property {bigint} [value] Of the chain's coin
 * @property {(text: string) => void} [say] Told what is being waited for
 * @property {(hash: string) => void} [sent] Told as soon as it is sent
 * @property {(wei: bigint) => void} [gas] Told what gas will cost, about, before anyone is asked to sign
 */

/**
 * Sends a transaction and waits until it is in a block.
 * @param {import("./chain.js").ContractName} contract
 * @param {string} to
 * @param {string} fn
 * @param {any[]} args
 * @param {Options} [options]
 * @returns {Promise<any>} The receipt
 */
export const send = (contract, to, fn, args, options) => sendRaw(to, encode(contract, fn, args), options);

/**
 * The same with call data that is encoded already.
 * @param {string} to
 * @param {string} data
 * @param {Options} [options]
 * @returns {Promise<any>} The receipt
 */
export async function sendRaw(to, data, { value = 0n, say = () => {}, sent, gas: tell } = {}) {
  const from = needAccount();
  const call = { from: from.address, to, data, value: `0x${value.toString(16)}` };
  say("Checking with the contract …");
  // A refusal shows here, before anyone is asked to sign.
  await rpc("eth_call", [call, "latest"]);
  const estimate = BigInt(await rpc("eth_estimateGas", [call]));
  if (tell) tell(estimate * BigInt(await rpc("eth_gasPrice")));
  const gas = estimate + estimate / 4n;
  const hash =
    from.kind === "development" ? await sendSigned(from, call, gas, value) : await sendByWallet(from, call, gas, say);
  sent?.(hash);
  say("Waiting for the block …");
  return receipt(hash);
}

/** @param {Account} from @param {any} call @param {bigint} gas @param {bigint} value */
async function sendSigned(from, call, gas, value) {
  const [nonce, price] = await Promise.all([
    rpc("eth_getTransactionCount", [from.address, "pending"]),
    rpc("eth_gasPrice"),
  ]);
  const raw = await from.key.signTransaction({
    chainId: config().chain_id,
    type: "eip1559",
    nonce: Number(nonce),
    gas,
    maxFeePerGas: 2n * BigInt(price),
    maxPriorityFeePerGas: BigInt(price) < 1_000_000_000n ? BigInt(price) : 1_000_000_000n,
    to: call.to,
    data: call.data,
    value,
  });
  return rpc("eth_sendRawTransaction", [raw]);
}

/** @param {Account} from @param {any} call @param {bigint} gas @param {(text: string) => void} say */
async function sendByWallet(from, call, gas, say) {
  try {
    await rightChain(from.provider);
    say("Confirm in your wallet …");
    return await from.provider.request({
      method: "eth_sendTransaction",
      params: [{ ...call, gas: `0x${gas.toString(16)}` }],
    });
  } catch (error) {
    throw explain(error);
  }
}

/** Brings the wallet to the network's chain. @param {any} provider */
async function rightChain(provider) {
  const wanted = `0x${config().chain_id.toString(16)}`;
  if (BigInt(await provider.request({ method: "eth_chainId" })) === BigInt(wanted)) return;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: wanted }] });
  } catch (error) {
    // 4902: the wallet does not know the chain.
    if (/** @type {any} */ (error)?.code !== 4902) throw error;
    const chain = {
      chainId: wanted,
      chainName: config().local ? "Walrus (local)" : `Walrus (chain ${config().chain_id})`,
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: [new URL("/v1/rpc", location.origin).href],
    };
    await provider.request({ method: "wallet_addEthereumChain", params: [chain] });
  }
}

/** @param {string} hash */
async function receipt(hash) {
  const until = Date.now() + RECEIPT_WAIT_MS;
  for (;;) {
    const found = await rpc("eth_getTransactionReceipt", [hash]);
    if (found) {
      if (BigInt(found.status) !== 1n)
        throw new ChainError(`The transaction ${hash} was refused in its block. Nothing changed.`);
      return found;
    }
    if (Date.now() > until) {
      throw new ChainError(
        `The transaction ${hash} is not in a block yet. It may still come: look again before repeating it.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RECEIPT_POLL_MS));
  }
}

/**
 * Makes sure that a contract may take so much WAL.
 * @param {string} spender
 * @param {bigint} amount
 * @param {(text: string) => void} say
 */
export async function allow(spender, amount, say) {
  const from = needAccount();
  const [allowed, { wal: has }] = await Promise.all([
    read("WAL", address("wal"), "allowance", [from.address, spender]),
    balances(from.address),
  ]);
  if (has < amount) throw new ChainError("Not enough WAL in this account for that.");
  if (allowed >= amount) return;
  await send("WAL", address("wal"), "approve", [spender, amount], {
    say: (text) => say(`Allowing the payment: ${text}`),
  });
}

// ----- Payments

/** How long a signed permission counts, in seconds. */
const PERMIT_SECONDS = 1_200n;

/**
 * A transaction with which a contract takes WAL. The permission to take it is signed, for exactly this amount, and handed
 * in with the transaction; where a wallet cannot sign such a thing, it is given by a transaction of its own.
 * @param {bigint} amount
 * @param {{contract: "WalrusSystem", to: string, fn: string, args: any[]}} call
 * @param {Options} options
 * @returns {Promise<any>} The receipt
 */
export async function pay(amount, { contract, to, fn, args }, options) {
  const from = needAccount();
  const [allowed, { wal: has }] = await Promise.all([
    read("WAL", address("wal"), "allowance", [from.address, to]),
    balances(from.address),
  ]);
  if (has < amount)
    throw new ChainError(
      `Not enough WAL: ${wal(amount)} needed, the account has ${wal(has)}. Nothing was sent.`,
      "ERC20InsufficientBalance",
    );
  if (allowed >= amount) return send(contract, to, fn, args, options);
  const say = options.say ?? (() => {});
  const signed = await permit(from, to, amount, say);
  if (signed) {
    const calls = [encode(contract, "permit", signed), encode(contract, fn, args)];
    try {
      return await send(contract, to, "multicall", [calls], options);
    } catch (error) {
      // The signature does not count for the token, as with accounts that are contracts.
      if (!(error instanceof ChainError && error.name === "ERC20InsufficientAllowance")) throw error;
    }
  }
  await allow(to, amount, say);
  return send(contract, to, fn, args, options);
}

/**
 * A signed permission to take WAL, as arguments of the contract's `permit`; null when the wallet does not sign such.
 * @param {Account} from
 * @param {string} spender
 * @param {bigint} value
 * @param {(text: string) => void} say
 */
async function permit(from, spender, value, say) {
  const [nonce, block] = await Promise.all([
    read("WAL", address("wal"), "nonces", [from.address]),
    rpc("eth_getBlockByNumber", ["latest", false]),
  ]);
  const deadline = BigInt(block.timestamp) + PERMIT_SECONDS;
  const typed = {
    domain: { name: "WAL Token", version: "1", chainId: config().chain_id, verifyingContract: address("wal") },
    primaryType: "Permit",
    types: { Permit: PERMIT },
    message: { owner: from.address, spender, value, nonce, deadline },
  };
  let signature;
  if (from.kind === "development") signature = await from.key.signTypedData(typed);
  else {
    try {
      await rightChain(from.provider);
      say("Sign the permission to take the price …");
      signature = await from.provider.request({
        method: "eth_signTypedData_v4",
        params: [from.address, typedText(typed)],
      });
    } catch (error) {
      // -32601 and 4200: the wallet knows no such method.
      if ([-32601, 4200].includes(/** @type {any} */ (error)?.code)) return null;
      throw explain(error);
    }
  }
  const v = Number.parseInt(signature.slice(130, 132), 16);
  return [value, deadline, v < 27 ? v + 27 : v, signature.slice(0, 66), `0x${signature.slice(66, 130)}`];
}

/** The fields of a permission (ERC-2612). */
const PERMIT = [
  { name: "owner", type: "address" },
  { name: "spender", type: "address" },
  { name: "value", type: "uint256" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint256" },
];

/** The fields of the domain, which wallets want to be told. */
const DOMAIN = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

/** Typed data as wallets take it. @param {any} typed */
const typedText = (typed) =>
  JSON.stringify({ ...typed, types: { ...typed.types, EIP712Domain: DOMAIN } }, (_, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
