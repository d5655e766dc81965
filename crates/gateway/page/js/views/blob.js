// One blob: how to get it, and the proof that it is stored.

import * as blobs from "../blobs.js";
import { certificateOf } from "../certificate.js";
import { explain, read } from "../chain.js";
import { copyButton, h, replace } from "../dom.js";
import { hue, mark, seatsOf, shardField } from "../figures.js";
import * as format from "../format.js";
import * as network from "../network.js";
import { actionButtons } from "./blob-actions.js";
import { checkBytes } from "./check-bytes.js";
import { checkNow } from "./check-now.js";
import { decryptBox } from "./decrypt.js";
import { isQuilt, quiltPanel } from "./quilt.js";
import { badge, byObject, ending, facts, loading, panel, table } from "./parts.js";

/** @type {import("../main.js").View} */
export function blobView(main, [blobId = "", tokenText]) {
  const hex = format.blobIdHex(blobId);
  const body = h("div", { class: "stack" });
  main.append(body);
  if (!hex) {
    body.append(
      h("h1", null, "Not a blob id"),
      h("p", null, "A blob id has 43 letters, digits, - and _. Check that the whole link was copied."),
    );
    return;
  }
  let alive = true;
  const load = () =>
    loading(body, async () => {
      await network.refresh();
      const named = tokenText && /^[1-9]\d{0,18}$/.test(tokenText) ? await blobs.token(BigInt(tokenText)) : null;
      const tokens = await blobs.tokensOf(hex);
      const blob = named?.blobIdHex === hex ? named : (tokens.find(blobs.alive) ?? tokens[0]);
      if (!alive) return undefined;
      return blob ? page(blob, tokens, await blobs.attributes(blob), load) : unknown(blobId);
    });
  load();
  return () => {
    alive = false;
  };
}

/** @param {string} blobId */
const unknown = (blobId) => [
  h("h1", null, "Not on this network"),
  h(
    "p",
    null,
    "Nobody registered this blob here. It may be stored on another network, or its file was never uploaded.",
  ),
  h("p", { class: "mono wrap" }, blobId),
];

/** @param {blobs.Blob} blob @param {blobs.Blob[]} tokens @param {[string, string][]} attributes @param {() => void} changed */
function page(blob, tokens, attributes, changed) {
  const { name, type } = blobs.nameOf(blob, attributes);
  const certified = blob.certifiedEpoch > 0 && !blob.deleted && blob.endEpoch > network.epoch() && !blob.invalid;
  const proof = h("div");
  const holders = h("div");
  const challenges = h("div");
  const secret = h("div");
  loading(proof, () => proofOf(blob));
  loading(holders, () => holdersOf(blob));
  loading(challenges, () => challengesOf());
  if (certified) decryptBox(blob, name).then((box) => box && replace(secret, box));
  return [
    h(
      "div",
      { class: "blob-head" },
      mark(blob.blobIdHex),
      h(
        "div",
        { class: "grow" },
        h("h1", { class: "wrap" }, name ?? "Unnamed blob"),
        h(
          "div",
          { class: "row tight" },
          h("code", { class: "wrap blob-id" }, blob.blobId),
          copyButton(blob.blobId, "Blob id"),
        ),
      ),
      badge(blobs.stateOf(blob)),
    ),
    h("div", { class: "row" }, certified && downloads(blob, name, type), actionButtons(blob, changed)),
    certified && preview(blob, type),
    secret,
    certified && isQuilt(attributes) && quiltPanel(blob, attributes),
    h(
      "div",
      { class: "columns" },
      panel("Proof", proof),
      panel("Object", objectFacts(blob, type), attributeList(attributes), otherTokens(blob, tokens)),
    ),
    certified &&
      h(
        "div",
        { class: "columns" },
        panel("Check now", h("div", { class: "stack tight" }, checkNow(blob))),
        panel("Check the bytes", h("div", { class: "stack tight" }, checkBytes(blob, name))),
      ),
    panel("Who holds it", holders),
    panel("Challenges", challenges),
    certified && !isQuilt(attributes) && quiltPanel(blob, attributes),
  ];
}

/** @param {blobs.Blob} blob @param {string | null} name @param {string} type */
function downloads(blob, name, type) {
  const raw = `/v1/blobs/${blob.blobId}`;
  const share = type !== "" && blob.owner ? byObject(blob.tokenId) : raw;
  return [
    h("a", { class: "button primary", href: raw, download: name ?? blob.blobId }, "Download"),
    copyButton(new URL(share, location.href).href, "Link", "Copy link"),
  ];
}

/** Largest picture shown without being asked for. */
const LARGEST_PREVIEW = 8 << 20;

