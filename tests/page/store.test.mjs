// Storing through the gateway, as a person does it. Each test says what would be wrong.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { storeFile } from "./lib/browser.mjs";
import { local, saved, sha256 } from "./lib/local.mjs";

const at = local();

test("a file of 50 MB comes back changed or not at all", async () => {
  const file = at.randomFile("large.bin", 50_000_000);
  const page = await at.chrome.open("store");
  const seen = new Set();
  await page.exposeFunction("sawStage", (stage) => seen.add(stage));
  const stored = await storeFile(page, file, {
    before: async () => {
      // The price is shown before anything is paid.
      await page.locator(".cost .price", { hasText: "WAL" }).waitFor();
      await page.evaluate(() => {
        new MutationObserver(() => {
          for (const item of document.querySelectorAll(".stages [aria-current]"))
            globalThis.sawStage(item.dataset.stage);
        }).observe(document.querySelector("#uploads"), { subtree: true, attributes: true, childList: true });
      });
    },
  });
  assert.equal(stored.state, "done", stored.status);
  assert.match(stored.status, /^Stored until /);
  for (const stage of ["send", "encode", "register", "spread", "certify"])
    assert.ok(seen.has(stage), `${stage} was not shown; seen: ${[...seen]}`);
  const copy = await saved(page, () => stored.card.getByRole("link", { name: "Download" }).click());
  assert.equal(sha256(copy), sha256(file));
  await page.close();
});

test("files stored together cannot be had one by one", async () => {
  const page = await at.chrome.open("store");
  const chosen = [at.randomFile("one.bin", 3_000), at.randomFile("two.bin", 70_000), at.randomFile("three.bin", 1)];
  const stored = await storeFile(page, chosen, {
    before: async () => {
      await page.getByLabel("Store them together, as a quilt").check();
      await page.locator(".cost .price", { hasText: "about" }).waitFor();
    },
  });
  assert.equal(stored.state, "done", stored.status);
  await stored.card.getByRole("link", { name: "See the files" }).click();
  for (const file of chosen) {
    const copy = await saved(page, () => page.getByRole("link", { name: path.basename(file), exact: true }).click());
    assert.equal(sha256(copy), sha256(file));
  }
  await page.close();
});

test("a cancelled or refused upload leaves the page stuck", async () => {
  await at.chrome.breaking(async () => {
    const page = await at.chrome.open("store");
    await page.route("**/v1/blobs?*", (route) =>
      route.fulfill({ status: 503, json: { error: { message: "too many uploads in progress" } } }),
    );
    const file = at.randomFile("again.bin", 40_000);
    const refused = await storeFile(page, file);
    assert.equal(refused.state, "failed");
    assert.equal(refused.status, "Too many uploads in progress. Try again in a moment.");
    await page.unroute("**/v1/blobs?*");
    await refused.card.getByRole("button", { name: "Try again" }).click();
    await page.locator(".upload[data-state=done]").waitFor();

    await page.route("**/v1/blobs?*", () => {});
    await page.setInputFiles("#files", at.randomFile("stopped.bin", 40_000));
    await page.getByRole("button", { name: "Store", exact: true }).click();
    const card = page.locator(".upload", { hasText: "stopped.bin" });
    await card.getByRole("button", { name: "Cancel" }).click();
    await card.and(page.locator("[data-state=cancelled]")).waitFor();
    await page.unroute("**/v1/blobs?*");
    await page.close();
  });
});

test("a stored picture is not shown", async () => {
  const file = path.join(at.files, "dot.png");
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  writeFileSync(file, Buffer.from(dot, "base64"));
  const page = await at.chrome.open("store");
  const { blobId, card } = await storeFile(page, file);
  await card.locator(".blob-id").waitFor();
  // The type is published after the blob is stored.
  await page.locator(".upload[data-named=true]").waitFor();
  await at.chrome.open(`blob/${blobId}`, { page });
  await page.waitForFunction(() => document.querySelector("img.preview")?.naturalWidth === 1);
  await page.close();
});

test("a stored page gets at what belongs to this one", async () => {
  const file = path.join(at.files, "evil.html");
  writeFileSync(
    file,
    "<!doctype html><title>evil</title><script>document.title = 'ran'; localStorage.setItem('evil', 'was here');</script>",
  );
  const page = await at.chrome.open("store");
  await storeFile(page, file);
  await page.locator(".upload[data-named=true]").waitFor();
  await at.chrome.open("blobs", { page });
  const token = await page.locator(".blob-row", { hasText: "evil.html" }).first().getAttribute("data-token");
  const evil = await at.chrome.context.newPage();
  await at.chrome.breaking(async () => {
    // Served as a page or as a download, as the gateway likes.
    await evil
      .goto(`${at.network.url}/v1/blobs/by-object-id/${token}`)
      .catch((error) => assert.match(error.message, /Download is starting/));
  });
  assert.notEqual(await evil.title(), "ran");
  assert.equal(await page.evaluate(() => localStorage.getItem("evil")), null);
  await evil.close();
  await page.close();
});
