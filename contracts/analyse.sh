#!/usr/bin/env bash
# Static analysis of src/ with slither. Fails when a finding is not in analysis.json, which lists the known ones;
# analysis.md answers each kind. `./analyse.sh update` rewrites the list.
set -euo pipefail
cd "$(dirname "$0")"
bin/install
version=0.11.6
venv="${XDG_CACHE_HOME:-$HOME/.cache}/walrus-ci/slither-$version"
if [ ! -x "$venv/bin/slither" ]; then
    rm -rf "$venv"
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "slither-analyzer==$version"; } >&2; then
        rm -rf "$venv"
        echo "NOT CHECKED: slither $version cannot be installed here (python3 with venv, and its package index)"
        exit 0
    fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node bin/build-info "$work"
# It ends with an error when it finds anything at all.
PATH="$PATH:$PWD/bin" "$venv/bin/slither" . --ignore-compile --foundry-out-directory "$work" \
    --filter-paths node_modules --json "$work/found.json" >"$work/log" 2>&1 || true
[ -s "$work/found.json" ] || { cat "$work/log" >&2; exit 1; }
node bin/check-analysis "$work/found.json" "$@"
