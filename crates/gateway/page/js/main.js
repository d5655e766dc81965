// The frame: which view is shown, the account, the epoch, the theme.

import { explain } from "./chain.js";
import { h, must, replace } from "./dom.js";
import { clock, count, now, short, span } from "./format.js";
import * as network from "./network.js";
import * as wallet from "./wallet.js";
import { accountDialog } from "./views/account.js";
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
  chip.title =
    left > 1
      ? `Epoch ${epoch + 1} begins in ${clock(left)} at the earliest`
      : `Epoch ${epoch + 1} may begin any moment`;
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
  replace(
    button,
    account
      ? [h("span", { class: "visually-hidden" }, "Account "), h("span", { class: "mono" }, short(account.address))]
      : "Connect",
  );
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
    const again = h(
      "button",
      { class: "button primary", type: "button", onclick: () => location.reload() },
      "Try again",
    );
    replace(
      must("#main"),
      h(
        "div",
        { class: "notice bad", role: "alert" },
        h("h1", null, "Not connected"),
        h("p", null, explain(error).message),
        again,
      ),
    );
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
