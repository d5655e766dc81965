#!/usr/bin/env bash
# Fuzzes the gateway of a local network by its OpenAPI document: .ci/schemathesis.sh BINARY [options of schemathesis]
#
# BINARY is the walrus command. Installs schemathesis into a virtual environment when it is missing.
# The same seed gives the same requests.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: $0 BINARY [options of schemathesis]" >&2; exit 2; }
BINARY="$(realpath "$1")"
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
VERSION=4.32.5
VENV="${WALRUS_CI_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/walrus-ci/schemathesis-$VERSION}"
if ! [ -x "$VENV/bin/schemathesis" ]; then
    python3 -m venv "$VENV"
    "$VENV/bin/pip" install --quiet "schemathesis==$VERSION"
fi

work="$(mktemp -d)"
network=
stop() {
    [ -z "$network" ] || { kill "$network" 2>/dev/null && wait "$network" || true; }
    rm -rf "$work"
}
trap stop EXIT
port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
gateway_port="$(port)"
(cd "$work" && exec "$BINARY" --json local --nodes 4 --shards 10 --dir net \
    --rpc-port "$(port)" --gateway-port "$gateway_port" >ready.json 2>network.log) &
network=$!
for _ in $(seq 600); do
    [ -s "$work/ready.json" ] && break
    kill -0 "$network" || { cat "$work/network.log" >&2; exit 1; }
    sleep 0.1
done

# Not checked: that unknown parameters are refused (they are ignored when reading, on purpose), and that whatever
# has the right form is there. The watching of an upload never ends, and is left out.
# A blob has the type that its attributes or the request name, or none at all: answers of any type are not parsed.
python3 - docs/api/gateway.json >"$work/gateway.json" <<'PYTHON'
import json, sys
document = json.load(open(sys.argv[1]))
for path in document["paths"].values():
    for operation in path.values():
        for answer in operation["responses"].values():
            if "*/*" in answer.get("content", {}):
                del answer["content"]
json.dump(document, sys.stdout)
PYTHON
(cd "$work" && "$VENV/bin/schemathesis" run gateway.json \
    --url "http://127.0.0.1:$gateway_port" \
    --exclude-path '/v1/uploads/{id}/events' \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,missing_required_header,allow_header_conformance,unsupported_method \
    --phases examples,coverage,fuzzing --max-examples 10 --seed 20261121 --workers 1 \
    --request-timeout 60 --no-color "$@")
