//! Which handler answers what.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, RETRY_AFTER};
use tower_http::cors::{AllowHeaders, AllowMethods, Any, CorsLayer};

use crate::error::{unknown_method, unknown_route};
use crate::state::Shared;
use crate::{aggregator, page, publisher, rpc, settings};

/// Names the part of a quilt that an answer holds.
pub(crate) const PATCH_IDENTIFIER: HeaderName = HeaderName::from_static("x-quilt-patch-identifier");

/// How long a browser may remember what it is allowed.
const PREFLIGHT_AGE: Duration = Duration::from_secs(24 * 3600);

/// The routes of the roles that run.
pub(crate) fn router(gateway: Shared) -> Router {
    let roles = gateway.config.roles;
    let mut open = Router::new()
        .route("/status", get(status))
        .route("/v1/health", get(status))
        .route("/v1/config", get(settings::get));
    if roles.aggregator {
        open = open.route("/v1/blobs/{blob_id}", get(aggregator::blob));
    }
    if roles.publisher {
        open = open.route("/v1/blobs", put(publisher::put_blob));
    }
    let mut routes = open.layer(cors());
    if roles.page {
        // Without permission for other origins.
        routes = routes
            .route("/v1/rpc", post(rpc::post))
            .route("/", get(page::index))
            .route("/{*path}", get(page::other));
    }
    routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        // Each route has a limit of its own, enforced where the body is read.
        .layer(DefaultBodyLimit::disable())
        .with_state(gateway)
}

async fn status() -> &'static str {
    "OK"
}

/// Any page may read and store blobs, as everywhere on the public network.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(AllowMethods::mirror_request())
        // A star would not cover `Authorization`.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            ACCEPT_RANGES,
            CONTENT_LENGTH,
            CONTENT_RANGE,
            ETAG,
            RETRY_AFTER,
            PATCH_IDENTIFIER,
        ])
        .max_age(PREFLIGHT_AGE)
}
