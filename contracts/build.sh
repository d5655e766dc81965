#!/usr/bin/env bash
# Builds the contracts and rewrites artifacts/. Usage: ./build.sh [artifact directory]
#
# Always from nothing and without the tests: the optimiser's output depends on what is compiled together, so an
# incremental build may give other bytecode.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node_modules/.bin/forge build src --out "$work/out" --cache-path "$work/cache" --force
node bin/trim-artifacts "$work/out" "${1:-artifacts}"
