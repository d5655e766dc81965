// One upload as it happens: its stages, the field of shards, a bar for every node, and in the end the links.

import { explain } from "../chain.js";
import { copyButton, h, replace, toast } from "../dom.js";
import { bar, hue, seatsOf, shardField } from "../figures.js";
import * as format from "../format.js";
import { nameCalls, remember } from "../names.js";
import * as network from "../network.js";
import { storeByAccount } from "../own.js";
import { store } from "../upload.js";
import * as wallet from "../wallet.js";
import { byObject } from "./parts.js";

/** Stages by who pays, in their order. @type {Record<import("./payer.js").Payer, string[]>} */
const STAGES = {
  gateway: ["encrypt", "send", "encode", "register", "spread", "certify"],
  account: ["encrypt", "name", "register", "send", "encode", "spread", "certify"],
};

/** What stages are called. @type {Record<string, string>} */
const TITLES = {
  encrypt: "Encrypt",
  name: "Blob id",
  send: "Send",
  encode: "Encode",
  register: "Register",
  spread: "Spread",
  certify: "Certify",
};

/** The stage to which a step belongs. @type {Record<string, string>} */
const STAGE_OF = {
  encrypting: "encrypt",
  naming: "name",
  tipping: "register",
  sending: "send",
  sent: "send",
  receiving: "send",
  encoding: "encode",
  encoded: "encode",
  registering: "register",
  registered: "register",
  uploading: "spread",
  node: "spread",
  confirmations: "spread",
  certifying: "certify",
  certified: "certify",
};

/**
 * @param {File[]} files Several are stored together as a quilt
 * @param {import("../upload.js").Wish} wish
 * @param {boolean} publishName
 * @param {import("../own.js").Kept} [kept] What is done already, for stores that an account pays for
 */
export function uploadCard(files, wish, publishName, kept = {}) {
  const file = described(files);
  const stop = new AbortController();
  /** What is stored instead of the file itself, if something was made of it here. */
  const made = wish.readers ? "encrypted form" : file.quilt ? "quilt" : null;
  const steps = stageList(wish);
  const status = h("p", { class: "card-status", role: "status", "aria-live": "polite" }, "Waiting for the one before");
  const progress = bar(`Progress of ${file.name}`);
  const price = h("p", { class: "muted small card-price", hidden: true });
  const detail = h("div", { class: "card-detail" });
  const cancel = h("button", { type: "button", class: "button", onclick: () => stop.abort() }, "Cancel");
  const actions = h("div", { class: "row" }, cancel);
  const element = h(
    "section",
    { class: "panel card upload", "aria-label": `Store ${file.name}`, data: { state: "waiting" } },
    h(
      "div",
      { class: "card-head" },
      h("h2", { class: "wrap" }, file.name),
      h("span", { class: "muted" }, format.bytes(file.size)),
    ),
    steps.element,
    progress.element,
    status,
    price,
    detail,
    actions,
  );

  /** @type {Awaited<ReturnType<typeof spreadPicture>> | undefined} */
  let spread;
  const say = (/** @type {string} */ text) => {
    if (status.textContent !== text) replace(status, text);
  };
  const watch = (/** @type {import("../upload.js").Step} */ step) => {
    const stage = STAGE_OF[step.stage];
    if (stage) steps.reach(stage);
    // What the gateway has received is behind what was sent; only one of the two is shown.
    if (step.bytes_total && step.stage !== "receiving") progress.set(step.bytes_done / step.bytes_total);
    if (step.slivers_total && step.stage === "uploading") progress.set(step.slivers_done / step.slivers_total);
    spread?.show(step);
    if (step.stage === "price") {
      replace(price, `Your account pays ${format.wal(step.wal)}, and about ${format.ether(step.wei, 2)} for gas.`);
      price.hidden = false;
    }
    const words = wordsOf(step);
    if (words) say(words);
  };

  async function run() {
    if (stop.signal.aborted) return end("cancelled", "Cancelled before it began.");
    element.dataset.state = "running";
    say("Beginning");
    try {
      spread = await spreadPicture();
      detail.append(spread.element);
      const stored =
        wish.payer === "account"
          ? await storeByAccount(
              files,
              { name: file.name, type: file.type },
              wish,
              publishName,
              kept,
              watch,
              stop.signal,
            )
          : await store(files, wish, watch, stop.signal);
      if (wish.payer === "gateway")
        remember(stored.blobId, { name: file.name, type: file.type, encrypted: wish.readers !== null });
      steps.finish();
      progress.set(1);
      spread.finish();
      const lost = spread.lost();
      const missing =
        lost.length > 0 ? ` ${lost.join(", ")} did not sign in time, and fetches later what it lacks.` : "";
      end(
        "done",
        stored.before
          ? "It was stored already; nothing was paid."
          : `Stored until ${format.dateTime(network.epochStart(stored.endEpoch))}.${missing}`,
      );
      const quilt = file.quilt || kept.quilt === true;
      replace(
        actions,
        links({ ...file, quilt }, stored, wish.readers !== null || kept.encrypted === true, publishName),
      );
      if (publishName && stored.tokenId && !stored.before)
        element.dataset.named = String(wish.payer === "account" || (await writeName(file, stored.tokenId)));
    } catch (error) {
      if (/** @type {any} */ (error)?.name === "AbortError")
        end(
          "cancelled",
          "Cancelled. What was sent is forgotten; a registration already paid is used when you store the file again.",
        );
      else end("failed", [explain(error).message, wayOn()].filter(Boolean).join(" "));
    }
  }

  /** What becomes of what was paid already. */
  function wayOn() {
    if (!kept.registered) return "";
    if (made)
      return `The registration is paid and kept. Try again here; to go on after this tab is closed, save the ${made} now.`;
    return "The registration is paid and kept. Try again here, or later from My blobs.";
  }

  /** @param {string} state @param {string} words */
  function end(state, words) {
    element.dataset.state = state;
    say(words);
    if (state === "failed") steps.fail();
    if (state === "done") return;
    replace(actions, h("button", { type: "button", class: "button", onclick: again }, "Try again"));
    // Encrypted once more it would be another blob, and so would files that are laid out in another order.
    if (made && kept.registered && kept.body)
      actions.append(
        h(
          "a",
          {
            class: "button",
            href: URL.createObjectURL(kept.body),
            download: `${file.name}.${wish.readers ? "age" : "quilt"}`,
          },
          `Save the ${made}`,
        ),
      );
  }

  function again() {
    const next = uploadCard(files, wish, publishName, kept);
    element.replaceWith(next.element);
    next.run();
  }
  return { element, run };
}

