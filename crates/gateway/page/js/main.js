// The frame: which view is shown, the account, the epoch, the theme.

import { explain } from "./chain.js";
import { copy, h, must, replace, toast } from "./dom.js";
import { clock, count, now, short, span, wal } from "./format.js";
import * as network from "./network.js";
import * as wallet from "./wallet.js";
import { blobView } from "./views/blob.js";
import { blobsView } from "./views/blobs.js";
import { networkView } from "./views/network.js";
import { stakeView } from "./views/stake.js";
import { storeView } from "./views/store.js";

/**
 * A view fills `main` and may return what to call when it is left.
 * @typedef {(main: HTMLElement, parts: string[]) => void | (() => void)} View
 */

/** @type {Record<string, {title: string, tab: string, view: View}>} */
const VIEWS = {
  store: { title: "Store", tab: "store", view: storeView },
  blobs: { title: "My blobs", tab: "blobs", view: blobsView },
  blob: { title: "Blob", tab: "blobs", view: blobView },
  network: { title: "Network", tab: "network", view: networkView },
  stake: { title: "Stake", tab: "stake", view: stakeView },
};

/** @type {void | (() => void)} */
let leave;

/** Shows the view that the address names. @param {boolean} moved Whether somebody went there, rather than arrived */
function show(moved) {
  const [name = "", ...parts] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const { title, tab, view } = VIEWS[name] ?? /** @type {any} */ (VIEWS.store);
  leave?.();
  const main = must("#main");
  main.replaceChildren();
  document.title = `${title} · Walrus`;
  for (const link of document.querySelectorAll("[data-tab]")) {
    if (/** @type {HTMLElement} */ (link).dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  leave = view(main, parts);
  if (moved) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

// ----- The epoch and the connection

function showEpoch() {
  const chip = must("#epoch-chip");
  if (!network.connected()) {
    chip.hidden = false;
    chip.classList.add("lost");
    replace(chip, "Gateway not reachable");
    return;
  }
  const epoch = network.epoch();
  const left = network.epochStart(epoch + 1) - now();
  chip.hidden = false;
  chip.classList.remove("lost");
  chip.title = left > 1 ? `Epoch ${epoch + 1} begins in ${clock(left)} at the earliest` : `Epoch ${epoch + 1} may begin any moment`;
  replace(chip, `Epoch ${epoch}`, h("span", { class: "wide" }, left > 1 ? ` · ${span(left)} left` : " · ending"));
}

function showNetwork() {
  const { config, overview } = network;
  const name = config().local ? "Local network" : `Chain ${config().chain_id}`;
  const { parameters, clock: at } = overview();
  replace(must("#foot-network"), `${name} · ${count(Number(parameters.nShards), "shard")} · epoch ${at.epoch}`);
}

// ----- The account

function showAccount() {
  const account = wallet.account();
  const button = must("#account-button");
  button.classList.toggle("connected", account !== null);
  replace(button, account ? [h("span", { class: "visually-hidden" }, "Account "), h("span", { class: "mono" }, short(account.address))] : "Connect");
}

/** The dialog about accounts. */
async function accountDialog() {
  const account = wallet.account();
  const title = h("h2", { id: "account-title" }, account ? account.name : "Connect an account");
  const body = h("div", { class: "stack" });
  const close = h("button", { class: "button", type: "button", onclick: () => element.close() }, "Close");
  const element = h("dialog", { "aria-labelledby": "account-title" }, title, body, h("div", { class: "dialog-buttons" }, close));
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
  if (account) await fillAccount(body, account, () => element.close());
  const options = accountOptions(() => element.close());
  if (options.length > 0) body.append(h("h3", null, account ? "Use another" : "Wallets in this browser"), ...options);
  else if (!account) {
    body.append(
      h("p", null, "No wallet was found in this browser. Install one that speaks to Ethereum networks, such as MetaMask or Rabby, and reload this page."),
      h("p", { class: "muted" }, "Storing and downloading work without an account; then the gateway keeps the blob's token."),
    );
  }
}

/** @param {HTMLElement} body @param {wallet.Account} account @param {() => void} close */
async function fillAccount(body, account, close) {
  const walText = h("dd", null, "…");
  const coinText = h("dd", null, "…");
  body.append(
    h("p", { class: "mono wrap" }, account.address),
    h("dl", { class: "facts" }, h("div", null, h("dt", null, "WAL"), walText), h("div", null, h("dt", null, "For gas"), coinText)),
    h(
      "div",
      { class: "row" },
      h("button", { class: "button", type: "button", onclick: () => copy(account.address, "Address") }, "Copy address"),
      h("button", { class: "button", type: "button", onclick: () => (wallet.disconnect(), close()) }, "Disconnect"),
    ),
  );
  try {
    const { wal: has, coin } = await wallet.balances(account.address);
    replace(walText, wal(has));
    replace(coinText, `${(Number(coin) / 1e18).toLocaleString("en", { maximumFractionDigits: 4 })} ETH`);
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

// ----- The theme

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function labelTheme() {
  must("#theme-button").setAttribute("aria-label", isDark() ? "Use the light theme" : "Use the dark theme");
}

must("#theme-button").addEventListener("click", () => {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("walrus.theme", next);
  } catch {
    // Not remembered, then.
  }
  labelTheme();
});

// ----- Beginning

async function begin() {
  labelTheme();
  // The address is the view's: the link's own target would replace it.
  must("#skip").addEventListener("click", (event) => {
    event.preventDefault();
    must("#main").focus();
  });
  must("#account-button").addEventListener("click", accountDialog);
  try {
    await network.connect();
    await wallet.begin();
  } catch (error) {
    const again = h("button", { class: "button primary", type: "button", onclick: () => location.reload() }, "Try again");
    replace(must("#main"), h("div", { class: "notice bad", role: "alert" }, h("h1", null, "Not connected"), h("p", null, explain(error).message), again));
    return;
  }
  wallet.news.addEventListener("change", showAccount);
  network.news.addEventListener("change", showNetwork);
  network.news.addEventListener("lost", showEpoch);
  setInterval(showEpoch, 1000);
  showAccount();
  showEpoch();
  showNetwork();
  addEventListener("hashchange", () => show(true));
  show(false);
  document.documentElement.dataset.ready = "true";
}

begin();
