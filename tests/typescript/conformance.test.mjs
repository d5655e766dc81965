// The official TypeScript client's parts that speak HTTP, against our nodes and our gateway.
// WALRUS_BINARY names the walrus command; the test starts a network of its own with it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bls12381_min_pk_verify, bls12381_min_pk_verify_aggregate } from "@mysten/walrus-wasm";

// Neither class is exported by the package: they are what its high-level client is made of.
import { StorageNodeClient } from "./node_modules/@mysten/walrus/dist/storage-node/client.mjs";
import { BadRequestError, BlobNotRegisteredError, NotFoundError } from "./node_modules/@mysten/walrus/dist/storage-node/error.mjs";
import { UploadRelayClient } from "./node_modules/@mysten/walrus/dist/upload-relay/client.mjs";
import { getWasmBindings } from "./node_modules/@mysten/walrus/dist/wasm.mjs";
import { decodeEventLog, encodeFunctionData, privateKeyToAccount } from "../../crates/gateway/page/vendor/viem.js";

// Nodes prove themselves by the key that the chain lists, not by a certificate authority, which the
// client's `fetch` cannot check.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";


const SHARDS = 10;
const NODES = 4;
let network, directory, gateway, config, nodes, wasm;
const client = new StorageNodeClient({ timeout: 30_000 });

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function startNetwork() {
  directory = await mkdtemp(join(tmpdir(), "walrus-typescript-"));
  const binary = process.env.WALRUS_BINARY;
  assert.ok(binary, "WALRUS_BINARY is not set");
  const shape = ["--nodes", `${NODES}`, "--shards", `${SHARDS}`, "--dir", "net"];
  const ports = ["--rpc-port", `${await freePort()}`, "--gateway-port", "0"];
  network = spawn(binary, ["--json", "local", ...shape, ...ports], { cwd: directory, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  return new Promise((ready, failed) => {
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
}

before(async () => {
  const report = await startNetwork();
  gateway = report.gateway;
  config = await (await fetch(`${gateway}/v1/config`)).json();
  const list = await (await fetch(`${gateway}/v1/nodes`)).json();
  nodes = list.map((node) => ({
    url: `https://${node.address}`,
    publicKey: Buffer.from(node.health.publicKey, "base64"),
  }));
  assert.equal(nodes.length, NODES);
  wasm = await getWasmBindings();
}, { timeout: 120_000 });

after(async () => {
  network?.removeAllListeners("exit");
  network?.kill("SIGTERM");
  if (network) await new Promise((done) => network.once("exit", done));
  await rm(directory, { recursive: true, force: true });
});

// ----- The chain: registration is the one step that cannot be the TypeScript client's

async function rpc(method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const answer = await (await fetch(`${gateway}/v1/rpc`, { method: "POST", headers, body })).json();
  assert.ok(!answer.error, JSON.stringify(answer.error));
  return answer.result;
}

async function abi(name) {
  const path = new URL(`../../contracts/artifacts/${name}.json`, import.meta.url);
  return JSON.parse(await readFile(path, "utf8")).abi;
}

async function transact(to, data) {
  const account = privateKeyToAccount(config.development_key);
  const nonce = Number(await rpc("eth_getTransactionCount", [account.address, "pending"]));
  const fee = BigInt(await rpc("eth_gasPrice", [])) * 3n;
  const raw = await account.signTransaction({
    type: "eip1559", chainId: config.chain_id, nonce, to, data, gas: 5_000_000n,
    maxFeePerGas: fee, maxPriorityFeePerGas: fee < 1_000_000_000n ? fee : 1_000_000_000n,
  });
  const hash = await rpc("eth_sendRawTransaction", [raw]);
  for (;;) {
    const receipt = await rpc("eth_getTransactionReceipt", [hash]);
    if (receipt) {
      assert.equal(receipt.status, "0x1");
      return receipt;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function register(encoded, size, deletable) {
  const system = await abi("WalrusSystem");
  const largest = (1n << 256n) - 1n;
  const wal = encodeFunctionData({ abi: await abi("WAL"), functionName: "approve", args: [config.contracts.system, largest] });
  await transact(config.contracts.wal, wal);
  const rootHash = `0x${Buffer.from(encoded.rootHash).toString("hex")}`;
  const to = privateKeyToAccount(config.development_key).address;
  const a = { rootHash, size: BigInt(size), encodingType: 1, deletable, capacityId: 0n, to, maxWriteFee: largest };
  const data = encodeFunctionData({ abi: system, functionName: "buyAndRegister", args: [a, 2, 10n ** 18n] });
  const receipt = await transact(config.contracts.system, data);
  for (const log of receipt.logs) {
    if (log.address.toLowerCase() !== config.contracts.system.toLowerCase()) continue;
    try {
      const event = decodeEventLog({ abi: system, data: log.data, topics: log.topics });
      if (event.eventName === "BlobRegistered") return `0x${event.args.tokenId.toString(16).padStart(64, "0")}`;
    } catch {
      // An event of another form.
    }
  }
  throw new Error("the registration left no event");
}

function contents(seed, length) {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

// Nodes follow the chain at some distance.
async function eventually(what, attempt) {
  for (let round = 0; ; round += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof BlobNotRegisteredError) || round > 100) throw new Error(what, { cause: error });
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

test("a blob is stored at the nodes and read back", { timeout: 120_000 }, async () => {
  const bytes = contents(1, 20_000);
  const encoded = wasm.encodeBlob(SHARDS, bytes);
  const { blobId, metadata } = encoded;
  const body = { blobId, metadata };

  // Unknown before it is registered.
  const first = nodes[0].url;
  assert.equal((await client.getBlobStatus({ blobId }, { nodeUrl: first })).type, "nonexistent");
  assert.equal(await client.getMetadataStatus({ blobId }, { nodeUrl: first }), "nonexistent");
  await assert.rejects(client.getBlobMetadata({ blobId }, { nodeUrl: first }), NotFoundError);
  await assert.rejects(client.storeBlobMetadata(body, { nodeUrl: first }), BlobNotRegisteredError);

  const objectId = await register(encoded, bytes.length, true);
  let held = 0;
  for (const node of nodes) {
    const options = { nodeUrl: node.url };
    await eventually("metadata", () => client.storeBlobMetadata(body, options));
    await client.storeBlobMetadata(body, options);
    assert.equal(await client.getMetadataStatus({ blobId }, options), "stored");
    for (let pair = 0; pair < SHARDS; pair += 1) {
      const slivers = { primary: encoded.primarySlivers[pair], secondary: encoded.secondarySlivers[pair] };
      const primary = { blobId, sliverPairIndex: pair, sliverType: "primary", sliver: slivers.primary };
      try {
        await client.storeSliver(primary, options);
      } catch (error) {
        // The pair's shard is another node's.
        assert.ok(error instanceof BadRequestError, error);
        continue;
      }
      await client.storeSliver(primary, options);
      const secondary = { blobId, sliverPairIndex: pair, sliverType: "secondary", sliver: slivers.secondary };
      await client.storeSliver(secondary, options);
      for (const sliverType of ["primary", "secondary"]) {
        assert.equal(await client.getSliverStatus({ blobId, sliverPairIndex: pair, sliverType }, options), "stored");
        const got = await client.getSliver({ blobId, sliverPairIndex: pair, sliverType }, options);
        assert.deepEqual(Buffer.from(got), Buffer.from(slivers[sliverType]));
      }
      held += 1;
    }
    const { success } = await client.getDeletableBlobConfirmation({ blobId, objectId }, options);
    const { serializedMessage, signature } = success.data.signed;
    const message = Buffer.from(serializedMessage, "base64");
    assert.ok(message.includes(Buffer.from(blobIdBytes(blobId))), "the message names the blob");
    assert.ok(bls12381_min_pk_verify(Buffer.from(signature, "base64"), node.publicKey, message));
    const status = await client.getBlobStatus({ blobId }, options);
    assert.equal(status.type, "deletable");
    assert.equal(status.deletableCounts.count_deletable_total, 1);
    const back = await client.getBlobMetadata({ blobId }, options);
    assert.equal(back.blobId, blobId);
    assert.equal(Number(back.metadata.V1.unencoded_length), bytes.length);
    assert.equal(back.metadata.V1.hashes.length, SHARDS);
  }
  assert.equal(held, SHARDS, "every pair has one node");
});

function blobIdBytes(blobId) {
  return Buffer.from(blobId, "base64url");
}

test("the relay uploads and its certificate verifies", { timeout: 120_000 }, async () => {
  const relay = new UploadRelayClient({ host: gateway });
  assert.equal(await relay.tipConfig(), null);
  const bytes = contents(2, 50_000);
  const { blobId, rootHash } = wasm.computeMetadata(SHARDS, bytes);
  const blobObjectId = await register({ rootHash }, bytes.length, true);
  const wish = { blobId, blob: bytes, deletable: true, blobObjectId, requiresTip: false, encodingType: "RS2" };
  const answer = await relay.writeBlob(wish);
  assert.equal(answer.blobId, blobId);
  const { signers, serializedMessage, signature } = answer.certificate;
  assert.ok(signers.length >= 3, "two thirds of four nodes");
  assert.ok(Buffer.from(serializedMessage).includes(blobIdBytes(blobId)));
  const keys = signers.map((signer) => nodes[signer].publicKey);
  assert.ok(bls12381_min_pk_verify_aggregate(keys, serializedMessage, signature));
  // Other bytes than those that were registered.
  await assert.rejects(relay.writeBlob({ ...wish, blob: contents(3, 50_000) }), BadRequestError);
});

test("the gateway's blobs have the client's ids", { timeout: 120_000 }, async () => {
  const bytes = contents(4, 5_000);
  const stored = await (await fetch(`${gateway}/v1/blobs?epochs=1&permanent=true`, { method: "PUT", body: bytes })).json();
  const { blobId } = wasm.computeMetadata(SHARDS, bytes);
  assert.equal(stored.newlyCreated.blobObject.blobId, blobId);
  const read = await fetch(`${gateway}/v1/blobs/${blobId}`);
  assert.deepEqual(Buffer.from(await read.arrayBuffer()), Buffer.from(bytes));
  // A blob that the gateway stored, read by the client from the nodes.
  const slivers = [];
  for (const node of nodes) {
    for (let pair = 0; pair < SHARDS; pair += 1) {
      const sliver = client.getSliver({ blobId, sliverPairIndex: pair, sliverType: "primary" }, { nodeUrl: node.url });
      const got = await sliver.catch(() => null);
      if (got) slivers.push(got);
    }
  }
  assert.equal(slivers.length, SHARDS);
  const back = wasm.decodePrimarySlivers(blobId, SHARDS, bytes.length, slivers.slice(0, 4));
  assert.deepEqual(Buffer.from(back), Buffer.from(bytes));
});
