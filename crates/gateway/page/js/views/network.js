// The network: its clock, its committee, what it holds and what it charges.

import { read } from "../chain.js";
import { h, replace } from "../dom.js";
import { bar, hue, ring, seatsOf, shardField } from "../figures.js";
import * as format from "../format.js";
import * as network from "../network.js";
import { figure, loading, panel, table } from "./parts.js";

/** What each state of the epoch machine means. */
const STATES = ["Nodes are taking over their shards", "Running", "The next committee is selected"];

/** @type {import("../main.js").View} */
export function networkView(main) {
  const dial = clockDial();
  const numbers = h("div", { class: "figures" });
  const committee = h("div");
  const upcoming = h("div");
  main.append(
    h(
      "div",
      { class: "title-row" },
      h(
        "div",
        null,
        h("h1", null, "Network"),
        h(
          "p",
          { class: "lead" },
          network.config().local ? "A local network on this machine." : `Chain ${network.config().chain_id}.`,
        ),
      ),
    ),
    h("section", { class: "panel", "aria-label": "Epoch clock" }, dial.element),
    numbers,
    panel("Committee", committee),
    panel("Next epoch", upcoming),
  );
  let alive = true;
  const showNumbers = () => replace(numbers, figures());
  showNumbers();
  loading(committee, () => committeeTable(committee, () => alive));
  loading(upcoming, nextEpoch);
  const epochShown = network.epoch();
  const changed = () => {
    showNumbers();
    if (network.epoch() !== epochShown) loading(committee, () => committeeTable(committee, () => alive));
  };
  const timer = setInterval(dial.tick, 1000);
  dial.tick();
  network.news.addEventListener("change", changed);
  return () => {
    alive = false;
    clearInterval(timer);
    network.news.removeEventListener("change", changed);
  };
}

function clockDial() {
  const circle = ring();
  const number = h("span", { class: "dial-epoch" });
  const left = h("span", { class: "dial-left mono" });
  const text = h("div", { class: "dial-about muted" });
  const element = h(
    "div",
    { class: "dial" },
    h(
      "div",
      { class: "dial-ring" },
      circle.element,
      h("div", { class: "dial-text" }, h("span", { class: "muted small" }, "Epoch"), number, left),
    ),
    text,
  );
  const tick = () => {
    const { clock } = network.overview();
    const started = Number(clock.startedAt);
    const end = network.epochStart(network.epoch() + 1);
    const rest = end - format.now();
    circle.set((format.now() - started) / Math.max(1, end - started));
    replace(number, String(clock.epoch));
    replace(left, rest > 0.5 ? format.clock(rest) : "any moment");
    const selectable = Number(clock.selectableAt);
    const more = [
      h("h2", null, STATES[Number(clock.state)] ?? ""),
      h("p", null, `Epoch ${Number(clock.epoch) + 1} begins ${format.dateTime(end)} at the earliest.`),
      Number(clock.state) === 1 &&
        h(
          "p",
          null,
          selectable > format.now()
            ? `Its committee is selected from ${format.dateTime(selectable)} on; stake added before counts.`
            : "Its committee can be selected now.",
        ),
    ];
    // The words change once an epoch or so; rewriting them every second would disturb readers.
    const key = `${clock.epoch}/${clock.state}/${selectable > format.now()}`;
    if (text.dataset.key !== key) {
      text.dataset.key = key;
      replace(text, more);
    }
  };
  return { element, tick };
}

function figures() {
  const all = network.overview();
  const used = Number(all.usedCapacity);
  const total = Number(all.totalCapacity);
  const meter = bar("Capacity in use");
  meter.set(total > 0 ? used / total : 0);
  return [
    figure("In use", format.bytes(used), [meter.element, `${format.percent(used, total)} of ${format.bytes(total)}`]),
    figure("Storage price", format.wal(all.storagePrice), "per MiB on the nodes and epoch"),
    figure("Write price", format.wal(all.writePrice), "per MiB on the nodes, once"),
    figure(
      "Blobs",
      Number(all.blobCount).toLocaleString("en"),
      `${Number(all.certifiedCount).toLocaleString("en")} certified`,
    ),
  ];
}

