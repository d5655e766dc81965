#!/usr/bin/env bash
# Everything CI needs to know about the contracts: format, lints, storage layout, pages about them, static analysis,
# committed artifacts, sizes, tests, gas snapshot. `./check.sh update` rewrites snapshots/ instead of comparing.
#
# What the compiler answered is kept under the hash of compiler and request (see bin/solc), outside the clone;
# WALRUS_SOLC_CACHE= (empty) does without.
set -euo pipefail
cd "$(dirname "$0")"
bin/install
forge=bin/forge
export WALRUS_SOLC_CACHE="${WALRUS_SOLC_CACHE-${XDG_CACHE_HOME:-$HOME/.cache}/walrus-ci/solc}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

$forge fmt --check src test
node_modules/.bin/solhint --max-warnings 0 'src/**/*.sol' 'test/**/*.sol'
node bin/check-layout
[ "${1:-}" = update ] || node bin/check-docs
./analyse.sh

# src/ from nothing; then the tests on top of that build, so that they deploy exactly the committed bytecode.
export FOUNDRY_OUT="$work/out" FOUNDRY_CACHE_PATH="$work/cache"
./build.sh "$work/artifacts"
diff -rq "$work/artifacts" artifacts || { echo "artifacts/ is stale: run ./build.sh and commit" >&2; exit 1; }
node bin/check-sizes 24000

# FORGE_SNAPSHOT_CHECK makes a gas figure that differs from snapshots/ a failure.
[ "${1:-}" = update ] || export FORGE_SNAPSHOT_CHECK=true
$forge test
node bin/trim-artifacts "$FOUNDRY_OUT" "$work/tested"
diff -rq "$work/tested" artifacts || { echo "the tests ran on other code than artifacts/" >&2; exit 1; }
[ "${1:-}" != update ] || node bin/check-docs update
