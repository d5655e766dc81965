//! The routes, for programs: an OpenAPI document, made from the table in this file and
//! committed as docs/api/gateway.json.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use walrus_node_api::openapi::{
    ANY, BINARY, Document, JSON, Parameter, Route, TEXT, blob_id, bytes, count, flag, integer,
    reference, string, text,
};

use crate::error::Reason;

/// The committed document, which a test compares with [`document`].
const COMMITTED: &str = include_str!("../../../docs/api/gateway.json");

/// `GET /v1/api`
pub(crate) async fn get() -> Response {
    ([(CONTENT_TYPE, "application/json")], COMMITTED).into_response()
}

/// Refusals of routes that read blobs.
const READ: &[u16] = &[400, 404, 412, 413, 416, 429, 451, 500, 503];
/// Refusals of routes that store them.
const STORE: &[u16] = &[400, 401, 408, 413, 415, 429, 451, 500, 503, 504];

fn object_id() -> Value {
    json!({
        "type": "string",
        "anyOf": [{"pattern": "^0x[0-9a-fA-F]{1,64}$"}, {"pattern": "^[1-9][0-9]{0,18}$"}],
    })
}

fn checks() -> [Parameter; 2] {
    ["strict_consistency_check", "skip_consistency_check"]
        .map(|name| ("query", name, false, flag()))
}

/// Headers of a request that say which part is wanted, and what is there already.
fn conditions() -> [Parameter; 2] {
    ["Range", "If-None-Match"].map(|name| ("header", name, false, string()))
}

/// A file, which is checked by its proofs alone.
fn file(path: &'static str, summary: &'static str, name: &'static str, id: Value) -> Route {
    let mut parameters: Vec<Parameter> = vec![("path", name, true, id)];
    parameters.extend(conditions());
    let answers = vec![(200, ANY, bytes()), (206, ANY, bytes()), (304, "", Value::Null)];
    Route { method: "get", path, summary, parameters, body: None, answers, refusals: READ }
}

/// A whole blob.
fn blob(path: &'static str, summary: &'static str, name: &'static str, id: Value) -> Route {
    let mut route = file(path, summary, name, id);
    route.parameters.extend(checks());
    route
}

fn reading() -> Vec<Route> {
    let mut routes = vec![
        blob("/v1/blobs/{blob_id}", "A blob", "blob_id", blob_id()),
        blob(
            "/v1/blobs/by-object-id/{object_id}",
            "The blob of an object, with the object's attributes as headers",
            "object_id",
            object_id(),
        ),
        blob(
            "/v1/blobs/by-reference/{reference}",
            "The blob that a mutable reference points at now",
            "reference",
            object_id(),
        ),
        file(
            "/v1/blobs/by-quilt-patch-id/{patch_id}",
            "A file of a quilt by its id",
            "patch_id",
            text("^[A-Za-z0-9_-]{50}$"),
        ),
        blob(
            "/v1alpha/blobs/{blob_id}/stream",
            "A blob, as older clients ask",
            "blob_id",
            blob_id(),
        ),
    ];
    let mut named = file(
        "/v1/blobs/by-quilt-id/{quilt_id}/{identifier}",
        "A file of a quilt by its name",
        "quilt_id",
        blob_id(),
    );
    named.parameters.push(("path", "identifier", true, text("^[A-Za-z0-9._-]{1,64}$")));
    routes.push(named);
    let number = || json!({"type": "integer", "minimum": 0, "maximum": i64::MAX});
    routes.push(Route {
        method: "get",
        path: "/v1/blobs/{blob_id}/byte-range",
        summary: "Part of a blob",
        parameters: vec![
            ("path", "blob_id", true, blob_id()),
            ("query", "start", true, number()),
            ("query", "length", true, number()),
        ],
        body: None,
        answers: vec![(206, ANY, bytes())],
        refusals: READ,
    });
    routes.push(Route {
        method: "get",
        path: "/v1/quilts/{quilt_id}/patches",
        summary: "The files of a quilt",
        parameters: vec![("path", "quilt_id", true, blob_id())],
        body: None,
        answers: vec![(200, JSON, json!({"type": "array", "items": reference("Patch")}))],
        refusals: READ,
    });
    let ids = json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 100});
    let mut list: Vec<Parameter> =
        vec![("query", "ids", true, json!({"type": "string", "minLength": 1}))];
    list.extend(checks());
    routes.push(Route {
        method: "get",
        path: "/v1alpha/blobs/concat",
        summary: "Blobs one after the other; ids are separated by commas",
        parameters: list,
        body: None,
        answers: vec![(200, ANY, bytes())],
        refusals: READ,
    });
    let wanted = json!({
        "type": "object", "required": ["ids"],
        "properties": {"ids": ids, "strict_consistency_check": flag(), "skip_consistency_check": flag()},
    });
    routes.push(Route {
        method: "post",
        path: "/v1alpha/blobs/concat",
        summary: "Blobs one after the other",
        parameters: Vec::new(),
        body: Some((JSON, wanted)),
        answers: vec![(200, ANY, bytes())],
        refusals: &[400, 404, 408, 413, 415, 429, 451, 500, 503],
    });
    routes
}