/** @param {HTMLElement} into @param {() => boolean} alive */
async function committeeTable(into, alive) {
  const [committee, nodes, pools] = await Promise.all([
    network.committee(network.epoch()),
    network.allNodes(),
    network.allPools(),
  ]);
  const owners = seatsOf(committee.shardMap);
  const field = shardField(
    owners,
    `The ${owners.length} shards, coloured by the node that holds them; the table has the numbers`,
  );
  field.lightAll(1);
  const health = new Map();
  const rows = committee.nodeIds
    .map((nodeId, seat) => ({ nodeId: Number(nodeId), seat, weight: Number(committee.weights[seat]) }))
    .filter(({ nodeId }) => nodeId !== 0)
    .sort((a, b) => b.weight - a.weight || a.nodeId - b.nodeId)
    .map(({ nodeId, seat, weight }) => {
      const node = nodes.find((each) => Number(each.nodeId) === nodeId);
      const pool = pools.find((each) => Number(each.nodeId) === nodeId);
      const cell = h("td", null, h("span", { class: "muted" }, "…"));
      health.set(nodeId, cell);
      const row = h(
        "tr",
        null,
        h(
          "th",
          { scope: "row" },
          h("span", { class: "swatch", style: { "--hue": hue(seat) } }),
          node?.name ?? `node ${nodeId}`,
          h("div", { class: "muted small mono wrap" }, node?.networkAddress ?? ""),
        ),
        h("td", { class: "number" }, weight, h("div", { class: "muted small" }, format.percent(weight, owners.length))),
        h("td", { class: "number" }, pool ? format.wal(pool.balance) : ""),
        h("td", { class: "number" }, pool ? `${(Number(pool.commissionBp) / 100).toLocaleString("en")} %` : ""),
        cell,
      );
      row.addEventListener("pointerenter", () => field.focus(seat));
      row.addEventListener("pointerleave", () => field.focus(null));
      return row;
    });
  showHealth(health, alive);
  const columns = /** @type {[string, string?][]} */ ([
    ["Node"],
    ["Shards", "number"],
    ["Stake", "number"],
    ["Commission", "number"],
    ["Health"],
  ]);
  replace(into, [field.element, table("Committee", columns, rows)]);
  return undefined;
}

/** @param {Map<number, HTMLElement>} cells @param {() => boolean} alive */
async function showHealth(cells, alive) {
  const found = await network.nodeHealth().catch(() => null);
  if (!alive()) return;
  for (const [nodeId, cell] of cells) {
    const node = found?.find((/** @type {any} */ each) => each.node_id === nodeId);
    if (!node) replace(cell, h("span", { class: "muted" }, "not asked"));
    else if (!node.reachable)
      replace(cell, h("span", { class: "badge bad", title: node.error ?? "" }, "not reachable"));
    else
      replace(
        cell,
        h("span", { class: "badge ok" }, "up"),
        h("div", { class: "muted small" }, shardWords(node.health)),
      );
  }
}

/** @param {any} health */
function shardWords(health) {
  const states = health?.shardSummary?.ownedShardStatus;
  if (!states) return "";
  const healing = states.inRecovery + states.inTransfer;
  return healing > 0 ? `${healing} shards healing` : `up ${format.span(health.uptime?.secs ?? 0)}`;
}

/** What is known of the coming epoch. */
async function nextEpoch() {
  const all = network.overview();
  const selected = Number(all.clock.state) === 2;
  const [storagePrice, writePrice] = await read("EpochManager", network.address("epoch_manager"), "votedPrices");
  const capacity = selected ? Number(await read("EpochManager", network.address("epoch_manager"), "nextCapacity")) : 0;
  return [
    h(
      "div",
      { class: "figures" },
      figure("Storage price, as voted", format.wal(storagePrice), "by the present committee"),
      figure("Write price, as voted", format.wal(writePrice), "by the present committee"),
      figure(
        "Capacity",
        selected ? format.bytes(capacity) : "not selected yet",
        selected ? "" : "nodes vote until the committee is selected",
      ),
    ),
    selected
      ? await shardMoves()
      : h("p", { class: "muted" }, "The committee is not selected yet: stake added now may still count."),
  ];
}

/** Which nodes gain and lose shards. */
async function shardMoves() {
  const [now, next, nodes] = await Promise.all([
    network.committee(network.epoch()),
    network.committee(network.epoch() + 1),
    network.allNodes(),
  ]);
  const weights = (/** @type {any} */ of) =>
    new Map(
      of.nodeIds.map((/** @type {any} */ id, /** @type {number} */ seat) => [Number(id), Number(of.weights[seat])]),
    );
  const before = weights(now);
  const after = weights(next);
  const moves = nodes
    .map((node) => ({
      name: node.name,
      change: (after.get(Number(node.nodeId)) ?? 0) - (before.get(Number(node.nodeId)) ?? 0),
    }))
    .filter(({ change }) => change !== 0);
  if (moves.length === 0) return h("p", null, "Every node keeps its shards.");
  return h(
    "ul",
    { class: "plain" },
    moves.map(({ name, change }) =>
      h("li", null, `${name}: ${change > 0 ? "+" : "−"}${format.count(Math.abs(change), "shard")}`),
    ),
  );
}
