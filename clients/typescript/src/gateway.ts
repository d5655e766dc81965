import type { components } from "./api.js";
import { GatewayError } from "./error.js";
import { messages, type UploadEvent } from "./events.js";
import { quiltForm, type Content, type QuiltFile } from "./quilt.js";
import { rangeHeader, type ByteRange } from "./range.js";
import { route, type Names, type PathOf, type Query } from "./route.js";

export type { Content, QuiltFile } from "./quilt.js";

type Schemas = components["schemas"];
type StoreQuery = Query<"/v1/blobs", "put"> & Query<"/v1/quilts", "put">;
type ReadQuery = Query<"/v1/blobs/{blob_id}", "get">;

/** A file of a quilt, as the gateway lists it. */
export type Patch = Schemas["Patch"];

export interface GatewayOptions {
  /** The publisher's token, or what makes one: many publishers take each token only once. */
  token?: string | (() => string | Promise<string>);
  /** Takes the place of `fetch`. */
  fetch?: typeof fetch;
}

export interface StoreOptions {
  /** For how many epochs the blob is kept. The gateway's own number is 1. */
  epochs?: number;
  /** Whether its owner may delete it before its end. The gateway's choice is yes. */
  deletable?: boolean;
  /** Store it also when the same bytes are stored permanently already, for as long or longer. */
  force?: boolean;
  /** Who shall own the blob object: `0x` and 40 hexadecimal digits. The publisher keeps it otherwise. */
  sendObjectTo?: string;
  /** Breaks off the store, which may have been paid for by then. */
  signal?: AbortSignal;
  /** Is told what happens. What it throws is reported as an uncaught error and does not end the store. */
  onProgress?: (event: UploadEvent) => void;
}

export interface ReadOptions {
  /** Part of the content. What lies beyond its end is left out; a beginning beyond it is refused with status 416. */
  range?: ByteRange;
  /** Check the encoding as a whole, or leave that check out; docs/protocol/encoding.md says what each proves. */
  consistencyCheck?: "strict" | "skip";
  signal?: AbortSignal;
}

/** A blob that is stored. */
export interface Stored {
  blobId: string;
  /** First epoch in which it is no longer kept. */
  endEpoch: number;
  /** The blob object, if the gateway names one. */
  objectId: string | undefined;
  /** The same bytes are stored permanently already, for long enough: nothing was paid or sent. */
  alreadyCertified: boolean;
  /** All that the gateway said. */
  answer: Schemas["StoreResult"];
}

/** A quilt that is stored; `files` in the quilt's own order. */
export interface StoredQuilt extends Stored {
  files: Schemas["QuiltResult"]["storedQuiltBlobs"];
}

/** One gateway. Refusals are thrown as {@link GatewayError}. */
export class Gateway {
  readonly #base: string;
  readonly #token: GatewayOptions["token"];
  readonly #fetch: typeof fetch;

  /** `url` is where the gateway is, `http://127.0.0.1:31415`, say; in a page from the gateway itself, `""`. */
  constructor(url: string | URL, options: GatewayOptions = {}) {
    this.#base = String(url).replace(/\/+$/, "");
    this.#token = options.token;
    // Browsers want theirs called without a receiver.
    const given = options.fetch;
    this.#fetch = given ? (...request) => given(...request) : (...request) => fetch(...request);
  }

  /** Stores a blob, at the publisher's cost, and waits until the network answers for it. */
  async store(content: Content, options: StoreOptions = {}): Promise<Stored> {
    const headers = { "content-type": "application/octet-stream" };
    const answer = await this.#put("/v1/blobs", content as BodyInit, headers, options);
    return stored(await answer.json() as Schemas["StoreResult"]);
  }

  /** Stores files as one blob, each of them readable by its identifier and by its patch id. */
  async storeQuilt(files: Iterable<QuiltFile>, options: StoreOptions = {}): Promise<StoredQuilt> {
    const answer = await this.#put("/v1/quilts", quiltForm(files), {}, options);
    const result = await answer.json() as Schemas["QuiltResult"];
    return { ...stored(result.blobStoreResult), files: result.storedQuiltBlobs };
  }

  /** A blob, or part of it, as it arrives. */
  read(blobId: string, options: ReadOptions = {}): Promise<Response> {
    return this.#read("/v1/blobs/{blob_id}", { blob_id: blobId }, options);
  }

  /** The blob of an object, with the object's attributes as headers. */
  readObject(objectId: string, options: ReadOptions = {}): Promise<Response> {
    return this.#read("/v1/blobs/by-object-id/{object_id}", { object_id: objectId }, options);
  }

  /** The blob that a mutable reference points at now. */
  readReference(reference: string, options: ReadOptions = {}): Promise<Response> {
    return this.#read("/v1/blobs/by-reference/{reference}", { reference }, options);
  }

  /** A file of a quilt by its identifier, with its tags as headers. */
  readQuiltFile(quiltId: string, identifier: string, options: ReadOptions = {}): Promise<Response> {
    return this.#read("/v1/blobs/by-quilt-id/{quilt_id}/{identifier}", { quilt_id: quiltId, identifier }, options);
  }

  /** A file of a quilt by its patch id. */
  readQuiltPatch(patchId: string, options: ReadOptions = {}): Promise<Response> {
    return this.#read("/v1/blobs/by-quilt-patch-id/{patch_id}", { patch_id: patchId }, options);
  }

  /** The files of a quilt. */
  async listQuilt(quiltId: string, options: { signal?: AbortSignal } = {}): Promise<Patch[]> {
    return this.#json<Patch[]>(route("/v1/quilts/{quilt_id}/patches", { quilt_id: quiltId }), options);
  }

