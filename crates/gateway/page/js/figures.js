// Pictures made of data: the field of shards, the mark of a blob id, the ring of the epoch clock.

import { h, s } from "./dom.js";
import { fromHex } from "./format.js";

/** Hues of the first seats: water, rust, and what lies between; those after follow the golden angle. */
const HUES = [192, 18, 222, 42, 164, 340, 262, 92, 205, 4];

/** Hue of a seat. @param {number} seat */
export const hue = (seat) => HUES[seat] ?? Math.round((192 + seat * 137.508) % 360);

/**
 * The shards of a network as a field of cells, each in the colour of the seat that holds it.
 * @param {number[]} owners Seat of each shard
 * @param {string} label What it shows, for those who do not see it
 * @param {"wide" | "square"} [shape]
 */
export function shardField(owners, label, shape = "wide") {
  const [few, some, many] = shape === "wide" ? [15, 50, 100] : [10, 20, 50];
  const columns = owners.length <= 30 ? few : owners.length <= 200 ? some : many;
  const rows = Math.ceil(owners.length / columns);
  const cells = owners.map((seat, shard) =>
    s("rect", {
      x: (shard % columns) * 10 + 0.8,
      y: Math.floor(shard / columns) * 10 + 0.8,
      width: 8.4,
      height: 8.4,
      rx: 1.8,
      class: "cell",
      style: { "--hue": hue(seat) },
    }),
  );
  const element = s(
    "svg",
    { class: "field", viewBox: `0 0 ${columns * 10} ${rows * 10}`, role: "img", "aria-label": label },
    cells,
  );
  const bySeat = /** @type {Map<number, Element[]>} */ (new Map());
  owners.forEach((seat, shard) =>
    bySeat.set(seat, [...(bySeat.get(seat) ?? []), /** @type {Element} */ (cells[shard])]),
  );
  const each = (/** @type {number} */ seat, /** @type {(cell: Element, index: number, of: number) => void} */ act) => {
    const own = bySeat.get(seat) ?? [];
    own.forEach((cell, index) => act(cell, index, own.length));
  };
  return {
    element,
    /** Lights a share of a seat's cells. @param {number} seat @param {number} share 0..1 */
    light(seat, share) {
      each(seat, (cell, index, of) => cell.classList.toggle("lit", index < Math.round(share * of)));
    },
    /** Lights a share of all cells, for want of anything finer. @param {number} share 0..1 */
    lightAll(share) {
      cells.forEach((cell, index) => cell.classList.toggle("lit", index < share * cells.length));
    },
    /** Marks a seat's cells. @param {number} seat @param {"done" | "lost"} mark */
    mark(seat, mark) {
      each(seat, (cell) => cell.classList.add(mark));
    },
    /** Makes one seat stand out, or none. @param {number | null} seat */
    focus(seat) {
      element.classList.toggle("focused", seat !== null);
      cells.forEach((cell, shard) => cell.classList.toggle("chosen", owners[shard] === seat));
    },
  };
}

/** Seat of each shard, from the shard map's hexadecimal text. @param {string} shardMap */
export const seatsOf = (shardMap) => [...fromHex(shardMap)];

/** A picture that stands for a blob id: five by five cells, mirrored. @param {string} hex */
export function mark(hex) {
  const data = fromHex(hex);
  const cells = [];
  for (let row = 0; row < 5; row += 1) {
    for (let column = 0; column < 3; column += 1) {
      const byte = data[row * 3 + column] ?? 0;
      if (byte < 96) continue;
      const strong = byte > 176;
      for (const x of column === 2 ? [2] : [column, 4 - column]) {
        cells.push(
          s("rect", { x: x * 6 + 1, y: row * 6 + 1, width: 5, height: 5, rx: 1.2, class: strong ? "strong" : "" }),
        );
      }
    }
  }
  const tint = { "--hue": ((data[30] ?? 0) * 360) >> 8 };
  return s("svg", { class: "blob-mark", viewBox: "0 0 31 31", "aria-hidden": "true", style: tint }, cells);
}

const RADIUS = 54;
const AROUND = 2 * Math.PI * RADIUS;

/** A ring that fills. `set` takes 0..1. */
export function ring() {
  const arc = s("circle", {
    class: "ring-arc",
    cx: 60,
    cy: 60,
    r: RADIUS,
    "stroke-dasharray": AROUND,
    "stroke-dashoffset": AROUND,
  });
  const element = s(
    "svg",
    { class: "ring", viewBox: "0 0 120 120", "aria-hidden": "true" },
    s("circle", { class: "ring-track", cx: 60, cy: 60, r: RADIUS }),
    arc,
  );
  return {
    element,
    set: (/** @type {number} */ share) =>
      arc.setAttribute("stroke-dashoffset", String(AROUND * (1 - Math.max(0, Math.min(1, share))))),
  };
}

/** A bar. `set` takes 0..1, and text for those who do not see it. @param {string} label */
export function bar(label) {
  const inner = h("span", { class: "bar-fill" });
  const element = h(
    "span",
    {
      class: "bar",
      role: "progressbar",
      "aria-label": label,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": 0,
    },
    inner,
  );
  return {
    element,
    /** @param {number} share */
    set(share) {
      const value = Math.round(Math.max(0, Math.min(1, share)) * 100);
      element.setAttribute("aria-valuenow", String(value));
      inner.style.setProperty("width", `${value}%`);
    },
  };
}