fn websites() -> Vec<Route> {
    let route = |path, summary, answers, refusals| Route {
        method: "get",
        path,
        summary,
        parameters: vec![("path", "reference", true, object_id())],
        body: None,
        answers,
        refusals,
    };
    // Where there is no file a website may have a page that says so, of any type.
    let answers = || {
        let mut answers = vec![(200, ANY, bytes()), (206, ANY, bytes()), (404, ANY, bytes())];
        answers.extend([(304, "", Value::Null), (308, "", Value::Null)]);
        answers
    };
    let refusals: &[u16] = &[400, 412, 413, 416, 429, 451, 500, 503];
    let index = "/v1/sites/{reference}/";
    let mut routes = vec![
        route(
            "/v1/sites/{reference}",
            "To the website's first page",
            vec![(308, "", Value::Null)],
            &[400],
        ),
        route(index, "The first page of a website", answers(), refusals),
        route("/v1/sites/{reference}/{path}", "A file of a website", answers(), refusals),
    ];
    for route in &mut routes[1..] {
        route.parameters.extend(conditions());
    }
    routes[2].parameters.push(("path", "path", true, text("^[A-Za-z0-9._-]{1,64}$")));
    routes
}

fn storing() -> Vec<Route> {
    let parameters = || -> Vec<Parameter> {
        vec![
            ("query", "epochs", false, count(1)),
            ("query", "permanent", false, flag()),
            ("query", "deletable", false, flag()),
            ("query", "force", false, flag()),
            ("query", "reuse_resources", false, flag()),
            ("query", "send_object_to", false, text("^0x[0-9a-fA-F]{40}$")),
            ("query", "encoding_type", false, json!({"type": "string", "enum": ["RS2"]})),
            ("query", "upload", false, text("^[A-Za-z0-9_-]{1,64}$")),
            ("header", "Authorization", false, json!({"type": "string"})),
        ]
    };
    let part = json!({"type": "object", "additionalProperties": bytes()});
    let relayed: Vec<Parameter> = vec![
        ("query", "blob_id", true, blob_id()),
        ("query", "deletable_blob_object", false, object_id()),
        ("query", "tx_id", false, text("^0x[0-9a-f]{64}$")),
        ("query", "nonce", false, text("^[A-Za-z0-9_-]{43}$")),
        ("query", "encoding_type", false, json!({"type": "string", "enum": ["RS2"]})),
        ("query", "upload", false, text("^[A-Za-z0-9_-]{1,64}$")),
    ];
    vec![
        Route {
            method: "put",
            path: "/v1/blobs",
            summary: "Stores a blob at the publisher's cost",
            parameters: parameters(),
            body: Some((BINARY, bytes())),
            answers: vec![(200, JSON, reference("StoreResult"))],
            refusals: STORE,
        },
        Route {
            method: "put",
            path: "/v1/quilts",
            summary: "Stores files as one blob; each part of the form is a file, _metadata their tags",
            parameters: parameters(),
            body: Some(("multipart/form-data", part)),
            answers: vec![(200, JSON, reference("QuiltResult"))],
            refusals: STORE,
        },
        Route {
            method: "get",
            path: "/v1/uploads/{id}/events",
            summary: "An upload as it happens, as server-sent events",
            parameters: vec![("path", "id", true, text("^[A-Za-z0-9_-]{1,64}$"))],
            body: None,
            answers: vec![(200, "text/event-stream", json!({"type": "string"}))],
            refusals: &[400, 503],
        },
        Route {
            method: "get",
            path: "/v1/tip-config",
            summary: "What the relay wants to be paid",
            parameters: Vec::new(),
            body: None,
            answers: vec![(200, JSON, reference("TipConfig"))],
            refusals: &[],
        },
        Route {
            method: "post",
            path: "/v1/blob-upload-relay",
            summary: "Encodes and uploads a blob that is registered; answers with its certificate",
            parameters: relayed,
            body: Some((BINARY, bytes())),
            answers: vec![(200, JSON, reference("RelayResult"))],
            refusals: &[400, 401, 402, 408, 413, 429, 500, 503, 504],
        },
    ]
}

