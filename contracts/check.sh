#!/usr/bin/env bash
# Everything CI needs to know about the contracts: format, build, sizes, tests, gas snapshot, committed artifacts.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund
forge=node_modules/.bin/forge
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

$forge fmt --check src test
./build.sh "$fresh"
diff -r "$fresh" artifacts || { echo "artifacts/ is stale: run ./build.sh and commit" >&2; exit 1; }
node bin/check-sizes 24000
# FORGE_SNAPSHOT_CHECK makes a gas figure that differs from snapshots/ a failure.
FORGE_SNAPSHOT_CHECK=true $forge test