/** @param {blobs.Blob} blob @param {string} type */
function preview(blob, type) {
  if (!/^image\/(png|jpeg|gif|webp|avif)$/.test(type) || blob.size > LARGEST_PREVIEW) return null;
  const image = h("img", {
    class: "preview",
    src: byObject(blob.tokenId),
    alt: "What the blob shows",
    loading: "lazy",
    onerror: () => image.remove(),
  });
  return image;
}

/** @param {blobs.Blob} blob @param {string} type */
function objectFacts(blob, type) {
  const owner = blob.owner ?? (blob.deleted ? "nobody: deleted" : "nobody: token dropped");
  /** @type {[string, any][]} */
  const rows = [
    [
      "Token",
      h("span", { class: "row tight" }, `#${blob.tokenId}`, copyButton(format.objectId(blob.tokenId), "Object id")),
    ],
    ["Owner", h("span", { class: "mono wrap" }, owner)],
    ["Size", `${format.bytes(blob.size)} (${blob.size.toLocaleString("en")} bytes)`],
    ["On the nodes", format.bytes(blob.encodedSize)],
    ["Kind", blob.deletable ? "deletable by its owner" : "permanent"],
    ["Registered", `epoch ${blob.registeredEpoch}`],
    ["Certified", blob.certifiedEpoch > 0 ? `epoch ${blob.certifiedEpoch}` : "not yet"],
    ["Stored until", ending(blob.endEpoch)],
  ];
  if (type !== "") rows.splice(4, 0, ["Type", type]);
  return facts(rows);
}

/** @param {[string, string][]} attributes */
const attributeList = (attributes) =>
  attributes.length > 0 && [
    h("h3", null, "Attributes"),
    facts(attributes.map(([key, value]) => [key, h("span", { class: "wrap" }, value)])),
  ];

/** @param {blobs.Blob} blob @param {blobs.Blob[]} tokens */
function otherTokens(blob, tokens) {
  const others = tokens.filter((each) => each.tokenId !== blob.tokenId);
  if (others.length === 0) return null;
  return [
    h("h3", null, "Other tokens of the same content"),
    h(
      "ul",
      { class: "plain" },
      others.map((each) =>
        h(
          "li",
          null,
          h("a", { href: `#/blob/${each.blobId}/${each.tokenId}` }, `#${each.tokenId}`),
          ` ${blobs.stateOf(each).word}, `,
          ending(each.endEpoch),
        ),
      ),
    ),
  ];
}

// ----- The proof

/** @param {blobs.Blob} blob */
async function proofOf(blob) {
  const { registered, certified } = await blobs.history(blob);
  const steps = [];
  if (registered) {
    steps.push(
      step(
        "ok",
        "Registered",
        `Paid for and entered on the chain in block ${registered.block}, ${format.dateTime(registered.time)}.`,
        transaction(registered.transaction),
      ),
    );
  }
  if (certified) {
    const certificate = h("div");
    loading(certificate, async () => {
      const [found, nodes] = await Promise.all([certificateOf(blob, certified), network.allNodes()]);
      return certificateStep(found, new Map(nodes.map((node) => [Number(node.nodeId), node.name])));
    });
    steps.push(h("li", { class: "no-mark" }, certificate));
    steps.push(
      step(
        "ok",
        "Certified",
        `The contract checked the same signature in block ${certified.block}, ${format.dateTime(certified.time)}. From then on the network answers for the blob.`,
        transaction(certified.transaction),
      ),
    );
  } else
    steps.push(
      step(
        "wait",
        "Not certified",
        "Nodes with two thirds of the shards have not signed that they hold it. Until then nobody promises anything.",
      ),
    );
  const over = blob.endEpoch <= network.epoch();
  if (blob.deleted) steps.push(step("bad", "Deleted", "Its owner deleted it. The nodes need not keep it any more."));
  else steps.push(step(over ? "bad" : "ok", over ? "Ended" : "Paid until", ending(blob.endEpoch)));
  return h("ol", { class: "proof" }, steps);
}

/** @param {"ok" | "wait" | "bad"} kind @param {string} title @param {...any} text */
const step = (kind, title, ...text) =>
  h(
    "li",
    { class: kind },
    h(
      "h3",
      null,
      title,
      h("span", { class: "visually-hidden" }, kind === "ok" ? " (good)" : kind === "bad" ? " (bad)" : " (open)"),
    ),
    text.map((each) => h("p", null, each)),
  );

/** @param {string} hash */
const transaction = (hash) =>
  h(
    "span",
    { class: "row tight muted small" },
    "Transaction ",
    h("code", null, format.short(hash, 10, 8)),
    copyButton(hash, "Transaction hash"),
  );

