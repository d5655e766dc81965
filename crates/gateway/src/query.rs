//! Query parameters and names in paths, checked.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use walrus_core::{EvmAddress, ObjectId, TokenId};
use walrus_redstuff::{BlobId, ConsistencyCheck};
use walrus_sdk::StoreOptions;

use crate::error::{Error, Reason};

/// The query as a `T`; what does not fit is refused in the form of all errors.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| Error::malformed(error.body_text()))
    }
}

/// One name out of the path.
pub(crate) struct PathName(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathName {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| Error::malformed("the path is not valid UTF-8"))
    }
}

/// Two names out of the path.
pub(crate) struct PathNames(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathNames {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = axum::extract::Path::<(String, String)>::from_request_parts(parts, state).await;
        let malformed = |_| Error::malformed("the path is not valid UTF-8");
        path.map(|path| Self(path.0.0, path.0.1)).map_err(malformed)
    }
}

/// Reads a blob id; also says what else the text may be.
pub(crate) fn blob_id(text: &str) -> Result<BlobId, Error> {
    text.parse().map_err(|_| {
        let message = match BlobId::from_u256_decimal(text) {
            Ok(id) if text.len() > 20 => format!("this number stands for the blob id {id}"),
            _ => "a blob id has 43 letters, digits, - and _; objects are read under \
                  /v1/blobs/by-object-id"
                .to_owned(),
        };
        Error::new(Reason::InvalidIdFormat, message)
    })
}

/// Reads a blob object's number: decimal, or hexadecimal with `0x`, short or in full.
pub(crate) fn token_id(text: &str) -> Result<TokenId, Error> {
    let token = match text.strip_prefix("0x") {
        Some(digits) if !digits.is_empty() && digits.len() <= 64 => {
            format!("{digits:0>64}").parse::<ObjectId>().ok().and_then(|object| object.token())
        }
        Some(_) => None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    };
    token.filter(|token| token.0 > 0).ok_or_else(|| {
        let message = "a blob object is a number, decimal or with 0x in hexadecimal";
        Error::new(Reason::InvalidIdFormat, message)
    })
}

/// How far a read is checked.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct ReadQuery {
    #[serde(default)]
    strict_consistency_check: bool,
    #[serde(default)]
    skip_consistency_check: bool,
}

impl ReadQuery {
    pub(crate) fn new(strict: bool, skip: bool) -> Self {
        Self { strict_consistency_check: strict, skip_consistency_check: skip }
    }

    pub(crate) fn check(self) -> Result<ConsistencyCheck, Error> {
        match (self.strict_consistency_check, self.skip_consistency_check) {
            (true, true) => Err(Error::new(
                Reason::InvalidConsistencyCheck,
                "strict_consistency_check and skip_consistency_check exclude each other",
            )),
            (true, false) => Ok(ConsistencyCheck::Strict),
            (false, true) => Ok(ConsistencyCheck::Skip),
            (false, false) => Ok(ConsistencyCheck::Default),
        }
    }
}

/// What the publisher is asked for. Unknown keys are refused: a misspelt one would cost
/// money.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreQuery {
    pub(crate) epochs: Option<u32>,
    #[serde(default)]
    pub(crate) permanent: bool,
    #[serde(default)]
    pub(crate) deletable: bool,
    #[serde(default)]
    pub(crate) force: bool,
    /// Registrations that were not finished are continued in any case.
    #[serde(default)]
    #[allow(dead_code, reason = "accepted for clients of the public network")]
    pub(crate) reuse_resources: bool,
    pub(crate) send_object_to: Option<String>,
    #[serde(default)]
    pub(crate) share: bool,
    pub(crate) encoding_type: Option<String>,
    pub(crate) quilt_version: Option<String>,
    /// By which the upload can be watched.
    pub(crate) upload: Option<String>,
}

/// A checked wish.
#[derive(Clone, Debug)]
pub(crate) struct StoreWish {
    pub(crate) options: StoreOptions,
    pub(crate) upload: Option<String>,
}

