import type { components } from "./api.js";

type ErrorBody = components["schemas"]["Error"];

/** Why exactly a request was refused; what programs decide by. */
export type Reason = NonNullable<ErrorBody["error"]["details"][number]["reason"]>;

/** How much of an answer that is no gateway's (a proxy's page, say) is repeated in the message. */
const FOREIGN_CHARACTERS = 200;
/** Longest error that is read; the gateway's are far shorter. */
const MOST_BYTES = 64 * 1024;

/**
 * The gateway, or something in front of it, refused a request.
 *
 * When no answer came at all, `fetch`'s own `TypeError` is thrown instead, and the signal's reason when it was aborted.
 * A refusal while a long body is still on its way may be lost with the connection; it is a `TypeError` then, too.
 */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  /** HTTP status of the answer. */
  readonly status: number;
  /** The exact reason; undefined when the answer was not the gateway's own. */
  readonly reason: Reason | undefined;
  /** Seconds after which the gateway asks to be tried again, if it says so. */
  readonly retryAfter: number | undefined;
  /** Values that belong to the reason, such as `length` or `max_epochs`. */
  readonly metadata: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    message: string,
    more: { reason?: Reason | undefined; retryAfter?: number | undefined; metadata?: Record<string, unknown> | undefined } = {},
  ) {
    super(message);
    this.status = status;
    this.reason = more.reason;
    this.retryAfter = more.retryAfter;
    this.metadata = more.metadata ?? {};
  }

  /** Reads what a response says went wrong. Uses up its body. */
  static async from(response: Response): Promise<GatewayError> {
    const retryAfter = seconds(response.headers.get("retry-after"));
    const text = await beginning(response);
    const error = parse(text);
    if (!error) {
      const said = text.trim().slice(0, FOREIGN_CHARACTERS) || response.statusText;
      return new GatewayError(response.status, `HTTP ${response.status}: ${said}`, { retryAfter });
    }
    const detail = error.details.find((one) => one.reason !== undefined);
    return new GatewayError(response.status, error.message, {
      reason: detail?.reason,
      metadata: detail?.metadata,
      retryAfter,
    });
  }
}

function parse(text: string): ErrorBody["error"] | undefined {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    const error = body?.error;
    return typeof error?.message === "string" && Array.isArray(error.details) ? error : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` is a number of seconds or, from proxies, a date. */
function seconds(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/** The beginning of a body, which may be endless, or break off. */
async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let taken = 0; reader && taken < MOST_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) break;
      taken += value.length;
      text += decoder.decode(value, { stream: true });
    }
    await reader?.cancel();
  } catch {
    // The status is known; what arrived of the message has to do.
  }
  return text;
}
