// The blobs of the account in use.

import * as blobs from "../blobs.js";
import { h, replace } from "../dom.js";
import { mark } from "../figures.js";
import * as format from "../format.js";
import * as network from "../network.js";
import * as wallet from "../wallet.js";
import { actionButtons } from "./blob-actions.js";
import { badge, ending, loading } from "./parts.js";

/** Pages of the Lens looked through at a time. */
const PAGES = 8;

/** @type {import("../main.js").View} */
export function blobsView(main) {
  const list = h("ul", { class: "blob-list", "aria-label": "Blobs" });
  const more = h("div", { class: "row" });
  const summary = h("p", { class: "lead" });
  const past = h("input", { type: "checkbox", id: "show-past", onchange: () => load() });
  let alive = true;

  const load = async () => {
    replace(more);
    const account = wallet.account();
    if (!account) {
      replace(summary);
      replace(
        list,
        h(
          "li",
          { class: "empty" },
          h("p", null, "Connect an account to see its blobs."),
          h("p", { class: "muted" }, "The button is at the top right."),
        ),
      );
      return;
    }
    await loading(list, async () => {
      await network.refresh();
      const found = await search(account.address, blobs.newest());
      if (!alive || wallet.account() !== account) return undefined;
      summarize(found.blobs);
      offerMore(account.address, found.next);
      return rows(found.blobs);
    });
  };

  /** @param {blobs.Blob[]} found */
  const summarize = (found) => {
    const living = found.filter((blob) => blobs.stateOf(blob).kind !== "past");
    const size = living.reduce((sum, blob) => sum + blob.size, 0);
    replace(
      summary,
      living.length === 0
        ? "Nothing is stored for this account yet."
        : `${format.count(living.length, "blob")}, ${format.bytes(size)} together.`,
    );
  };

  /** @param {blobs.Blob[]} found */
  const rows = (found) => {
    const shown = found.filter((blob) => past.checked || blobs.stateOf(blob).kind !== "past");
    if (shown.length > 0) return shown.map((blob) => blobRow(blob, load));
    return h(
      "li",
      { class: "empty" },
      h("p", null, "No blobs here yet."),
      h("a", { class: "button primary", href: "#/store" }, "Store a file"),
    );
  };

  /** @param {string} owner @param {number} next */
  const offerMore = (owner, next) => {
    if (next === 0) return;
    const further = async () => {
      const found = await search(owner, next);
      list.append(...found.blobs.map((blob) => blobRow(blob, load)));
      replace(more);
      offerMore(owner, found.next);
    };
    replace(more, h("button", { type: "button", class: "button", onclick: further }, "Look further back"));
  };

  main.append(
    h(
      "div",
      { class: "title-row" },
      h("div", null, h("h1", null, "My blobs"), summary),
      h(
        "div",
        { class: "row" },
        h("div", { class: "check" }, past, h("label", { for: "show-past" }, "Ended and deleted too")),
        lookUp(),
      ),
    ),
    list,
    more,
  );
  load();
  wallet.news.addEventListener("change", load);
  return () => {
    alive = false;
    wallet.news.removeEventListener("change", load);
  };
}

/** The account's tokens, newest first. @param {string} owner @param {number} from */
async function search(owner, from) {
  const found = [];
  let next = from;
  for (let pages = 0; next > 0 && pages < PAGES; pages += 1) {
    const page = await blobs.page(next);
    // Who owned a deleted blob is not known any more; those stored from this browser are.
    found.push(
      ...page.blobs.filter(
        (blob) =>
          blob.owner?.toLowerCase() === owner.toLowerCase() || (blob.deleted && blobs.nameOf(blob).name !== null),
      ),
    );
    next = page.next;
  }
  return { blobs: found, next };
}

/** @param {blobs.Blob} blob @param {() => void} changed */
function blobRow(blob, changed) {
  const title = h("a", { class: "blob-name wrap", href: `#/blob/${blob.blobId}/${blob.tokenId}` });
  const show = (/** @type {[string, string][]} */ known) => {
    const { name, encrypted } = blobs.nameOf(blob, known);
    replace(
      title,
      name ?? h("span", { class: "mono" }, format.short(blob.blobId, 10, 6)),
      encrypted && h("span", { class: "tag" }, "encrypted"),
    );
  };
  show([]);
  blobs.attributes(blob).then(show, () => {});
  return h(
    "li",
    { class: "panel blob-row", data: { token: String(blob.tokenId) } },
    mark(blob.blobIdHex),
    h(
      "div",
      { class: "blob-main" },
      title,
      h(
        "div",
        { class: "muted small" },
        `${format.bytes(blob.size)} · `,
        h("span", { class: "mono" }, format.short(blob.blobId, 8, 4)),
        ` · ${blob.deletable ? "deletable" : "permanent"}`,
      ),
    ),
    h("div", { class: "blob-end small" }, ending(blob.endEpoch)),
    badge(blobs.stateOf(blob)),
    h("div", { class: "row blob-actions" }, actionButtons(blob, changed)),
  );
}

/** A field that leads to any blob's page. */
function lookUp() {
  const input = h("input", {
    id: "look-up",
    class: "mono",
    placeholder: "Blob id",
    "aria-label": "Blob id to look up",
    spellcheck: "false",
    autocomplete: "off",
  });
  const form = h("form", { class: "look-up" }, input, h("button", { class: "button", type: "submit" }, "Look up"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    const fits = format.blobIdHex(wanted) !== null;
    input.setCustomValidity(fits ? "" : "A blob id has 43 letters, digits, - and _.");
    if (fits) location.hash = `#/blob/${wanted}`;
    else input.reportValidity();
  });
  input.addEventListener("input", () => input.setCustomValidity(""));
  return form;
}
