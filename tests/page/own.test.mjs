// Storing with a wallet of one's own: paid by it, resumable, and nobody believed.

import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { browser, storeFile } from "./lib/browser.mjs";
import { local, saved, sha256 } from "./lib/local.mjs";
import { addWallet, WALLET } from "./lib/wallet.mjs";

const at = local();

/** A page whose account is the wallet's. */
async function withWallet(chrome = at.chrome, view = "store") {
  const page = await chrome.context.newPage();
  await addWallet(page, at.network.rpc);
  await page.addInitScript(() => localStorage.setItem("walrus.account", "injected"));
  await chrome.open(view, { page });
  await page.getByRole("button", { name: `Account ${WALLET.slice(0, 6)}` }).waitFor();
  return page;
}

/** How often the wallet was asked for something. */
const asked = (page, method) =>
  page.evaluate((name) => globalThis.testWallet.asked.filter((each) => each.method === name).length, method);

/** What the wallet declines from now on. */
const decline = (page, what) => page.evaluate((value) => (globalThis.testWallet.decline = value), what);

/** WAL of an account, in FROST. */
async function balance(of) {
  const config = await (await fetch(`${at.network.url}/v1/config`)).json();
  const data = `0x70a08231${of.slice(2).toLowerCase().padStart(64, "0")}`;
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "eth_call",
    params: [{ to: config.contracts.wal, data }, "latest"],
  });
  const headers = { "content-type": "application/json" };
  return BigInt((await (await fetch(`${at.network.url}/v1/rpc`, { method: "POST", headers, body })).json()).result);
}

/** Stores a file with the page's own account. */
const storeOwn = (page, file, { before = async () => {} } = {}) =>
  storeFile(page, file, {
    before: async () => {
      const choice = page.getByLabel("My account");
      if ((await choice.count()) > 0) await choice.check();
      await before();
    },
  });

/** Waits until a card ended another time. */
async function ended(card) {
  await card.and(card.page().locator("[data-state=done], [data-state=failed]")).waitFor();
  return { state: await card.getAttribute("data-state"), status: await card.locator(".card-status").innerText() };
}

test("an account that has no WAL pays all the same, or is not told how much it needs", async () => {
  const page = await withWallet();
  const { state, status } = await storeOwn(page, at.randomFile("poor.bin", 30_000));
  assert.equal(state, "failed");
  assert.match(status, /^Not enough WAL: 0\.\d+ WAL needed, the account has 0 WAL\. Nothing was sent\.$/);
  assert.equal(await asked(page, "eth_sendTransaction"), 0);

  await page.getByRole("button", { name: /^Account 0x/ }).click();
  await page.getByRole("button", { name: "Get WAL" }).click();
  await page.getByRole("button", { name: "Exchange" }).click();
  await page.getByText("Got 100 WAL").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  assert.equal((await ended(page.locator(".upload").first())).state, "done");
  await page.close();
});

