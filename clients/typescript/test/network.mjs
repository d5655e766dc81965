// A network of four nodes and ten shards with its gateway, by the walrus command that WALRUS_BINARY names.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts it. `url` is the gateway's; `stop` ends it and removes what it left. */
export async function startNetwork() {
  const binary = process.env.WALRUS_BINARY;
  assert.ok(binary, "WALRUS_BINARY is not set");
  const directory = await mkdtemp(join(tmpdir(), "walrus-client-"));
  const shape = ["--nodes", "4", "--shards", "10", "--dir", "net"];
  const ports = ["--rpc-port", `${await freePort()}`, "--gateway-port", "0"];
  const network = spawn(binary, ["--json", "local", ...shape, ...ports], { cwd: directory, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  const report = await new Promise((ready, failed) => {
    network.on("error", failed);
    network.on("exit", (code) => failed(new Error(`the network ended with code ${code}`)));
    network.stdout.on("data", (bytes) => {
      text += bytes;
      try {
        ready(JSON.parse(text));
      } catch {
        // Not all of it is there yet.
      }
    });
  });
  async function stop() {
    const gone = new Promise((done) => network.once("exit", done));
    if (network.exitCode === null && network.kill("SIGTERM")) await gone;
    await rm(directory, { recursive: true, force: true });
  }
  return { url: report.gateway, stop };
}

/** Bytes that look random and are the same for a seed. */
export function contents(seed, length) {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
