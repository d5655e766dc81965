// For how long, and for how much.

import { explain } from "../chain.js";
import { h, replace } from "../dom.js";
import * as format from "../format.js";
import * as network from "../network.js";
import { tipWords } from "./payer.js";

/** @param {number} longest Epochs that the payer pays for @param {() => void} changed */
export function untilChoice(longest, changed) {
  const sold = Number(network.overview().parameters.maxEpochsAhead);
  let most = Math.max(1, Math.min(longest, sold));
  const daily = network.epochSeconds() >= 86_400;
  const slider = h("input", {
    type: "range",
    min: 1,
    max: most,
    value: Math.min(most, daily ? 7 : 5),
    id: "epochs",
    class: "slider",
  });
  const day = h("input", { type: daily ? "date" : "datetime-local", id: "until" });
  const text = h("p", { class: "until", "aria-live": "polite" });
  const epochs = () => Number(slider.value);
  const end = () => network.epochStart(network.epoch() + epochs());
  const local = (/** @type {number} */ seconds) => {
    const at = new Date(seconds * 1000);
    const iso = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString();
    return iso.slice(0, daily ? 10 : 16);
  };
  const show = () => {
    day.min = local(network.epochStart(network.epoch() + 1));
    day.max = local(network.epochStart(network.epoch() + most));
    day.value = local(end());
    slider.setAttribute("aria-valuetext", `${format.count(epochs(), "epoch")}, until ${format.date(end())}`);
    const at = daily ? format.date(end()) : format.dateTime(end());
    replace(
      text,
      h("strong", null, `until ${at}`),
      h("span", { class: "muted" }, ` · ${format.span(end() - format.now())} · ${format.count(epochs(), "epoch")}`),
    );
    changed();
  };
  slider.addEventListener("input", show);
  day.addEventListener("change", () => {
    const wanted = new Date(daily ? `${day.value}T00:00` : day.value).getTime() / 1000;
    if (Number.isNaN(wanted)) return;
    const first = network.epochStart(network.epoch() + 1);
    slider.value = String(Math.max(1, Math.min(most, 1 + Math.ceil((wanted - first) / network.epochSeconds()))));
    show();
  });
  queueMicrotask(show);
  const element = h(
    "div",
    { class: "stack tight" },
    text,
    h("label", { for: "epochs", class: "small muted" }, "Epochs, this one counted"),
    slider,
    h(
      "div",
      { class: "field-row" },
      h("label", { for: "until", class: "small muted" }, "or the latest day it is needed"),
      day,
    ),
  );
  /** Another payer may pay for longer. @param {number} other */
  const atMost = (other) => {
    most = Math.max(1, Math.min(other, sold));
    slider.max = String(most);
    show();
  };
  return { element, epochs, atMost };
}

/** @param {{list: File[]}} files @param {{epochs: () => number}} until @param {() => boolean} asQuilt @param {(size: number) => number} sealed Size after encryption @param {() => import("./payer.js").Payer} payer */
export function costTable(files, until, asQuilt, sealed, payer) {
  const price = h("dd", { class: "price" }, "…");
  const encoded = h("dd", null, "…");
  const element = h(
    "dl",
    { class: "cost", "aria-live": "polite" },
    h("div", null, h("dt", null, "Price"), price),
    h("div", null, h("dt", null, "Takes on all nodes together"), encoded),
  );
  let asked = 0;
  const update = async () => {
    if (files.list.length === 0) return;
    asked += 1;
    const mine = asked;
    try {
      const sizes = files.list.map((file) => sealed(file.size));
      // A quilt is a little larger than its files; by how much is known only when it is laid out.
      const blobs = asQuilt() ? [sizes.reduce((sum, size) => sum + size, 0)] : sizes;
      const quotes = await Promise.all(blobs.map((size) => network.quote(size, until.epochs())));
      const extra = payer() === "account" ? await tipWords(quotes.map((each) => each.encodedSize)) : null;
      // An older question's answer must not overwrite a newer one's.
      if (mine !== asked) return;
      const size = quotes.reduce((sum, each) => sum + each.encodedSize, 0);
      const paid = format.wal(quotes.reduce((sum, each) => sum + each.cost, 0n));
      replace(price, asQuilt() ? "about " : null, paid, extra && h("span", { class: "small" }, ` ${extra}`));
      replace(encoded, format.bytes(size));
    } catch (error) {
      if (mine === asked) replace(price, h("span", { class: "problem" }, explain(error).message));
    }
  };
  return { element, update };
}
