// Remakes src/api.ts from the gateway's OpenAPI document; with --check only says whether it is stale.
import { readFile, writeFile } from "node:fs/promises";

import openapiTS, { astToString } from "openapi-typescript";

const document = new URL("../../../docs/api/gateway.json", import.meta.url);
const target = new URL("../src/api.ts", import.meta.url);
const head = "// Generated from docs/api/gateway.json by scripts/generate.mjs: change that document, not this file.\n\n";

// Objects without named properties hold anything, not nothing.
const made = head + astToString(await openapiTS(document, { emptyObjectsUnknown: true }));
if (!process.argv.includes("--check")) {
  await writeFile(target, made);
} else if ((await readFile(target, "utf8").catch(() => "")) !== made) {
  console.error("src/api.ts is not what docs/api/gateway.json gives: run `npm run generate`");
  process.exit(1);
}
