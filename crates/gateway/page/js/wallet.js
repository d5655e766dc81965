// Accounts and transactions. An account is a wallet that the browser's extensions offer (EIP-6963, EIP-1193), or, on a
// local network, the development account whose key the gateway hands out.

import { getAddress, privateKeyToAccount } from "../vendor/viem.js";
import { ChainError, encode, explain, read, rpc } from "./chain.js";
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
  const [wal, coin] = await Promise.all([
    read("WAL", address("wal"), "balanceOf", [of]),
    rpc("eth_getBalance", [of, "latest"]),
  ]);
  return { wal: /** @type {bigint} */ (wal), coin: BigInt(coin) };
}

// ----- Transactions

/**
 * Sends a transaction and waits until it is in a block.
 * @param {import("./chain.js").ContractName} contract
 * @param {string} to
 * @param {string} fn
 * @param {any[]} args
 * @param {object} [options]
 * @param {bigint} [options.value] Of the chain's coin
 * @param {(text: string) => void} [options.say] Told what is being waited for
 * @returns {Promise<any>} The receipt
 */
export async function send(contract, to, fn, args, { value = 0n, say = () => {} } = {}) {
  const from = needAccount();
  const call = { from: from.address, to, data: encode(contract, fn, args), value: `0x${value.toString(16)}` };
  say("Checking with the contract …");
  // A refusal shows here, before anyone is asked to sign.
  await rpc("eth_call", [call, "latest"]);
  const estimate = BigInt(await rpc("eth_estimateGas", [call]));
  const gas = estimate + estimate / 4n;
  const hash =
    from.kind === "development" ? await sendSigned(from, call, gas, value) : await sendByWallet(from, call, gas, say);
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
  const [allowed, { wal }] = await Promise.all([
    read("WAL", address("wal"), "allowance", [from.address, spender]),
    balances(from.address),
  ]);
  if (wal < amount) throw new ChainError("Not enough WAL in this account for that.");
  if (allowed >= amount) return;
  await send("WAL", address("wal"), "approve", [spender, amount], {
    say: (text) => say(`Allowing the payment: ${text}`),
  });
}
