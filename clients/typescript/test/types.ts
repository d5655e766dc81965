// Compiled, never run: what users of the types may and may not write.
import { Gateway, GatewayError, type Reason, type Stored, type UploadEvent } from "../dist/index.js";

export async function use(gateway: Gateway): Promise<string> {
  const stored: Stored = await gateway.store(new Uint8Array(3), { epochs: 2, deletable: true });
  const cost: number | undefined = stored.answer.newlyCreated?.cost;
  // @ts-expect-error A misspelt wish would silently not be heard.
  await gateway.store("x", { epoch: 2 });
  // @ts-expect-error A range is not a pair: is the second the end or the length?
  await gateway.read(stored.blobId, { range: [0, 4] });
  // @ts-expect-error A stream cannot be part of a form.
  await gateway.storeQuilt([{ identifier: "a", content: new ReadableStream() }]);
  return `${cost}`;
}

export function decide(error: GatewayError): boolean {
  const gone: Reason = "BLOB_NOT_FOUND";
  // @ts-expect-error No such reason is in the document.
  return error.reason === gone || error.reason === "NO_SUCH_REASON";
}

export function tell(event: UploadEvent): string {
  if (event.stage === "node" && event.state === "failed") return event.reason;
  // @ts-expect-error Only some stages name a blob.
  return event.blob_id;
}
