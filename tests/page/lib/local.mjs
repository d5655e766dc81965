// What the tests of one file share: a local network, a browser at its page, and a folder of files.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before } from "node:test";
import { browser } from "./browser.mjs";
import { localNetwork, scratch } from "./process.mjs";

export const sha256 = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** What a download saves. */
export async function saved(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return download.path();
}

/** Prepares all of it; what is in the answer is there once the tests run. `start` makes another network. */
export function local(start = localNetwork) {
  const at = {
    /** A file of random bytes. */
    randomFile(name, size) {
      const file = path.join(at.files, name);
      writeFileSync(file, randomBytes(size));
      return file;
    },
  };
  before(async () => {
    at.files = scratch("files");
    at.network = process.env.PAGE_URL ? { url: process.env.PAGE_URL, stop: async () => {} } : await start();
    at.chrome = await browser(at.network.url);
  });
  after(async () => {
    await at.chrome?.close();
    await at.network?.stop();
    if (at.files) rmSync(at.files, { recursive: true, force: true });
    // Whatever the tests did, the page asked nobody else, and neither failed nor broke its own policy.
    assert.deepEqual(at.chrome?.strays, []);
    assert.deepEqual(at.chrome?.errors, []);
  });
  return at;
}
