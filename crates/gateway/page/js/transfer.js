// One upload to the gateway: its body, how far it is, what the gateway tells of it, and what refusals mean.

/** How long the last steps of an upload are waited for once its answer is here, in milliseconds. */
const LAST_STEPS_MS = 1_500;

/** Stages after which nothing more is told. */
const LAST_STAGES = ["certified", "signed", "stored", "failed"];

/** A step, as the gateway tells it (docs/page-api.md section 2) or as it happens here. @typedef {{stage: string, [field: string]: any}} Step */

/**
 * A body on its way.
 * @typedef {object} Transfer
 * @property {"PUT" | "POST"} method
 * @property {string} path
 * @property {URLSearchParams} query To which the upload's id is added
 * @property {string} [token] For a gateway that wants one
 * @property {Blob | FormData} body
 * @property {number} size Bytes of the files
 */

/**
 * Sends a body, and hears of every step until the answer.
 * @param {Transfer} transfer
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 * @returns {Promise<any>} The gateway's answer
 */
export async function upload(transfer, watch, signal) {
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const events = new EventSource(`/v1/uploads/${id}/events`);
  const told = new Promise((resolve) => {
    events.onerror = resolve;
    events.onmessage = (event) => {
      const step = /** @type {Step} */ (JSON.parse(event.data));
      watch(step);
      if (!LAST_STAGES.includes(step.stage)) return;
      // The stream ends here; left open, the browser would ask again.
      events.close();
      resolve(undefined);
    };
  });
  transfer.query.set("upload", id);
  try {
    const answer = JSON.parse(await send(transfer, watch, signal));
    // The answer may overtake the last steps, which say what became of each node.
    await Promise.race([told, new Promise((resolve) => setTimeout(resolve, LAST_STEPS_MS))]);
    return answer;
  } finally {
    events.close();
  }
}

/**
 * Sends the bytes. Not `fetch`, which does not tell how far it is.
 * @param {Transfer} transfer
 * @param {(step: Step) => void} watch
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
function send({ method, path, query, token = "", body, size }, watch, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return void reject(new DOMException("Cancelled", "AbortError"));
    const request = new XMLHttpRequest();
    request.open(method, `${path}?${query}`);
    if (token !== "") request.setRequestHeader("authorization", `Bearer ${token}`);
    request.upload.onprogress = (event) =>
      watch({ stage: "sending", bytes_done: Math.min(event.loaded, size), bytes_total: size });
    request.upload.onload = () => watch({ stage: "sent" });
    request.onload = () => {
      if (request.status === 200) resolve(request.responseText);
      else reject(new Refused(request.status, request.responseText));
    };
    request.onerror = () =>
      reject(
        new Error(
          "The connection to the gateway broke. Check that it is running, then try again: nothing is paid twice.",
        ),
      );
    request.onabort = () => reject(new DOMException("Cancelled", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** The gateway said no. */
export class Refused extends Error {
  /** @param {number} status @param {string} text */
  constructor(status, text) {
    super(refusal(status, text));
    this.reason = detail(text).reason;
  }
}

/** What programs may know of a refusal. @param {string} text @returns {{message: string, reason: string, domain: string}} */
function detail(text) {
  try {
    const { message, details } = JSON.parse(text).error;
    return { message, reason: details?.[0]?.reason ?? "", domain: details?.[0]?.domain ?? "" };
  } catch {
    return { message: text.length < 200 ? text.trim() : "", reason: "", domain: "" };
  }
}

/** What went wrong and what to do about it. @param {number} status @param {string} text @returns {string} */
export function refusal(status, text) {
  const { message, domain } = detail(text);
  if (domain.startsWith("auth."))
    return `${sentence(message, "This gateway stores only for those who have a token.")} Ask whoever runs it for one.`;
  if (status === 413) return "The file is larger than this gateway takes.";
  if (status === 429 || status === 503) return `${sentence(message, "The gateway is busy.")} Try again in a moment.`;
  return sentence(message, `The gateway answered ${status}. Try again.`);
}

/** @param {string} message @param {string} otherwise */
function sentence(message, otherwise) {
  if (message === "") return otherwise;
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
