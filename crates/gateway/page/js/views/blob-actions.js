// What an owner can do with a blob token, each in a dialog that says what it costs and means.

import { getAddress, isAddress } from "../../vendor/viem.js";
import * as blobs from "../blobs.js";
import { encode } from "../chain.js";
import { dialog, h, replace, toast } from "../dom.js";
import * as format from "../format.js";
import * as network from "../network.js";
import { resumed } from "../own.js";
import * as wallet from "../wallet.js";
import { enqueue } from "./queue.js";

/** @typedef {import("../blobs.js").Blob} Blob */

/** Buttons for all that can be done. @param {Blob} blob @param {() => void} changed Called after a change */
export function actionButtons(blob, changed) {
  const own = blob.owner !== null && blob.owner.toLowerCase() === wallet.account()?.address.toLowerCase();
  const after = (/** @type {Promise<boolean>} */ open) => open.then((done) => done && changed());
  const button = (/** @type {string} */ text, /** @type {() => Promise<boolean>} */ open, kind = "") =>
    h("button", { type: "button", class: `button small ${kind}`, onclick: () => after(open()) }, text);
  const living = blobs.alive(blob);
  return [
    // Anybody may pay for more time.
    living && blob.certifiedEpoch > 0 && wallet.account() && button("Extend", () => extend(blob)),
    own && living && unfinished(blob) && button("Finish the upload", () => finish(blob), "primary"),
    own && button("Attributes", () => attributes(blob)),
    own && button("Transfer", () => transfer(blob)),
    own && living && blob.deletable && button("Delete", () => remove(blob), "danger"),
  ].filter(Boolean);
}

/** Whether it is registered but not certified, and this gateway can change that. @param {Blob} blob */
const unfinished = (blob) => blob.certifiedEpoch === 0 && Boolean(network.config().relay);

/** @param {Blob} blob */
function finish(blob) {
  const { name, type, encrypted, quilt } = blobs.nameOf(blob);
  const made = encrypted ? "the encrypted form" : quilt ? "the quilt" : null;
  const input = h("input", { type: "file", id: "same-file", required: true });
  const stop = new AbortController();
  const open = dialog({
    title: "Finish the upload",
    body: [
      h(
        "p",
        null,
        "This blob is registered and paid for, but its bytes never reached enough nodes. Choose the same file again: nothing is paid twice, except gas.",
      ),
      made && h("p", { class: "notice" }, `Choose ${made} that you saved, not what it was made of.`),
      h(
        "label",
        { for: "same-file" },
        name ? `${name}, ${format.bytes(blob.size)}` : `The file of ${format.bytes(blob.size)}`,
      ),
      input,
    ],
    action: "Upload",
    async run(say) {
      const [file] = input.files ?? [];
      if (!file) throw new Error("Choose the file first.");
      const watch = (/** @type {import("../transfer.js").Step} */ step) =>
        say(`Computing the blob id in this browser ${format.percent(step.bytes_done, step.bytes_total)}`);
      const kept = await resumed(file, blob, watch, stop.signal);
      const wish = {
        payer: /** @type {const} */ ("account"),
        epochs: blob.endEpoch - network.epoch(),
        deletable: blob.deletable,
        owner: blob.owner,
        readers: null,
        token: "",
        padded: false,
      };
      Object.assign(kept, { quilt, encrypted });
      enqueue([new File([file], name ?? file.name, { type: type || file.type })], wish, !encrypted, kept);
      location.hash = "#/store";
    },
  });
  return open.finally(() => stop.abort()).then(() => false);
}

/** @param {Blob} blob */
function extend(blob) {
  const most = Number(network.overview().parameters.maxEpochsAhead) - (blob.endEpoch - network.epoch());
  if (most < 1) {
    toast("This blob already ends as late as storage is sold.");
    return Promise.resolve(false);
  }
  const input = h("input", {
    type: "range",
    min: 1,
    max: most,
    value: Math.min(most, 5),
    id: "more-epochs",
    class: "slider",
  });
  const price = h("strong", { class: "price" });
  const end = h("p", { class: "until", "aria-live": "polite" });
  const show = () => {
    const epochs = Number(input.value);
    const at = network.epochStart(blob.endEpoch + epochs);
    const words = network.epochSeconds() >= 86_400 ? format.date(at) : format.dateTime(at);
    replace(price, format.wal(blobs.extensionCost(blob, epochs)));
    replace(
      end,
      h("strong", null, `until ${words}`),
      h("span", { class: "muted" }, ` · ${format.count(epochs, "epoch")} more`),
    );
    input.setAttribute("aria-valuetext", `${format.count(epochs, "epoch")} more, until ${words}`);
  };
  input.addEventListener("input", show);
  show();
  return dialog({
    title: "Keep it longer",
    body: [
      end,
      h("label", { for: "more-epochs" }, "Epochs to add"),
      input,
      h("p", null, "Price: ", price, ", paid by your account."),
    ],
    action: "Extend",
    async run(say) {
      const epochs = Number(input.value);
      const cost = blobs.extensionCost(blob, epochs);
      await wallet.allow(network.address("system"), cost, say);
      await wallet.send("WalrusSystem", network.address("system"), "extend", [blob.tokenId, epochs, cost], { say });
      toast(`Extended by ${format.count(epochs, "epoch")}`);
    },
  });
}

