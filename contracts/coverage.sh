#!/usr/bin/env bash
# Measures how much of src/ the tests reach; fails below 95 % of lines or 90 % of branches. What is not reached is
# explained in docs/protocol/contract-coverage.md. Takes about six minutes of CPU time.
#
# Two runs, added up: all tests, compiled by way of the IR as the contracts are, because without it the compiler runs out
# of stack; and the tests of libraries without the IR, because with it assembly has no source map and looks unreached.
set -euo pipefail
cd "$(dirname "$0")"
bin/install
forge=bin/forge
work=$(mktemp -d)
trap 'rm -rf "$work" out/linked-test' EXIT
export FORGE_SNAPSHOT_EMIT=false FOUNDRY_FUZZ_RUNS=16 FOUNDRY_INVARIANT_RUNS=4 FOUNDRY_INVARIANT_DEPTH=64
report=(--report lcov --no-match-coverage '(test|node_modules)/')

rm -rf out/linked-test
node bin/link-tests out/linked-test
# Left out: what limits gas, which the code of this build does not keep to.
FOUNDRY_TEST=out/linked-test $forge coverage --ir-minimum --out "$work/out" --cache-path "$work/cache" \
    "${report[@]}" --report-file "$work/all.info" \
    --no-match-contract Gas --no-match-test 'blockingSettlement'
FOUNDRY_SRC=src/libraries FOUNDRY_TEST=test/libraries $forge coverage --out "$work/out2" --cache-path "$work/cache2" \
    "${report[@]}" --report-file "$work/libraries.info"
node bin/merge-coverage 95 90 "$work/all.info" "$work/libraries.info"
