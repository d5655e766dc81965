// A wallet as a browser extension would put it on the page: announced by EIP-6963, spoken to by EIP-1193. It holds an
// account of the development chain, whose key everybody knows, and passes reads on.

import { createPublicClient, createWalletClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** The development chain's third account. */
const KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

/** The wallet's account. */
export const WALLET = privateKeyToAccount(KEY).address;

/** Puts the wallet on a page; what it is asked to send is signed and sent from here. */
export async function addWallet(page, rpc) {
  const transport = http(rpc);
  const id = await createPublicClient({ transport }).getChainId();
  const chain = {
    id,
    name: "test",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  };
  const client = createWalletClient({ account: privateKeyToAccount(KEY), chain, transport });
  await page.exposeFunction("walletSends", ({ to, data, gas, value }) =>
    client.sendTransaction({ to, data, gas: BigInt(gas), value: BigInt(value ?? 0) }),
  );
  await page.exposeFunction("walletSigns", (text) => {
    const { types, ...typed } = JSON.parse(text);
    const { EIP712Domain: _, ...own } = types;
    return client.signTypedData({ ...typed, types: own });
  });
  await page.addInitScript(`(${install})(${JSON.stringify(WALLET)})`);
}

function install(account) {
  // `decline` is true, or the name of the one method that is declined; `unknown` a method that the wallet does not have.
  const wallet = { asked: [], decline: false, unknown: "" };
  globalThis.testWallet = wallet;
  const provider = {
    on() {},
    async request({ method, params }) {
      wallet.asked.push({ method, params });
      if (method === "eth_requestAccounts" || method === "eth_accounts") return [account.toLowerCase()];
      const signs = ["eth_sendTransaction", "eth_signTypedData_v4"].includes(method);
      if (method === wallet.unknown) throw Object.assign(new Error("unknown method"), { code: -32601 });
      if (signs && [true, method].includes(wallet.decline))
        throw Object.assign(new Error("User rejected the request."), { code: 4001 });
      if (method === "eth_signTypedData_v4") return globalThis.walletSigns(params[1]);
      if (method === "eth_sendTransaction") return globalThis.walletSends(params[0]);
      const response = await fetch("/v1/rpc", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: params ?? [] }),
      });
      const answer = await response.json();
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
      return answer.result;
    },
  };
  const info = Object.freeze({
    uuid: "350670db-19fa-4704-a166-e52e178b59d2",
    name: "Test Wallet",
    icon: "data:,",
    rdns: "org.example.wallet",
  });
  const announce = () =>
    dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
}
