//! The routes against the document that describes them.

use std::collections::BTreeSet;

use http::Method;
use walrus_node_api::openapi::node::document;

use super::*;

#[tokio::test]
async fn every_route_is_in_the_document_and_the_reverse() {
    // What is not in it is found by nobody; what is only in it, programs ask for in vain.
    let bench = Bench::new().await;
    let routes = document().routes;
    let paths: BTreeSet<_> = routes.iter().map(|route| route.path).collect();
    // No two routes have the same path, so all are met below if they are as many.
    assert_eq!(include_str!("../mod.rs").matches(".route(").count(), paths.len());
    for path in paths {
        let filled = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let filled: Vec<_> = filled.collect();
        for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH] {
            let request = Request::builder().method(&method).uri(filled.join("/"));
            let (status, body) = bench.send(request.body(Body::empty()).unwrap()).await;
            let text = String::from_utf8_lossy(&body);
            let is_there = !text.contains("UNKNOWN_ROUTE");
            assert_eq!(is_there, status != StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let word = method.as_str().to_lowercase();
            let is_described = routes.iter().any(|r| r.path == path && r.method == word);
            assert_eq!(is_there, is_described, "{method} {path}: {text}");
        }
    }
}
