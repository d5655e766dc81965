//! How many of the places of a role one sender takes at most, so that one address does not
//! keep all others out.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header::FORWARDED};
use http_body::{Body as _, Frame, SizeHint};
use walrus_env::http::{Peer, Share, Shares};

use crate::config::{ForwardedBy, Senders};
use crate::error::{Error, Reason};

/// When refused senders should come back.
const RETRY_AFTER: Duration = Duration::from_secs(2);
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What senders may take of some places.
pub(crate) struct Fair {
    shares: Shares,
    senders: Senders,
}

impl Fair {
    /// Each sender may have its part of `places`, and one in any case.
    pub(crate) fn new(senders: &Senders, places: usize) -> Arc<Self> {
        let shares = Shares::new(senders.share_of(places));
        Arc::new(Self { shares, senders: senders.clone() })
    }
}

/// Lets a request in or refuses it. It counts until its answer was sent.
pub(crate) async fn share(State(fair): State<Arc<Fair>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    let Some(sender) = peer.map(|peer| sender(&fair.senders, peer.0, request.headers())) else {
        return next.run(request).await;
    };
    let Some(share) = fair.shares.take(sender) else {
        let message = "too many requests from your address at the same time; come back later";
        let refusal = Error::new(Reason::RateLimited, message).retry_after(RETRY_AFTER);
        return refusal.into_response();
    };
    let response = next.run(request).await;
    response.map(|body| match body.is_end_stream() {
        true => body,
        false => Body::new(Counted { body, _share: share }),
    })
}

/// Who sends a request. Proxies are believed if the operator named them, and nobody else:
/// anyone can write such a header.
fn sender(senders: &Senders, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_proxy = |address: &IpAddr| senders.proxies.contains(address);
    if !is_proxy(&peer) {
        return peer;
    }
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match senders.forwarded_by {
        ForwardedBy::XForwardedFor => (X_FORWARDED_FOR, address),
        ForwardedBy::Forwarded => (FORWARDED, forwarded_for),
    };
    let values: Vec<_> = headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
    // Each proxy adds whom it was asked by, at the end; what is before may be invented.
    let mut named = values.iter().rev().flat_map(|value| value.rsplit(',')).map(read);
    let mut last = peer;
    while let Some(Some(address)) = named.next() {
        last = address;
        if !is_proxy(&address) {
            break;
        }
    }
    last
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(text);
    let address: IpAddr = match bare.parse() {
        Ok(address) => address,
        Err(_) => bare.rsplit_once(':')?.0.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// The address in one element of `Forwarded` (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let named = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = named.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    address(named.next()?.1.trim_matches('"'))
}

/// An answer that counts for its receiver until it was sent.
struct Counted {
    body: Body,
    _share: Share,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().unwrap());
        }
        headers
    }

    fn behind(forwarded_by: ForwardedBy) -> Senders {
        let proxies = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        Senders { forwarded_by, proxies, ..Senders::default() }
    }

    #[test]
    fn nobody_passes_for_another_sender() {
        // By a header of one's own one would have as many shares as one can invent names.
        let senders = behind(ForwardedBy::XForwardedFor);
        let who = |peer: &str, lines: &[&str]| {
            sender(&senders, peer.parse().unwrap(), &headers(&X_FORWARDED_FOR, lines)).to_string()
        };
        assert_eq!(who("192.0.2.9", &["198.51.100.1"]), "192.0.2.9", "no proxy");
        assert_eq!(who("10.0.0.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(who("10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(who("10.0.0.1", &["1.1.1.1, 198.51.100.1,10.0.0.2"]), "198.51.100.1");
        assert_eq!(who("10.0.0.1", &["1.1.1.1, nonsense"]), "10.0.0.1");
        assert_eq!(who("10.0.0.1", &["1.1.1.1, nonsense, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(who("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(who("10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(who("10.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
        assert_eq!(who("10.0.0.1", &["192.0.2.1:4711"]), "192.0.2.1");
        let other = headers(&FORWARDED, &["for=1.1.1.1"]);
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(sender(&senders, peer, &other), peer, "the proxy writes another header");
    }

    #[test]
    fn the_standard_header_is_read_as_it_is_written() {
        let senders = behind(ForwardedBy::Forwarded);
        for (line, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("for=1.1.1.1, For=\"[2001:db8::1]:4711\";proto=https", "2001:db8::1"),
            ("proto=https;for=192.0.2.1;by=10.0.0.1", "192.0.2.1"),
            ("for=1.1.1.1, for=unknown", "10.0.0.1"),
            ("for=1.1.1.1, proto=http", "10.0.0.1"),
        ] {
            let peer = "10.0.0.1".parse().unwrap();
            let who = sender(&senders, peer, &headers(&FORWARDED, &[line]));
            assert_eq!(who.to_string(), expected, "{line}");
        }
    }
}
