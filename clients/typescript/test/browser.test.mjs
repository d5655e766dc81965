// The client in Chromium, in a page of another origin than the gateway's. CHROMIUM names another browser.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { startNetwork } from "./network.mjs";

const browser = process.env.CHROMIUM ?? "/usr/bin/chromium";
const skip = existsSync(browser) ? false : `there is no browser at ${browser}`;

// Runs in the page.
async function inThePage(url) {
  const { Gateway, GatewayError } = await import("/dist/index.js");
  const gateway = new Gateway(url);
  const stages = [];
  const file = new File(["Hello from a page"], "a.txt", { type: "text/plain" });
  const { blobId } = await gateway.store(file, { onProgress: (event) => stages.push(event.stage) });
  const whole = await (await gateway.read(blobId)).text();
  const part = await (await gateway.read(blobId, { range: { offset: 6, length: 4 } })).text();
  const files = [{ identifier: "ü b.html", content: "<p>1</p>", tags: { "content-type": "text/html" } }];
  const quilt = await gateway.storeQuilt(files);
  const html = await (await gateway.readQuiltFile(quilt.blobId, "ü b.html")).text();
  const refused = await gateway.read("x").catch((error) => error);
  const reason = refused instanceof GatewayError ? refused.reason : String(refused);
  return { whole, part, html, reason, last: stages.at(-1) };
}

// Serves the page and the client, and resolves with what the page sends back.
function serve(gateway) {
  const script = `(${inThePage})(${JSON.stringify(gateway)}).catch(String)
    .then((body) => fetch("/result", { method: "POST", body: JSON.stringify(body) }));`;
  const page = `<!doctype html><script type="module">${script}</script>`;
  let report;
  const result = new Promise((done) => { report = done; });
  const server = createServer(async (request, response) => {
    const module = /^\/dist\/(\w+\.js)$/.exec(request.url);
    if (module) {
      response.setHeader("content-type", "text/javascript");
      response.end(await readFile(new URL(`../dist/${module[1]}`, import.meta.url)));
    } else if (request.url === "/result") {
      let text = "";
      for await (const piece of request) text += piece;
      response.end();
      report(JSON.parse(text));
    } else {
      response.setHeader("content-type", "text/html");
      response.end(request.url === "/" ? page : "");
    }
  });
  return { server, result };
}

test("a page of another origin stores, watches and reads", { skip, timeout: 60_000 }, async () => {
  // What Node allows a browser may not: headers and answers across origins, Node's own modules, unbound functions.
  const network = await startNetwork();
  const { server, result } = serve(network.url);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const profile = await mkdtemp(join(tmpdir(), "walrus-browser-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`];
  const page = spawn(browser, [...flags, `http://127.0.0.1:${server.address().port}/`], { stdio: "ignore" });
  const gone = new Promise((done) => page.once("exit", done));
  try {
    const ended = gone.then((code) => assert.fail(`the browser ended with code ${code}`));
    assert.deepEqual(await Promise.race([result, ended]), {
      whole: "Hello from a page",
      part: "from",
      html: "<p>1</p>",
      reason: "INVALID_ID_FORMAT",
      last: "certified",
    });
  } finally {
    page.kill("SIGTERM");
    await gone;
    server.closeAllConnections();
    server.close();
    await network.stop();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});
