//! What became of a store, in the words of the public network.

use std::time::Duration;

use serde_json::{Value, json};
use walrus_chain::{ReadError, WriteError};
use walrus_core::{ObjectId, TokenId};
use walrus_node_api::wire::BlobStatus;
use walrus_redstuff::quilt::PlanError;
use walrus_sdk::{EncodeError, StoreError, StoreQuiltError, StoreState, Stored};

use crate::error::{Error, Reason};
use crate::state::Shared;

/// Longest wait for the nodes' word on a blob.
const STATUS_TIME: Duration = Duration::from_secs(5);

/// `newlyCreated` or `alreadyCertified`.
pub(super) async fn describe(
    gateway: &Shared,
    stored: &Stored,
    epochs: u32,
) -> Result<Value, Error> {
    match &stored.state {
        StoreState::Certified { token, resumed, .. } => {
            newly_created(gateway, stored, *token, *resumed, epochs).await
        }
        StoreState::AlreadyCertified { token } => {
            let mut answer = json!({
                "blobId": stored.blob_id.to_string(),
                "endEpoch": stored.end_epoch.0,
            });
            match token {
                Some(token) => answer["object"] = object(*token).into(),
                None => {
                    let status = gateway.client.blob_status(&stored.blob_id, STATUS_TIME).await;
                    let event = match status.map(|report| report.status) {
                        Ok(BlobStatus::Permanent { status_event, .. }) => status_event,
                        _ => return Err(Error::overloaded("the nodes do not answer now")),
                    };
                    answer["event"] = serde_json::to_value(event).map_err(Error::internal)?;
                }
            }
            Ok(json!({"alreadyCertified": answer}))
        }
    }
}

async fn newly_created(
    gateway: &Shared,
    stored: &Stored,
    token: TokenId,
    resumed: bool,
    epochs: u32,
) -> Result<Value, Error> {
    let record = gateway.client.chain().blob(token).await.map_err(read_failure)?;
    let record = record.ok_or_else(|| Error::internal("a certified blob without a record"))?;
    let operation = match resumed {
        true => json!({"reuseRegistration": {"encodedLength": stored.encoded_bytes}}),
        false => json!({"registerFromScratch": {
            "encodedLength": stored.encoded_bytes, "epochsAhead": epochs,
        }}),
    };
    let id = object(token);
    Ok(json!({"newlyCreated": {
        "blobObject": {
            "id": id,
            "registeredEpoch": record.registered_epoch.0,
            "blobId": stored.blob_id.to_string(),
            "size": stored.unencoded_bytes,
            "encodingType": "RS2",
            "certifiedEpoch": record.certified_epoch.map(|epoch| epoch.0),
            // The capacity is part of the blob object and has no id of its own.
            "storage": {
                "id": id,
                "startEpoch": record.registered_epoch.0,
                "endEpoch": record.end_epoch.0,
                "storageSize": record.encoded_size,
            },
            "deletable": record.deletable,
        },
        "resourceOperation": operation,
        "cost": stored.cost.total(),
    }}))
}

/// A token as existing clients expect an object: `0x` and 64 digits.
fn object(token: TokenId) -> String {
    ObjectId::from(token).to_string()
}

fn read_failure(error: ReadError) -> Error {
    tracing::warn!(%error, "the chain cannot be asked");
    Error::overloaded("the chain cannot be reached now")
}

fn write_failure(error: &WriteError) -> Error {
    tracing::warn!(%error, "a transaction has no effect");
    match error {
        WriteError::InsufficientFunds { .. } => no_money(),
        WriteError::Contract { error, .. } => {
            Error::new(Reason::ChainRefused, format!("the contracts refuse: {error}"))
        }
        WriteError::Unresolved { transaction, .. } => Error::overloaded(
            "a transaction is not confirmed yet; store the same bytes again later",
        )
        .with("transaction", transaction),
        error if error.is_retryable() => Error::overloaded("the chain cannot be reached now"),
        error => Error::internal(error),
    }
}

fn no_money() -> Error {
    let message = "this publisher's accounts cannot pay for it; its operator must fill them";
    Error::new(Reason::InsufficientFunds, message).retry_after(Duration::from_secs(60))
}

/// What a blob that cannot be encoded means to the client.
pub(crate) fn encode_failure(error: EncodeError) -> Error {
    match error {
        EncodeError::TooLarge(error) => Error::new(Reason::BlobTooLarge, error.to_string()),
        EncodeError::NoSpill(_) | EncodeError::Spill { .. } => {
            tracing::error!(%error, "no room to encode");
            Error::overloaded("there is no room on this gateway now")
        }
        error => Error::internal(error),
    }
}

/// What a failed store means to the client.
pub(crate) fn store_failure(error: StoreError) -> Error {
    match error {
        StoreError::TooLarge(error) => Error::new(Reason::BlobTooLarge, error.to_string()),
        StoreError::Encode(error) => encode_failure(error),
        StoreError::NotEnoughWal { .. } | StoreError::TooExpensive { .. } => {
            tracing::error!(%error, "an account has too little WAL");
            no_money()
        }
        StoreError::NoPrices | StoreError::Unsettled => Error::overloaded(error.to_string()),
        StoreError::Invalid(_) => Error::new(Reason::ChainRefused, error.to_string()),
        StoreError::NotEnoughConfirmations(ref failed) => {
            // Each node's reason: without it nobody knows what to do.
            let reasons = failed.failures.iter().map(ToString::to_string);
            let reasons = reasons.collect::<Vec<_>>().join("; ");
            Error::new(
                Reason::InsufficientConfirmations,
                "too few nodes confirmed; store the same bytes again to continue",
            )
            .with("weight", failed.got)
            .with("needed", failed.needed)
            .with("nodes", reasons)
        }
        StoreError::Restless { .. } | StoreError::Expired { .. } => {
            Error::overloaded(error.to_string())
        }
        StoreError::Network(error) => error.into(),
        StoreError::Read(error) => read_failure(error),
        StoreError::Write(error) => write_failure(&error),
        error => Error::internal(error),
    }
}

/// The same of a quilt.
pub(super) fn quilt_failure(error: StoreQuiltError) -> Error {
    match error {
        StoreQuiltError::Plan(
            error @ (PlanError::TooLarge { .. } | PlanError::FileTooLong { .. }),
        ) => Error::new(Reason::BlobTooLarge, error.to_string()),
        StoreQuiltError::Plan(error) => Error::malformed(error.to_string()),
        StoreQuiltError::Network(error) => error.into(),
        StoreQuiltError::Store(error) => store_failure(error),
        error => Error::internal(error),
    }
}