/** @param {import("../certificate.js").Certificate} certificate @param {Map<number, string>} names Of the nodes */
function certificateStep(certificate, names) {
  const { members, weight, needed, shards, good } = certificate;
  const signed = members.filter((member) => member.signed);
  return h(
    "div",
    { class: `proof-step ${good ? "ok" : "bad"}`, id: "certificate", data: { good: String(good) } },
    h("h3", null, good ? "Signature checked in this browser" : "The signature does not hold"),
    h(
      "p",
      null,
      good
        ? `${signed.length} of ${members.length} nodes, with ${weight} of ${shards} shards (${needed} needed), signed in epoch ${certificate.epoch} that they hold all their slivers of exactly this blob.`
        : "What was found on the chain is not a good signature of these nodes on this blob. Do not rely on it.",
    ),
    h(
      "ul",
      { class: "signers", "aria-label": "Signers" },
      members.map((member) =>
        h(
          "li",
          { class: member.signed ? "signed" : "absent", title: `${format.count(member.weight, "shard")}` },
          h("span", { class: "swatch", style: { "--hue": hue(member.seat) } }),
          names.get(member.nodeId) ?? `node ${member.nodeId}`,
          h("span", { class: "muted" }, member.signed ? ` ${member.weight}` : " did not sign"),
        ),
      ),
    ),
    h("details", null, h("summary", null, "The signature"), h("code", { class: "wrap small" }, certificate.signature)),
  );
}

// ----- Holders and challenges

/** @param {blobs.Blob} blob */
async function holdersOf(blob) {
  if (blob.deleted || blob.endEpoch <= network.epoch()) return h("p", null, "Nobody has to hold it any more.");
  const [committee, nodes] = await Promise.all([network.committee(network.epoch()), network.allNodes()]);
  const owners = seatsOf(committee.shardMap);
  const field = shardField(
    owners,
    `The ${owners.length} shards, coloured by the node that holds them; the table has the numbers`,
  );
  field.lightAll(1);
  const rows = committee.nodeIds
    .map((nodeId, seat) => ({ nodeId: Number(nodeId), seat, weight: Number(committee.weights[seat]) }))
    .filter(({ nodeId }) => nodeId !== 0)
    .map(({ nodeId, seat, weight }) => {
      const node = nodes.find((each) => Number(each.nodeId) === nodeId);
      const shards = owners.flatMap((owner, shard) => (owner === seat ? [shard] : []));
      const row = h(
        "tr",
        null,
        h(
          "th",
          { scope: "row" },
          h("span", { class: "swatch", style: { "--hue": hue(seat) } }),
          node?.name ?? `node ${nodeId}`,
        ),
        h("td", { class: "number" }, weight),
        h("td", { class: "small muted shards" }, ranges(shards)),
        h("td", { class: "number" }, format.bytes((blob.encodedSize * weight) / owners.length)),
      );
      row.addEventListener("pointerenter", () => field.focus(seat));
      row.addEventListener("pointerleave", () => field.focus(null));
      return row;
    });
  return [
    h(
      "p",
      null,
      `Every shard holds one sliver pair of the blob. Any ${owners.length - 2 * Math.floor((owners.length - 1) / 3)} of the ${owners.length} shards are enough to rebuild it.`,
    ),
    field.element,
    table("Holders", [["Node"], ["Shards", "number"], ["Which"], ["Bytes, about", "number"]], rows),
  ];
}

/** Numbers as ranges: "0–3, 7". @param {number[]} numbers */
function ranges(numbers) {
  const out = /** @type {[number, number][]} */ ([]);
  for (const number of numbers) {
    const last = out.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else out.push([number, number]);
  }
  return out.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

/** How the challenges of this and the last epoch went. They sample all blobs together. */
async function challengesOf() {
  const epochs = [network.epoch(), network.epoch() - 1].filter((each) => each > 0);
  const infos = await Promise.all(
    epochs.map((each) => read("WalrusLens", network.config().lens, "challenge", [each]).catch(explain)),
  );
  const shards = Number(network.overview().parameters.nShards);
  const words = infos.map((info, index) => {
    if (info instanceof Error) return info.message;
    if (info.mode === 0) return "Challenges are switched off on this network.";
    if (!info.opened) return index === 0 ? "Not opened yet." : "None was opened.";
    const passed = `Nodes with ${info.passedWeight} of ${shards} shards have passed.`;
    return `${info.closed ? "Over." : "Under way."} ${passed} ${info.sampleCount} samples a node.`;
  });
  return [
    h(
      "p",
      { class: "muted" },
      "Once an epoch every node shows, on samples nobody can foresee, that it still has what it signed for. The samples are drawn from all blobs together.",
    ),
    facts(epochs.map((each, index) => [`Epoch ${each}`, words[index] ?? ""])),
  ];
}
