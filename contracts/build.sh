#!/usr/bin/env bash
# Builds the contracts and rewrites artifacts/. Usage: ./build.sh [artifact directory]
#
# Always from nothing and without the tests: the optimiser's output depends on what is compiled together, so an
# incremental build may give other bytecode. FOUNDRY_OUT and FOUNDRY_CACHE_PATH say where a build goes that is to be kept.
set -euo pipefail
cd "$(dirname "$0")"
bin/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FOUNDRY_OUT="${FOUNDRY_OUT:-$work/out}" FOUNDRY_CACHE_PATH="${FOUNDRY_CACHE_PATH:-$work/cache}"
bin/forge build src --force
node bin/trim-artifacts "$FOUNDRY_OUT" "${1:-artifacts}"
