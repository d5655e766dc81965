//! The storage node's routes, committed as docs/api/node.json.

use serde_json::{Value, json};

use super::{
    BINARY, Document, JSON, Parameter, Route, blob_id, bytes, fields, flag, integer, reference,
    string, text, word,
};
use crate::error::ErrorReason;
use crate::routes;

/// Refusals of every route.
const ALL: &[u16] = &[400, 500, 503];
/// Refusals of routes that answer with what is stored.
const READ: &[u16] = &[400, 404, 500, 503];
/// Refusals of routes that take a body.
const PUT: &[u16] = &[400, 413, 500, 503, 504];

/// The document.
pub fn document() -> Document {
    let mut routes = storing();
    routes.extend(reading());
    routes.extend(asking());
    Document {
        title: "Walrus storage node",
        description: "How clients and other nodes speak to a storage node. Bodies of type \
                      application/octet-stream are BCS, their layouts and every check in \
                      docs/protocol/http-api.md section 3 and docs/protocol/node.md. Wherever GET \
                      is answered, HEAD is too. Nodes speak TLS with the key that the chain names.",
        routes,
        schemas: schemas(),
        reasons: ErrorReason::ALL.iter().map(|reason| reason.as_str()).collect(),
    }
}

fn get(
    path: &'static str,
    summary: &'static str,
    more: Vec<Parameter>,
    answer: (&'static str, Value),
    refusals: &'static [u16],
) -> Route {
    let answers = vec![(200, answer.0, answer.1)];
    let parameters = of_path(path).into_iter().chain(more).collect();
    Route { method: "get", path, summary, parameters, body: None, answers, refusals }
}

/// The parameters that a path names.
fn of_path(path: &str) -> Vec<Parameter> {
    let known: [(&'static str, Value); 4] = [
        ("blob_id", blob_id()),
        ("pair", index()),
        ("sliver_type", reference("SliverType")),
        ("object_id", text("^(0x)?[0-9a-fA-F]{64}$")),
    ];
    let named = known.into_iter().filter(|(name, _)| path.contains(&format!("{{{name}}}")));
    named.map(|(name, schema)| ("path", name, true, schema)).collect()
}

fn index() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": u16::MAX})
}

/// JSON of success, in its envelope.
fn success(data: &Value) -> Value {
    fields(&[("success", fields(&[("code", integer()), ("data", data.clone())]))])
}

fn put(path: &'static str, summary: &'static str, stored: &str, there: &str) -> Route {
    let answer = |status: u16, word: &str| (status, JSON, success(&json!({"const": word})));
    let mut parameters = of_path(path);
    parameters.push(("query", "pending", false, flag()));
    Route {
        method: "put",
        path,
        summary,
        parameters,
        body: Some((BINARY, bytes())),
        answers: vec![answer(200, there), answer(201, stored)],
        refusals: PUT,
    }
}

fn storing() -> Vec<Route> {
    use crate::wire::{
        METADATA_ALREADY_STORED, METADATA_STORED, SLIVER_ALREADY_STORED, SLIVER_STORED,
    };
    let metadata = "Stores the metadata of a registered blob";
    let sliver = "Stores a sliver, after the metadata";
    let proof = Route {
        method: "post",
        path: routes::INCONSISTENCY_PROOF,
        summary: "Proves that a blob is encoded inconsistently; answers with an attestation",
        parameters: of_path(routes::INCONSISTENCY_PROOF),
        body: Some((BINARY, bytes())),
        answers: vec![(200, JSON, success(&reference("SignedMessage")))],
        refusals: PUT,
    };
    vec![
        put(routes::METADATA, metadata, METADATA_STORED, METADATA_ALREADY_STORED),
        put(routes::SLIVER, sliver, SLIVER_STORED, SLIVER_ALREADY_STORED),
        proof,
    ]
}

fn reading() -> Vec<Route> {
    let binary = || (BINARY, bytes());
    let recovery = vec![
        ("query", "id", false, json!({"type": "array", "items": text("^[0-9]{1,5}-[0-9]{1,5}$")})),
        ("query", "targetSliver", false, index()),
        ("query", "targetType", false, reference("SliverType")),
        ("query", "proofAxis", false, reference("SliverType")),
    ];
    let targets = json!({"type": "array", "minItems": 1, "items": index()});
    let decoding = vec![
        ("query", "targetSlivers", true, targets),
        ("query", "targetType", true, reference("SliverType")),
    ];
    let number = || json!({"type": "integer", "minimum": 1, "maximum": u16::MAX});
    let run = vec![("query", "first", true, index()), ("query", "count", true, number())];
    vec![
        get(routes::METADATA, "The metadata of a blob", vec![], binary(), READ),
        get(routes::SLIVER, "A sliver", vec![], binary(), READ),
        get(
            routes::RECOVERY_SYMBOLS,
            "Symbols with proofs: by `id`, or all for one sliver by `targetSliver` and `targetType`",
            recovery,
            binary(),
            READ,
        ),
        get(
            routes::DECODING_SYMBOLS,
            "Symbols of source slivers, without proofs",
            decoding,
            binary(),
            READ,
        ),
        get(
            routes::SLIVER_HASHES,
            "The hashes of a sliver pair, proven by the blob id",
            vec![],
            binary(),
            READ,
        ),
        get(
            routes::SYMBOL_RUN,
            "Neighbouring symbols of a primary sliver, proven by the blob id",
            run,
            binary(),
            READ,
        ),
    ]
}

fn asking() -> Vec<Route> {
    let json = |data: Value| (JSON, success(&data));
    let wait: Vec<Parameter> = vec![
        ("query", "wait_for_registration", false, flag()),
        ("query", "wait_millis", false, json!({"type": "integer", "minimum": 0})),
    ];
    let confirmation = |path, summary| {
        let answer = json(fields(&[("signed", reference("SignedMessage"))]));
        get(path, summary, wait.clone(), answer, ALL)
    };
    let detailed = vec![("query", "detailed", false, flag())];
    let stored = || json(reference("StoredStatus"));
    vec![
        get(routes::METADATA_STATUS, "Whether the metadata is stored", vec![], stored(), ALL),
        get(routes::SLIVER_STATUS, "Whether a sliver is stored", vec![], stored(), ALL),
        confirmation(routes::CONFIRMATION_PERMANENT, "The signed word that a blob is stored"),
        confirmation(routes::CONFIRMATION_DELETABLE, "The same for an object that may be deleted"),
        get(
            routes::BLOB_STATUS,
            "What the node knows of a blob from the chain",
            vec![],
            json(reference("BlobStatus")),
            ALL,
        ),
        get(routes::HEALTH, "The node about itself", detailed, json(reference("Health")), ALL),
    ]
}

/// One of several forms that each have one field of their own.
fn variant(name: &str, schema: &Value) -> Value {
    json!({
        "type": "object", "required": [name], "additionalProperties": false,
        "properties": {name: schema},
    })
}

fn schemas() -> Value {
    let or_null = || json!({"type": ["integer", "null"]});
    let permanent = fields(&[
        ("endEpoch", integer()),
        ("isCertified", flag()),
        ("statusEvent", reference("Event")),
        ("deletableCounts", reference("DeletableCounts")),
        ("initialCertifiedEpoch", or_null()),
    ]);
    let deletable = fields(&[
        ("initialCertifiedEpoch", or_null()),
        ("deletableCounts", reference("DeletableCounts")),
    ]);
    let counted = ["unknown", "ready", "inTransfer", "inRecovery"].map(|word| (word, integer()));
    let shard_summary = fields(&[
        ("owned", integer()),
        ("ownedShardStatus", fields(&counted)),
        ("readOnly", integer()),
    ]);
    let status = word(&["unknown", "ready", "inTransfer", "inRecovery", "readOnly"]);
    let shards = json!({
        "type": "array", "items": fields(&[("shard", index()), ("status", status)]),
    });
    let mut health = fields(&[
        ("uptime", fields(&[("secs", integer()), ("nanos", integer())])),
        ("epoch", integer()),
        ("publicKey", string()),
        ("nodeStatus", string()),
        (
            "eventProgress",
            fields(&[
                ("persisted", integer()),
                ("pending", integer()),
                ("highestFinishedEventIndex", or_null()),
            ]),
        ),
        ("shardSummary", shard_summary),
    ]);
    health["properties"]["shardDetail"] = fields(&[("owned", shards.clone()), ("other", shards)]);
    health["properties"]["latestCheckpointSequenceNumber"] = integer();
    json!({
        "SliverType": word(&["primary", "secondary"]),
        "StoredStatus": word(&["nonexistent", "buffered", "stored"]),
        "SignedMessage": fields(&[("serializedMessage", string()), ("signature", string())]),
        "Event": fields(&[("txDigest", text("^0x[0-9a-f]{64}$")), ("eventSeq", text("^[0-9]+$"))]),
        "DeletableCounts": fields(&[
            ("count_deletable_total", integer()),
            ("count_deletable_certified", integer()),
        ]),
        "BlobStatus": {"oneOf": [
            {"const": "nonexistent"},
            variant("invalid", &fields(&[("event", reference("Event"))])),
            variant("permanent", &permanent),
            variant("deletable", &deletable),
        ]},
        "Health": health,
    })
}

#[cfg(test)]
mod tests {
    use super::super::missing_schemas;
    use super::document;

    #[test]
    fn the_committed_document_is_that_of_these_routes() {
        // Programs are generated from it.
        assert!(
            include_str!("../../../../docs/api/node.json") == document().text(),
            "remake it: cargo run -p walrus-node-api --example node_openapi -- docs/api/node.json"
        );
        assert_eq!(missing_schemas(&document().json()), [""; 0]);
    }
}