impl StoreQuery {
    /// The number of epochs asked for.
    pub(crate) fn epochs(&self) -> u32 {
        self.epochs.unwrap_or(1)
    }

    pub(crate) fn check(self, max_epochs: u32, quilt: bool) -> Result<StoreWish, Error> {
        if self.permanent && self.deletable {
            let message = "a blob is permanent or deletable, not both";
            return Err(Error::new(Reason::InvalidBlobPersistence, message));
        }
        if self.share {
            return Err(Error::malformed("there are no shared blobs on this network"));
        }
        if self.encoding_type.as_deref().is_some_and(|name| name != "RS2") {
            return Err(Error::malformed("the one encoding type is RS2"));
        }
        match self.quilt_version.as_deref() {
            None => {}
            Some("v1" | "V1" | "1") if quilt => {}
            Some(_) if quilt => return Err(Error::malformed("the one quilt version is v1")),
            Some(_) => return Err(Error::malformed("quilt_version is for quilts")),
        }
        let epochs = self.epochs();
        if epochs == 0 || epochs > max_epochs {
            let message = format!("a blob is stored here for 1 to {max_epochs} epochs");
            return Err(Error::malformed(message).with("max_epochs", max_epochs));
        }
        let parse = |text: &String| {
            text.parse()
                .map_err(|_| Error::malformed("send_object_to is an address, 0x and 40 digits"))
        };
        let owner: Option<EvmAddress> = self.send_object_to.as_ref().map(parse).transpose()?;
        let options = StoreOptions {
            epochs,
            deletable: !self.permanent,
            force: self.force,
            owner,
            ..StoreOptions::default()
        };
        Ok(StoreWish { options, upload: self.upload })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_wallets_and_explorers_show_them() {
        // An object id that is refused, or read as another number, serves another's file.
        for text in ["258", "0x102", "0x0102", &format!("0x{}0102", "0".repeat(60))] {
            assert_eq!(token_id(text).unwrap(), TokenId(258), "{text}");
        }
        for bad in [
            "",
            "0",
            "0x",
            "0x0",
            "-1",
            "+1",
            "1e3",
            &"9".repeat(30),
            &format!("0x1{}", "0".repeat(63)),
            &format!("0x{}", "0".repeat(65)),
            "0xé",
        ] {
            assert!(token_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_decimal_blob_id_is_answered_with_its_text_form() {
        // People paste what an explorer shows, and are told nothing useful elsewhere.
        let id = BlobId::from_bytes([7; 32]);
        assert_eq!(blob_id(&id.to_string()).unwrap(), id);
        let error = blob_id(&id.to_u256_decimal()).unwrap_err();
        assert!(error.message.contains(&id.to_string()), "{}", error.message);
        assert!(blob_id("abc").is_err());
    }

    fn wish(query: &str) -> Result<StoreWish, Reason> {
        let uri = format!("http://h/?{query}").parse().unwrap();
        let query = axum::extract::Query::<StoreQuery>::try_from_uri(&uri);
        let query = query.map_err(|_| Reason::MalformedRequest)?.0;
        query.check(10, false).map_err(|error| error.reason)
    }

    #[test]
    fn a_wish_that_makes_no_sense_costs_nothing() {
        // What is guessed from a misspelt wish is paid for.
        let good = wish("epochs=5&permanent=true&upload=a").unwrap();
        assert_eq!((good.options.epochs, good.options.deletable), (5, false));
        assert!(wish("").unwrap().options.deletable, "as on the public network");
        assert!(wish("deletable=true").unwrap().options.deletable);
        let bad = [
            "epoch=5",
            "epochs=0",
            "epochs=11",
            "epochs=-1",
            "epochs=1&epochs=2",
            "share=true",
            "encoding_type=RedStuff",
            "quilt_version=v1",
            "send_object_to=0x12",
            "permanent=yes",
        ];
        for bad in bad {
            assert_eq!(wish(bad).unwrap_err(), Reason::MalformedRequest, "{bad}");
        }
        let both = wish("permanent=true&deletable=true").unwrap_err();
        assert_eq!(both, Reason::InvalidBlobPersistence);
    }
}
