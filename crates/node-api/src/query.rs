//! Queries of a node's routes. Each prints as the client sends it and parses as the
//! node reads it.
//!
//! Keys and values are letters, digits and `-`, so percent-encoding never occurs and is
//! refused.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use walrus_redstuff::{SliverIndex, SliverType, SymbolId};

use crate::error::{ApiError, ErrorReason};

/// Splits a query into its keys and values, in order.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, "")))
}

fn malformed(what: impl fmt::Display) -> ApiError {
    ApiError::new(ErrorReason::MalformedRequest, format!("the query is malformed: {what}"))
}

fn value<T: FromStr>(key: &str, text: &str) -> Result<T, ApiError> {
    // `FromStr` of integers accepts a plus sign, which in a query means a space.
    if text.starts_with('+') {
        return Err(malformed(format_args!("{key} is not a number")));
    }
    text.parse().map_err(|_| malformed(format_args!("the value of {key} is not accepted")))
}

fn unknown<T>(key: &str) -> Result<T, ApiError> {
    let key: String = key.chars().take(40).collect();
    Err(malformed(format_args!("unknown key {key:?}")))
}

/// Query of storing metadata or a sliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PutQuery {
    /// Whether the node may buffer it while the blob is not registered yet.
    pub pending: bool,
}

impl PutQuery {
    /// Reads the query; unknown keys are refused.
    ///
    /// # Errors
    /// [`ErrorReason::MalformedRequest`].
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut parsed = Self::default();
        for (key, text) in pairs(query) {
            match key {
                "pending" => parsed.pending = value(key, text)?,
                _ => return unknown(key),
            }
        }
        Ok(parsed)
    }
}

/// Query of asking for a confirmation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfirmationQuery {
    /// Whether to wait for the registration if the node has not seen it yet.
    pub wait_for_registration: bool,
    /// Longest wait; the node's own maximum when absent.
    pub wait: Option<Duration>,
}

impl ConfirmationQuery {
    /// Reads the query; unknown keys are ignored.
    ///
    /// # Errors
    /// [`ErrorReason::MalformedRequest`].
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut parsed = Self::default();
        for (key, text) in pairs(query) {
            match key {
                "wait_for_registration" => parsed.wait_for_registration = value(key, text)?,
                "wait_millis" => parsed.wait = Some(Duration::from_millis(value(key, text)?)),
                _ => {}
            }
        }
        Ok(parsed)
    }
}

impl fmt::Display for ConfirmationQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wait_for_registration={}", self.wait_for_registration)?;
        match self.wait {
            Some(wait) => write!(f, "&wait_millis={}", wait.as_millis()),
            None => Ok(()),
        }
    }
}

/// Query of a node's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthQuery {
    /// Whether to list shards one by one.
    pub detailed: bool,
}

impl HealthQuery {
    /// Reads the query; unknown keys are ignored.
    ///
    /// # Errors
    /// [`ErrorReason::MalformedRequest`].
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut parsed = Self::default();
        for (key, text) in pairs(query) {
            if key == "detailed" {
                parsed.detailed = value(key, text)?;
            }
        }
        Ok(parsed)
    }
}

/// Which recovery symbols are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SymbolSelection {
    /// These, by position in the matrix.
    Ids(BTreeSet<SymbolId>),
    /// All that the node can give for one sliver.
    Target {
        /// The sliver's index among those of its type.
        index: SliverIndex,
        /// Its type.
        sliver_type: SliverType,
    },
}

/// Query of recovery symbols (docs/protocol/http-api.md section 3.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySymbolsQuery {
    /// Which symbols.
    pub selection: SymbolSelection,
    /// The axis of the slivers whose trees prove the symbols; the node chooses when
    /// absent. For a target, the orthogonal axis makes the symbols fit for an
    /// inconsistency proof.
    pub proof_axis: Option<SliverType>,
}

impl RecoverySymbolsQuery {
    /// All symbols that a node holds for one sliver, proved by the orthogonal slivers.
    pub fn for_target(index: SliverIndex, sliver_type: SliverType) -> Self {
        Self {
            selection: SymbolSelection::Target { index, sliver_type },
            proof_axis: Some(sliver_type.orthogonal()),
        }
    }

