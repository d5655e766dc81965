//! A gateway against the document in which it describes itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Gateway;

/// Asks every path in every way, the documented ones and the others.
pub async fn only_what_is_described_is_answered(gateway: &Gateway) {
    // Programs made from the document would find nothing, or miss what there is.
    let document = gateway.get("/v1/api").await.json();
    let paths: BTreeMap<String, Value> = serde_json::from_value(document["paths"].clone()).unwrap();
    for (path, methods) in paths {
        // No name has this form: nothing is watched for ever.
        let filled = path.split('/').map(|part| if part.starts_with('{') { "~" } else { part });
        let filled: Vec<_> = filled.collect();
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            let answer = gateway.ask(method, &filled.join("/"), &[], "").await;
            let text = String::from_utf8_lossy(&answer.body);
            let is_unknown = answer.status == 404 && text.contains("UNKNOWN_ROUTE");
            assert!(!is_unknown, "{method} {path}");
            let is_described = methods.get(method.to_lowercase()).is_some();
            assert_eq!(is_described, answer.status != 405, "{method} {path}: {text}");
        }
    }
}
