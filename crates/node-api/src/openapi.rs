//! Routes described for programs: OpenAPI 3.1 documents, made from tables. The node's
//! table is in [`node`]; the gateway has one of its own.

pub mod node;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::routes::OCTET_STREAM;

/// A parameter: where it is, its name, whether it must be there, its schema.
pub type Parameter = (&'static str, &'static str, bool, Value);

/// One route with one method.
#[derive(Clone, Debug)]
pub struct Route {
    /// In lower case.
    pub method: &'static str,
    /// With names in braces.
    pub path: &'static str,
    /// What it is for, in a few words.
    pub summary: &'static str,
    /// Of path, query and header.
    pub parameters: Vec<Parameter>,
    /// Content type and schema of what is sent.
    pub body: Option<(&'static str, Value)>,
    /// What a request that succeeds is answered with: status, content type, schema.
    pub answers: Vec<(u16, &'static str, Value)>,
    /// Statuses of refusals.
    pub refusals: &'static [u16],
}

/// Content type of bytes.
pub const BINARY: &str = OCTET_STREAM;
/// Content type of JSON.
pub const JSON: &str = "application/json";
/// Content type of text.
pub const TEXT: &str = "text/plain";
/// Any content type.
pub const ANY: &str = "*/*";

/// Schema of text of a form.
pub fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// Schema of any text.
pub fn string() -> Value {
    json!({"type": "string"})
}

/// Schema of one of some words.
pub fn word(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// Schema of a blob id.
pub fn blob_id() -> Value {
    text("^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$")
}

/// Schema of `true` or `false`.
pub fn flag() -> Value {
    json!({"type": "boolean"})
}

/// Schema of any whole number.
pub fn integer() -> Value {
    json!({"type": "integer"})
}

/// Schema of a number below 2^32.
pub fn count(minimum: u64) -> Value {
    json!({"type": "integer", "minimum": minimum, "maximum": u32::MAX})
}

/// Schema of bytes.
pub fn bytes() -> Value {
    json!({"type": "string", "format": "binary"})
}

/// A schema that the document names.
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Schema of an object that has all of these fields, and perhaps others.
pub fn fields(fields: &[(&str, Value)]) -> Value {
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<_, _> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "required": names, "properties": properties})
}

/// Schema of every refusal (docs/protocol/http-api.md section 2), by its reasons.
fn refusal<'a>(reasons: impl IntoIterator<Item = &'a str>) -> Value {
    let reasons: BTreeSet<_> = reasons.into_iter().collect();
    let detail = json!({
        "type": "object", "required": ["@type"],
        "properties": {
            "@type": string(), "reason": {"type": "string", "enum": reasons},
            "domain": string(), "metadata": {"type": "object"},
        },
    });
    let error = fields(&[
        ("status", string()),
        ("code", integer()),
        ("message", string()),
        ("details", json!({"type": "array", "minItems": 1, "items": detail})),
    ]);
    fields(&[("error", error)])
}

fn operation(route: &Route) -> Value {
    let parameter = |(place, name, required, schema): &Parameter| json!({"in": place, "name": name, "required": required, "schema": schema});
    let mut answers = Map::new();
    for (status, kind, schema) in &route.answers {
        let mut answer = json!({"description": "Done"});
        if !kind.is_empty() {
            answer["content"] = json!({*kind: {"schema": schema}});
        }
        answers.insert(status.to_string(), answer);
    }
    for status in route.refusals {
        let refusal = json!({"$ref": "#/components/responses/Refused"});
        answers.insert(status.to_string(), refusal);
    }
    let mut operation = json!({
        "summary": route.summary,
        "parameters": route.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": answers,
    });
    if let Some((kind, schema)) = &route.body {
        operation["requestBody"] =
            json!({"required": true, "content": {*kind: {"schema": schema}}});
    }
    operation
}

/// What there is to say about a server.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is.
    pub title: &'static str,
    /// What a reader should know besides.
    pub description: &'static str,
    /// What can be asked.
    pub routes: Vec<Route>,
    /// The schemas that routes refer to, by name; that of refusals is added.
    pub schemas: Value,
    /// The reasons of refusals.
    pub reasons: Vec<&'static str>,
}

impl Document {
    /// The document as JSON.
    pub fn json(&self) -> Value {
        let mut paths = Map::new();
        for route in &self.routes {
            let methods = paths.entry(route.path).or_insert_with(|| json!({}));
            methods[route.method] = operation(route);
        }
        let mut schemas = self.schemas.clone();
        schemas["Error"] = refusal(self.reasons.iter().copied());
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": self.title,
                "description": self.description,
                "version": env!("CARGO_PKG_VERSION"),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": paths,
            "components": {
                "responses": {"Refused": {
                    "description": "Refused; the reason is in details[0]",
                    "content": {JSON: {"schema": reference("Error")}},
                }},
                "schemas": schemas,
            },
        })
    }

    /// The document as it is committed.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.json()).expect("a document is plain JSON");
        text + "\n"
    }
}

/// Schemas that a document refers to without having them. A generator of clients stops
/// at the first.
pub fn missing_schemas(document: &Value) -> Vec<String> {
    let text = document.to_string();
    let names = text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next());
    names.filter(|name| document.pointer(name).is_none()).map(str::to_owned).collect()
}
