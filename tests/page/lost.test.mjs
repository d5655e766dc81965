// A network of separate processes, one of whose nodes is killed while a file is on its way to it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { local, saved, sha256 } from "./lib/local.mjs";
import { processNetwork } from "./lib/process.mjs";

const at = local(processNetwork);

test("a node lost during the upload loses the file, or is not shown", async () => {
  const file = at.randomFile("large.bin", 50_000_000);
  const page = await at.chrome.open("store");
  await page.setInputFiles("#files", file);
  // What was shown of the node while slivers were on their way, before the certificate was handed in.
  const seen = [];
  await page.exposeFunction("sawNode", (text) => seen.push(text));
  await page.evaluate(() => {
    new MutationObserver(() => {
      const spreading = document.querySelector(".stages [data-stage=spread][aria-current]");
      const row = [...document.querySelectorAll(".node-bars li")].find((each) => each.textContent.includes("node-4"));
      if (spreading && row) globalThis.sawNode(row.dataset.state ?? "");
    }).observe(document.querySelector("#uploads"), { subtree: true, attributes: true, childList: true });
  });
  await page.getByRole("button", { name: "Store", exact: true }).click();
  const card = page.locator(".upload");
  // The first sliver is on its way.
  await card.locator(".stages [data-stage=spread][aria-current]").waitFor();
  await at.network.kill(4);
  await card.locator(".node-bars [data-state=failed]", { hasText: "node-4" }).waitFor();
  await card.and(page.locator("[data-state=done], [data-state=failed]")).waitFor();
  assert.ok(
    seen.includes("struggling") || seen.includes("failed"),
    `its loss was not shown as it happened, only ${[...new Set(seen)]}`,
  );
  const status = await card.locator(".card-status").innerText();
  assert.match(status, /^Stored until /);
  assert.equal(await card.locator(".node-bars [data-state=failed]").count(), 1);
  const copy = await saved(page, () => card.getByRole("link", { name: "Download" }).click());
  assert.equal(sha256(copy), sha256(file));

  const blobId = await card.locator(".blob-id").innerText();
  await at.chrome.open(`blob/${blobId}`, { page });
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  assert.match(await page.locator("#certificate").innerText(), /4 of 5 nodes, with 80 of 100 shards/);
  assert.match(await page.locator(".signers .absent").innerText(), /node-4/);

  // Without an account the gateway keeps the token, and the page offers nothing that it could not do.
  assert.equal(await page.getByRole("button", { name: "Delete" }).count(), 0);
  await at.chrome.open("network", { page });
  await page.close();
});
