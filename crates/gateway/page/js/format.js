// Numbers, sizes, times and names as people read them.

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes with a binary unit. @param {number | bigint} count */
export function bytes(count) {
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(value >= 10 ? 1 : 2)} ${SIZES[unit]}`;
}

/** FROST as WAL, with as many digits as matter. @param {bigint | number} frost */
export function wal(frost) {
  const value = Number(frost) / 1e9;
  if (value === 0) return "0 WAL";
  const digits = value >= 1000 ? 0 : value >= 1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(value)));
  return `${value.toLocaleString("en", { maximumFractionDigits: digits })} WAL`;
}

/** Wei as the chain's coin. @param {bigint} wei @param {number} [digits] Those that matter */
export const ether = (wei, digits = 6) =>
  `${(Number(wei) / 1e18).toLocaleString("en", { maximumSignificantDigits: digits })} ETH`;

/** Text of a WAL amount as FROST. Throws when it is not one. @param {string} text @returns {bigint} */
export function parseWal(text) {
  const match = text.trim().match(/^(\d{1,10})(?:[.,](\d{1,9}))?$/);
  if (!match) throw new Error("Enter an amount of WAL, such as 12.5.");
  return BigInt(match[1] ?? 0) * 1_000_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

const DATE = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const DATE_TIME = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** A day. @param {number} seconds Unix time */
export const date = (seconds) => DATE.format(new Date(seconds * 1000));
/** A day and minute. @param {number} seconds Unix time */
export const dateTime = (seconds) => DATE_TIME.format(new Date(seconds * 1000));

/** The time now, Unix seconds. */
export const now = () => Date.now() / 1000;

const SPANS = /** @type {[number, string][]} */ ([
  [365.25 * 86400, "year"],
  [30.44 * 86400, "month"],
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
]);

/** A length of time, roughly: "3 days". @param {number} seconds */
export function span(seconds) {
  const [length, word] = SPANS.find(([each]) => seconds >= each * 1.5 || each === 1) ?? [1, "second"];
  const count = Math.max(0, Math.round(seconds / length));
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** When, from now: "in 3 days", "2 hours ago". @param {number} seconds Unix time */
export function fromNow(seconds) {
  const distance = seconds - now();
  return distance >= 0 ? `in ${span(distance)}` : `${span(-distance)} ago`;
}

/** A countdown to the second: "1 d 03:04:05". @param {number} seconds */
export function clock(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  const pad = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const days = Math.floor(left / 86400);
  const rest = `${pad(Math.floor(left / 3600) % 24)}:${pad(Math.floor(left / 60) % 60)}:${pad(left % 60)}`;
  return days > 0 ? `${days} d ${rest}` : rest;
}

/** A share as a percentage. @param {number} part @param {number} whole */
export function percent(part, whole) {
  if (whole === 0) return "0 %";
  const value = (100 * part) / whole;
  return `${value > 0 && value < 0.1 ? "< 0.1" : value.toFixed(value < 10 && value % 1 !== 0 ? 1 : 0)} %`;
}

/** A number with a word. @param {number} number @param {string} word @param {string} [words] */
export const count = (number, word, words) =>
  `${number.toLocaleString("en")} ${number === 1 ? word : (words ?? `${word}s`)}`;

/** Middle of a long text left out. @param {string} text @param {number} [head] @param {number} [tail] */
export const short = (text, head = 6, tail = 4) =>
  text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;

/** `0x…` as bytes. @param {string} hex @returns {Uint8Array} */
export function fromHex(hex) {
  const digits = hex.replace(/^0x/, "");
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i += 1) out[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Bytes as `0x…`. @param {Uint8Array} data @returns {`0x${string}`} */
export const toHex = (data) => `0x${[...data].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** A blob id in its text form, from 32 bytes in hexadecimal. @param {string} hex */
export function blobIdText(hex) {
  const binary = String.fromCharCode(...fromHex(hex));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The 32 bytes of a blob id's text form, in hexadecimal; null when it is not one. @param {string} text */
export function blobIdHex(text) {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return null;
  try {
    const binary = atob(`${text.replaceAll("-", "+").replaceAll("_", "/")}=`);
    return toHex(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** The object id of a token: 32 bytes, as routes name it. @param {bigint | number} tokenId */
export const objectId = (tokenId) => `0x${BigInt(tokenId).toString(16).padStart(64, "0")}`;
