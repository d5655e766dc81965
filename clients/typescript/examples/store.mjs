// Stores a file through a gateway, says how it goes, and reads its first bytes back.
//
//     npm ci --ignore-scripts && npx tsc
//     node examples/store.mjs README.md [http://127.0.0.1:31415]
import { openAsBlob } from "node:fs";
import { argv, exit } from "node:process";

import { Gateway, GatewayError } from "../dist/index.js";

const [file, url = "http://127.0.0.1:31415"] = argv.slice(2);
if (!file) {
  console.error("usage: node examples/store.mjs FILE [GATEWAY]");
  exit(2);
}
const gateway = new Gateway(url);

function tell(event) {
  if (event.stage === "uploading") console.log(`sent ${event.slivers_done} of ${event.slivers_total} slivers`);
  else if (event.stage === "confirmations") console.log(`confirmed by ${event.weight} shards of ${event.needed} needed`);
  else if (event.stage !== "node") console.log(event.stage);
}

try {
  const stored = await gateway.store(await openAsBlob(file), { epochs: 2, onProgress: tell });
  console.log(`stored as ${stored.blobId} until epoch ${stored.endEpoch}`);
  const part = await gateway.read(stored.blobId, { range: { offset: 0, length: 60 } });
  console.log(`it begins with ${JSON.stringify(await part.text())}`);
} catch (error) {
  if (!(error instanceof GatewayError)) throw error;
  console.error(`${error.reason ?? error.status}: ${error.message}`);
  if (error.retryAfter !== undefined) console.error(`try again in ${error.retryAfter} s`);
  exit(1);
}
