#!/usr/bin/env bash
# Makes crates/gateway/page/vendor/redstuff.* from crates/redstuff-wasm: wasm.sh [--check]
#
# The same bytes in any folder, given the versions below. With --check nothing is written, and it fails when the
# committed files differ. Needs rustup.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

TOOLCHAIN=1.95.0
TARGET=wasm32-unknown-unknown

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# Exit code 75 says that the compiler cannot be had here, which is no word on the artifact.
rustup target list --installed --toolchain "$TOOLCHAIN" 2>/dev/null | grep -qx "$TARGET" ||
    rustup toolchain install "$TOOLCHAIN" --profile minimal --target "$TARGET" >&2 || exit 75
# No path of this machine may reach the artifact, nor the flags of whoever calls.
sysroot="$(rustc "+$TOOLCHAIN" --print sysroot)"
commit="$(rustc "+$TOOLCHAIN" -vV | sed -n 's/^commit-hash: //p')"
flags=(
    -Dwarnings
    -Ctarget-feature=+simd128
    "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
    "--remap-path-prefix=$PWD=/walrus"
)
cargo "+$TOOLCHAIN" fetch --quiet --locked --target "$TARGET"
for packages in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    flags+=("--remap-path-prefix=$packages=/packages")
done
unset RUSTFLAGS
CARGO_ENCODED_RUSTFLAGS="$(IFS=$'\x1f'; echo "${flags[*]}")" \
    cargo "+$TOOLCHAIN" rustc --quiet --locked -p walrus-redstuff-wasm --crate-type cdylib --target "$TARGET" --profile wasm

made="$(mktemp -d)"
trap 'rm -r "$made"' EXIT
cargo "+$TOOLCHAIN" run --quiet --locked --manifest-path tests/page/bindgen/Cargo.toml --target-dir "$CARGO_TARGET_DIR/bindgen" -- \
    "$CARGO_TARGET_DIR/$TARGET/wasm/walrus_redstuff_wasm.wasm" "$made"
mv "$made/redstuff_bg.wasm" "$made/redstuff.wasm"
sed -i '1i // @ts-nocheck' "$made/redstuff.js"

# What is in it, and the licences of what is not under ours.
inside="$(cargo "+$TOOLCHAIN" tree --locked -p walrus-redstuff-wasm --target "$TARGET" -e normal,no-proc-macro \
    --prefix none --format '{p} ({l})' | sed 's/ (\*)$//' | grep -v '^walrus-' | LC_ALL=C sort -u)"
{
    printf 'redstuff.wasm contains, beside crates of this repository, parts of these and of the Rust standard library\n'
    printf '(MIT OR Apache-2.0). What may be used under Apache-2.0 is; the texts of the other licences follow.\n\n%s\n' "$inside"
    grep -v Apache-2.0 <<<"$inside" | while read -r name version _; do
        printf '\n%s\n\n' "$(printf -- '-%.0s' {1..80})"
        printf '%s %s\n\n' "$name" "$version"
        cat "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$name-${version#v}"/LICENSE*
    done
} >"$made/redstuff.txt"

vendor=crates/gateway/page/vendor
if [ "${1:-}" = --check ]; then
    for file in redstuff.js redstuff.wasm redstuff.txt; do
        cmp "$made/$file" "$vendor/$file" || { echo "$vendor/$file is stale: run tests/page/wasm.sh and commit" >&2; exit 1; }
    done
    exit
fi
cp "$made"/redstuff.{js,wasm,txt} "$vendor/"
echo "wrote $vendor/redstuff.*; now run node vendor.mjs in tests/page"
(cd "$vendor" && wc -c redstuff.js redstuff.wasm && sha256sum redstuff.js redstuff.wasm)
