//! Blobs by the names that the chain has for them: objects and references.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use walrus_chain::{ContractError, ReadError};
use walrus_core::TokenId;
use walrus_redstuff::BlobId;

use super::answer::{self, CHANGING, IMMUTABLE, Wanted, content_headers};
use crate::config::GatewayConfig;
use crate::error::{Error, Reason};
use crate::query::{PathName, Query, ReadQuery, token_id};
use crate::state::Shared;

/// Longest value of an attribute that becomes a header.
const VALUE_BYTES: usize = 1024;

/// `GET /v1/blobs/by-object-id/{object_id}`
pub(crate) async fn object(
    State(gateway): State<Shared>,
    PathName(object): PathName,
    Query(query): Query<ReadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let token = token_id(&object)?;
    let id = blob_of(&gateway, token).await?;
    let mut answered = content_headers(&headers, &format!("\"{id}\""), IMMUTABLE);
    attributes(&gateway, token, &mut answered).await?;
    let wanted = Wanted { method: &method, headers: &headers, check: query.check()? };
    answer::answer(&gateway.library, id, wanted, answered).await
}

/// `GET /v1/blobs/by-reference/{reference}`
pub(crate) async fn reference(
    State(gateway): State<Shared>,
    PathName(number): PathName,
    Query(query): Query<ReadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let number = token_id(&number)?.0;
    let record = gateway.client.chain().reference(number).await.map_err(chain_failure)?;
    let id = record.blob_id;
    let cache = if record.frozen { IMMUTABLE } else { CHANGING };
    let mut answered = content_headers(&headers, &format!("\"{id}\""), cache);
    if let Some(token) = record.token_id {
        attributes(&gateway, token, &mut answered).await?;
    }
    let wanted = Wanted { method: &method, headers: &headers, check: query.check()? };
    answer::answer(&gateway.library, id, wanted, answered).await
}

/// The blob that an object stands for, while it does.
pub(super) async fn blob_of(gateway: &Shared, token: TokenId) -> Result<BlobId, Error> {
    let none = || Error::new(Reason::ObjectNotFound, format!("there is no blob object {token}"));
    let record =
        gateway.client.chain().blob(token).await.map_err(chain_failure)?.ok_or_else(none)?;
    let now = gateway.client.network().await?.network.epoch.epoch;
    if !record.is_registered_in(now) {
        let message = format!("blob object {token} was deleted or has ended");
        return Err(Error::new(Reason::ObjectNotFound, message));
    }
    Ok(record.blob_id)
}

pub(super) fn chain_failure(error: ReadError) -> Error {
    match error.contract_error() {
        Some(ContractError::UnknownReference { .. }) => {
            Error::new(Reason::ObjectNotFound, "there is no such reference")
        }
        _ => {
            tracing::warn!(%error, "the chain cannot be asked");
            Error::overloaded("the chain cannot be reached now")
        }
    }
}

async fn attributes(
    gateway: &Shared,
    token: TokenId,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
    let found = gateway.client.chain().attributes(token).await;
    // An object whose owner dropped its token has none.
    let found = match found {
        Ok(found) => found,
        Err(error) if error.contract_error().is_some() => return Ok(()),
        Err(error) => return Err(chain_failure(error)),
    };
    add(&gateway.config, found.iter().map(|(k, v)| (k.as_str(), v.as_str())), headers);
    Ok(())
}

/// Lets attributes become headers where that is allowed.
pub(super) fn add<'a>(
    config: &GatewayConfig,
    attributes: impl Iterator<Item = (&'a str, &'a str)>,
    headers: &mut HeaderMap,
) {
    for (key, value) in attributes {
        let key = key.to_ascii_lowercase().replace('_', "-");
        let allowed = config.allowed_headers.contains(&key);
        if !allowed || value.len() > VALUE_BYTES {
            continue;
        }
        let header = HeaderName::try_from(key).ok().zip(HeaderValue::from_str(value).ok());
        if let Some((name, value)) = header {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn attributes_cannot_set_what_protects_readers() {
        // The owner of a blob would otherwise lift the rules that his page is served under.
        let config = GatewayConfig::new("h:1", "d");
        let mut headers = content_headers(&HeaderMap::new(), "\"e\"", IMMUTABLE);
        let before = headers.clone();
        let attacks = [
            ("content-security-policy", "default-src *"),
            ("x-content-type-options", ""),
            ("set-cookie", "a=b"),
            ("access-control-allow-origin", "x"),
            ("link", "<https://x>; rel=preload"),
            ("content-type", "text/html\r\nset-cookie: a=b"),
            ("etag", "\"other\""),
        ];
        add(&config, attacks.into_iter(), &mut headers);
        assert_eq!(headers, before);
        add(
            &config,
            [("Content-Type", "image/png"), ("content_language", "en")].into_iter(),
            &mut headers,
        );
        assert_eq!(
            (&headers["content-type"], &headers["content-language"]),
            (&"image/png".parse().unwrap(), &"en".parse().unwrap())
        );
    }
}
