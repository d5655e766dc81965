// The committed WebAssembly module, on the encoding's own vectors: in Node, without a browser.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { QuiltFiles, compute, initSync, sha256 } from "../../crates/gateway/page/vendor/redstuff.js";
import { use } from "../../crates/gateway/page/js/source.js";
import { content, quilts, vectors } from "./lib/vectors.mjs";

const MODULE = fileURLToPath(new URL("../../crates/gateway/page/vendor/redstuff.wasm", import.meta.url));

/** Lets the module read these bytes. */
const offer = (bytes) => use({ read: (offset, length) => bytes.subarray(offset, offset + length), progress() {} });

before(() => initSync({ module: readFileSync(MODULE) }));

test("the module names a blob otherwise than the nodes do", () => {
  // Whoever registers a wrong id has paid for a blob that nobody can certify.
  let checked = 0;
  for (const wanted of vectors.cases) {
    const bytes = content(wanted);
    offer(bytes);
    const found = compute(wanted.n_shards, bytes.length);
    assert.equal(found.blob_id, wanted.blob_id, wanted.id);
    assert.equal(Buffer.from(found.root_hash).toString("hex"), wanted.root_hash, wanted.id);
    assert.equal(found.encoded_size, wanted.encoded_blob_length, wanted.id);
    assert.equal(found.size, wanted.length, wanted.id);
    assert.equal(found.encoding_type, 1);
    checked += 1;
  }
  assert.equal(checked, 133);
});

test("files laid out here are another quilt than the one the network knows", () => {
  for (const wanted of quilts) {
    const contents = wanted.files.map((file) => Buffer.from(content(file)));
    const form = new QuiltFiles(wanted.n_shards);
    for (const { identifier, tags = {}, length } of wanted.files)
      form.add(identifier, Object.keys(tags), Object.values(tags), length);
    offer(Buffer.concat(contents));
    // Too many files, or two of the same name.
    if (wanted.expect_error) {
      assert.throws(() => form.lay_out(), /5 files do not fit|same/, wanted.id);
      continue;
    }
    const quilt = form.lay_out();
    assert.equal(quilt.size, wanted.quilt_len, wanted.id);
    const pieces = [];
    for (let at = 0; at < quilt.size; at += 1_000_000)
      pieces.push(quilt.read(at, Math.min(1_000_000, quilt.size - at)));
    const bytes = Buffer.concat(pieces);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), wanted.quilt_sha256, wanted.id);
    offer(bytes);
    assert.equal(compute(wanted.n_shards, bytes.length).blob_id, wanted.blob_id, wanted.id);
  }
  assert.equal(quilts.length, 8);
  const large = new QuiltFiles(10);
  large.add("large.bin", [], [], 2 ** 28 + 1);
  assert.throws(() => large.lay_out(), /up to 256 MiB together/);
});

test("a tip is bound to other bytes than those sent", () => {
  for (const length of [0, 1, (1 << 20) - 1, 1 << 20, 3_000_001]) {
    const bytes = Buffer.alloc(length, 7);
    offer(bytes);
    assert.equal(Buffer.from(sha256(length)).toString("hex"), createHash("sha256").update(bytes).digest("hex"));
  }
});

test("a size that is no size, or a file that ends early, gives an id all the same", () => {
  offer(new Uint8Array(1_000));
  assert.throws(() => compute(100, 1_001), /the file cannot be read; perhaps it changed/);
  assert.throws(() => compute(100, -1), /the size is not a number of bytes/);
  assert.throws(() => compute(100, 2 ** 31 + 1), /up to 2 GiB; use the walrus command/);
  assert.throws(() => compute(3, 10), /shards/);
  assert.throws(() => compute(4, 400_000), /393204/);
  // A refusal leaves the module as it was.
  assert.equal(compute(10, 0).blob_id.length, 43);
});
