// Is it really this blob? Fetches all of it through the gateway and computes the blob id here.

import { h, replace } from "../dom.js";
import { bar } from "../figures.js";
import * as format from "../format.js";
import { identify } from "../identity.js";
import * as network from "../network.js";
import { refusal } from "../transfer.js";
import { MOST_OF_A_BROWSER } from "./payer.js";

/** @param {import("../blobs.js").Blob} blob @param {string | null} name */
export function checkBytes(blob, name) {
  const result = h("div", { class: "stack tight", "aria-live": "polite", id: "bytes-result" });
  const button = h("button", { type: "button", class: "button", onclick: run }, "Check the bytes");
  async function run() {
    button.disabled = true;
    const progress = bar("Progress of the check");
    const words = h("p", { class: "muted" }, "Fetching …");
    replace(result, words, progress.element);
    const show = (/** @type {string} */ text, /** @type {number} */ done) => {
      replace(words, `${text} ${format.percent(done, blob.size)}`);
      progress.set(blob.size === 0 ? 1 : done / blob.size);
    };
    try {
      const bytes = await fetched(blob, (done) => show("Fetching through the gateway", done));
      const shards = Number(network.overview().parameters.nShards);
      const told = (/** @type {number} */ done) => show("Computing the blob id in this browser", done);
      const { blobId } = await identify(bytes, shards, { progress: told });
      replace(result, blobId === blob.blobId ? equal(bytes, name ?? blob.blobId) : different(blobId));
    } catch (error) {
      replace(result, h("p", { class: "problem" }, /** @type {any} */ (error)?.message ?? String(error)));
    } finally {
      button.disabled = false;
    }
  }
  const about =
    "Fetches the whole blob and computes its id in this browser. If it is the id on the chain, these are the bytes that were stored, whatever the gateway says.";
  if (blob.size > MOST_OF_A_BROWSER)
    return h(
      "p",
      null,
      `${about} Only for blobs up to 2 GiB; for this one use \`walrus read\`, which checks the same.`,
    );
  return [h("p", null, about), button, result];
}

/** The bytes as the gateway gives them; the browser may keep them on disk. @param {import("../blobs.js").Blob} blob @param {(done: number) => void} progress */
async function fetched(blob, progress) {
  // Not out of the browser's memory: what is checked is what the gateway says now.
  const response = await fetch(`/v1/blobs/${blob.blobId}`, { cache: "no-store" }).catch(() => null);
  if (!response) throw new Error("The gateway did not answer. Check that it is running, then try again.");
  if (!response.ok || !response.body) throw new Error(refusal(response.status, await response.text()));
  let done = 0;
  const counter = new TransformStream({
    transform(chunk, controller) {
      done += chunk.byteLength;
      progress(Math.min(done, blob.size));
      controller.enqueue(chunk);
    },
  });
  const bytes = await new Response(response.body.pipeThrough(counter)).blob().catch(() => null);
  if (!bytes) throw new Error("The download broke off. Try again.");
  return bytes;
}

/** @param {Blob} bytes @param {string} name */
const equal = (bytes, name) => [
  h("p", { class: "good", data: { equal: "true" } }, "The bytes are those of this blob id: computed here, and equal."),
  h(
    "div",
    { class: "row" },
    h("a", { class: "button", href: URL.createObjectURL(bytes), download: name }, "Save what was checked"),
  ),
];

/** @param {string} found */
const different = (found) => [
  h(
    "p",
    { class: "problem", data: { equal: "false" } },
    "These are other bytes than those of this blob id. Do not use what this gateway sends; read the blob through another one, or with the walrus command.",
  ),
  h("p", { class: "small muted wrap mono" }, `Their id is ${found}`),
];
