//! The upload relay (docs/protocol/http-api.md section 8): clients that hold their own
//! wallet register a blob and send it here; the relay encodes it, uploads the slivers and
//! answers with the certificate.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use walrus_core::{ObjectId, Persistence};
use walrus_node_api::wire::BlobStatus;
use walrus_redstuff::BlobId;
use walrus_sdk::{Progress, RelayError};

use crate::config::{TipConfig, TipKind};
use crate::error::{Error, Reason};
use crate::publisher::{encode_failure, names};
use crate::query::{Query, blob_id, token_id};
use crate::spool::Spooled;
use crate::state::Shared;
use crate::uploads::Reporter;

/// How often the registration is looked for, and the pauses in between: nodes follow the
/// chain at some distance.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// Longest wait for the nodes' word on a blob.
const STATUS_TIME: Duration = Duration::from_secs(5);

/// `GET /v1/tip-config`
pub(crate) async fn tip_config(State(gateway): State<Shared>) -> Json<Value> {
    Json(match &gateway.config.tip {
        None => json!("no_tip"),
        Some(tip) => {
            let kind = match tip.kind {
                TipKind::Const(amount) => json!({"const": amount}),
                TipKind::Linear { base, per_kib } => {
                    json!({"linear": {"base": base, "encoded_size_mul_per_kib": per_kib}})
                }
            };
            json!({"send_tip": {"address": tip.address.to_string(), "kind": kind}})
        }
    })
}

/// What the relay is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayQuery {
    blob_id: String,
    deletable_blob_object: Option<String>,
    tx_id: Option<String>,
    nonce: Option<String>,
    encoding_type: Option<String>,
    /// Under which id the upload can be watched; ours, the public network has none.
    upload: Option<String>,
}

