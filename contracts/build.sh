#!/usr/bin/env bash
# Builds the contracts and rewrites artifacts/. Usage: ./build.sh [artifact directory]
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund
node_modules/.bin/forge build
node bin/trim-artifacts "${1:-artifacts}"
