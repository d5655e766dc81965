// Who pays for a store: this gateway, or the account in use with its own wallet.

import { h, replace } from "../dom.js";
import * as format from "../format.js";
import * as network from "../network.js";
import { tipAmount, tipWanted } from "../tip.js";
import * as wallet from "../wallet.js";

/** The largest file whose blob id a browser computes (crates/redstuff-wasm). */
export const MOST_OF_A_BROWSER = 2 * 2 ** 30;

/** @typedef {"gateway" | "account"} Payer */

/** What this gateway offers, the first of them unless somebody chooses. @returns {Payer[]} */
export function payers() {
  const { publisher, relay } = network.config();
  return [
    ...(publisher ? [/** @type {Payer} */ ("gateway")] : []),
    ...(relay ? [/** @type {Payer} */ ("account")] : []),
  ];
}

/** The choice as a part of a form. @param {() => void} changed */
export function payerChoice(changed) {
  const offered = payers();
  const radio = (/** @type {Payer} */ value, /** @type {string} */ title) => {
    const input = h("input", {
      type: "radio",
      name: "payer",
      value,
      id: `payer-${value}`,
      checked: offered[0] === value,
      onchange: () => (show(), changed()),
    });
    return h("div", { class: "check" }, input, h("label", { for: input.id }, title));
  };
  const about = h("p", { class: "muted small" });
  const element = h(
    "div",
    { class: "stack tight", id: "payer" },
    offered.length > 1 &&
      h("div", { class: "row wide-gap" }, radio("gateway", "This gateway"), radio("account", "My account")),
    about,
  );
  const value = () =>
    /** @type {Payer} */ (
      /** @type {HTMLInputElement | null} */ (element.querySelector("[name=payer]:checked"))?.value ?? offered[0]
    );
  const show = () => replace(about, value() === "gateway" ? gatewayWords() : accountWords());
  show();
  return { element, value, show, limits: () => limits(value()) };
}

/** How much a payer stores. @param {Payer} payer @returns {{bytes: number, epochs: number, why: string}} */
function limits(payer) {
  const { publisher, relay } = network.config();
  if (payer === "gateway" && publisher)
    return { bytes: publisher.max_blob_bytes, epochs: publisher.max_epochs, why: "than this gateway takes" };
  const most = relay?.max_blob_bytes ?? 0;
  return {
    bytes: Math.min(most, MOST_OF_A_BROWSER),
    epochs: Number(network.overview().parameters.maxEpochsAhead),
    why: most > MOST_OF_A_BROWSER ? "than a browser can encode" : "than this gateway takes",
  };
}

function gatewayWords() {
  const account = wallet.account();
  if (!account)
    return "The gateway also keeps the blob's token. Connect an account to own it, extend it and delete it.";
  return [
    "The blob's token goes to ",
    h("span", { class: "mono" }, format.short(account.address)),
    ` (${account.name}).`,
  ];
}

function accountWords() {
  const account = wallet.account();
  if (!account) return "Connect an account (the button at the top right): it pays for the storage and owns the blob.";
  const asks =
    account.kind === "injected" &&
    " Your wallet asks three times: to permit the price, to pay it, and to hand in the certificate.";
  return [
    h("span", { class: "mono" }, format.short(account.address)),
    ` (${account.name}) pays and owns the blob. Its id is computed in this browser and checked by the contract; the gateway only carries the bytes.`,
    asks || null,
  ];
}

/** The tips of the relay for blobs of these encoded sizes, in words; null when it wants none. @param {number[]} encodedSizes */
export async function tipWords(encodedSizes) {
  const tip = await tipWanted();
  if (!tip) return null;
  return `and ${format.ether(encodedSizes.reduce((sum, size) => sum + tipAmount(tip, size), 0n))} for this gateway`;
}
