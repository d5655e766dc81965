// A blob's page and what its owner does with it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { storeFile } from "./lib/browser.mjs";
import { local, saved, sha256 } from "./lib/local.mjs";
import { BINARY } from "./lib/process.mjs";
import { content, vectors } from "./lib/vectors.mjs";

const at = local();

test("a blob's page claims a proof that does not hold", async () => {
  const page = await at.chrome.open("store");
  const { blobId } = await storeFile(page, at.randomFile("proved.bin", 120_000));
  await at.chrome.open(`blob/${blobId}`, { page });
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  assert.match(await page.locator("#certificate").innerText(), /5 of 5 nodes, with 100 of 100 shards \(67 needed\)/);
  await page.getByRole("button", { name: "Check now" }).click();
  await page.getByText("8 of 8 random places read and proved").waitFor();
  await page.close();
});

test("a gateway that lies about the certificate is believed", async () => {
  const page = await at.chrome.open("store");
  const { blobId } = await storeFile(page, at.randomFile("lied.bin", 90_000));
  // The claimed signers are one word of the call data; a flipped bit in the signature or another set of signers must
  // both be noticed, and so must a signature for another blob.
  const lies = {
    signature: (input) => flip(input, input.length - 40),
    signers: (input) => flip(input, 2 + 8 + 64 * 4 - 1),
  };
  for (const [name, lie] of Object.entries(lies)) {
    await page.route("**/v1/rpc", async (route) => {
      const asked = route.request().postDataJSON();
      if (asked.method !== "eth_getTransactionByHash") return route.continue();
      const answer = await (await route.fetch()).json();
      answer.result.input = lie(answer.result.input);
      return route.fulfill({ json: answer });
    });
    await at.chrome.open(`blob/${blobId}`, { page });
    assert.equal(await page.locator("#certificate").getAttribute("data-good"), "false", name);
    await page.unroute("**/v1/rpc");
  }
  await page.close();
});

/** Another hexadecimal digit in one place. */
const flip = (text, at) => text.slice(0, at) + (Number.parseInt(text[at], 16) ^ 1).toString(16) + text.slice(at + 1);

test("an extension does not move the end, or a deleted blob stays", async () => {
  const page = await at.chrome.open("store");
  const { blobId } = await storeFile(page, at.randomFile("mine.bin", 70_000));
  await at.chrome.open("blobs", { page });
  const row = page.locator(".blob-row", { hasText: "mine.bin" });
  const epoch = async () => Number((await row.locator(".blob-end").innerText()).match(/epoch (\d+)/)[1]);
  const earlier = await epoch();
  await row.getByRole("button", { name: "Extend" }).click();
  await page.locator("#more-epochs").fill("3");
  assert.match(await page.locator("dialog .price").innerText(), /^0\.\d+ WAL$/);
  await page.locator("dialog").getByRole("button", { name: "Extend" }).click();
  await page.getByText("Extended by 3 epochs").waitFor();
  await row.locator(".blob-end", { hasText: `epoch ${earlier + 3}` }).waitFor();
  assert.equal(await epoch(), earlier + 3);

  await row.getByRole("button", { name: "Delete" }).click();
  await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
  await row.waitFor({ state: "detached" });
  await at.chrome.open(`blob/${blobId}`, { page });
  await page.locator(".badge", { hasText: "deleted" }).first().waitFor();
  assert.equal(await page.getByRole("link", { name: "Download" }).count(), 0);
  await page.close();
});

test("a certificate cannot be checked once its committee is gone from the contract", { skip: !BINARY }, async () => {
  const page = await at.chrome.open("store");
  const { blobId } = await storeFile(page, at.randomFile("old.bin", 20_000));
  const stored = Number(JSON.parse(await at.network.client(["info"])).epoch);
  // The contract keeps the committees of three epochs.
  await at.network.passEpochs(stored + 3);
  await at.chrome.open(`blob/${blobId}`, { page });
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  assert.match(await page.locator("#certificate").innerText(), new RegExp(`signed in epoch ${stored} `));

  // And what has ended says so.
  await at.network.passEpochs(stored + 6);
  await at.chrome.open(`blob/${blobId}`, { page });
  await page.locator(".badge", { hasText: "ended" }).first().waitFor();
  assert.equal(await page.getByRole("link", { name: "Download" }).count(), 0);
  await at.chrome.open("blobs", { page });
  await page.getByLabel("Ended and deleted too").check();
  await page.locator(".blob-row", { hasText: "old.bin" }).getByText("ended").waitFor();
  await page.close();
});

test("a gateway that sends other bytes is not found out, or an honest one is accused", async () => {
  const page = await at.chrome.open("store");
  const file = at.randomFile("checked.bin", 2_000_000);
  const { blobId } = await storeFile(page, file);
  await at.chrome.open(`blob/${blobId}`, { page });
  const check = async () => {
    await page.getByRole("button", { name: "Check the bytes" }).click();
    return page.locator("#bytes-result [data-equal]").getAttribute("data-equal");
  };
  assert.equal(await check(), "true");
  const copy = await saved(page, () => page.getByRole("link", { name: "Save what was checked" }).click());
  assert.equal(sha256(copy), sha256(file));

  const lies = {
    "one bit": (bytes) => ((bytes[1_234_567] ^= 1), bytes),
    "a byte less": (bytes) => bytes.subarray(0, -1),
    "a byte more": (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]),
    nothing: () => Buffer.alloc(0),
  };
  for (const [name, lie] of Object.entries(lies)) {
    await page.route(`**/v1/blobs/${blobId}`, (route) => route.fulfill({ body: lie(readFileSync(file)) }));
    await page.reload();
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    assert.equal(await check(), "false", name);
    assert.equal(await page.getByRole("link", { name: "Save what was checked" }).count(), 0);
    await page.unroute(`**/v1/blobs/${blobId}`);
  }
  await page.close();
});

test("a browser names a blob otherwise than the nodes do", async () => {
  const page = await at.chrome.open("network");
  await page.route("**/vectors/*", (route) =>
    route.fulfill({ body: Buffer.from(content(vectors.cases[Number(route.request().url().split("/").at(-1))])) }),
  );
  const cases = vectors.cases.map(({ n_shards: shards }) => shards);
  const found = await page.evaluate(async (shards) => {
    const { identify } = await import("/js/identity.js");
    const ids = [];
    for (const [index, count] of shards.entries()) {
      const bytes = await (await fetch(`/vectors/${index}`)).blob();
      ids.push((await identify(bytes, count)).blobId);
    }
    return ids;
  }, cases);
  assert.deepEqual(
    found,
    vectors.cases.map((each) => each.blob_id),
  );
  await page.close();
});
