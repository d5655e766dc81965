// The page on a local network, as a person uses it. Each test says what would be wrong.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { browser, faults, overflow, storeFile } from "./lib/browser.mjs";
import { BINARY, localNetwork, run, scratch } from "./lib/process.mjs";
import { addWallet, WALLET } from "./lib/wallet.mjs";

const VIEWS = ["store", "blobs", "network", "stake"];
/** Someone to give things to: the account of the wallet in the browser. */
const STRANGER = WALLET;

const sha256 = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

let network;
let chrome;
let files;

/** A file of random bytes. */
function randomFile(name, size) {
  const file = path.join(files, name);
  writeFileSync(file, randomBytes(size));
  return file;
}

/** What a download saves. */
async function saved(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return download.path();
}

before(async () => {
  files = scratch("files");
  network = process.env.PAGE_URL ? { url: process.env.PAGE_URL, stop: async () => {} } : await localNetwork();
  chrome = await browser(network.url);
});

after(async () => {
  await chrome?.close();
  await network?.stop();
  if (files) rmSync(files, { recursive: true, force: true });
});

test("a file of 50 MB comes back changed or not at all", async () => {
  const file = randomFile("large.bin", 50_000_000);
  const page = await chrome.open("store");
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

test("a blob's page claims a proof that does not hold", async () => {
  const page = await chrome.open("store");
  const { blobId } = await storeFile(page, randomFile("proved.bin", 120_000));
  await chrome.open(`blob/${blobId}`, { page });
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  assert.match(await page.locator("#certificate").innerText(), /5 of 5 nodes, with 100 of 100 shards \(67 needed\)/);
  await page.getByRole("button", { name: "Check now" }).click();
  await page.getByText("8 of 8 random places read and proved").waitFor();
  await page.close();
});

test("a gateway that lies about the certificate is believed", async () => {
  const page = await chrome.open("store");
  const { blobId } = await storeFile(page, randomFile("lied.bin", 90_000));
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
    await chrome.open(`blob/${blobId}`, { page });
    assert.equal(await page.locator("#certificate").getAttribute("data-good"), "false", name);
    await page.unroute("**/v1/rpc");
  }
  await page.close();
});

/** Another hexadecimal digit in one place. */
const flip = (text, at) => text.slice(0, at) + (Number.parseInt(text[at], 16) ^ 1).toString(16) + text.slice(at + 1);

test("an extension does not move the end, or a deleted blob stays", async () => {
  const page = await chrome.open("store");
  const { blobId } = await storeFile(page, randomFile("mine.bin", 70_000));
  await chrome.open("blobs", { page });
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
  await chrome.open(`blob/${blobId}`, { page });
  await page.locator(".badge", { hasText: "deleted" }).first().waitFor();
  assert.equal(await page.getByRole("link", { name: "Download" }).count(), 0);
  await page.close();
});

test("attributes or a transfer are lost on the way to the chain", async () => {
  const page = await chrome.open("store");
  const { blobId } = await storeFile(page, randomFile("gift.bin", 60_000));
  await chrome.open(`blob/${blobId}`, { page });
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
  await chrome.open(`blob/${blobId}`, { page });
  await page.locator("#open-key-file").setInputFiles(key);
  await page.getByRole("button", { name: "Decrypt" }).click();
  return saved(page, () => page.getByRole("link", { name: "Save the decrypted file" }).click());
}

test("what is encrypted here cannot be opened by the age tool, or tells its name or length", async () => {
  for (const padded of [false, true]) {
    const file = randomFile("diary of a walrus.bin", 200_001);
    const page = await chrome.open("store");
    const { blobId, key } = await storeForKey(page, file, padded);
    const sealed = path.join(files, "sealed.age");
    const bytes = Buffer.from(await (await fetch(`${network.url}/v1/blobs/${blobId}`)).arrayBuffer());
    writeFileSync(sealed, bytes);
    assert.ok(!bytes.includes("walrus.bin"));
    const opened = path.join(files, "opened");
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
    const file = randomFile(`shared-${size}.bin`, size);
    const page = await chrome.open("store");
    const { blobId, key } = await storeForKey(page, file, true);
    const out = path.join(files, `by-command-${size}`);
    await network.client(["read", blobId, "--identity", key, "--out", out]);
    assert.equal(sha256(out), sha256(file));

    const recipient = readFileSync(key, "utf8").match(/age1\w+/)[0];
    const stored = JSON.parse(await network.client(["store", file, "--recipient", recipient]));
    assert.equal(sha256(await openWithKey(page, stored.blob_id, key)), sha256(file));
    await page.close();
  }
});

test("what the age tool encrypts cannot be opened here", async () => {
  const plain = randomFile("plain.bin", 131_072);
  const key = path.join(files, "tool.key");
  await run("age-keygen", ["-o", key]);
  const recipient = readFileSync(key, "utf8").match(/age1\w+/)[0];
  for (const armor of [[], ["--armor"]]) {
    const sealed = path.join(files, `from-tool${armor.length}.age`);
    await run("age", ["--recipient", recipient, ...armor, "--output", sealed, plain]);
    const page = await chrome.open("store");
    const { blobId } = await storeFile(page, sealed);
    assert.equal(sha256(await openWithKey(page, blobId, key)), sha256(plain));
    await page.close();
  }
});

test("a wrong passphrase opens a file, or the right one does not", async () => {
  const file = randomFile("secret.bin", 50_000);
  const page = await chrome.open("store");
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
  await chrome.open(`blob/${stored.blobId}`, { page });
  await page.locator("#open-passphrase").fill("four other walrus words");
  await page.getByRole("button", { name: "Decrypt" }).click();
  await page.getByText("That passphrase does not open this file.").waitFor();
  await page.locator("#open-passphrase").fill("four random walrus words");
  await page.getByRole("button", { name: "Decrypt" }).click();
  const copy = await saved(page, () => page.getByRole("link", { name: "Save the decrypted file" }).click());
  assert.equal(sha256(copy), sha256(file));
  await page.close();
});

test("files stored together cannot be had one by one", async () => {
  const page = await chrome.open("store");
  const chosen = [randomFile("one.bin", 3_000), randomFile("two.bin", 70_000), randomFile("three.bin", 1)];
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
  await chrome.breaking(async () => {
    const page = await chrome.open("store");
    await page.route("**/v1/blobs?*", (route) =>
      route.fulfill({ status: 503, json: { error: { message: "too many uploads in progress" } } }),
    );
    const file = randomFile("again.bin", 40_000);
    const refused = await storeFile(page, file);
    assert.equal(refused.state, "failed");
    assert.equal(refused.status, "Too many uploads in progress. Try again in a moment.");
    await page.unroute("**/v1/blobs?*");
    await refused.card.getByRole("button", { name: "Try again" }).click();
    await page.locator(".upload[data-state=done]").waitFor();

    await page.route("**/v1/blobs?*", () => {});
    await page.setInputFiles("#files", randomFile("stopped.bin", 40_000));
    await page.getByRole("button", { name: "Store", exact: true }).click();
    const card = page.locator(".upload", { hasText: "stopped.bin" });
    await card.getByRole("button", { name: "Cancel" }).click();
    await card.and(page.locator("[data-state=cancelled]")).waitFor();
    await page.unroute("**/v1/blobs?*");
    await page.close();
  });
});

test("a stored picture is not shown", async () => {
  const file = path.join(files, "dot.png");
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  writeFileSync(file, Buffer.from(dot, "base64"));
  const page = await chrome.open("store");
  const { blobId, card } = await storeFile(page, file);
  await card.locator(".blob-id").waitFor();
  // The type is published after the blob is stored.
  await page.locator(".upload[data-named=true]").waitFor();
  await chrome.open(`blob/${blobId}`, { page });
  await page.waitForFunction(() => document.querySelector("img.preview")?.naturalWidth === 1);
  await page.close();
});

test("a stored page gets at what belongs to this one", async () => {
  const file = path.join(files, "evil.html");
  writeFileSync(
    file,
    "<!doctype html><title>evil</title><script>document.title = 'ran'; localStorage.setItem('evil', 'was here');</script>",
  );
  const page = await chrome.open("store");
  await storeFile(page, file);
  await page.locator(".upload[data-named=true]").waitFor();
  await chrome.open("blobs", { page });
  const token = await page.locator(".blob-row", { hasText: "evil.html" }).first().getAttribute("data-token");
  const evil = await chrome.context.newPage();
  await chrome.breaking(async () => {
    // Served as a page or as a download, as the gateway likes.
    await evil
      .goto(`${network.url}/v1/blobs/by-object-id/${token}`)
      .catch((error) => assert.match(error.message, /Download is starting/));
  });
  assert.notEqual(await evil.title(), "ran");
  assert.equal(await page.evaluate(() => localStorage.getItem("evil")), null);
  await evil.close();
  await page.close();
});

test("errors do not say what to do", async () => {
  await chrome.breaking(async () => {
    const page = await chrome.open("blob/nonsense");
    await page.getByText("Check that the whole link was copied").waitFor();
    await chrome.open(`blob/${"A".repeat(43)}`, { page });
    await page.getByText("Nobody registered this blob here").waitFor();

    await chrome.open("stake", { page });
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

test("stake is not taken, or does not come back", async () => {
  const page = await chrome.open("stake");
  await page.getByRole("button", { name: "Stake with node-1" }).click();
  await page.locator("#amount").fill("12.5");
  await page.locator("dialog").getByRole("button", { name: "Stake" }).click();
  const position = page.locator(".position", { hasText: "12.5 WAL with node-1" });
  await position.waitFor();
  await position.getByRole("button", { name: "Unstake" }).click();
  await page.locator("dialog").getByRole("button", { name: "Unstake" }).click();
  // It is paid out at once unless node-1 serves in the epoch it would become active with.
  await page.locator("#toasts", { hasText: /Withdrawn|The stake will leave/ }).waitFor();
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  const left = await position.count();
  if (left > 0) assert.match(await position.innerText(), /leaves with epoch/);
  await page.close();
});

test("an account of a test network cannot get WAL", async () => {
  const page = await chrome.open("stake");
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
  const page = await chrome.context.newPage();
  // The choice of account is remembered for all pages.
  t.after(async () => {
    await page.evaluate(() => localStorage.removeItem("walrus.account"));
    await page.close();
  });
  await addWallet(page, network.rpc);
  await chrome.open("stake", { page });
  await page.getByRole("button", { name: /^Account 0x/ }).click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  await page.getByRole("button", { name: `Account ${STRANGER.slice(0, 6)}` }).waitFor();
  await page.getByRole("button", { name: "Stake with node-0" }).click();
  await page.locator("#amount").fill("2");
  await page.locator("dialog").getByRole("button", { name: "Stake" }).click();
  await page.getByText("Not enough WAL in this account for that.").waitFor();
  await page.keyboard.press("Escape");

  // It owns the blob that was given to it before; declining must send nothing and say so.
  await chrome.open("blobs", { page });
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

test("a view is hard to use without sight, without a mouse, or on a small screen", async () => {
  const found = [];
  const page = await chrome.open("store");
  const { blobId } = await storeFile(page, randomFile("seen.bin", 30_000));
  for (const theme of ["light", "dark"]) {
    for (const width of [1200, 760, 360]) {
      for (const view of [...VIEWS, `blob/${blobId}`]) {
        await chrome.open(view, { theme, width, page });
        if (view === "store") {
          await page.setInputFiles("#files", [
            randomFile("a file with a rather long name, as people give them.bin", 10),
            randomFile("b.bin", 10),
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

  await chrome.open("network", { page });
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

test("the theme button forgets, or the system's theme is ignored", async () => {
  const page = await chrome.open("store", { theme: "dark" });
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

test("a certificate cannot be checked once its committee is gone from the contract", { skip: !BINARY }, async () => {
  const page = await chrome.open("store");
  const { blobId } = await storeFile(page, randomFile("old.bin", 20_000));
  const stored = Number(JSON.parse(await network.client(["info"])).epoch);
  // The contract keeps the committees of three epochs.
  await network.passEpochs(stored + 3);
  await chrome.open(`blob/${blobId}`, { page });
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  assert.match(await page.locator("#certificate").innerText(), new RegExp(`signed in epoch ${stored} `));

  // And what has ended says so.
  await network.passEpochs(stored + 6);
  await chrome.open(`blob/${blobId}`, { page });
  await page.locator(".badge", { hasText: "ended" }).first().waitFor();
  assert.equal(await page.getByRole("link", { name: "Download" }).count(), 0);
  await chrome.open("blobs", { page });
  await page.getByLabel("Ended and deleted too").check();
  await page.locator(".blob-row", { hasText: "old.bin" }).getByText("ended").waitFor();
  await page.close();
});

test("the page asks somebody else, or allows scripts from elsewhere", async () => {
  const { headers } = await fetch(network.url);
  const policy = headers.get("content-security-policy");
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|https?:/);
  assert.deepEqual(chrome.strays, []);
  assert.deepEqual(chrome.errors, []);
});

test("the vendored files are not what the pinned packages give", async () => {
  assert.ok(existsSync(new URL("node_modules/esbuild", import.meta.url)));
  await run(process.execPath, [new URL("vendor.mjs", import.meta.url).pathname, "--check"]);
});
