// The account in use: what it has, getting WAL on test networks, and choosing another.

import { explain, read } from "../chain.js";
import { copy, dialog, h, replace, toast } from "../dom.js";
import * as format from "../format.js";
import * as network from "../network.js";
import * as wallet from "../wallet.js";

/** The dialog about accounts. */
export async function accountDialog() {
  const account = wallet.account();
  const title = h("h2", { id: "account-title" }, account ? account.name : "Connect an account");
  const body = h("div", { class: "stack" });
  const close = h("button", { class: "button", type: "button", onclick: () => element.close() }, "Close");
  const element = h(
    "dialog",
    { "aria-labelledby": "account-title" },
    title,
    body,
    h("div", { class: "dialog-buttons" }, close),
  );
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
  if (account) await fillAccount(body, account, () => element.close());
  const options = accountOptions(() => element.close());
  if (options.length > 0) body.append(h("h3", null, account ? "Use another" : "Wallets in this browser"), ...options);
  else if (!account) {
    body.append(
      h(
        "p",
        null,
        "No wallet was found in this browser. Install one that speaks to Ethereum networks, such as MetaMask or Rabby, and reload this page.",
      ),
      h(
        "p",
        { class: "muted" },
        "Storing and downloading work without an account; then the gateway keeps the blob's token.",
      ),
    );
  }
}

/** @param {HTMLElement} body @param {wallet.Account} account @param {() => void} close */
async function fillAccount(body, account, close) {
  const walText = h("dd", null, "…");
  const coinText = h("dd", null, "…");
  body.append(
    h("p", { class: "mono wrap" }, account.address),
    h(
      "dl",
      { class: "facts" },
      h("div", null, h("dt", null, "WAL"), walText),
      h("div", null, h("dt", null, "For gas"), coinText),
    ),
    h(
      "div",
      { class: "row" },
      network.config().dev_exchange &&
        h("button", { class: "button", type: "button", onclick: () => (close(), buyWal(account)) }, "Get WAL"),
      h("button", { class: "button", type: "button", onclick: () => copy(account.address, "Address") }, "Copy address"),
      h("button", { class: "button", type: "button", onclick: () => (wallet.disconnect(), close()) }, "Disconnect"),
    ),
  );
  try {
    const { wal: has, coin } = await wallet.balances(account.address);
    replace(walText, format.wal(has));
    replace(coinText, format.ether(coin));
  } catch (error) {
    replace(walText, explain(error).message);
  }
}

/** @param {() => void} close */
function accountOptions(close) {
  const use = (/** @type {string} */ name, /** @type {() => void | Promise<void>} */ act) =>
    h(
      "button",
      {
        class: "button wide-button",
        type: "button",
        onclick: async () => {
          try {
            await act();
            close();
          } catch (error) {
            toast(explain(error).message, "bad");
          }
        },
      },
      name,
    );
  const options = wallet.injected().map((each) => use(each.name, () => wallet.useInjected(each)));
  if (network.config().development_key && wallet.account()?.kind !== "development") {
    options.push(use("Development account of this local network", () => wallet.useDevelopment()));
  }
  return options;
}

/** Exchanges the chain's coin for WAL, on test networks. @param {wallet.Account} account */
async function buyWal(account) {
  const exchange = /** @type {string} */ (network.config().dev_exchange);
  const rate = BigInt(await read("DevExchange", exchange, "WEI_PER_FROST"));
  const input = h("input", {
    id: "wal-amount",
    inputmode: "decimal",
    autocomplete: "off",
    value: "100",
    required: true,
  });
  const price = h("p", { class: "muted", "aria-live": "polite" });
  const cost = () => format.parseWal(input.value) * rate;
  const show = () => {
    try {
      replace(price, `Costs ${format.ether(cost())}. WAL of a test network is worth nothing elsewhere.`);
    } catch (error) {
      replace(price, explain(error).message);
    }
  };
  input.addEventListener("input", show);
  show();
  await dialog({
    title: "Get WAL",
    body: [h("label", { for: "wal-amount" }, "How much WAL"), input, price],
    action: "Exchange",
    async run(say) {
      await wallet.send("DevExchange", exchange, "buy", [account.address], { value: cost(), say });
      toast(`Got ${format.wal(format.parseWal(input.value))}`);
    },
  });
}
