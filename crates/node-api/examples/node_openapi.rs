//! Remakes the committed OpenAPI document:
//! `cargo run -p walrus-node-api --example node_openapi -- docs/api/node.json`
#![allow(clippy::disallowed_methods)]

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "docs/api/node.json".to_owned());
    std::fs::write(path, walrus_node_api::openapi::node::document().text())
}
