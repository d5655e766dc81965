// The client against a gateway and nodes as they are built.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Gateway, GatewayError } from "../dist/index.js";
import { contents, startNetwork } from "./network.mjs";

let network, gateway;

before(async () => {
  network = await startNetwork();
  gateway = new Gateway(network.url);
}, { timeout: 120_000 });

after(() => network?.stop());

const bytesOf = async (response) => new Uint8Array(await response.arrayBuffer());

// Nodes follow the chain at some distance: a moment after a store they may not know of it yet.
async function storeAgain(content, options) {
  for (let round = 0; round < 50; round += 1) {
    const stored = await gateway.store(content, options);
    if (stored.alreadyCertified) return stored;
  }
  return assert.fail("it was paid for fifty times");
}

// What the promise is refused with.
async function refusal(promise) {
  const error = await promise.then(() => assert.fail("it was not refused"), (thrown) => thrown);
  assert.ok(error instanceof GatewayError, `${error.stack}`);
  return error;
}

test("what was stored comes back, however it was given", async () => {
  // A body sent as text, or re-encoded, would be another blob.
  const bytes = contents(1, 70_001);
  const first = await gateway.store(bytes, { epochs: 2, deletable: false });
  assert.match(first.blobId, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(first.alreadyCertified, false);
  assert.deepEqual(await bytesOf(await gateway.read(first.blobId)), bytes);
  assert.deepEqual(await bytesOf(await gateway.readObject(first.objectId, { consistencyCheck: "strict" })), bytes);
  const others = [bytes.buffer, new Blob([bytes], { type: "text/html" }), new Blob([bytes]).stream()];
  for (const other of others) {
    assert.equal((await gateway.store(other)).blobId, first.blobId);
  }
  const again = await storeAgain(bytes, { epochs: 1, deletable: false });
  assert.equal(again.blobId, first.blobId);
  assert.ok(again.endEpoch >= first.endEpoch);
  const forced = await gateway.store(bytes, { epochs: 1, deletable: false, force: true });
  assert.equal(forced.alreadyCertified, false);
  const text = await gateway.store("Grüße");
  assert.equal(await (await gateway.read(text.blobId)).text(), "Grüße");
  const nothing = await gateway.store(new Uint8Array());
  assert.equal((await bytesOf(await gateway.read(nothing.blobId))).length, 0);
});

test("the wishes about a store are heard", async () => {
  // A blob that may be deleted although it must not, or ends too early.
  const wish = { epochs: 3, deletable: false, sendObjectTo: `0x${"12".repeat(20)}` };
  const stored = await gateway.store(contents(2, 1000), wish);
  const object = stored.answer.newlyCreated.blobObject;
  assert.equal(object.deletable, false);
  assert.equal(object.storage.endEpoch - object.storage.startEpoch, 3);
  const other = await gateway.store(contents(2, 1000), { deletable: true, force: true });
  assert.equal(other.answer.newlyCreated.blobObject.deletable, true);
  assert.notEqual(other.objectId, stored.objectId);
  const nobody = await refusal(gateway.store(contents(2, 1000), { sendObjectTo: "0x12" }));
  assert.match(nobody.message, /send_object_to/);
});

test("ranges give the bytes that were named, and no neighbours", async () => {
  const bytes = contents(3, 50_000);
  const { blobId } = await gateway.store(bytes);
  const part = async (range) => bytesOf(await gateway.read(blobId, { range }));
  assert.deepEqual(await part({ offset: 0, length: 1 }), bytes.slice(0, 1));
  assert.deepEqual(await part({ offset: 12_345, length: 6_789 }), bytes.slice(12_345, 12_345 + 6_789));
  assert.deepEqual(await part({ offset: 49_990 }), bytes.slice(49_990));
  assert.deepEqual(await part({ offset: 49_990, length: 1000 }), bytes.slice(49_990));
  assert.deepEqual(await part({ last: 7 }), bytes.slice(-7));
  const beyond = await refusal(part({ offset: 50_000 }));
  assert.equal(beyond.status, 416);
  assert.equal(beyond.reason, "INVALID_BYTE_RANGE");
  assert.equal(Number(beyond.metadata.length), 50_000);
});

test("a wrong blob id is told from a blob that is not there", async () => {
  // One is the caller's mistake, the other may come true later.
  const malformed = await refusal(gateway.read("not-a-blob-id"));
  assert.equal(malformed.status, 400);
  assert.equal(malformed.reason, "INVALID_ID_FORMAT");
  const missing = await refusal(gateway.read(`${"A".repeat(42)}Q`));
  assert.equal(missing.status, 404);
  assert.equal(missing.reason, "BLOB_NOT_FOUND");
  assert.ok(missing.message.length > 0);
  assert.equal(missing.retryAfter, undefined);
});

test("what is refused says why, before and after the body was sent", async () => {
  // A broken connection instead of a reason would be tried again and again.
  const tooLarge = await refusal(gateway.store(contents(4, 2_000_000)));
  assert.equal(tooLarge.status, 413);
  assert.equal(tooLarge.reason, "BLOB_TOO_LARGE");
  const tooLong = await refusal(gateway.store(contents(4, 100), { epochs: 10_000 }));
  assert.equal(tooLong.status, 400);
  assert.equal(tooLong.reason, "MALFORMED_REQUEST");
  assert.ok(Number(tooLong.metadata.max_epochs) < 10_000);
  const tags = { note: "x".repeat(70_000) };
  const quilt = await refusal(gateway.storeQuilt([{ identifier: "a", content: "a", tags }]));
  assert.equal(quilt.status, 400);
  assert.equal(quilt.reason, "MALFORMED_REQUEST");
});

test("what is refused by its head says why, however much of it is on its way", async () => {
  // The gateway answers before it has taken the body in; a closed connection would hide the answer.
  const wish = { epochs: 10_000 };
  for (const length of [8_000_000, 100_000_000]) {
    const content = contents(4, length);
    const blob = await refusal(gateway.store(content, wish));
    assert.equal(blob.reason, "MALFORMED_REQUEST");
    const streamed = await refusal(gateway.store(new Blob([content]).stream(), wish));
    assert.equal(streamed.reason, "MALFORMED_REQUEST");
    const quilt = await refusal(gateway.storeQuilt([{ identifier: "a", content }], wish));
    assert.equal(quilt.reason, "MALFORMED_REQUEST");
  }
});

test("progress reaches its end, and tells of every node", async () => {
  // Somebody who waits for the last message would wait for ever.
  const events = [];
  const options = { deletable: false, onProgress: (event) => events.push(event) };
  const { blobId } = await gateway.store(contents(5, 300_000), options);
  const stages = events.map((event) => event.stage);
  for (const stage of ["receiving", "encoded", "registered", "uploading", "confirmations"]) {
    assert.ok(stages.includes(stage), `${stage} is missing from ${stages}`);
  }
  assert.equal(stages.at(-1), "certified");
  assert.equal(events.at(-1).blob_id, blobId);
  const confirmed = events.filter((event) => event.stage === "confirmations").at(-1);
  assert.ok(confirmed.weight >= confirmed.needed);
  assert.ok(new Set(events.filter((event) => event.stage === "node").map((event) => event.node_id)).size >= 3);

  await storeAgain(contents(5, 300_000), options);
  assert.equal(events.at(-1).stage, "stored");

  // Refused before it began: there is no last message to wait for.
  const before = performance.now();
  await refusal(gateway.store(contents(5, 10), { ...options, epochs: 10_000 }));
  assert.ok(performance.now() - before < 1500);
});

test("a quilt's files come back by name and by id, with their tags", async () => {
  // Names and tags travel in a form, a path and headers, each with rules of its own.
  const files = [
    { identifier: "b.txt", content: "second", tags: { "content-type": "text/plain", shelf: "3" } },
    { identifier: "a/ü ?#%.bin", content: contents(6, 5000) },
    { identifier: "empty", content: new Uint8Array() },
  ];
  const events = [];
  const quilt = await gateway.storeQuilt(files, { onProgress: (event) => events.push(event.stage) });
  assert.equal(events.at(-1), "certified");
  const listed = await gateway.listQuilt(quilt.blobId);
  assert.deepEqual(listed.map((patch) => patch.identifier).sort(), files.map((file) => file.identifier).sort());
  assert.deepEqual(listed.find((patch) => patch.identifier === "b.txt").tags, files[0].tags);
  for (const file of files) {
    const expected = await bytesOf(new Response(file.content));
    assert.deepEqual(await bytesOf(await gateway.readQuiltFile(quilt.blobId, file.identifier)), expected);
    const { quiltPatchId } = quilt.files.find((one) => one.identifier === file.identifier);
    assert.deepEqual(await bytesOf(await gateway.readQuiltPatch(quiltPatchId)), expected);
  }
  const typed = await gateway.readQuiltFile(quilt.blobId, "b.txt", { range: { last: 3 } });
  assert.equal(typed.headers.get("content-type"), "text/plain");
  assert.equal(await typed.text(), "ond");
  const missing = await refusal(gateway.readQuiltFile(quilt.blobId, "c.txt"));
  assert.equal(missing.reason, "QUILT_PATCH_NOT_FOUND");
});

test("a signal ends a read and a store", async () => {
  const { blobId } = await gateway.store(contents(7, 1000));
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(gateway.read(blobId, { signal }), /enough/);
  const store = gateway.store(contents(8, 1000), { signal, onProgress() {} });
  await assert.rejects(store, /enough/);
});

test("the gateway tells of itself, its nodes, and who confirms a blob", async () => {
  await gateway.status();
  assert.equal((await gateway.config()).local, true);
  assert.equal((await gateway.nodes()).length, 4);
  const { blobId } = await gateway.store(contents(9, 1000), { deletable: false });
  const { weight, needed } = await gateway.confirmations(blobId);
  assert.ok(weight >= needed, `${weight} of ${needed}`);
});

test("the example does what it says", async () => {
  const [script, file] = ["../examples/store.mjs", "../README.md"].map((name) => fileURLToPath(new URL(name, import.meta.url)));
  const { stdout } = await promisify(execFile)(process.execPath, [script, file, network.url]);
  assert.match(stdout, /certified\nstored as [\w-]{43} until epoch \d+\nit begins with "# /);
});