/// `POST /v1/blob-upload-relay`
pub(crate) async fn upload(
    State(gateway): State<Shared>,
    Query(query): Query<RelayQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Error> {
    if query.encoding_type.as_deref().is_some_and(|name| name != "RS2") {
        return Err(Error::malformed("the one encoding type is RS2"));
    }
    let reporter = gateway.uploads.begin(query.upload.as_deref(), names(&gateway).await?)?;
    let relayed = relay(&gateway, &query, &headers, body, &reporter).await;
    match &relayed {
        Ok(_) => reporter.done("signed", json!({"blob_id": query.blob_id})),
        Err(error) => reporter.fail(&error.message),
    }
    relayed
}

async fn relay(
    gateway: &Shared,
    query: &RelayQuery,
    headers: &HeaderMap,
    body: Body,
    reporter: &Arc<Reporter>,
) -> Result<Json<Value>, Error> {
    let id = blob_id(&query.blob_id)?;
    let persistence = match &query.deletable_blob_object {
        None => Persistence::Permanent,
        Some(text) => Persistence::Deletable(ObjectId::from(token_id(text)?)),
    };
    let tip = match &gateway.config.tip {
        None => None,
        Some(tip) => Some((tip, Payment::find(gateway, tip, query).await?)),
    };
    // Before anything of the body is taken: what nobody paid for costs no disk.
    registered(gateway, &id, persistence).await?;
    let limits = &gateway.config.limits;
    let limit = limits.max_relay_bytes;
    let watch = |done, total| reporter.received(done, total);
    let body = gateway.spool.receive(limits, headers, body, limit, &watch).await?;
    let params = gateway.client.network().await?.committee.params();
    if let Some((tip, payment)) = &tip {
        let encoded = params.encoded_blob_length(body.length);
        let encoded = encoded.map_err(|e| Error::new(Reason::BlobTooLarge, e.to_string()))?;
        payment.check(&body, tip.kind.amount(encoded))?;
    }
    let sink = reporter.sink();
    let encoded = gateway.client.coder().encode(params, body.source(), &sink).await;
    let encoded = encoded.map_err(encode_failure)?;
    let got = *encoded.metadata().blob_id();
    if got != id {
        let message = "the bytes sent have another blob id";
        return Err(Error::new(Reason::BlobIdMismatch, message).with("blob_id", got));
    }
    let encoded_bytes = params.encoded_slivers_length(body.length).map_err(Error::internal)?;
    sink.report(Progress::Encoded { blob_id: got, encoded_bytes });
    let certificate = gateway.client.upload(&encoded, persistence, &sink).await;
    let certificate = certificate.map_err(relay_failure)?.certificate;
    gateway.metrics.count("relayed");
    gateway.metrics.add("relayed_bytes", body.length);
    Ok(Json(json!({
        "blob_id": id.as_bytes(),
        "confirmation_certificate": certificate,
    })))
}

fn relay_failure(error: RelayError) -> Error {
    match error {
        RelayError::Network(error) => error.into(),
        RelayError::Blob(error) => encode_failure(error),
        RelayError::NotEnoughConfirmations(failed) => {
            let reasons: Vec<_> = failed.failures.iter().map(ToString::to_string).collect();
            Error::new(Reason::InsufficientConfirmations, "too few nodes confirmed; send it again")
                .with("weight", failed.got)
                .with("needed", failed.needed)
                .with("nodes", reasons.join("; "))
        }
        error => Error::internal(error),
    }
}

/// Waits a while until the registration is known.
async fn registered(gateway: &Shared, id: &BlobId, persistence: Persistence) -> Result<(), Error> {
    for _ in 0..LOOKS {
        let found = match persistence {
            Persistence::Deletable(object) => {
                let token = object.token().ok_or_else(|| Error::malformed("no such object"))?;
                let record = gateway.client.chain().blob(token).await.map_err(unreachable)?;
                let now = gateway.client.network().await?.network.epoch.epoch;
                record.is_some_and(|r| r.blob_id == *id && r.deletable && r.is_registered_in(now))
            }
            Persistence::Permanent => {
                let status = gateway.client.blob_status(id, STATUS_TIME).await;
                matches!(status.map(|report| report.status), Ok(BlobStatus::Permanent { .. }))
            }
        };
        if found {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    let message = "the blob is not registered: register it first, then send it";
    Err(Error::new(Reason::NotRegistered, message))
}

fn unreachable(error: impl std::fmt::Display) -> Error {
    tracing::warn!(%error, "the chain cannot be asked");
    Error::overloaded("the chain cannot be reached now")
}

/// A tip that was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Payment {
    value: u128,
    input: Vec<u8>,
    nonce: [u8; 32],
}

fn bad_tip(message: &str) -> Error {
    Error::new(Reason::InvalidTip, message)
}

impl Payment {
    /// Finds the transaction that a client names, and checks that it counts.
    async fn find(gateway: &Shared, tip: &TipConfig, query: &RelayQuery) -> Result<Self, Error> {
        let (Some(hash), Some(nonce)) = (&query.tx_id, &query.nonce) else {
            return Err(bad_tip("this relay wants a tip: name its tx_id and nonce"));
        };
        let is_hash = hash.len() == 66
            && hash.strip_prefix("0x").is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        if !is_hash {
            return Err(bad_tip("tx_id is a transaction's hash, 0x and 64 digits"));
        }
        let nonce = URL_SAFE_NO_PAD.decode(nonce).ok().and_then(|bytes| bytes.try_into().ok());
        let nonce =
            nonce.ok_or_else(|| bad_tip("the nonce has 43 characters of URL-safe base64"))?;
        let ask = async |method, params| {
            let endpoints = gateway.client.chain().endpoints();
            endpoints.forward(method, params).await.map_err(unreachable)
        };
        let transaction = ask("eth_getTransactionByHash", json!([hash])).await?;
        let receipt = ask("eth_getTransactionReceipt", json!([hash])).await?;
        if receipt["status"].as_str() != Some("0x1") {
            return Err(bad_tip("the tip's transaction is not in a block, or had no effect"));
        }
        let block = ask("eth_getBlockByNumber", json!([receipt["blockNumber"], false])).await?;
        // By the chain's own clock: development chains run ahead of any other.
        let latest = ask("eth_getBlockByNumber", json!(["latest", false])).await?;
        let now = seconds(&latest["timestamp"]).ok_or_else(|| unreachable("no latest block"))?;
        Self::check_transaction(tip, &transaction, &block["timestamp"], now, nonce)
    }

    fn check_transaction(
        tip: &TipConfig,
        transaction: &Value,
        timestamp: &Value,
        now: Duration,
        nonce: [u8; 32],
    ) -> Result<Self, Error> {
        let malformed = || bad_tip("the tip's transaction cannot be understood");
        let to = transaction["to"].as_str().and_then(|text| text.parse().ok());
        if to != Some(tip.address) {
            return Err(Error::new(Reason::TipRequired, "the tip was paid to somebody else"));
        }
        let paid_at = seconds(timestamp).ok_or_else(malformed)?;
        if paid_at + tip.max_age < now {
            return Err(bad_tip("the tip was paid too long ago"));
        }
        if paid_at > now + tip.max_ahead {
            return Err(bad_tip("the tip was paid in the future"));
        }
        let input = transaction["input"].as_str().and_then(|text| text.strip_prefix("0x"));
        let input = input.and_then(unhex).ok_or_else(malformed)?;
        Ok(Self { value: number(&transaction["value"]).ok_or_else(malformed)?, input, nonce })
    }

    /// Whether it was paid for these bytes, and whether it is enough.
    fn check(&self, body: &Spooled, amount: u128) -> Result<(), Error> {
        self.check_parts(body.sha256, body.length, amount)
    }

    fn check_parts(&self, sha256: [u8; 32], length: u64, amount: u128) -> Result<(), Error> {
        let refuse = |message: &str| Err(Error::new(Reason::TipNotForThis, message));
        let Ok(package) = <&[u8; 72]>::try_from(self.input.as_slice()) else {
            return refuse("the tip's transaction must carry 72 bytes: two hashes and the length");
        };
        let (hash, rest) = package.split_at(32);
        let (nonce, size) = rest.split_at(32);
        if nonce != &Sha256::digest(self.nonce)[..] {
            return refuse("the nonce is not the one of the tip");
        }
        if size != length.to_le_bytes() {
            return refuse("the tip was paid for another length");
        }
        if hash != sha256 {
            return refuse("the tip was paid for other bytes");
        }
        if self.value < amount {
            let message = format!("the tip is {} and must be at least {amount}", self.value);
            return Err(Error::new(Reason::TipRequired, message).with("amount", amount));
        }
        Ok(())
    }
}

fn number(value: &Value) -> Option<u128> {
    u128::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// A block's time.
fn seconds(timestamp: &Value) -> Option<Duration> {
    Some(Duration::from_secs(number(timestamp)?.try_into().ok()?))
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) || digits.len() > 4096 {
        return None;
    }
    (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use walrus_core::EvmAddress;

    use super::*;

    fn tip() -> TipConfig {
        TipConfig {
            address: EvmAddress([7; 20]),
            kind: TipKind::Linear { base: 10, per_kib: 2 },
            max_age: Duration::from_secs(3600),
            max_ahead: Duration::from_secs(30),
        }
    }

    fn package(blob: &[u8], nonce: &[u8; 32]) -> Vec<u8> {
        let mut bytes = Sha256::digest(blob).to_vec();
        bytes.extend(Sha256::digest(nonce));
        bytes.extend((blob.len() as u64).to_le_bytes());
        bytes
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn a_tip_counts_for_its_bytes_only_and_must_be_enough() {
        // One payment would otherwise pay for any number of uploads.
        let (blob, nonce) = (b"blob".as_slice(), [3; 32]);
        let payment = Payment { value: 12, input: package(blob, &nonce), nonce };
        let hash: [u8; 32] = Sha256::digest(blob).into();
        let amount = tip().kind.amount(1000);
        assert_eq!(amount, 12);
        payment.check_parts(hash, 4, amount).unwrap();
        let reason = |p: &Payment, hash, length, amount| {
            p.check_parts(hash, length, amount).unwrap_err().reason
        };
        assert_eq!(reason(&payment, hash, 4, 13), Reason::TipRequired);
        assert_eq!(reason(&payment, [0; 32], 4, 12), Reason::TipNotForThis);
        assert_eq!(reason(&payment, hash, 5, 12), Reason::TipNotForThis);
        let other = Payment { nonce: [4; 32], ..payment.clone() };
        assert_eq!(reason(&other, hash, 4, 12), Reason::TipNotForThis);
        let cut = Payment { input: payment.input[..71].to_vec(), ..payment };
        assert_eq!(reason(&cut, hash, 4, 12), Reason::TipNotForThis);
    }

    #[test]
    fn old_future_and_foreign_payments_do_not_count() {
        // A payment found on the chain is not one that was made for this relay.
        let now = Duration::from_secs(1_000_000);
        let transaction = json!({
            "to": tip().address.to_string(), "value": "0xc", "input": hex(&package(b"x", &[1; 32])),
        });
        let at = |seconds: u64| json!(format!("{seconds:#x}"));
        let check =
            |t: &Value, time: u64| Payment::check_transaction(&tip(), t, &at(time), now, [1; 32]);
        assert_eq!(check(&transaction, 999_999).unwrap().value, 12);
        assert!(check(&transaction, 999_999 - 3600).is_err());
        assert!(check(&transaction, 1_000_031).is_err());
        for (key, value) in [("to", "0x01"), ("value", "12"), ("input", "0x1")] {
            let mut other = transaction.clone();
            other[key] = value.into();
            assert!(check(&other, 999_999).is_err(), "{key}");
        }
    }
}
