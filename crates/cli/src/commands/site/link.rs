//! The address of a website at a gateway.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;
use walrus_env::{
    Env,
    http::{HttpClient, HttpClientConfig, read_body},
};
use walrus_sdk::site::SitesDomain;

/// Longest wait for a gateway to say what it serves.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest such answer.
const ANSWER_BYTES: usize = 1 << 20;

/// The link of a website: with a host name of its own if the gateway has a domain for that.
pub async fn of(env: &Env, gateway: &str, reference: u64) -> String {
    let gateway = gateway.trim_end_matches('/');
    let domain = timeout(PATIENCE, domain(env, gateway)).await.ok().flatten();
    domain
        .and_then(|domain| at_host(gateway, &domain, reference))
        .unwrap_or_else(|| format!("{gateway}/v1/sites/{reference}/"))
}

/// What the gateway says; nothing if it says nothing, or cannot be asked.
async fn domain(env: &Env, gateway: &str) -> Option<SitesDomain> {
    let request = http::Request::get(format!("{gateway}/v1/config")).body(Default::default());
    let client = HttpClient::new(env, HttpClientConfig::default());
    let response = client.send(request.ok()?).await.ok()?;
    let body = read_body(response.into_body(), ANSWER_BYTES).await.ok()?;
    let config: Value = serde_json::from_slice(&body).ok()?;
    config["sites_domain"].as_str()?.parse().ok()
}

/// The gateway's address with the host name of the website in place of its own.
fn at_host(gateway: &str, domain: &SitesDomain, reference: u64) -> Option<String> {
    let (scheme, rest) = gateway.split_once("://")?;
    // With a path before it the gateway is not at the root of its host.
    let authority: http::uri::Authority = rest.parse().ok()?;
    let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{}{port}/", domain.host(reference)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_where_the_gateway_listens() {
        // A link that lost its port or its scheme leads to somebody else.
        let domain: SitesDomain = "localhost".parse().unwrap();
        let link = |gateway| at_host(gateway, &domain, 7);
        assert_eq!(link("http://127.0.0.1:31415").unwrap(), "http://7.localhost:31415/");
        assert_eq!(link("http://[::1]:80").unwrap(), "http://7.localhost:80/");
        assert_eq!(link("https://gate.example").unwrap(), "https://7.localhost/");
        assert_eq!(link("https://gate.example/walrus"), None);
    }
}
