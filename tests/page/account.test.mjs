// Accounts: stake, test coins, giving away, and a wallet in the browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { storeFile } from "./lib/browser.mjs";
import { local } from "./lib/local.mjs";
import { BINARY } from "./lib/process.mjs";
import { addWallet, WALLET } from "./lib/wallet.mjs";

/** Someone to give things to: the account of the wallet in the browser. */
const STRANGER = WALLET;

const at = local();

test("attributes or a transfer are lost on the way to the chain", async () => {
  const page = await at.chrome.open("store");
  const { blobId } = await storeFile(page, at.randomFile("gift.bin", 60_000));
  await at.chrome.open(`blob/${blobId}`, { page });
  await page.getByRole("button", { name: "Attributes" }).click();
  await page.getByRole("button", { name: "Add another" }).click();
  await page.locator(".attribute .key").last().fill("licence");
  await page.locator(".attribute .value").last().fill("CC0 — “free”");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".facts", { hasText: "licence" }).getByText("CC0 — “free”").waitFor();

  await page.getByRole("button", { name: "Transfer" }).click();
  await page.locator("#receiver").fill("0x1234");
  await page.locator("dialog").getByRole("button", { name: "Transfer" }).click();
  await page.getByText("That is not an address").waitFor();
  await page.locator("#receiver").fill(STRANGER);
  await page.locator("dialog").getByRole("button", { name: "Transfer" }).click();
  await page.locator(".facts", { hasText: "Owner" }).getByText(STRANGER).waitFor();
  assert.equal(await page.getByRole("button", { name: "Delete" }).count(), 0, "only owners may delete");
  await page.close();
});

test("stake is not taken, or does not come back", async () => {
  const page = await at.chrome.open("stake");
  await page.getByRole("button", { name: "Stake with node-1" }).click();
  await page.locator("#amount").fill("12.5");
  await page.locator("dialog").getByRole("button", { name: "Stake" }).click();
  const position = page.locator(".position", { hasText: "12.5 WAL with node-1" });
  await position.waitFor();
  await position.getByRole("button", { name: "Unstake" }).click();
  await page.locator("dialog").getByRole("button", { name: "Unstake" }).click();
  // It is paid out at once unless node-1 serves in the epoch it would become active with.
  const toast = page.locator("#toasts", { hasText: /Withdrawn|The stake will leave/ });
  await toast.waitFor();
  if (/Withdrawn/.test(await toast.innerText())) await position.waitFor({ state: "detached" });
  else await position.filter({ hasText: /leaves with epoch/ }).waitFor();
  await page.close();
});

test("an account of a test network cannot get WAL", async () => {
  const page = await at.chrome.open("stake");
  const has = async () => {
    await page.getByRole("button", { name: /^Account 0x/ }).click();
    const value = page.locator("dialog .facts dd", { hasText: "WAL" });
    return Number((await value.innerText()).replaceAll(",", "").replace(" WAL", ""));
  };
  const earlier = await has();
  await page.getByRole("button", { name: "Get WAL" }).click();
  await page.locator("#wal-amount").fill("250");
  await page.getByRole("button", { name: "Exchange" }).click();
  await page.getByText("Got 250 WAL").waitFor();
  assert.equal(await has(), earlier + 250);
  await page.close();
});

test("a wallet in the browser is not found, or is not asked", { skip: !BINARY }, async (t) => {
  const page = await at.chrome.context.newPage();
  // The choice of account is remembered for all pages.
  t.after(async () => {
    await page.evaluate(() => localStorage.removeItem("walrus.account"));
    await page.close();
  });
  await addWallet(page, at.network.rpc);
  await at.chrome.open("stake", { page });
  await page.getByRole("button", { name: /^Account 0x/ }).click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  await page.getByRole("button", { name: `Account ${STRANGER.slice(0, 6)}` }).waitFor();
  await page.getByRole("button", { name: "Stake with node-0" }).click();
  await page.locator("#amount").fill("2");
  await page.locator("dialog").getByRole("button", { name: "Stake" }).click();
  await page.getByText("Not enough WAL in this account for that.").waitFor();
  await page.keyboard.press("Escape");

  // It owns the blob that was given to it before; declining must send nothing and say so.
  await at.chrome.open("blobs", { page });
  const row = page.locator(".blob-row", { hasText: "gift.bin" }).first();
  await row.getByRole("button", { name: "Delete" }).click();
  await page.evaluate(() => (globalThis.testWallet.decline = true));
  await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("You declined in the wallet; nothing was sent.").waitFor();
  const [asked] = await page.evaluate(() =>
    globalThis.testWallet.asked.filter(({ method }) => method === "eth_sendTransaction"),
  );
  assert.equal(asked.params[0].from.toLowerCase(), STRANGER.toLowerCase());
  assert.match(asked.params[0].data, /^0x[0-9a-f]{136}$/);

  await page.evaluate(() => (globalThis.testWallet.decline = false));
  const token = await row.getAttribute("data-token");
  await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
  await page.locator(`.blob-row[data-token="${token}"]`).waitFor({ state: "detached" });
});
