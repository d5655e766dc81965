// Encryption in the browser, and with other tools.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { storeFile } from "./lib/browser.mjs";
import { local, saved, sha256 } from "./lib/local.mjs";
import { BINARY, run } from "./lib/process.mjs";

const at = local();

/** Stores a file encrypted to a key pair made on the page; blob id and key file. */
async function storeForKey(page, file, padded) {
  let key;
  const stored = await storeFile(page, file, {
    before: async () => {
      await page.getByLabel("The holder of a key").check();
      await page.getByRole("button", { name: "Make a key pair" }).click();
      key = await saved(page, () => page.getByRole("link", { name: "Save the key file" }).click());
      await page.getByLabel("Hide its length").setChecked(padded);
    },
  });
  assert.equal(stored.state, "done", stored.status);
  return { blobId: stored.blobId, key };
}

/** Opens an encrypted blob on its page; the file that is saved. */
async function openWithKey(page, blobId, key) {
  await at.chrome.open(`blob/${blobId}`, { page });
  await page.locator("#open-key-file").setInputFiles(key);
  await page.getByRole("button", { name: "Decrypt" }).click();
  return saved(page, () => page.getByRole("link", { name: "Save the decrypted file" }).click());
}

test("what is encrypted here cannot be opened by the age tool, or tells its name or length", async () => {
  for (const padded of [false, true]) {
    const file = at.randomFile("diary of a walrus.bin", 200_001);
    const page = await at.chrome.open("store");
    const { blobId, key } = await storeForKey(page, file, padded);
    const sealed = path.join(at.files, "sealed.age");
    const bytes = Buffer.from(await (await fetch(`${at.network.url}/v1/blobs/${blobId}`)).arrayBuffer());
    writeFileSync(sealed, bytes);
    assert.ok(!bytes.includes("walrus.bin"));
    const opened = path.join(at.files, "opened");
    await run("age", ["--decrypt", "--identity", key, "--output", opened, sealed]);
    const plain = readFileSync(opened);
    if (padded) {
      // 200,001 and the line of 104 bytes, rounded up to a multiple of 4096.
      assert.equal(plain.length, 200_704);
      assert.match(
        plain.subarray(-104).toString("latin1"),
        /^\nwalrus-padding\/1 00000000000000200001 [0-9a-f]{64}\n$/,
      );
    } else assert.equal(plain.length, 200_001);
    assert.ok(plain.subarray(0, 200_001).equals(readFileSync(file)));

    const copy = await openWithKey(page, blobId, key);
    assert.equal(sha256(copy), sha256(file));
    assert.equal(await page.locator(".facts", { hasText: "diary" }).count(), 0, "the name must not be on the chain");
    await page.close();
  }
});

test("the command line cannot open what is encrypted here, or the reverse", { skip: !BINARY }, async () => {
  for (const size of [0, 1, 65_432, 65_433, 300_000]) {
    const file = at.randomFile(`shared-${size}.bin`, size);
    const page = await at.chrome.open("store");
    const { blobId, key } = await storeForKey(page, file, true);
    const out = path.join(at.files, `by-command-${size}`);
    await at.network.client(["read", blobId, "--identity", key, "--out", out]);
    assert.equal(sha256(out), sha256(file));

    const recipient = readFileSync(key, "utf8").match(/age1\w+/)[0];
    const stored = JSON.parse(await at.network.client(["store", file, "--recipient", recipient]));
    assert.equal(sha256(await openWithKey(page, stored.blob_id, key)), sha256(file));
    await page.close();
  }
});

test("what the age tool encrypts cannot be opened here", async () => {
  const plain = at.randomFile("plain.bin", 131_072);
  const key = path.join(at.files, "tool.key");
  await run("age-keygen", ["-o", key]);
  const recipient = readFileSync(key, "utf8").match(/age1\w+/)[0];
  for (const armor of [[], ["--armor"]]) {
    const sealed = path.join(at.files, `from-tool${armor.length}.age`);
    await run("age", ["--recipient", recipient, ...armor, "--output", sealed, plain]);
    const page = await at.chrome.open("store");
    const { blobId } = await storeFile(page, sealed);
    assert.equal(sha256(await openWithKey(page, blobId, key)), sha256(plain));
    await page.close();
  }
});

test("a wrong passphrase opens a file, or the right one does not", async () => {
  const file = at.randomFile("secret.bin", 50_000);
  const page = await at.chrome.open("store");
  const stored = await storeFile(page, file, {
    before: async () => {
      await page.getByLabel("Whoever knows a passphrase").check();
      await page.locator("#passphrase").fill("four random walrus words");
      await page.locator("#passphrase-again").fill("four random walrus word");
      await page.getByRole("button", { name: /^Store/ }).click();
      await page.getByText("The two passphrases differ").waitFor();
      await page.locator("#passphrase-again").fill("four random walrus words");
    },
  });
  assert.equal(stored.state, "done", stored.status);
  await at.chrome.open(`blob/${stored.blobId}`, { page });
  await page.locator("#open-passphrase").fill("four other walrus words");
  await page.getByRole("button", { name: "Decrypt" }).click();
  await page.getByText("That passphrase does not open this file.").waitFor();
  await page.locator("#open-passphrase").fill("four random walrus words");
  await page.getByRole("button", { name: "Decrypt" }).click();
  const copy = await saved(page, () => page.getByRole("link", { name: "Save the decrypted file" }).click());
  assert.equal(sha256(copy), sha256(file));
  await page.close();
});
