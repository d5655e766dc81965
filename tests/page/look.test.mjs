// What one sees: errors in words, small screens, both themes, without sight or mouse; and that nothing comes from elsewhere.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { faults, overflow, storeFile } from "./lib/browser.mjs";
import { local } from "./lib/local.mjs";
import { run } from "./lib/process.mjs";

const VIEWS = ["store", "blobs", "network", "stake"];

const at = local();

test("errors do not say what to do", async () => {
  await at.chrome.breaking(async () => {
    const page = await at.chrome.open("blob/nonsense");
    await page.getByText("Check that the whole link was copied").waitFor();
    await at.chrome.open(`blob/${"A".repeat(43)}`, { page });
    await page.getByText("Nobody registered this blob here").waitFor();

    await at.chrome.open("stake", { page });
    await page.getByRole("button", { name: "Stake with" }).first().click();
    await page.locator("#amount").fill("0.5");
    await page.locator("dialog").getByRole("button", { name: "Stake" }).click();
    await page.getByText("A stake has at least 1 WAL.").waitFor();
    await page.locator("#amount").fill("ten");
    await page.locator("dialog").getByRole("button", { name: "Stake" }).click();
    await page.getByText("Enter an amount of WAL, such as 12.5.").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });

    await page.route("**/v1/**", (route) => route.abort());
    await page.locator("#epoch-chip", { hasText: "Gateway not reachable" }).waitFor();
    await page.reload();
    await page.getByText("Check that it is running, then reload this page.").waitFor();
    await page.close();
  });
});

test("a view is hard to use without sight, without a mouse, or on a small screen", async () => {
  const found = [];
  const page = await at.chrome.open("store");
  const { blobId } = await storeFile(page, at.randomFile("seen.bin", 30_000));
  for (const theme of ["light", "dark"]) {
    for (const width of [1200, 760, 360]) {
      for (const view of [...VIEWS, `blob/${blobId}`]) {
        await at.chrome.open(view, { theme, width, page });
        if (view === "store") {
          await page.setInputFiles("#files", [
            at.randomFile("a file with a rather long name, as people give them.bin", 10),
            at.randomFile("b.bin", 10),
          ]);
          await page.getByLabel("The holder of a key").check();
        }
        const where = `${view.slice(0, 12)} ${theme} ${width}`;
        found.push(...(await faults(page)).map((fault) => `${where}: ${fault}`));
        if ((await overflow(page)) > 0) found.push(`${where}: wider than the window`);
      }
      await page.getByRole("button", { name: "Extend" }).click();
      found.push(...(await faults(page)).map((fault) => `dialog ${theme} ${width}: ${fault}`));
      await page.keyboard.press("Escape");
    }
  }
  assert.deepEqual(found, []);

  await at.chrome.open("network", { page });
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  await page.getByRole("link", { name: "Store", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Store a file" }).waitFor();
  await page.locator("#files").focus();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "files");
  await page.close();
});

test("what paying oneself adds is hard to use without sight, or on a small screen", async () => {
  const found = [];
  const look = async (page, where) => {
    found.push(...(await faults(page)).map((fault) => `${where}: ${fault}`));
    if ((await overflow(page)) > 0) found.push(`${where}: wider than the window`);
  };
  await at.chrome.breaking(async () => {
    for (const theme of ["light", "dark"]) {
      for (const width of [1200, 360]) {
        const how = `${theme} ${width}`;
        const page = await at.chrome.open("store", { theme, width });
        await page.route("**/v1/blob-upload-relay?*", (route) => route.abort());
        const name = `a file with a rather long name, as people give them ${theme} ${width}.bin`;
        await storeFile(page, at.randomFile(name, 9_000), {
          before: async () => {
            await page.getByLabel("My account").check();
            await look(page, `form ${how}`);
          },
        });
        await look(page, `failed ${how}`);
        await at.chrome.open("blobs", { page, theme, width });
        await page.getByRole("button", { name: "Finish the upload" }).first().click();
        await look(page, `dialog ${how}`);
        await page.keyboard.press("Escape");
        await page.unroute("**/v1/blob-upload-relay?*");

        await at.chrome.open("store", { page, theme, width });
        const { blobId } = await storeFile(page, at.randomFile("looked-at.bin", 9_001), {
          before: () => page.getByLabel("My account").check(),
        });
        await look(page, `done ${how}`);
        await at.chrome.open(`blob/${blobId}`, { page, theme, width });
        await page.getByRole("button", { name: "Check the bytes" }).click();
        await page.locator("#bytes-result [data-equal=true]").waitFor();
        await look(page, `checked ${how}`);
        await page.close();
      }
    }
  });
  assert.deepEqual(found, []);
});

test("the theme button forgets, or the system's theme is ignored", async () => {
  const page = await at.chrome.open("store", { theme: "dark" });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByRole("button", { name: "Use the light theme" }).click();
  const light = await background();
  assert.notEqual(light, dark);
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  assert.equal(await background(), light);
  await page.evaluate(() => localStorage.removeItem("walrus.theme"));
  await page.close();
});

test("the page asks somebody else, or allows scripts from elsewhere", async () => {
  const { headers } = await fetch(at.network.url);
  const policy = headers.get("content-security-policy");
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
  assert.doesNotMatch(policy, /'unsafe-|https?:/);
  assert.deepEqual(at.chrome.strays, []);
  assert.deepEqual(at.chrome.errors, []);
});

test("the vendored files are not what the pinned packages give", async () => {
  assert.ok(existsSync(new URL("node_modules/esbuild", import.meta.url)));
  await run(process.execPath, [new URL("vendor.mjs", import.meta.url).pathname, "--check"]);
});