test("a file of 50 MB stored with one's own wallet is paid by another, belongs to another, or is another", async () => {
  const file = at.randomFile("own.bin", 50_000_000);
  const { publisher } = await (await fetch(`${at.network.url}/v1/config`)).json();
  const publishers = () => Promise.all(publisher.addresses.map(balance));
  const [theirs, mine] = [await publishers(), await balance(WALLET)];
  const page = await withWallet();
  const seen = new Set();
  await page.exposeFunction("sawStage", (stage) => seen.add(stage));
  const stored = await storeOwn(page, file, {
    before: async () => {
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
  for (const stage of ["name", "register", "send", "encode", "spread", "certify"])
    assert.ok(seen.has(stage), `${stage} was not shown; seen: ${[...seen]}`);
  // Every node's part was shown as it went there.
  assert.ok((await stored.card.locator(".node-bars [data-state=confirmed]").count()) >= 4);

  // One signature for exactly the price, one payment, one certificate: no allowance is left open.
  assert.equal(await asked(page, "eth_signTypedData_v4"), 1);
  assert.equal(await asked(page, "eth_sendTransaction"), 2);
  assert.deepEqual(await publishers(), theirs);
  const paid = mine - (await balance(WALLET));
  assert.ok(paid > 0n);
  const words = await stored.card.locator(".card-price").innerText();
  const [, wal] = words.match(/^Your account pays ([\d.]+) WAL, and about 0\.[\d]+ ETH for gas\.$/);
  assert.ok(Math.abs(Number(wal) - Number(paid) / 1e9) < Number(wal) / 50, `${words}; paid ${paid}`);

  const copy = await saved(page, () => stored.card.getByRole("link", { name: "Download" }).click());
  assert.equal(sha256(copy), sha256(file));
  await at.chrome.open(`blob/${stored.blobId}`, { page });
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  await page.locator(".facts", { hasText: "Owner" }).getByText(WALLET).waitFor();
  // The name came to the chain with the certificate.
  await page.locator(".facts", { hasText: "name" }).getByText("own.bin").waitFor();
  await page.getByRole("button", { name: "Check the bytes" }).click();
  await page.locator("#bytes-result [data-equal=true]").waitFor();

  // The same once more costs nothing.
  await at.chrome.open("store", { page });
  const again = await storeOwn(page, file);
  assert.equal(again.status, "It was stored already; nothing was paid.");
  await page.close();
});

test("declining in the wallet leaves the page stuck, or pays twice", async () => {
  const page = await withWallet();
  await decline(page, "eth_signTypedData_v4");
  const { card, state, status } = await storeOwn(page, at.randomFile("declined.bin", 40_000));
  assert.equal(state, "failed");
  assert.equal(status, "You declined in the wallet; nothing was sent.");
  assert.equal(await asked(page, "eth_sendTransaction"), 0);
  const mine = await balance(WALLET);

  // The wallet signs, but does not pay.
  await decline(page, "eth_sendTransaction");
  await card.getByRole("button", { name: "Try again" }).click();
  assert.equal((await ended(card)).status, "You declined in the wallet; nothing was sent.");
  assert.equal(await balance(WALLET), mine);

  // It pays, but does not hand in the certificate.
  await decline(page, false);
  await page.exposeFunction("certifies", () => decline(page, "eth_sendTransaction"));
  await page.evaluate(() => {
    const seen = new MutationObserver(() => {
      if (!document.querySelector(".upload .stages [data-stage=send][aria-current]")) return;
      seen.disconnect();
      globalThis.certifies();
    });
    seen.observe(document.querySelector("#uploads"), { subtree: true, attributes: true, childList: true });
  });
  await card.getByRole("button", { name: "Try again" }).click();
  assert.equal(
    (await ended(card)).status,
    "You declined in the wallet; nothing was sent. The registration is paid and kept. Try again here, or later from My blobs.",
  );
  const paid = await balance(WALLET);
  assert.ok(paid < mine);

  await decline(page, false);
  const transactions = await asked(page, "eth_sendTransaction");
  await card.getByRole("button", { name: "Try again" }).click();
  assert.equal((await ended(card)).state, "done");
  assert.equal(await asked(page, "eth_sendTransaction"), transactions + 1);
  assert.equal(await balance(WALLET), paid);
  await page.close();
});

test("only deletable blobs can be paid by oneself", async () => {
  const page = await withWallet();
  const { state, status, blobId } = await storeOwn(page, at.randomFile("for good.bin", 20_000), {
    before: () => page.getByLabel("Deletable").uncheck(),
  });
  assert.equal(state, "done", status);
  await at.chrome.open(`blob/${blobId}`, { page });
  await page.locator(".facts", { hasText: "Kind" }).getByText("permanent").waitFor();
  assert.equal(await page.locator("#certificate").getAttribute("data-good"), "true");
  await page.close();
});

test("files stored together by oneself cannot be had one by one, or are lost with the tab", async () => {
  const chosen = ["one.txt", "two.bin", "three.bin"].map((name, index) => at.randomFile(name, 1 + 40_000 * index));
  const ways = async (page, blobId) => {
    await at.chrome.open(`blob/${blobId}`, { page });
    for (const file of chosen) {
      const link = page.getByRole("link", { name: path.basename(file), exact: true });
      assert.equal(sha256(await saved(page, () => link.click())), sha256(file));
    }
  };
  await at.chrome.breaking(async () => {
    const page = await withWallet();
    await page.route("**/v1/blob-upload-relay?*", (route) => route.abort());
    const { card, state, status } = await storeOwn(page, chosen, {
      before: () => page.getByLabel("Store them together, as a quilt").check(),
    });
    assert.equal(state, "failed");
    assert.match(status, /save the quilt now\.$/);
    const quilt = path.join(at.files, "saved.quilt");
    const form = await saved(page, () => card.getByRole("link", { name: "Save the quilt" }).click());
    writeFileSync(quilt, readFileSync(form));
    await page.close();

    const other = await withWallet(at.chrome, "blobs");
    const row = other.locator(".blob-row", { hasText: "one.txt and 2 more" });
    await row.getByRole("button", { name: "Finish the upload" }).click();
    await other.getByText("Choose the quilt that you saved").waitFor();
    await other.locator("#same-file").setInputFiles(quilt);
    await other.locator("dialog").getByRole("button", { name: "Upload" }).click();
    const done = other.locator(".upload").first();
    assert.equal((await ended(done)).state, "done");
    await ways(other, await done.locator(".blob-id").innerText());
    await other.close();
  });
  // And without any trouble.
  chosen.pop();
  const page = await withWallet();
  const stored = await storeOwn(page, chosen, {
    before: () => page.getByLabel("Store them together, as a quilt").check(),
  });
  assert.equal(stored.state, "done", stored.status);
  await ways(page, stored.blobId);
  await page.close();
});

test("a wallet that signs no permissions cannot pay", async () => {
  const page = await withWallet();
  await page.evaluate(() => (globalThis.testWallet.unknown = "eth_signTypedData_v4"));
  const { state, status } = await storeOwn(page, at.randomFile("plain-wallet.bin", 20_000));
  assert.equal(state, "done", status);
  // Allowance, payment, certificate.
  assert.equal(await asked(page, "eth_sendTransaction"), 3);
  await page.close();
});

test("what was paid is lost when the gateway goes away and the tab is closed", async () => {
  const file = at.randomFile("interrupted.bin", 300_000);
  await at.chrome.breaking(async () => {
    const first = await withWallet();
    await first.route("**/v1/blob-upload-relay?*", (route) => route.abort());
    const { state, status } = await storeOwn(first, file);
    assert.equal(state, "failed");
    assert.match(status, /^The connection to the gateway broke\. .* The registration is paid and kept\./);
    await first.close();
  });
  const mine = await balance(WALLET);
  const page = await withWallet(at.chrome, "blobs");
  const row = page.locator(".blob-row", { hasText: "interrupted.bin" });
  await row.locator(".badge", { hasText: "not certified" }).waitFor();
  await row.getByRole("button", { name: "Finish the upload" }).click();
  const upload = page.locator("dialog").getByRole("button", { name: "Upload" });
  // Neither another length nor other bytes pass for it.
  for (const size of [300_001, 300_000]) {
    await page.locator("#same-file").setInputFiles(at.randomFile("other.bin", size));
    await upload.click();
    await page.getByText("This is another file than the one that was registered.").waitFor();
  }
  await page.locator("#same-file").setInputFiles(file);
  await upload.click();
  const card = page.locator(".upload").first();
  assert.equal((await ended(card)).state, "done");
  assert.equal(await balance(WALLET), mine);
  assert.equal(await asked(page, "eth_signTypedData_v4"), 0);
  const copy = await saved(page, () => card.getByRole("link", { name: "Download" }).click());
  assert.equal(sha256(copy), sha256(file));
  await page.close();
});

test("a relay that changes the bytes, or invents a certificate, is believed", async () => {
  await at.chrome.breaking(async () => {
    const page = await withWallet();
    const file = at.randomFile("meddled.bin", 50_000);
    await page.route("**/v1/blob-upload-relay?*", (route) => {
      const body = Buffer.from(readFileSync(file));
      body[17] ^= 1;
      return route.continue({ postData: body });
    });
    const { card, state, status } = await storeOwn(page, file);
    assert.equal(state, "failed");
    assert.match(status, /^The bytes sent have another blob id\. The registration is paid and kept\./);

    // A certificate of somebody else: the contract refuses it before the wallet is asked.
    await page.unroute("**/v1/blob-upload-relay?*");
    let lies = 1;
    await page.route("**/v1/blob-upload-relay?*", async (route) => {
      // The body of a file does not pass through here by itself.
      const answer = await (await route.fetch({ postData: readFileSync(file) })).json();
      if (lies > 0) answer.confirmation_certificate.signers = [0];
      lies -= 1;
      return route.fulfill({ json: answer });
    });
    const transactions = await asked(page, "eth_sendTransaction");
    await card.getByRole("button", { name: "Try again" }).click();
    assert.equal((await ended(card)).state, "failed");
    assert.equal(await asked(page, "eth_sendTransaction"), transactions);
    await card.getByRole("button", { name: "Try again" }).click();
    assert.equal((await ended(card)).state, "done");
    await page.close();
  });
});

test("what was encrypted is encrypted anew after a failure, and so is another blob that is paid again", async () => {
  const file = at.randomFile("private.bin", 90_000);
  await at.chrome.breaking(async () => {
    const page = await withWallet();
    await page.route("**/v1/blob-upload-relay?*", (route) => route.abort());
    let key;
    const { card, status } = await storeOwn(page, file, {
      before: async () => {
        await page.getByLabel("The holder of a key").check();
        await page.getByRole("button", { name: "Make a key pair" }).click();
        key = await saved(page, () => page.getByRole("link", { name: "Save the key file" }).click());
      },
    });
    assert.match(status, /to go on after this tab is closed, save the encrypted form now\.$/);
    const sealed = path.join(at.files, "private.bin.age");
    const form = await saved(page, () => card.getByRole("link", { name: "Save the encrypted form" }).click());
    writeFileSync(sealed, readFileSync(form));
    const mine = await balance(WALLET);

    // With the saved form it goes on in another tab.
    const other = await withWallet(at.chrome, "blobs");
    await other
      .locator(".blob-row", { hasText: "private.bin" })
      .getByRole("button", { name: "Finish the upload" })
      .click();
    await other.locator("#same-file").setInputFiles(sealed);
    await other.locator("dialog").getByRole("button", { name: "Upload" }).click();
    assert.equal((await ended(other.locator(".upload").first())).state, "done");
    await other.close();

    // And in this one: it is certified meanwhile, which is as good.
    await page.unroute("**/v1/blob-upload-relay?*");
    await card.getByRole("button", { name: "Try again" }).click();
    const again = await ended(card);
    assert.equal(again.state, "done", again.status);
    assert.equal(await balance(WALLET), mine);
    const blobId = await card.locator(".blob-id").innerText();
    await at.chrome.open(`blob/${blobId}`, { page });
    await page.locator("#open-key-file").setInputFiles(key);
    await page.getByRole("button", { name: "Decrypt" }).click();
    const copy = await saved(page, () => page.getByRole("link", { name: "Save the decrypted file" }).click());
    assert.equal(sha256(copy), sha256(file));
    await page.close();
  });
});

test("a gateway that only relays stores nothing, or its tip is paid twice", async (t) => {
  const taker = "0x00000000000000000000000000000000000071b5";
  const relay = await at.network.gateway(
    ["--relay", "--page", "--aggregator"],
    `[gateway.tip]\naddress = "${taker}"\nbase = 1000\nper_kib = 10\nmax_age_seconds = 3600\n`,
  );
  t.after(() => relay.stop());
  const chrome = await browser(relay.url);
  t.after(() => chrome.close());
  const coin = async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getBalance", params: [taker, "latest"] });
    const headers = { "content-type": "application/json" };
    return BigInt((await (await fetch(`${relay.url}/v1/rpc`, { method: "POST", headers, body })).json()).result);
  };
  await chrome.breaking(async () => {
    const page = await withWallet(chrome);
    assert.equal(await page.getByLabel("This gateway", { exact: true }).count(), 0);
    await page.route("**/v1/blob-upload-relay?*", (route) => route.abort());
    const file = at.randomFile("tipped.bin", 70_000);
    const { card } = await storeOwn(page, file, {
      before: () => page.locator(".cost .price", { hasText: /ETH for this gateway/ }).waitFor(),
    });
    const tip = await coin();
    assert.ok(tip > 1000n, `${tip} wei`);
    await page.unroute("**/v1/blob-upload-relay?*");
    await card.getByRole("button", { name: "Try again" }).click();
    const { state, status } = await ended(card);
    assert.equal(state, "done", status);
    assert.equal(await coin(), tip);
    const copy = await saved(page, () => card.getByRole("link", { name: "Download" }).click());
    assert.equal(sha256(copy), sha256(file));
  });
  assert.deepEqual(chrome.strays, []);
});

test("a gateway with tokens cannot be used, or does without one", async (t) => {
  const secret = "a secret that is long enough for this";
  const file = path.join(at.files, "secret.txt");
  writeFileSync(file, secret);
  const gateway = await at.network.gateway(["--jwt-secret-file", file]);
  t.after(() => gateway.stop());
  const chrome = await browser(gateway.url);
  t.after(() => chrome.close());
  await chrome.breaking(async () => {
    const page = await chrome.open("store");
    const refused = await storeFile(page, at.randomFile("token.bin", 20_000));
    assert.equal(refused.state, "failed");
    assert.match(refused.status, /Ask whoever runs it for one\.$/);
    const stored = await storeFile(page, at.randomFile("token.bin", 20_000), {
      before: () => page.getByLabel("Access token").fill(token(secret)),
    });
    assert.equal(stored.state, "done", stored.status);
    // With one's own account none is needed.
    const own = await withWallet(chrome);
    const { state, status } = await storeOwn(own, at.randomFile("no-token.bin", 20_000), {
      before: () => own.getByLabel("Access token").waitFor({ state: "hidden" }),
    });
    assert.equal(state, "done", status);
  });
});

/** A token as the gateway's operator would give out. */
function token(secret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: now, exp: now + 300, jti: randomUUID() })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
