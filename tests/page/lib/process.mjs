// Processes of the walrus binary, and the networks made of them.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/** The binary under test. */
export const BINARY = process.env.WALRUS_BINARY ?? "";

/** The development chain's first account, which deploys and pays. */
const DEPLOYER = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/** Longest start of one process, in milliseconds. */
const START_MS = 180_000;

export const run = promisify(execFile);

/** An empty directory that the caller removes. */
export const scratch = (name) => mkdtempSync(path.join(tmpdir(), `walrus-page-${name}-`));

/** A port that nobody listens on. */
export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts a command that says one JSON object on standard output when it is ready. */
function background(args, cwd, log, env = {}) {
  const child = spawn(BINARY, ["--json", ...args], {
    cwd,
    env: { ...process.env, RUST_BACKTRACE: "0", ...env },
    stdio: ["ignore", "pipe", openSync(log, "a")],
  });
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(
      () => (child.kill("SIGKILL"), reject(new Error(`${args.join(" ")} was not ready; see ${log}`))),
      START_MS,
    );
    child.on(
      "exit",
      (code) => (clearTimeout(timer), reject(new Error(`${args.join(" ")} ended with ${code}; see ${log}`))),
    );
    child.stdout.on("data", (chunk) => {
      text += chunk;
      try {
        const report = JSON.parse(text);
        clearTimeout(timer);
        resolve({ child, report });
      } catch {
        // Not the whole object yet.
      }
    });
  });
}

/** Ends a process and waits until it is gone. */
export function end(child, signal = "SIGINT") {
  if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", resolve);
    child.kill(signal);
  });
}

/** `walrus local`: chain, nodes and gateway in one process, with a development account. */
export async function localNetwork() {
  const dir = scratch("local");
  const [rpc, gateway] = [await freePort(), await freePort()];
  const args = ["local", "--nodes", "5", "--shards", "100", "--epoch-seconds", "3600", "--dir", path.join(dir, "net")];
  args.push("--rpc-port", String(rpc), "--gateway-port", String(gateway));
  const { child, report } = await background(args, dir, path.join(dir, "local.log"));
  return {
    dir,
    url: report.gateway,
    rpc: `http://127.0.0.1:${rpc}`,
    /** Another gateway of the same network; the settings are those of its section of the configuration. */
    async gateway(args, settings = "") {
      const port = await freePort();
      const text = readFileSync(path.join(dir, "net", "walrus.toml"), "utf8");
      const [, context] = text.match(/^\[contexts\.([\w-]+)\]/m);
      const config = path.join(dir, "net", `gateway-${port}.toml`);
      writeFileSync(config, `${text}\n${settings.replaceAll("[gateway", `[contexts.${context}.gateway`)}`);
      const own = ["--bind", `127.0.0.1:${port}`, "--dir", path.join(dir, `gateway-${port}`)];
      const started = await background(
        ["--config", config, "gateway", ...own, ...args],
        dir,
        path.join(dir, `gateway-${port}.log`),
      );
      return { url: `http://127.0.0.1:${port}`, stop: (signal) => end(started.child, signal) };
    },
    /** What a client command says, as JSON text. */
    async client(args) {
      const config = path.join(dir, "net", "walrus.toml");
      const { stdout } = await run(BINARY, ["--json", "--config", config, ...args], { cwd: dir, maxBuffer: 1 << 24 });
      return stdout;
    },
    /** Lets the chain's time pass until an epoch has begun; the network takes the steps that are due by itself. */
    async passEpochs(until) {
      const ask = async (method, params) => {
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
        const answer = await fetch(`http://127.0.0.1:${rpc}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        });
        return (await answer.json()).result;
      };
      const deadline = Date.now() + START_MS;
      let told = "";
      for (;;) {
        const { epoch, phase } = JSON.parse(await this.client(["info"]));
        if (epoch >= until) return;
        if (Date.now() > deadline) throw new Error(`epoch ${until} did not begin; it is epoch ${epoch}, ${phase}`);
        // Once for each half of an epoch, when the half before is over.
        if (phase !== "Sync" && told !== `${epoch} ${phase}`) {
          told = `${epoch} ${phase}`;
          await ask("evm_increaseTime", [1_900]);
          await ask("evm_mine", []);
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    },
    async stop() {
      await end(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A network of separate processes, as operators would make it, so that a node can be killed. */
export async function processNetwork({ nodes = 5, shards = 100 } = {}) {
  const dir = scratch("processes");
  const children = [];
  const start = async (name, args, env) => {
    const { child, report } = await background(args, dir, path.join(dir, `${name}.log`), env);
    children.push(child);
    return { child, report };
  };
  const once = (args, env = {}) =>
    run(BINARY, ["--json", ...args], { cwd: dir, env: { ...process.env, WALRUS_PRIVATE_KEY: DEPLOYER, ...env } });
  const stop = async () => {
    await Promise.all(children.map((child) => end(child, "SIGKILL")));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const chainPort = await freePort();
    const rpc = `http://127.0.0.1:${chainPort}`;
    await start("chain", ["chain", "dev", "--dir", "chain", "--port", String(chainPort)]);
    await once([
      "chain",
      "deploy",
      "--rpc",
      rpc,
      "--shards",
      String(shards),
      "--out",
      "deployment.json",
      "--min-nodes",
      String(nodes),
      "--epoch-seconds",
      "3600",
      "--first-start-delay",
      "0",
    ]);
    writeFileSync(
      path.join(dir, "walrus.toml"),
      `[contexts.test]\nrpc = ["${rpc}"]\ndeployment = "deployment.json"\nstate_dir = "state"\n`,
    );
    const dirs = Array.from({ length: nodes }, (_, index) => path.join(dir, `node-${index}`));
    for (const [index, node] of dirs.entries()) {
      const address = `127.0.0.1:${await freePort()}`;
      const setup = ["node", "setup", "--name", `node-${index}`, "--deployment", "deployment.json", "--weak-keystore"];
      setup.push("--public-address", address, "--bind", address, "--rpc", rpc, "--dir", node);
      const { operator } = JSON.parse((await once(setup)).stdout);
      await once(["chain", "fund", operator]);
      await once(["node", "register", "--dir", node], { WALRUS_PRIVATE_KEY: "" });
    }
    await once(["chain", "genesis"]);
    const running = [];
    for (const [index, node] of dirs.entries()) {
      running.push((await start(`node-${index}`, ["node", "run", "--dir", node], { WALRUS_PRIVATE_KEY: "" })).child);
    }
    const bind = `127.0.0.1:${await freePort()}`;
    await start("gateway", ["gateway", "--bind", bind, "--dir", "gateway"], { WALRUS_PRIVATE_KEY: DEPLOYER });
    return { dir, url: `http://${bind}`, rpc, nodes: running, kill: (index) => end(running[index], "SIGKILL"), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
