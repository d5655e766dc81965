#!/usr/bin/env bash
# Everything CI needs to know about the contracts: format, committed artifacts, sizes, tests, gas snapshot.
# `./check.sh update` rewrites snapshots/ instead of comparing.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund
forge=node_modules/.bin/forge
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

$forge fmt --check src test
node bin/check-layout
./build.sh "$work/artifacts"
diff -rq "$work/artifacts" artifacts || { echo "artifacts/ is stale: run ./build.sh and commit" >&2; exit 1; }
node bin/check-sizes 24000

# From nothing, for the same reason as in build.sh: gas figures depend on the bytecode.
export FOUNDRY_OUT="$work/out" FOUNDRY_CACHE_PATH="$work/cache"
# FORGE_SNAPSHOT_CHECK makes a gas figure that differs from snapshots/ a failure.
[ "${1:-}" = update ] || export FORGE_SNAPSHOT_CHECK=true
$forge test