    /// Reads the query.
    ///
    /// # Errors
    /// [`ErrorReason::NoSymbolsSpecified`] when it names none, else
    /// [`ErrorReason::MalformedRequest`].
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut ids = BTreeSet::new();
        let (mut index, mut target_type, mut proof_axis) = (None, None, None);
        for (key, text) in pairs(query) {
            match key {
                "id" => {
                    ids.insert(value::<SymbolId>(key, text)?);
                }
                "targetSliver" => index = Some(SliverIndex(value(key, text)?)),
                "targetType" => target_type = Some(value(key, text)?),
                "proofAxis" => proof_axis = Some(value(key, text)?),
                _ => return unknown(key),
            }
        }
        let selection = match (ids.is_empty(), index, target_type) {
            (false, None, None) => SymbolSelection::Ids(ids),
            (true, Some(index), Some(sliver_type)) => {
                SymbolSelection::Target { index, sliver_type }
            }
            (true, None, None) => {
                return Err(ApiError::new(
                    ErrorReason::NoSymbolsSpecified,
                    "name symbols by id, or a sliver by targetSliver and targetType",
                ));
            }
            _ => return Err(malformed("either id, or targetSliver with targetType")),
        };
        Ok(Self { selection, proof_axis })
    }
}

impl fmt::Display for RecoverySymbolsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selection {
            SymbolSelection::Ids(ids) => {
                for (position, id) in ids.iter().enumerate() {
                    write!(f, "{}id={id}", if position == 0 { "" } else { "&" })?;
                }
            }
            SymbolSelection::Target { index, sliver_type } => {
                write!(f, "targetSliver={index}&targetType={sliver_type}")?;
            }
        }
        match self.proof_axis {
            Some(axis) => write!(f, "&proofAxis={axis}"),
            None => Ok(()),
        }
    }
}

/// Query of decoding symbols (docs/protocol/http-api.md section 3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodingSymbolsQuery {
    /// The source slivers wanted.
    pub targets: BTreeSet<SliverIndex>,
    /// Their type.
    pub sliver_type: SliverType,
}

impl DecodingSymbolsQuery {
    /// Reads the query.
    ///
    /// # Errors
    /// [`ErrorReason::NoTargetSliversSpecified`] when it names none, else
    /// [`ErrorReason::MalformedRequest`].
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut targets = BTreeSet::new();
        let mut target_type = None;
        for (key, text) in pairs(query) {
            match key {
                "targetSlivers" => {
                    targets.insert(SliverIndex(value(key, text)?));
                }
                "targetType" => target_type = Some(value(key, text)?),
                _ => return unknown(key),
            }
        }
        if targets.is_empty() {
            let message = "name at least one sliver by targetSlivers";
            return Err(ApiError::new(ErrorReason::NoTargetSliversSpecified, message));
        }
        let sliver_type = target_type.ok_or_else(|| malformed("targetType is missing"))?;
        Ok(Self { targets, sliver_type })
    }
}

impl fmt::Display for DecodingSymbolsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for target in &self.targets {
            write!(f, "targetSlivers={target}&")?;
        }
        write!(f, "targetType={}", self.sliver_type)
    }
}

/// Query of a run of symbols (docs/protocol/node.md, "Runs of symbols").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolRunQuery {
    /// The column of the first symbol.
    pub first: SliverIndex,
    /// The number of symbols, at least 1.
    pub count: u16,
}

impl SymbolRunQuery {
    /// Reads the query; both keys are needed, once, and no other is accepted.
    ///
    /// # Errors
    /// [`ErrorReason::NoSymbolsSpecified`] when it asks for none, else
    /// [`ErrorReason::MalformedRequest`].
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let (mut first, mut count) = (None, None);
        for (key, text) in pairs(query) {
            let place = match key {
                "first" => &mut first,
                "count" => &mut count,
                _ => return unknown(key),
            };
            if place.replace(value::<u16>(key, text)?).is_some() {
                return Err(malformed(format_args!("{key} is there twice")));
            }
        }
        match (first, count) {
            (Some(_), Some(0)) | (_, None) => {
                let message = "say how many symbols, at least one, by count";
                Err(ApiError::new(ErrorReason::NoSymbolsSpecified, message))
            }
            (None, _) => Err(malformed("first is missing")),
            (Some(first), Some(count)) => Ok(Self { first: SliverIndex(first), count }),
        }
    }
}

