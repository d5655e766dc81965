//! Which handler answers what.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, RETRY_AFTER,
};
use tower_http::cors::{AllowHeaders, AllowMethods, Any, CorsLayer};

use crate::aggregator::sites;
use crate::error::{Error, unknown_method, unknown_route};
use crate::gate::{Gate, admit};
use crate::hosts::by_host;
use crate::metrics::measure;
use crate::origin::own_pages_only;
use crate::senders::{Fair, share};
use crate::state::{SURVEYS, Shared};
use crate::{aggregator, nodes, openapi, page, publisher, relay, rpc, settings, uploads};

/// Names the part of a quilt that an answer holds.
pub(crate) const PATCH_IDENTIFIER: HeaderName = HeaderName::from_static("x-quilt-patch-identifier");

/// How long a browser may remember what it is allowed.
const PREFLIGHT_AGE: Duration = Duration::from_secs(24 * 3600);
/// Longest path with its query.
const URI_BYTES: usize = 16 << 10;

/// The routes of the roles that run.
pub(crate) fn router(gateway: Shared) -> Router {
    let config = &gateway.config;
    let (roles, limits) = (config.roles, config.limits.clone());
    let mut open = Router::new()
        .route("/status", get(status))
        .route("/v1/health", get(status))
        .route("/v1/config", get(settings::get))
        .route("/v1/api", get(openapi::get));
    let reads = Entrance::new(&gateway, limits.max_reads);
    let fair = |places| from_fn_with_state(Fair::new(&config.senders, places), share);
    if roles.aggregator {
        open = open.merge(aggregator(&reads));
    }
    if roles.publisher {
        open = open.merge(publisher(&gateway, &Entrance::new(&gateway, limits.max_stores)));
    }
    if roles.relay {
        open = open.merge(relay(&Entrance::new(&gateway, limits.max_relays)));
    }
    if roles.publisher || roles.relay {
        let events = get(uploads::events).layer(fair(limits.max_watchers));
        open = open.route("/v1/uploads/{id}/events", events);
    }
    // Before the layer, which answers the questions of browsers by this method.
    let mut routes = open.method_not_allowed_fallback(unknown_method).layer(cors());
    if roles.page {
        // Without permission for other origins.
        let surveys = fair(SURVEYS);
        routes = routes
            .route("/v1/rpc", post(rpc::post).layer(fair(limits.max_rpc_requests)))
            .route("/v1/nodes", get(nodes::list).layer(surveys.clone()))
            .route("/v1/blobs/{blob_id}/confirmations", get(nodes::confirmations).layer(surveys))
            .route("/", get(page::index))
            .route("/{*path}", get(page::other));
    }
    let routes = finish(routes, &gateway);
    match gateway.config.sites_domain.clone().filter(|_| roles.aggregator) {
        Some(domain) => by_host(domain, finish(website(&reads), &gateway), routes),
        None => routes,
    }
}

/// The way to a role: a fair part of its places for each sender, and a place for a request.
struct Entrance {
    fair: Arc<Fair>,
    gate: Arc<Gate>,
}

impl Entrance {
    fn new(gateway: &Shared, places: usize) -> Self {
        let config = &gateway.config;
        Self {
            fair: Fair::new(&config.senders, places),
            gate: Gate::new(&gateway.env, &config.limits, places),
        }
    }

    fn before(&self, routes: Router<Shared>) -> Router<Shared> {
        let (gate, fair) = (self.gate.clone(), self.fair.clone());
        routes.layer(from_fn_with_state(gate, admit)).layer(from_fn_with_state(fair, share))
    }
}

/// What holds for all routes at all host names.
fn finish(routes: Router<Shared>, gateway: &Shared) -> Router {
    routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        // Each route has a limit of its own, enforced where the body is read.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(bounded))
        .layer(from_fn_with_state(gateway.metrics.clone(), measure))
        .with_state(gateway.clone())
}

fn aggregator(entrance: &Entrance) -> Router<Shared> {
    let routes = Router::new()
        .route("/v1/blobs/{blob_id}", get(aggregator::blob))
        .route("/v1/blobs/by-object-id/{object_id}", get(aggregator::object))
        .route("/v1/blobs/by-reference/{reference}", get(aggregator::reference))
        .route("/v1/blobs/{blob_id}/byte-range", get(aggregator::byte_range))
        .route("/v1alpha/blobs/{blob_id}/stream", get(aggregator::stream))
        .route("/v1alpha/blobs/concat", get(aggregator::concat).post(aggregator::concat_list))
        .route("/v1/blobs/by-quilt-patch-id/{patch_id}", get(aggregator::by_patch_id))
        .route("/v1/blobs/by-quilt-id/{quilt_id}/{*identifier}", get(aggregator::by_identifier))
        .route("/v1/quilts/{quilt_id}/patches", get(aggregator::patches))
        .route("/v1/sites/{reference}", get(sites::bare))
        .route("/v1/sites/{reference}/", get(sites::index))
        .route("/v1/sites/{reference}/{*path}", get(sites::file));
    entrance.before(routes)
}

/// One website at its own host name.
fn website(entrance: &Entrance) -> Router<Shared> {
    let routes =
        Router::new().route("/", get(sites::host_index)).route("/{*path}", get(sites::host_file));
    entrance.before(routes).method_not_allowed_fallback(unknown_method).layer(cors())
}

fn publisher(gateway: &Shared, entrance: &Entrance) -> Router<Shared> {
    let routes = Router::new()
        .route("/v1/blobs", put(publisher::put_blob))
        .route("/v1/quilts", put(publisher::put_quilt));
    let own = from_fn_with_state(gateway.clone(), own_pages_only);
    entrance.before(routes).layer(own)
}

fn relay(entrance: &Entrance) -> Router<Shared> {
    let routes = Router::new().route("/v1/blob-upload-relay", post(relay::upload));
    entrance.before(routes).route("/v1/tip-config", get(relay::tip_config))
}

/// Figures for Prometheus, where only the operator looks.
pub(crate) fn metrics_router(gateway: Shared) -> Router {
    Router::new()
        .route("/metrics", get(figures))
        .fallback(unknown_route)
        .layer(DefaultBodyLimit::disable())
        .with_state(gateway)
}

async fn figures(State(gateway): State<Shared>) -> impl IntoResponse {
    let now = [
        ("cache_bytes", gateway.library.cache.bytes()),
        ("spool_bytes", gateway.spool.used()),
        ("wallets", gateway.wallets.all().len() as u64),
    ];
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], gateway.metrics.text(&now))
}

async fn status() -> &'static str {
    "OK"
}

/// Refuses what no client needs to say.
async fn bounded(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > URI_BYTES {
        return Error::malformed("the address is too long").into_response();
    }
    next.run(request).await
}

/// Any page may read blobs, and store where the publisher is open to pages, as everywhere on
/// the public network.
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
