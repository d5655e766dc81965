#!/usr/bin/env node
// Makes what lies in crates/gateway/page/vendor and crates/gateway/page/js/abi.js from the pinned packages and the
// contracts' artifacts. With `--check` it writes nothing and fails when the committed files differ.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync, existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const page = path.join(root, "crates/gateway/page");
const artifacts = path.join(root, "contracts/artifacts");

/** Bundles, and the packages whose code is in them. */
const BUNDLES = [
  { name: "viem", packages: ["viem"] },
  { name: "age", packages: ["age-encryption"] },
  { name: "bls", packages: ["@noble/curves"] },
];

/** The functions and events of each contract that the page calls; errors are taken from all. */
const USED = {
  WalrusLens: "overview blobViews nodes pools positions committee challenge books",
  WalrusSystem:
    "quote buyAndRegister permit extend deleteBlob setAttribute removeAttribute multicall isTokenAvailable certify BlobCertified BlobRegistered",
  BlobNFT: "ownerOf attributes transferFrom safeTransferFrom record count",
  Staking: "stake requestWithdraw withdraw valueOf",
  Committees: "CommitteeSelected",
  EpochManager: "votedPrices nextCapacity",
  Challenges: "ChallengeSeed ChallengePassed ChallengeProved ChallengeClosed",
  WAL: "balanceOf allowance approve nonces",
  DevExchange: "buy WEI_PER_FROST",
};

/** Contracts whose errors a transaction of the page may meet, besides those above. */
const ERRORS_OF = ["StorageCapacity", "StakingNodes", "StakingPools", "ParamRegistry"];

const sha256 = (/** @type {string | Uint8Array} */ bytes) => createHash("sha256").update(bytes).digest("hex");

/** One bundle as text, and the packages that esbuild put into it. */
async function bundle(name) {
  const result = await build({
    entryPoints: [path.join(here, "vendor", `${name}.js`)],
    absWorkingDir: here,
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    legalComments: "none",
    banner: { js: "// @ts-nocheck" },
    metafile: true,
    write: false,
  });
  const inside = new Set();
  for (const input of Object.keys(result.metafile.inputs)) {
    const match = input.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
    if (match) inside.add(match[1]);
  }
  return { text: result.outputFiles[0].text, folders: [...inside].sort() };
}

/** Name, version and licence of a package folder. */
function described(folder) {
  const manifest = JSON.parse(readFileSync(path.join(here, folder, "package.json"), "utf8"));
  const licence = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"]
    .map((file) => path.join(here, folder, file))
    .find((file) => existsSync(file));
  return {
    name: manifest.name,
    version: manifest.version,
    licence: manifest.license,
    text: licence ? readFileSync(licence, "utf8").trim() : "",
  };
}

/** The trimmed ABIs as an ES module. */
function abis() {
  const read = (name) => JSON.parse(readFileSync(path.join(artifacts, `${name}.json`), "utf8")).abi;
  const strip = (item) =>
    JSON.parse(JSON.stringify(item, (key, value) => (key === "internalType" ? undefined : value)));
  const lines = [
    "// Made by tests/page/vendor.mjs from contracts/artifacts: what the page calls, and every error it may meet.",
    "",
  ];
  const errors = new Map();
  for (const name of [...Object.keys(USED), ...ERRORS_OF]) {
    for (const item of read(name)) {
      if (item.type === "error") errors.set(item.name + JSON.stringify(item.inputs.map((i) => i.type)), strip(item));
    }
  }
  for (const [name, wanted] of Object.entries(USED)) {
    const names = wanted.split(" ");
    const items = read(name).filter((item) => item.type !== "error" && names.includes(item.name));
    const missing = names.filter((n) => !items.some((item) => item.name === n));
    if (missing.length > 0) throw new Error(`${name} has no ${missing.join(", ")}`);
    lines.push(`export const ${name} = [`, ...items.map((item) => `  ${JSON.stringify(strip(item))},`), "];", "");
  }
  const sorted = [...errors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => `  ${JSON.stringify(item)},`);
  lines.push("export const Errors = [", ...sorted, "];", "");
  return lines.join("\n");
}

/** Everything that is to be in the page's folder, by path. */
async function wanted() {
  const files = new Map([["js/abi.js", abis()]]);
  const rows = [];
  const licences = new Map();
  for (const { name, packages } of BUNDLES) {
    const { text, folders } = await bundle(name);
    files.set(`vendor/${name}.js`, text);
    const inside = folders.map(described);
    for (const each of inside) {
      licences.set(`${each.name} ${each.version} (${each.licence})`, each.text);
    }
    const main = inside.filter((each) => packages.includes(each.name));
    const rest = inside.filter((each) => !packages.includes(each.name));
    const list = (of) => [...new Set(of.map((each) => `${each.name} ${each.version} (${each.licence})`))].join(", ");
    rows.push(`| \`${name}.js\` | ${list(main)} | ${list(rest)} | \`${sha256(text)}\` |`);
  }
  files.set(
    "vendor/README.md",
    [
      "# Vendored libraries",
      "",
      "Each file is one ES module, bundled and minified by `tests/page/vendor.mjs` from the npm packages that",
      "`tests/page/package-lock.json` pins; what is taken from them is in `tests/page/vendor/`. Remake them with",
      "`npm ci --ignore-scripts && node vendor.mjs` in `tests/page`; `node vendor.mjs --check` fails when a file differs.",
      "The texts of the licences are in `LICENSES.txt`.",
      "",
      "| file | package | with | sha256 |",
      "| --- | --- | --- | --- |",
      ...rows,
      "",
      "## The blob id in WebAssembly",
      "",
      "`redstuff.wasm` is `crates/redstuff-wasm` compiled, and `redstuff.js` its way in, written by wasm-bindgen.",
      "`tests/page/wasm.sh` makes them, with pinned versions and the same bytes in any folder; `wasm.sh --check` fails when",
      "a file differs. Why this is committed: `docs/decisions/0010-the-blob-id-in-the-browser.md`. What is compiled in, and",
      "its licences: `redstuff.txt`.",
      "",
      "| file | bytes | sha256 |",
      "| --- | --- | --- |",
      ...["redstuff.js", "redstuff.wasm"].map((name) => {
        const bytes = readFileSync(path.join(page, "vendor", name));
        return `| \`${name}\` | ${bytes.length} | \`${sha256(bytes)}\` |`;
      }),
      "",
    ].join("\n"),
  );
  const texts = [...licences].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, text]) => `${title}\n\n${text}\n`);
  files.set("vendor/LICENSES.txt", texts.join(`\n${"-".repeat(80)}\n\n`));
  return files;
}

const check = process.argv.includes("--check");
let stale = 0;
for (const [file, text] of await wanted()) {
  const target = path.join(page, file);
  const present = existsSync(target) ? readFileSync(target, "utf8") : null;
  if (present === text) continue;
  if (check) {
    console.error(`${file} is stale: run tests/page/vendor.mjs and commit`);
    stale += 1;
  } else {
    writeFileSync(target, text);
    console.log(`wrote ${file} (${text.length} characters)`);
  }
}
process.exit(stale > 0 ? 1 : 0);
