//! Websites at host names of their own. What a name stands for is decided here, before any
//! route: at the host name of a website nothing of the gateway can be reached, neither its
//! page nor the way to the chain, so that a website is an origin that shares nothing.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::HOST;
use http::uri::Authority;
use tower::ServiceExt as _;
use walrus_sdk::site::SitesDomain;

use crate::aggregator::SiteOfHost;

#[derive(Clone)]
struct Hosts {
    domain: SitesDomain,
    sites: Router,
    others: Router,
}

/// `sites` at the host names of websites, `others` at all other names, known or not.
pub(crate) fn by_host(domain: SitesDomain, sites: Router, others: Router) -> Router {
    Router::new().fallback(choose).with_state(Hosts { domain, sites, others })
}

async fn choose(State(hosts): State<Hosts>, mut request: Request) -> Response {
    let router = match site(&hosts.domain, &request) {
        Some(site) => {
            request.extensions_mut().insert(site);
            hosts.sites
        }
        None => hosts.others,
    };
    let Ok(response) = router.oneshot(request).await;
    response
}

/// The website whose host name is asked for.
fn site<B>(domain: &SitesDomain, request: &http::Request<B>) -> Option<SiteOfHost> {
    // A host in the request's address goes before the header (RFC 9112 section 3.2.2).
    let host = match request.uri().authority() {
        Some(authority) => authority.clone(),
        None => Authority::try_from(request.headers().get(HOST)?.as_bytes()).ok()?,
    };
    domain.reference(host.host()).map(SiteOfHost)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_host_name_decides_however_it_is_written() {
        // A name that is read in two ways is a website with the gateway's page in its origin.
        let domain: SitesDomain = "localhost".parse().unwrap();
        let ask = |uri: &str, host: Option<&str>| {
            let mut request = http::Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            site(&domain, &request.body(()).unwrap()).map(|site| site.0)
        };
        for host in ["7.localhost", "7.localhost:31415", "7.LocalHost:1", "7.localhost.:1"] {
            assert_eq!(ask("/", Some(host)), Some(7), "{host}");
        }
        for host in ["localhost", "127.0.0.1:31415", "[::1]:31415", "[7.localhost]", "", "?"] {
            assert_eq!(ask("/", Some(host)), None, "{host}");
        }
        assert_eq!(ask("/", None), None);
        assert_eq!(ask("http://8.localhost/", Some("7.localhost")), Some(8));
        assert_eq!(ask("http://localhost/", Some("7.localhost")), None);
    }
}
