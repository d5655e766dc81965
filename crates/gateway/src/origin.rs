//! Who may spend the publisher's money from within a browser. Without tokens any page that
//! somebody on this machine or in its network looks at could store at the gateway's cost:
//! so only the gateway's own page may.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use walrus_env::split_host_port;

use crate::error::{Error, Reason};
use crate::state::Shared;

/// Refuses stores that a page of another origin asks for, unless tokens say who may store or
/// the operator opened the publisher to all pages.
pub(crate) async fn own_pages_only(
    State(gateway): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let config = &gateway.config;
    if gateway.tokens.are_needed() || config.open_to_pages || may_store(&config.bind, &request) {
        return next.run(request).await;
    }
    let message = "pages of other origins may not spend this gateway's money: its operator can \
                   ask for tokens, or set open_to_pages";
    Error::new(Reason::ForeignOrigin, message).into_response()
}

/// Whether the request comes from no page (browsers name the origin in each store), or from
/// one of this gateway.
fn may_store<B>(bind: &str, request: &http::Request<B>) -> bool {
    let mut origins = request.headers().get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => {
            request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok())
        }
    };
    let (Some(host), Ok(origin), None) = (host, origin.to_str(), origins.next()) else {
        return false;
    };
    let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    page.is_some_and(|page| page.eq_ignore_ascii_case(host.as_str())) && is_ours(bind, host.host())
}

/// Whether the name leads here whoever is asked: any other may be one that somebody else
/// made to lead here (DNS rebinding), so that his page has the same origin.
fn is_ours(bind: &str, host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let bound = split_host_port(bind).is_some_and(|(bound, _)| bound.eq_ignore_ascii_case(host));
    bound || address.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ask(host: &str, origins: &[&str]) -> bool {
        let mut request = http::Request::builder().uri("/v1/blobs").header(HOST, host);
        for origin in origins {
            request = request.header(ORIGIN, *origin);
        }
        may_store("gateway.internal:31415", &request.body(()).unwrap())
    }

    #[test]
    fn no_page_of_another_origin_spends_the_money() {
        // Whoever visits a bad page while the gateway runs would pay for what it stores.
        for (host, origins) in [
            ("127.0.0.1:31415", &["http://evil.org"][..]),
            ("127.0.0.1:31415", &["null"]),
            ("127.0.0.1:31415", &[""]),
            ("127.0.0.1:31415", &["http://127.0.0.1:31416"]),
            ("127.0.0.1:31415", &["http://127.0.0.1"]),
            ("127.0.0.1:31415", &["http://localhost:31415"]),
            ("127.0.0.1:31415", &["http://127.0.0.1:31415.evil.org"]),
            ("127.0.0.1:31415", &["http://127.0.0.1:31415", "http://evil.org"]),
            ("127.0.0.1:31415", &["chrome-extension://127.0.0.1:31415"]),
            ("localhost:31415", &["http://7.localhost:31415"]),
            // A name that its owner made to lead here.
            ("evil.org:31415", &["http://evil.org:31415"]),
            ("127.0.0.1.evil.org", &["http://127.0.0.1.evil.org"]),
            ("7.localhost:31415", &["http://7.localhost:31415"]),
            ("user@localhost", &["http://localhost"]),
            ("", &["http://"]),
        ] {
            assert!(!ask(host, origins), "{origins:?} at {host}");
        }
    }

    #[test]
    fn the_own_page_and_programs_may_store() {
        // A defence that locks out the gateway's own page will be switched off.
        for (host, origins) in [
            ("127.0.0.1:31415", &[][..]),
            ("evil.org", &[]),
            ("127.0.0.1:31415", &["http://127.0.0.1:31415"]),
            ("192.0.2.7", &["https://192.0.2.7"]),
            ("[::1]:31415", &["http://[::1]:31415"]),
            ("LocalHost:31415", &["http://localhost:31415"]),
            ("gateway.internal:31415", &["http://gateway.internal:31415"]),
        ] {
            assert!(ask(host, origins), "{origins:?} at {host}");
        }
    }
}
