//! What a failed read means to the client.

use std::time::Duration;

use walrus_sdk::{FetchError, NetworkError, ReadBlobError, ReadRangeError};

use crate::error::{Error, Reason};

/// When to ask again for what cannot be read now.
const AGAIN: Duration = Duration::from_secs(5);

fn unavailable(message: &str) -> Error {
    Error::new(Reason::BlobUnavailable, message).retry_after(AGAIN)
}

impl From<NetworkError> for Error {
    fn from(error: NetworkError) -> Self {
        tracing::warn!(%error, "the network's state is not known");
        Self::new(Reason::Overloaded, "the chain cannot be reached now").retry_after(AGAIN)
    }
}

impl From<ReadBlobError> for Error {
    fn from(error: ReadBlobError) -> Self {
        match error {
            ReadBlobError::Expired { .. }
            | ReadBlobError::Deleted { .. }
            | ReadBlobError::NotCertified { .. }
            | ReadBlobError::Invalid { .. } => Self::new(Reason::BlobNotFound, error.to_string()),
            ReadBlobError::Network(error) => error.into(),
            ReadBlobError::Fetch(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::NotFound => Self::new(Reason::BlobNotFound, "no such blob is stored"),
            FetchError::Blocked => {
                Self::new(Reason::ForbiddenBlob, "the nodes do not serve this blob")
            }
            FetchError::TooLarge { length, max } => Self::new(
                Reason::BlobTooLarge,
                format!(
                    "the blob has {length} bytes, this gateway serves up to {max}; ask for ranges"
                ),
            )
            .with("blob_bytes", length)
            .with("limit_bytes", max),
            FetchError::Invalid(_) => Self::new(Reason::BlobNotFound, error.to_string()),
            FetchError::NoMetadata { .. } | FetchError::NotEnoughSlivers { .. } => {
                tracing::warn!(%error, "a blob cannot be read");
                unavailable("too few nodes answered; try again")
            }
            FetchError::Output(error) => {
                tracing::error!(%error, "a blob cannot be put aside");
                Self::overloaded("there is no room for the blob on this gateway now")
            }
            error => Self::internal(error),
        }
    }
}

impl From<ReadRangeError> for Error {
    fn from(error: ReadRangeError) -> Self {
        match error {
            ReadRangeError::NotInBlob(error) => {
                Self::new(Reason::InvalidByteRange, error.to_string()).with("length", error.length)
            }
            ReadRangeError::TooLong { .. } => Self::new(Reason::BlobTooLarge, error.to_string()),
            ReadRangeError::Read(error) => error.into(),
            error => {
                tracing::warn!(%error, "part of a blob cannot be read");
                unavailable("too few nodes answered; try again")
            }
        }
    }
}
