// A network of separate processes, one of whose nodes is killed while a file is on its way to it.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { browser } from "./lib/browser.mjs";
import { processNetwork, scratch } from "./lib/process.mjs";

let network;
let chrome;
let files;

before(async () => {
  files = scratch("files");
  network = await processNetwork();
  chrome = await browser(network.url);
});

after(async () => {
  await chrome?.close();
  await network?.stop();
  if (files) rmSync(files, { recursive: true, force: true });
});

test("a node lost during the upload loses the file, or is not shown", async () => {
  const file = path.join(files, "large.bin");
  writeFileSync(file, randomBytes(50_000_000));
  const page = await chrome.open("store");
  await page.setInputFiles("#files", file);
  await page.getByRole("button", { name: "Store", exact: true }).click();
  const card = page.locator(".upload");
  // The first sliver is on its way.
  await card.locator(".stages [data-stage=spread][aria-current]").waitFor();
  await network.kill(4);
  await card.locator(".node-bars [data-state=failed]", { hasText: "node-4" }).waitFor();
  await card.and(page.locator("[data-state=done], [data-state=failed]")).waitFor();
  const status = await card.locator(".card-status").innerText();
  assert.match(status, /^Stored until /);
  assert.equal(await card.locator(".node-bars [data-state=failed]").count(), 1);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    card.getByRole("link", { name: "Download" }).click(),
  ]);
  const sha256 = (name) => createHash("sha256").update(readFileSync(name)).digest("hex");
  assert.equal(sha256(await download.path()), sha256(file));

  const blobId = await card.locator(".blob-id").innerText();
  await chrome.open(`blob/${blobId}`, { page });
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  assert.match(await page.locator("#certificate").innerText(), /4 of 5 nodes, with 80 of 100 shards/);
  assert.match(await page.locator(".signers .absent").innerText(), /node-4/);

  // Without an account the gateway keeps the token, and the page offers nothing that it could not do.
  assert.equal(await page.getByRole("button", { name: "Delete" }).count(), 0);
  await chrome.open("network", { page });
  await page.close();
  assert.deepEqual(chrome.strays, []);
});
