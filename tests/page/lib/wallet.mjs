// A wallet as a browser extension would put it on the page: announced by EIP-6963, spoken to by EIP-1193. It holds an
// account of the development chain and passes reads on; it signs nothing.

/** The script for the page. */
export const walletScript = () => `(${install})()`;

function install() {
  const wallet = { asked: [], decline: false };
  globalThis.testWallet = wallet;
  const provider = {
    on() {},
    async request({ method, params }) {
      wallet.asked.push({ method, params });
      if (method === "eth_requestAccounts" || method === "eth_accounts")
        return ["0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"];
      if (method === "eth_sendTransaction" && wallet.decline)
        throw Object.assign(new Error("User rejected the request."), { code: 4001 });
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