/** What is stored, as one thing. @typedef {{name: string, type: string, size: number, quilt: boolean}} Described */

/** @param {File[]} files @returns {Described} */
function described(files) {
  const [first] = files;
  const size = files.reduce((sum, each) => sum + each.size, 0);
  const quilt = files.length > 1;
  return {
    name: quilt ? `${first?.name} and ${files.length - 1} more` : (first?.name ?? ""),
    type: quilt ? "" : (first?.type ?? ""),
    size,
    quilt,
  };
}

/** @param {import("../upload.js").Wish} wish */
function stageList({ payer, readers }) {
  const items = STAGES[payer]
    .filter((key) => readers || key !== "encrypt")
    .map((key) => {
      const item = h("li", { data: { stage: key } }, TITLES[key]);
      return { key, item };
    });
  let reached = -1;
  const show = () =>
    items.forEach(({ item }, index) => {
      item.className = index < reached ? "done" : index === reached ? "active" : "";
      if (index === reached) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  return {
    element: h(
      "ol",
      { class: "stages" },
      items.map(({ item }) => item),
    ),
    /** @param {string} key */
    reach(key) {
      const index = items.findIndex((each) => each.key === key);
      if (index <= reached) return;
      reached = index;
      show();
    },
    finish() {
      reached = items.length;
      show();
    },
    fail() {
      items[Math.max(0, reached)]?.item.classList.replace("active", "failed");
    },
  };
}

/** What a step is called. @param {import("../upload.js").Step} step @returns {string | null} */
function wordsOf(step) {
  const share = step.bytes_total ? ` ${format.percent(step.bytes_done, step.bytes_total)}` : "";
  switch (step.stage) {
    case "encrypting":
      return `Encrypting in this browser${share}`;
    case "naming":
      return `Computing the blob id in this browser${share}`;
    case "sending":
      return `Sending to the gateway${share}`;
    case "sent":
      return "The gateway has it";
    case "encoding":
      return `Encoding into slivers${share}`;
    case "encoded":
      return `Encoded: ${format.bytes(step.encoded_bytes)} of slivers`;
    case "registering":
      return worded("Buying storage and registering on the chain", step);
    case "tipping":
      return worded(`Paying this gateway ${format.ether(step.wei)} for its work`, step);
    case "registered":
      return step.resumed ? "Registered before; going on with that" : "Registered";
    case "uploading":
      return "Spreading slivers over the nodes";
    case "confirmations":
      return `Nodes with ${step.weight} shards have signed; ${step.needed} are needed`;
    case "certifying":
      return worded("Handing in the certificate", step);
    case "retrying":
      return `Once more: ${step.reason}`;
    default:
      return null;
  }
}

/** @param {string} what @param {import("../upload.js").Step} step With what is being waited for, perhaps */
const worded = (what, { words }) => (words ? `${what}: ${words.charAt(0).toLowerCase()}${words.slice(1)}` : what);

/** The committee as a field of shards and a list of nodes. */
async function spreadPicture() {
  const [committee, nodes] = await Promise.all([network.committee(network.epoch()), network.allNodes()]);
  const field = shardField(
    seatsOf(committee.shardMap),
    "Shards of the network; those that have their part are bright",
    "square",
  );
  const seats = committee.nodeIds.map(Number);
  const names = new Map(nodes.map((node) => [Number(node.nodeId), node.name]));
  const rows = seats
    .map((nodeId, seat) => ({ nodeId, seat }))
    .filter(({ nodeId }) => nodeId !== 0)
    .map(({ nodeId, seat }) => {
      const name = names.get(nodeId) ?? `node ${nodeId}`;
      const progress = bar(`Slivers at ${name}`);
      const note = h("span", { class: "node-note" }, "waiting");
      const row = h(
        "li",
        { data: { node: String(nodeId) } },
        h("span", { class: "swatch", style: { "--hue": hue(seat) } }),
        h("span", { class: "node-name" }, name),
        progress.element,
        note,
      );
      return { nodeId, seat, name, progress, note, row };
    });
  const byId = new Map(rows.map((row) => [row.nodeId, row]));
  let fine = false;
  const lose = (/** @type {(typeof rows)[number]} */ { seat, note, row }) => {
    row.dataset.state = "failed";
    replace(note, "lost");
    field.mark(seat, "lost");
  };
  const element = h(
    "div",
    { class: "spread" },
    field.element,
    h(
      "ul",
      { class: "node-bars", "aria-label": "Nodes" },
      rows.map((each) => each.row),
    ),
  );
  return {
    element,
    /** @param {import("../upload.js").Step} step */
    show(step) {
      if (step.stage === "uploading" && !fine) field.lightAll(step.slivers_done / step.slivers_total);
      // From here on nobody is waited for any more.
      if (["certifying", "certified"].includes(step.stage) && fine)
        rows.filter(({ row }) => row.dataset.state !== "confirmed").forEach(lose);
      if (step.stage !== "node") return;
      fine = true;
      const found = byId.get(step.node_id);
      if (!found) return;
      const share = step.slivers_total > 0 ? step.slivers_done / step.slivers_total : null;
      if (share !== null) {
        found.progress.set(share);
        field.light(found.seat, share);
      }
      found.row.dataset.state = step.state;
      if (step.state === "failed") {
        found.row.title = step.reason ?? "";
        lose(found);
      } else if (step.state === "confirmed") {
        replace(found.note, "signed");
        found.progress.set(1);
        field.light(found.seat, 1);
        field.mark(found.seat, "done");
      } else if (step.state === "struggling") {
        found.row.title = step.reason ?? "";
        replace(found.note, "no answer");
      } else {
        found.row.title = "";
        replace(found.note, format.percent(share ?? 0, 1));
      }
    },
    finish() {
      if (!fine) field.lightAll(1);
    },
    /** Names of the nodes that failed. */
    lost: () => rows.filter(({ row }) => row.dataset.state === "failed").map(({ name }) => name),
  };
}

/** @param {Described} file @param {import("../upload.js").Stored} stored @param {boolean} encrypted @param {boolean} published */
function links(file, stored, encrypted, published) {
  const page = `#/blob/${stored.blobId}${stored.tokenId ? `/${stored.tokenId}` : ""}`;
  const raw = `/v1/blobs/${stored.blobId}`;
  const shown = published && file.type !== "" && stored.tokenId && !stored.before ? byObject(stored.tokenId) : raw;
  const share = new URL(encrypted || file.quilt ? page : shown, location.href).href;
  return [
    encrypted || file.quilt
      ? h("a", { class: "button primary", href: page }, encrypted ? "Open and decrypt" : "See the files")
      : h("a", { class: "button primary", href: raw, download: file.name }, "Download"),
    copyButton(share, "Link", "Copy link"),
    h("a", { class: "button", href: page }, "Proof and details"),
    h("span", { class: "mono small wrap blob-id" }, stored.blobId),
  ];
}

/** Writes name and type to the chain; whether that went well. @param {Described} file @param {bigint} tokenId @returns {Promise<boolean>} */
async function writeName(file, tokenId) {
  const calls = nameCalls(tokenId, file, file.quilt);
  try {
    await wallet.send("WalrusSystem", network.address("system"), "multicall", [calls]);
    return true;
  } catch (error) {
    toast(`Stored, but the name was not published: ${explain(error).message}`, "bad");
    return false;
  }
}