fn about() -> Vec<Route> {
    let get = |path, summary, parameters, answers, refusals| Route {
        method: "get",
        path,
        summary,
        parameters,
        body: None,
        answers,
        refusals,
    };
    let object = || json!({"type": "object"});
    let confirmations =
        vec![("path", "blob_id", true, blob_id()), ("query", "object_id", false, object_id())];
    let question = json!({
        "type": "object", "required": ["method"],
        "properties": {"jsonrpc": {}, "id": {}, "method": string(), "params": {}},
    });
    vec![
        get(
            "/status",
            "Whether the gateway is up",
            vec![],
            vec![(200, TEXT, json!({"type": "string"}))],
            &[],
        ),
        get("/v1/health", "The same", vec![], vec![(200, TEXT, json!({"type": "string"}))], &[]),
        get(
            "/v1/config",
            "The gateway and its network",
            vec![],
            vec![(200, JSON, object())],
            &[503],
        ),
        get("/v1/api", "This document", vec![], vec![(200, JSON, object())], &[]),
        get(
            "/v1/nodes",
            "What every node says about itself",
            vec![],
            vec![(200, JSON, json!({"type": "array", "items": object()}))],
            &[503],
        ),
        get(
            "/v1/blobs/{blob_id}/confirmations",
            "Every node's signed word that it holds its part, asked now",
            confirmations,
            vec![(200, JSON, object())],
            &[400, 503],
        ),
        Route {
            method: "post",
            path: "/v1/rpc",
            summary: "A question to the chain, of those that the page needs; also a list of them",
            parameters: Vec::new(),
            body: Some((JSON, question)),
            answers: vec![(200, JSON, json!({"oneOf": [object(), {"type": "array"}]}))],
            refusals: &[400, 408, 413, 415, 503],
        },
    ]
}

