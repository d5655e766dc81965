/**
 * What is told of an upload while it runs. Of each stage, and of each node, the latest message counts: who watches
 * slowly misses steps, never the state.
 */
export type UploadEvent =
  /** The gateway has so much of the body; the total is null when it was not announced. */
  | { stage: "receiving"; bytes_done: number; bytes_total: number | null }
  | { stage: "encoding"; bytes_done: number; bytes_total: number }
  | { stage: "encoded"; blob_id: string; encoded_bytes: number }
  | { stage: "registering" }
  | { stage: "registered"; object_id: number; end_epoch: number; resumed: boolean }
  | { stage: "uploading"; slivers_done: number; slivers_total: number }
  | ({ stage: "node"; node_id: number; name: string | null } & NodeState)
  /** Weight of the nodes, in shards, that confirmed, and how much is needed. */
  | { stage: "confirmations"; weight: number; needed: number }
  | { stage: "certifying" }
  | { stage: "retrying"; reason: string; after_ms: number }
  /** The end: the blob is stored. */
  | { stage: "certified"; blob_id: string; object_id: number }
  /** The end: it was certified before, nothing was sent. */
  | { stage: "stored"; blob_id: string }
  /** The end: it is not stored. */
  | { stage: "failed"; message: string };

type NodeState =
  | { state: "sending"; slivers_done: number; slivers_total: number }
  | { state: "confirmed" }
  | { state: "failed"; reason: string };

/** Longest line of events; the gateway's are far shorter. */
const LONGEST_LINE = 64 * 1024;

/** The messages of a stream of server-sent events, each one JSON object in `data:`. */
export async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<UploadEvent, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE) throw new Error("the gateway's events cannot be understood");
      for (const line of lines) {
        if (line.startsWith("data:")) yield JSON.parse(line.slice("data:".length)) as UploadEvent;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