/** @param {Blob} blob */
function remove(blob) {
  return dialog({
    title: "Delete this blob?",
    body: [
      h("p", null, "The nodes stop storing it, and links to it stop working. This cannot be undone."),
      h(
        "p",
        { class: "muted" },
        "Its unused storage comes back to your account as storage capacity. Somebody who stored the same content keeps it stored.",
      ),
    ],
    action: "Delete",
    danger: true,
    async run(say) {
      const to = wallet.needAccount().address;
      await wallet.send("WalrusSystem", network.address("system"), "deleteBlob", [blob.tokenId, to], { say });
      toast("Deleted");
    },
  });
}

/** @param {Blob} blob */
function transfer(blob) {
  const input = h("input", {
    id: "receiver",
    class: "mono",
    placeholder: "0x…",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  return dialog({
    title: "Give this blob away",
    body: [
      h("label", { for: "receiver" }, "Address of the new owner"),
      input,
      h("p", { class: "muted small" }, "Only the new owner can then delete it, change its attributes or give it on."),
    ],
    action: "Transfer",
    async run(say) {
      const to = input.value.trim();
      if (!isAddress(to))
        throw new Error(
          "That is not an address: it has 0x and 40 hexadecimal digits. A mixed-case one must match its checksum.",
        );
      await wallet.send(
        "BlobNFT",
        network.address("blobs"),
        "safeTransferFrom",
        [wallet.needAccount().address, getAddress(to), blob.tokenId],
        { say },
      );
      toast(`Given to ${format.short(getAddress(to))}`);
    },
  });
}

/** @param {Blob} blob */
async function attributes(blob) {
  const before = await blobs.attributes(blob);
  const list = h("div", { class: "attribute-list" });
  const add = (key = "", value = "") => {
    const number = list.childElementCount + 1;
    const row = h(
      "div",
      { class: "attribute" },
      h("input", {
        "aria-label": `Name of attribute ${number}`,
        value: key,
        maxlength: 64,
        placeholder: "name",
        class: "key",
      }),
      h("input", {
        "aria-label": `Value of attribute ${number}`,
        value,
        maxlength: 1024,
        placeholder: "value",
        class: "value",
      }),
      h(
        "button",
        {
          type: "button",
          class: "icon-button small",
          "aria-label": `Remove attribute ${number}`,
          onclick: () => row.remove(),
        },
        "×",
      ),
    );
    list.append(row);
  };
  before.forEach(([key, value]) => add(key, value));
  if (before.length === 0) add();
  return dialog({
    title: "Attributes",
    body: [
      h(
        "p",
        { class: "muted small" },
        "Written on the chain for everybody to see. ",
        h("code", null, "name"),
        " is shown in lists; ",
        h("code", null, "content-type"),
        " is what browsers are told.",
      ),
      list,
      h("button", { type: "button", class: "button small", onclick: () => add() }, "Add another"),
    ],
    action: "Save",
    async run(say) {
      const calls = changes(blob.tokenId, before, list);
      if (calls.length > 0) await wallet.send("WalrusSystem", network.address("system"), "multicall", [calls], { say });
      toast("Attributes saved");
    },
  });
}

/** The calls that lead from what was to what is in the form. @param {bigint} tokenId @param {[string, string][]} before @param {HTMLElement} list */
function changes(tokenId, before, list) {
  const after = new Map();
  for (const row of list.children) {
    const [key = "", value = ""] = [...row.querySelectorAll("input")].map((input) => input.value.trim());
    if (key === "" && value === "") continue;
    if (key === "" || value === "") throw new Error("Every attribute needs a name and a value.");
    if (after.has(key)) throw new Error(`There are two attributes called “${key}”.`);
    after.set(key, value);
  }
  const was = new Map(before);
  const gone = before
    .filter(([key]) => !after.has(key))
    .map(([key]) => encode("WalrusSystem", "removeAttribute", [tokenId, key]));
  const set = [...after]
    .filter(([key, value]) => was.get(key) !== value)
    .map(([key, value]) => encode("WalrusSystem", "setAttribute", [tokenId, key, value]));
  return [...gone, ...set];
}
