// Small parts that several views share.

import { explain } from "../chain.js";
import { h, replace } from "../dom.js";
import * as format from "../format.js";
import * as network from "../network.js";

/** A state as a word with a colour. @param {{word: string, kind: string}} state */
export const badge = ({ word, kind }) => h("span", { class: `badge ${kind}` }, word);

/** Where a blob is served with its published type, so that browsers show it. @param {bigint} tokenId */
export const byObject = (tokenId) => `/v1/blobs/by-object-id/0x${tokenId.toString(16)}`;

/** An end: a date people understand, and the epoch. @param {number} endEpoch */
export function ending(endEpoch) {
  const at = network.epochStart(endEpoch);
  const past = endEpoch <= network.epoch();
  const text = network.epochSeconds() >= 86_400 ? format.date(at) : format.dateTime(at);
  return h(
    "span",
    { class: "ending", title: `${past ? "Ended with" : "Stored until the start of"} epoch ${endEpoch}` },
    h("strong", null, past ? format.fromNow(at) : text),
    h(
      "span",
      { class: "muted" },
      h("span", { class: "lead-dot" }, " · "),
      past ? `epoch ${endEpoch}` : `${format.fromNow(at)} · epoch ${endEpoch}`,
    ),
  );
}

/** Rows of names and values. @param {[string, any][]} rows */
export const facts = (rows) =>
  h(
    "dl",
    { class: "facts" },
    rows.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );

/** A part that loads: shows that it does, then what it found or why not. @param {HTMLElement} into @param {() => Promise<any>} load */
export async function loading(into, load) {
  into.setAttribute("aria-busy", "true");
  if (into.childElementCount === 0) replace(into, h("p", { class: "muted loading" }, "Loading …"));
  try {
    const found = await load();
    if (found !== undefined) replace(into, found);
  } catch (error) {
    replace(into, h("p", { class: "notice bad", role: "alert" }, explain(error).message));
  } finally {
    into.removeAttribute("aria-busy");
  }
}

/** A panel with a heading. @param {string} title @param {...any} children */
export const panel = (title, ...children) =>
  h("section", { class: "panel", "aria-label": title }, h("h2", null, title), ...children);

/**
 * A table that becomes a list of cards on small screens. The roles are said twice because browsers forget them when the
 * layout is not a table's.
 * @param {string} label
 * @param {[string, string?][]} columns Title and class; a title that begins with "!" is only read aloud
 * @param {HTMLTableRowElement[]} rows Their cells in the order of the columns, the first a `th`
 */
export function table(label, columns, rows) {
  const head = columns.map(([title, kind]) => {
    const hidden = title.startsWith("!");
    return h(
      "th",
      { scope: "col", role: "columnheader", class: kind },
      hidden ? h("span", { class: "visually-hidden" }, title.slice(1)) : title,
    );
  });
  for (const row of rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, index) => {
      cell.setAttribute("role", index === 0 ? "rowheader" : "cell");
      const [title] = columns[index] ?? [""];
      if (index > 0 && !title.startsWith("!")) cell.dataset.label = title;
    });
  }
  const body = h("tbody", { role: "rowgroup" }, rows);
  return h(
    "div",
    { class: "table-box", tabindex: "0", role: "group", "aria-label": `${label}, table` },
    h(
      "table",
      { role: "table", "aria-label": label },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)),
      body,
    ),
  );
}

/** A number that matters, with what it is. @param {string} label @param {any} value @param {any} [below] */
export const figure = (label, value, below) =>
  h(
    "div",
    { class: "figure" },
    h("div", { class: "figure-label" }, label),
    h("div", { class: "figure-value" }, value),
    below ? h("div", { class: "figure-below muted small" }, below) : null,
  );