  /** Whether the gateway is up; throws when it is not. */
  async status(options: { signal?: AbortSignal } = {}): Promise<void> {
    await (await this.#send(route("/status"), options)).text();
  }

  /** The gateway and its network (docs/page-api.md section 1). */
  config(options: { signal?: AbortSignal } = {}): Promise<Record<string, unknown>> {
    return this.#json(route("/v1/config"), options);
  }

  /** What every storage node says about itself; in browsers only for pages of the gateway's own origin. */
  nodes(options: { signal?: AbortSignal } = {}): Promise<Record<string, unknown>[]> {
    return this.#json(route("/v1/nodes"), options);
  }

  /** Every node's signed word that it holds its part, asked now; in browsers only for the gateway's own origin. */
  confirmations(blobId: string, options: { objectId?: string; signal?: AbortSignal } = {}): Promise<Record<string, unknown>> {
    const query: Query<"/v1/blobs/{blob_id}/confirmations", "get"> = {};
    if (options.objectId !== undefined) query.object_id = options.objectId;
    return this.#json(route("/v1/blobs/{blob_id}/confirmations", { blob_id: blobId }, query), options);
  }

  /** An upload that somebody named, which need not have begun, until its end. */
  async *watchUpload(id: string, options: { signal?: AbortSignal } = {}): AsyncGenerator<UploadEvent, void, undefined> {
    const response = await this.#send(route("/v1/uploads/{id}/events", { id }), options);
    if (response.body) yield* messages(response.body);
  }

  async #read<P extends PathOf<"get">>(path: P, names: Names<P, "get">, options: ReadOptions): Promise<Response> {
    const query: ReadQuery = {};
    if (options.consistencyCheck === "strict") query.strict_consistency_check = true;
    if (options.consistencyCheck === "skip") query.skip_consistency_check = true;
    const headers = options.range ? { range: rangeHeader(options.range) } : {};
    const url = route(path, names as Record<string, string>, query);
    const response = await this.#send(url, { headers, ...signalOf(options) });
    if (options.range && response.status !== 206) {
      await response.body?.cancel();
      throw new GatewayError(response.status, "a part was asked for and the whole came: something in front of the gateway drops ranges");
    }
    return response;
  }

  async #put(path: PathOf<"put">, body: BodyInit, headers: Record<string, string>, options: StoreOptions): Promise<Response> {
    const query: StoreQuery = {};
    if (options.epochs !== undefined) query.epochs = options.epochs;
    if (options.deletable !== undefined) query[options.deletable ? "deletable" : "permanent"] = true;
    if (options.force !== undefined) query.force = options.force;
    if (options.sendObjectTo !== undefined) query.send_object_to = options.sendObjectTo;
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    if (token !== undefined) headers = { ...headers, authorization: `Bearer ${token}` };
    const stream = body instanceof ReadableStream;
    const init: RequestInit & { duplex?: "half" } = { method: "PUT", headers, body, ...signalOf(options) };
    // Streams are sent only by those who say that they read the answer after it.
    if (stream) init.duplex = "half";
    const { onProgress } = options;
    if (!onProgress) return this.#send(route(path, {}, query), init);
    query.upload = madeUpId();
    const watcher = new Watcher((signal) => this.watchUpload(query.upload ?? "", { signal }), onProgress);
    let good = false;
    try {
      const response = await this.#send(route(path, {}, query), init);
      good = true;
      return response;
    } finally {
      await watcher.end(good);
    }
  }

  async #json<T>(path: string, options: { signal?: AbortSignal }): Promise<T> {
    return await (await this.#send(path, signalOf(options))).json() as T;
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const response = await this.#fetch(this.#base + path, init);
    if (!response.ok) throw await GatewayError.from(response);
    return response;
  }
}

/** How long the last messages may take after the answer. */
const LAST_MESSAGES_MS = 2000;

/** Passes on the messages about an upload. That they cannot be had does not hinder the upload. */
class Watcher {
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(open: (signal: AbortSignal) => AsyncIterable<UploadEvent>, tell: (event: UploadEvent) => void) {
    this.#done = this.#watch(open(this.#stop.signal), tell).catch(() => undefined);
  }

  async #watch(events: AsyncIterable<UploadEvent>, tell: (event: UploadEvent) => void): Promise<void> {
    for await (const event of events) {
      if (this.#stop.signal.aborted) return;
      try {
        tell(event);
      } catch (error) {
        // As with every listener to events.
        queueMicrotask(() => { throw error; });
      }
    }
  }

  /** A refused upload need not have begun, so that its messages need not end. */
  async end(wait: boolean): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (wait) await Promise.race([this.#done, new Promise((over) => { timer = setTimeout(over, LAST_MESSAGES_MS); })]);
    clearTimeout(timer);
    this.#stop.abort();
    await this.#done;
  }
}

/** The secret by which an upload is watched. `randomUUID` is missing from pages without TLS. */
function madeUpId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function signalOf(options: { signal?: AbortSignal }): { signal?: AbortSignal } {
  return options.signal ? { signal: options.signal } : {};
}

function stored(answer: Schemas["StoreResult"]): Stored {
  const { newlyCreated, alreadyCertified } = answer;
  if (newlyCreated) {
    const { blobId, id, storage } = newlyCreated.blobObject;
    return { blobId, endEpoch: storage.endEpoch, objectId: id, alreadyCertified: false, answer };
  }
  if (!alreadyCertified) throw new Error("the gateway's answer names neither a new blob nor a certified one");
  const { blobId, endEpoch, object } = alreadyCertified;
  return { blobId, endEpoch, objectId: object, alreadyCertified: true, answer };
}
