// The browser, one page of it, and what is watched on all pages: requests that leave the origin, errors, policy.

import { createRequire } from "node:module";
import { readFileSync, rmSync } from "node:fs";
import { chromium } from "playwright-core";
import { scratch } from "./process.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Nothing here reaches out by itself. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Routes that a gateway need not have (docs/page-api.md). */
const OPTIONAL = /^\/v1\/(nodes|blobs\/[\w-]{43}\/confirmations|uploads\/\w+\/events)$/;

/** Longest wait for anything on the page, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Starts Chromium with an empty profile. */
export async function browser(url) {
  const profile = scratch("profile");
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ARGUMENTS,
    acceptDownloads: true,
    viewport: { width: 1200, height: 860 },
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const origin = new URL(url).origin;
  const strays = [];
  const errors = [];
  let expectErrors = false;
  context.on("request", (request) => {
    const target = new URL(request.url());
    if (!["blob:", "data:"].includes(target.protocol) && target.origin !== origin) strays.push(request.url());
  });
  const note = (text) => {
    if (!expectErrors) errors.push(text);
  };
  context.on("page", (page) => {
    page.on("pageerror", (error) => note(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      // Refused requests are judged below, by their address.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) note(message.text());
    });
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() >= 400 && !OPTIONAL.test(pathname)) note(`${response.status()} ${pathname}`);
    });
  });
  return {
    context,
    /** Addresses asked for on other origins. */
    strays,
    /** What pages complained about, violations of the policy among it. */
    errors,
    /** Lets a test break things without its complaints counting. */
    async breaking(act) {
      expectErrors = true;
      try {
        await act();
      } finally {
        expectErrors = false;
      }
    },
    /** A page at one of the views, connected. */
    async open(view, { theme = "light", width = 1200, page } = {}) {
      const at = page ?? (await context.newPage());
      await at.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await at.setViewportSize({ width, height: 860 });
      await at.goto(`${url}/#/${view}`);
      // Only the part behind the # may have changed, which loads nothing.
      if (page) await at.reload();
      await at.waitForSelector("html[data-ready]");
      await at.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
      return at;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** What axe finds wrong, one line each. */
export async function faults(page) {
  // Through the protocol, so that the page's policy does not have to allow it.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) =>
        `${id} at ${target.join(" ")}: ${failureSummary.split("\n").slice(1, 2).join("").trim()}`,
    ),
  );
}

/** How far the page is wider than the window. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** Stores a file through the page and returns its card when it ended. */
export async function storeFile(page, file, { before = async () => {} } = {}) {
  await page.setInputFiles("#files", file);
  await before();
  await page.getByRole("button", { name: /^Store/ }).click();
  const card = page.locator(".upload").first();
  await card.and(page.locator("[data-state=done], [data-state=failed]")).waitFor();
  return {
    card,
    state: await card.getAttribute("data-state"),
    status: await card.locator(".card-status").innerText(),
    blobId: (await card.locator(".blob-id").count()) > 0 ? await card.locator(".blob-id").innerText() : null,
  };
}
