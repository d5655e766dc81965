#!/usr/bin/env bash
# Fuzzes the gateway and a node of a local network by their OpenAPI documents: .ci/schemathesis.sh BINARY [options of
# schemathesis]
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
gateway="http://127.0.0.1:$(port)"
(cd "$work" && exec "$BINARY" --json local --nodes 4 --shards 10 --dir net \
    --rpc-port "$(port)" --gateway-port "${gateway##*:}" >ready.json 2>network.log) &
network=$!
for _ in $(seq 600); do
    [ -s "$work/ready.json" ] && break
    kill -0 "$network" || { cat "$work/network.log" >&2; exit 1; }
    sleep 0.1
done

# One quilt to be found: as a blob, as an object, and by its file.
echo "a file" >"$work/a.txt"
curl --silent --show-error --fail -X PUT -F "a.txt=@$work/a.txt" "$gateway/v1/quilts?deletable=false" >"$work/quilt.json"

# prepare DOCUMENT: what is asked for by hand is what is there, so that the answers are seen too.
# A blob has the type that its attributes or the request name, or none at all: answers of any type are not parsed.
# Nor are events, of which schemathesis takes each for the whole.
prepare() {
    python3 - "docs/api/$1.json" "$work/quilt.json" >"$work/$1.json" <<'PYTHON'
import json, sys
document = json.load(open(sys.argv[1]))
quilt = json.load(open(sys.argv[2]))
blob = quilt["blobStoreResult"]["newlyCreated"]["blobObject"]
there = {
    "blob_id": blob["blobId"], "quilt_id": blob["blobId"], "object_id": blob["id"], "identifier": "a.txt",
    "patch_id": quilt["storedQuiltBlobs"][0]["quiltPatchId"], "start": 0, "length": 1, "ids": blob["blobId"],
    "pair": 0, "sliver_type": "primary", "targetSlivers": [0], "targetType": "primary", "first": 0, "count": 1,
}
for path in document["paths"].values():
    for method, operation in path.items():
        for answer in operation["responses"].values():
            if "*/*" in answer.get("content", {}):
                del answer["content"]
            elif "text/event-stream" in answer.get("content", {}):
                answer["content"]["text/event-stream"] = {}
        for parameter in operation["parameters"]:
            if parameter["required"] and parameter["name"] in there and method == "get":
                parameter["example"] = there[parameter["name"]]
json.dump(document, sys.stdout)
PYTHON
}

# Bad input may also be refused for a range, a condition or a length that is bad besides.
cat >"$work/refused.toml" <<'TOML'
[checks.negative_data_rejection]
expected-statuses = [400, 401, 404, 405, 412, 413, 415, 416, 429, 503]
TOML
# A node does not look at metadata that it has, however bad.
cat "$work/refused.toml" - >"$work/node.toml" <<'TOML'

[[operations]]
include-path = "/v1/blobs/{blob_id}/metadata"
include-method = "PUT"
[operations.checks.negative_data_rejection]
expected-statuses = [200, 400, 401, 404, 405, 412, 413, 415, 416, 429, 503]
TOML
# The watching of an upload goes on until it ends: what came in a second is looked at.
cat "$work/refused.toml" - >"$work/gateway.toml" <<'TOML'

[[operations]]
include-path = "/v1/uploads/{id}/events"
request-timeout = 1.0
TOML

# Checked is also that bad input is refused (negative_data_rejection). Not checked, and why:
# - positive_data_acceptance: rules between parameters (a blob is permanent or deletable, not both; of two consistency
#   checks at most one; start and length end below 2^64) and lists within a text are beyond what the documents can say.
# - ignored_auth: a local network's gateway asks for no tokens. tests/e2e has a gateway that does.
# - use_after_free, ensure_resource_availability: nothing is deleted over these routes, and what a store answers with
#   names no route by a link.
# - max_response_time: the relay waits ten seconds for a registration, on purpose.
CHECKS=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance
CHECKS+=,response_headers_conformance,missing_required_header,allow_header_conformance,unsupported_method
CHECKS+=,negative_data_rejection

# fuzz DOCUMENT URL [options of schemathesis]
fuzz() {
    local name="$1" url="$2"
    shift 2
    prepare "$name"
    (cd "$work" && "$VENV/bin/schemathesis" --config-file "$name.toml" run "$name.json" --url "$url" \
        --checks "$CHECKS" --phases examples,coverage,fuzzing --max-examples 10 --seed 20261121 --workers 1 \
        --request-timeout 60 --no-color "$@")
}

# Its certificate is its own: clients know it by the key that the chain names.
node="https://$(python3 -c 'import json, sys; print(json.load(sys.stdin)["nodes"][0]["address"])' <"$work/ready.json")"
fuzz gateway "$gateway" "$@"
fuzz node "$node" --tls-verify false "$@"
