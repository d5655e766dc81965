// The client alone, with answers that no well-behaved gateway gives.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Gateway, GatewayError } from "../dist/index.js";

// A gateway that answers so, and what it was asked.
function answering(answer) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, ...init });
    return answer(url, init);
  };
  return { asked, gateway: (options) => new Gateway("http://gateway/base/", { fetch, ...options }) };
}

test("the page of a proxy is an error with its status, not a fault of the client", async () => {
  const headers = { "retry-after": "7" };
  const long = `<h1>Bad Gateway</h1>${"x".repeat(1 << 20)}`;
  for (const body of [long, "", "null", "[]", '{"error":"no"}', '{"error":{"message":"m"}}']) {
    const { gateway } = answering(() => new Response(body, { status: 502, headers }));
    const error = await gateway().read("x").catch((thrown) => thrown);
    assert.ok(error instanceof GatewayError, `${error.stack}`);
    assert.equal(error.status, 502);
    assert.equal(error.reason, undefined);
    assert.equal(error.retryAfter, 7);
    assert.ok(error.message.length < 300);
  }
});

test("an endless error is not read to its end", async () => {
  let pieces = 0;
  const body = new ReadableStream({
    pull(controller) {
      pieces += 1;
      controller.enqueue(new Uint8Array(1024));
    },
  });
  const { gateway } = answering(() => new Response(body, { status: 500 }));
  assert.equal((await gateway().read("x").catch((thrown) => thrown)).status, 500);
  assert.ok(pieces < 100, `${pieces}`);
});

test("the time to come back is understood as a number and as a date, and not when it is neither", async () => {
  const after = async (value) => {
    const { gateway } = answering(() => new Response("", { status: 503, headers: { "retry-after": value } }));
    return (await gateway().read("x").catch((thrown) => thrown)).retryAfter;
  };
  assert.equal(await after("0"), 0);
  assert.equal(await after("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  assert.equal(await after("soon"), undefined);
});

test("a whole blob where a part was asked for is not taken for the part", async () => {
  const { gateway } = answering(() => new Response("all of it"));
  await assert.rejects(gateway().read("x", { range: { offset: 4, length: 2 } }), GatewayError);
});

test("no range, name or file is asked for that means something else than it says", async () => {
  const { gateway, asked } = answering(() => new Response(""));
  const client = gateway();
  for (const range of [{ offset: -1 }, { offset: 0, length: 0 }, { last: 0 }, { offset: 0.5 }, { offset: NaN }]) {
    await assert.rejects(client.read("x", { range }), RangeError);
  }
  for (const name of ["", ".", ".."]) await assert.rejects(client.readQuiltFile("x", name), TypeError);
  const bad = ["", "_metadata", 'a"b', "a\\b", "a\r\nb"].map((identifier) => [{ identifier, content: "" }]);
  bad.push([{ identifier: "a", content: "1" }, { identifier: "a", content: "2" }]);
  for (const files of bad) await assert.rejects(client.storeQuilt(files), TypeError);
  assert.equal(asked.length, 0);
  await client.readQuiltFile("x", "../y?z#");
  assert.equal(asked[0].url, "http://gateway/base/v1/blobs/by-quilt-id/x/..%2Fy%3Fz%23");
});

test("the token goes with stores, and never with reads", async () => {
  // Reads may go through caches and logs that others see.
  const answer = { alreadyCertified: { blobId: "b", endEpoch: 4 } };
  const { gateway, asked } = answering(() => Response.json(answer));
  let made = 0;
  const client = gateway({ token: async () => `token-${(made += 1)}` });
  assert.equal((await client.store("a")).blobId, "b");
  await client.store("a");
  await client.read("b");
  assert.deepEqual(asked.map((one) => one.headers.authorization), ["Bearer token-1", "Bearer token-2", undefined]);
});

test("a store succeeds also when its progress cannot be had, or is nonsense", async () => {
  const answer = { alreadyCertified: { blobId: "b", endEpoch: 4 } };
  for (const events of [new Response("no", { status: 503 }), new Response("data: {\n\n"), new Response("data: {}")]) {
    const { gateway } = answering((url) => (url.includes("/uploads/") ? events : Response.json(answer)));
    assert.equal((await gateway().store("a", { onProgress() {} })).blobId, "b");
  }
});

test("messages are whole ones however the network cuts them", async () => {
  const text = 'data: {"stage":"receiving","bytes_done":1,"bytes_total":null}\n\n: still here\n\ndata: {"stage":"failed","message":"ü"}\n\n';
  const body = new ReadableStream({
    start(controller) {
      for (const byte of new TextEncoder().encode(text)) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const { gateway } = answering(() => new Response(body));
  const events = [];
  for await (const event of gateway().watchUpload("u")) events.push(event);
  assert.deepEqual(events, [{ stage: "receiving", bytes_done: 1, bytes_total: null }, { stage: "failed", message: "ü" }]);
});
