//! Remakes the committed OpenAPI document:
//! `cargo run -p walrus-gateway --example gateway_openapi -- docs/api/gateway.json`
#![allow(clippy::disallowed_methods)]

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "docs/api/gateway.json".to_owned());
    std::fs::write(path, walrus_gateway::openapi_document().text())
}
