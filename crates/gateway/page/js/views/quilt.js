// The files inside a quilt: many small files stored as one blob, each of which can be read without the others.

import { h, replace } from "../dom.js";
import * as format from "../format.js";
import { QUILT } from "../names.js";
import { refusal } from "../transfer.js";
import { loading, panel, table } from "./parts.js";

/** Whether its owner says that a blob is a quilt. @param {[string, string][]} attributes */
export const isQuilt = (attributes) => attributes.some(([key, value]) => key === QUILT[0] && value === QUILT[1]);

/** @typedef {{identifier: string, patch_id: string, tags: Record<string, string>}} Patch */

/**
 * The list of files, or a way to ask for it when nothing says that the blob is a quilt.
 * @param {import("../blobs.js").Blob} blob
 * @param {[string, string][]} attributes
 */
export function quiltPanel(blob, attributes) {
  const body = h("div");
  const load = () => loading(body, () => files(blob));
  if (isQuilt(attributes)) load();
  else {
    const ask = h("button", { type: "button", class: "button small", onclick: load }, "List the files inside");
    replace(
      body,
      h(
        "div",
        { class: "stack tight" },
        h("p", { class: "muted" }, "If this blob is a quilt, its files can be listed and read one by one."),
        ask,
      ),
    );
  }
  return panel("Quilt", body);
}

/** @param {import("../blobs.js").Blob} blob */
async function files(blob) {
  const response = await fetch(`/v1/quilts/${blob.blobId}/patches`);
  if (!response.ok) {
    const words = refusal(response.status, await response.text());
    return h("p", null, response.status >= 500 ? words : `No files can be listed here. ${words}`);
  }
  const patches = /** @type {Patch[]} */ (await response.json());
  const rows = patches.map(({ identifier, patch_id: id, tags }) =>
    h(
      "tr",
      null,
      h(
        "th",
        { scope: "row", class: "wrap" },
        h("a", { href: `/v1/blobs/by-quilt-patch-id/${id}`, download: identifier.split("/").at(-1) }, identifier),
      ),
      h(
        "td",
        { class: "small wrap" },
        Object.entries(tags).map(([key, value]) => h("div", null, `${key}: ${value}`)),
      ),
      h("td", { class: "mono small" }, format.short(id, 8, 6)),
    ),
  );
  return [
    h("p", null, `${format.count(patches.length, "file")}.`),
    table("Files inside", [["File"], ["Tags"], ["Patch id"]], rows),
  ];
}