impl fmt::Display for SymbolRunQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "first={}&count={}", self.first, self.count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn symbol_queries_read_back_as_printed() {
        let ids = ["12-700", "3-4"].map(|id| id.parse().unwrap());
        let by_id = RecoverySymbolsQuery {
            selection: SymbolSelection::Ids(ids.into_iter().collect()),
            proof_axis: None,
        };
        assert_eq!(by_id.to_string(), "id=3-4&id=12-700");
        assert_eq!(RecoverySymbolsQuery::parse("id=12-700&id=3-4&id=3-4").unwrap(), by_id);
        let target = RecoverySymbolsQuery::for_target(SliverIndex(9), SliverType::Primary);
        let text = "targetSliver=9&targetType=primary&proofAxis=secondary";
        assert_eq!(target.to_string(), text);
        assert_eq!(RecoverySymbolsQuery::parse(text).unwrap(), target);
        let decoding = DecodingSymbolsQuery {
            targets: [1, 5].map(SliverIndex).into(),
            sliver_type: SliverType::Secondary,
        };
        let text = "targetSlivers=1&targetSlivers=5&targetType=secondary";
        assert_eq!(decoding.to_string(), text);
        assert_eq!(DecodingSymbolsQuery::parse(text).unwrap(), decoding);
    }

    #[test]
    fn malformed_queries_are_refused_with_their_reason() {
        // A query misread would store, sign or send something other than asked for.
        use ErrorReason::{MalformedRequest, NoSymbolsSpecified, NoTargetSliversSpecified};
        let symbols = |query| RecoverySymbolsQuery::parse(query).unwrap_err().reason;
        assert_eq!(symbols(""), NoSymbolsSpecified);
        assert_eq!(symbols("proofAxis=primary"), NoSymbolsSpecified);
        for bad in [
            "id=1",
            "id=1-2&targetSliver=3&targetType=primary",
            "targetSliver=3",
            "targetSliver=+3&targetType=primary",
            "targetSliver=65536&targetType=primary",
            "targetSliver=3&targetType=Primary",
            "id=1-2&cb=1",
        ] {
            assert_eq!(symbols(bad), MalformedRequest, "{bad}");
        }
        let run = |query| SymbolRunQuery::parse(query).unwrap_err().reason;
        for none in ["", "first=3", "first=3&count=0"] {
            assert_eq!(run(none), NoSymbolsSpecified, "{none}");
        }
        for bad in [
            "count=3",
            "first=1&count=65536",
            "first=1&first=1&count=2",
            "first=-1&count=2",
            "first=1&count=2&x=3",
        ] {
            assert_eq!(run(bad), MalformedRequest, "{bad}");
        }
        let query = SymbolRunQuery { first: SliverIndex(7), count: 9 };
        assert_eq!(query.to_string(), "first=7&count=9");
        assert_eq!(SymbolRunQuery::parse("first=7&count=9").unwrap(), query);
        let decoding = |query| DecodingSymbolsQuery::parse(query).unwrap_err().reason;
        assert_eq!(decoding("targetType=primary"), NoTargetSliversSpecified);
        assert_eq!(decoding("targetSlivers=1"), MalformedRequest);
        assert_eq!(PutQuery::parse("pending=yes").unwrap_err().reason, MalformedRequest);
        assert_eq!(PutQuery::parse("Pending=true").unwrap_err().reason, MalformedRequest);
        assert!(PutQuery::parse("pending=true").unwrap().pending);
    }

    #[test]
    fn confirmation_and_health_queries_tolerate_unknown_keys() {
        let query = ConfirmationQuery::parse("x=1&wait_for_registration=true&wait_millis=50");
        let expected = ConfirmationQuery {
            wait_for_registration: true,
            wait: Some(Duration::from_millis(50)),
        };
        assert_eq!(query.unwrap(), expected);
        assert_eq!(ConfirmationQuery::parse(&expected.to_string()).unwrap(), expected);
        assert!(HealthQuery::parse("detailed=true&x").unwrap().detailed);
        assert!(ConfirmationQuery::parse("wait_millis=-1").is_err());
    }
}