fn schemas() -> Value {
    let result = json!({
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
        "properties": {"newlyCreated": reference("NewlyCreated"), "alreadyCertified": reference("AlreadyCertified")},
    });
    let operation = json!({
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
        "properties": {
            "registerFromScratch": {
                "type": "object", "required": ["encodedLength", "epochsAhead"],
                "properties": {"encodedLength": integer(), "epochsAhead": integer()},
            },
            "reuseRegistration": {
                "type": "object", "required": ["encodedLength"],
                "properties": {"encodedLength": integer()},
            },
        },
    });
    let storage = json!({
        "type": "object", "required": ["id", "startEpoch", "endEpoch", "storageSize"],
        "properties": {"id": string(), "startEpoch": integer(), "endEpoch": integer(), "storageSize": integer()},
    });
    let tags = json!({"type": "object", "additionalProperties": string()});
    json!({
        "StoreResult": result,
        "NewlyCreated": {
            "type": "object", "required": ["blobObject", "resourceOperation", "cost"],
            "properties": {
                "blobObject": reference("BlobObject"), "resourceOperation": operation,
                "cost": integer(),
            },
        },
        "BlobObject": {
            "type": "object",
            "required": ["id", "registeredEpoch", "blobId", "size", "encodingType", "certifiedEpoch", "storage", "deletable"],
            "properties": {
                "id": string(), "registeredEpoch": integer(), "blobId": string(), "size": integer(),
                "encodingType": {"type": "string", "enum": ["RS2"]},
                "certifiedEpoch": {"type": ["integer", "null"]}, "storage": storage, "deletable": flag(),
            },
        },
        "AlreadyCertified": {
            "type": "object", "required": ["blobId", "endEpoch"],
            "properties": {
                "blobId": string(), "endEpoch": integer(), "object": string(),
                "event": {
                    "type": "object", "required": ["txDigest", "eventSeq"],
                    "properties": {"txDigest": string(), "eventSeq": string()},
                },
            },
        },
        "QuiltResult": {
            "type": "object", "required": ["blobStoreResult", "storedQuiltBlobs"],
            "properties": {
                "blobStoreResult": reference("StoreResult"),
                "storedQuiltBlobs": {"type": "array", "items": {
                    "type": "object", "required": ["identifier", "quiltPatchId"],
                    "properties": {
                        "identifier": string(), "quiltPatchId": string(),
                        "range": {"type": "array", "items": integer()},
                    },
                }},
            },
        },
        "Patch": {
            "type": "object", "required": ["identifier", "patch_id", "tags"],
            "properties": {"identifier": string(), "patch_id": string(), "tags": tags},
        },
        "TipConfig": {"oneOf": [
            {"type": "string", "enum": ["no_tip"]},
            {"type": "object", "required": ["send_tip"], "properties": {"send_tip": {
                "type": "object", "required": ["address", "kind"],
                "properties": {"address": string(), "kind": {"type": "object"}},
            }}},
        ]},
        "RelayResult": {
            "type": "object", "required": ["blob_id", "confirmation_certificate"],
            "properties": {
                "blob_id": {"type": "array", "items": integer(), "minItems": 32, "maxItems": 32},
                "confirmation_certificate": {
                    "type": "object", "required": ["signers", "serialized_message", "signature"],
                    "properties": {
                        "signers": {"type": "array", "items": integer()},
                        "serialized_message": {"type": "array", "items": integer()},
                        "signature": string(),
                    },
                },
            },
        },
    })
}

/// The document.
pub fn document() -> Document {
    let mut routes = reading();
    routes.extend(websites());
    routes.extend(storing());
    routes.extend(about());
    Document {
        title: "Walrus gateway",
        description: "Aggregator, publisher, upload relay and what the web page asks. Wherever GET is \
                      answered, HEAD is too. docs/operating/gateway.md says more.",
        routes,
        schemas: schemas(),
        reasons: Reason::ALL.iter().map(|reason| reason.as_str()).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use walrus_node_api::openapi::missing_schemas;

    use super::*;

    #[test]
    fn the_committed_document_is_the_one_that_this_version_answers_with() {
        // Programs are generated from it.
        assert!(
            COMMITTED == document().text(),
            "remake it: cargo run -p walrus-gateway --example gateway_openapi -- docs/api/gateway.json"
        );
        assert_eq!(missing_schemas(&document().json()), [""; 0]);
    }

    #[test]
    fn every_route_is_in_the_document_and_the_reverse() {
        // What is not in it is found by nobody; what is only in it, programs ask for in vain.
        let source = include_str!("router.rs");
        // The figures are on a port of their own; pages are for people.
        let undescribed = ["/metrics", "/", "/{path}"];
        let routed: BTreeSet<_> = source
            .split(".route(")
            .skip(1)
            .map(|rest| rest.split('"').nth(1).unwrap().replace("{*", "{"))
            .filter(|path| !undescribed.contains(&path.as_str()))
            .collect();
        let described: BTreeSet<_> =
            document().routes.iter().map(|route| route.path.to_owned()).collect();
        assert_eq!(routed, described);
    }
}
