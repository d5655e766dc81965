// Is it there now? Asks the nodes for fresh signatures where the gateway can, and reads random places in any case.

import { h, replace } from "../dom.js";
import { bar } from "../figures.js";
import * as format from "../format.js";
import { refusal } from "../transfer.js";

/** Places read, and bytes of each. */
const SAMPLES = 8;
const SAMPLE_BYTES = 1_024;

/** @param {import("../blobs.js").Blob} blob */
export function checkNow(blob) {
  const result = h("div", { class: "stack tight", "aria-live": "polite", id: "check-result" });
  const button = h("button", { type: "button", class: "button", onclick: run }, "Check now");
  async function run() {
    button.disabled = true;
    replace(result, h("p", { class: "muted" }, "Asking …"));
    const parts = await Promise.all([confirmations(blob), samples(blob)]);
    replace(result, parts, h("p", { class: "muted small" }, `Checked ${new Date().toLocaleTimeString("en")}.`));
    button.disabled = false;
  }
  return [
    h(
      "p",
      null,
      `Reads ${SAMPLES} random places through the gateway, which proves every byte against the blob id, and asks every node to sign again.`,
    ),
    button,
    result,
  ];
}

/** @param {import("../blobs.js").Blob} blob */
async function samples(blob) {
  if (blob.size === 0) return h("p", null, "The blob is empty: there is nothing to read.");
  const began = performance.now();
  const places = Array.from({ length: SAMPLES }, () => Math.floor(Math.random() * blob.size));
  const results = await Promise.all(
    places.map(async (from) => {
      const to = Math.min(blob.size, from + SAMPLE_BYTES) - 1;
      try {
        const response = await fetch(`/v1/blobs/${blob.blobId}`, {
          headers: { range: `bytes=${from}-${to}` },
          cache: "no-store",
        });
        if (response.status !== 206) return refusal(response.status, await response.text());
        const { byteLength } = await response.arrayBuffer();
        return byteLength === to - from + 1 ? null : "The gateway sent fewer bytes than asked for.";
      } catch {
        return "The gateway did not answer.";
      }
    }),
  );
  const bad = results.find((each) => each !== null);
  const good = results.filter((each) => each === null).length;
  const text = `${good} of ${SAMPLES} random places read and proved in ${format.span(Math.max(1, (performance.now() - began) / 1000))}.`;
  return h("p", { class: bad ? "problem" : "good" }, bad ? `${text} ${bad}` : text);
}

/** @param {import("../blobs.js").Blob} blob */
async function confirmations(blob) {
  const query = blob.deletable ? `?object_id=${format.objectId(blob.tokenId)}` : "";
  const response = await fetch(`/v1/blobs/${blob.blobId}/confirmations${query}`).catch(() => null);
  // Not every gateway asks the nodes for others.
  if (!response || response.status === 404 || response.status === 405) return null;
  if (!response.ok) return h("p", { class: "problem" }, refusal(response.status, await response.text()));
  const { weight, needed, nodes } = await response.json();
  const share = bar("Shards of the nodes that signed");
  const total = nodes.reduce((/** @type {number} */ sum, /** @type {any} */ node) => sum + node.shards, 0);
  share.set(weight / total);
  return [
    h(
      "p",
      { class: weight >= needed ? "good" : "problem" },
      `Nodes with ${weight} of ${total} shards signed just now that they hold their part (${needed} needed).`,
    ),
    share.element,
    h(
      "ul",
      { class: "signers" },
      nodes.map((/** @type {any} */ node) =>
        h(
          "li",
          { class: node.confirmed ? "signed" : "absent", title: node.error ?? "" },
          node.name,
          h("span", { class: "muted" }, node.confirmed ? " signed" : ` ${node.error ?? "did not sign"}`),
        ),
      ),
    ),
  ];
}
