//! Which bytes of a blob are meant.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Bytes of a blob whose length need not be known yet. Text form, as in HTTP: `5-9`, `5-`, `-5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// `5-9`: from the first byte to the last, both included.
    Closed {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte, not before the first.
        last: u64,
    },
    /// `5-`: from this byte to the end of the blob.
    From(u64),
    /// `-5`: so many bytes at the end of the blob, or all if it has fewer.
    Last(u64),
}

impl ByteRange {
    /// The bytes `range`, or nothing if there are none in it.
    pub const fn exactly(range: Range<u64>) -> Option<Self> {
        if range.start >= range.end {
            return None;
        }
        Some(Self::Closed { first: range.start, last: range.end - 1 })
    }

    /// The range in a blob of `length` bytes. It is never empty.
    ///
    /// # Errors
    /// [`RangeNotInBlob`] if a byte that was asked for is not there.
    pub const fn resolve(self, length: u64) -> Result<Range<u64>, RangeNotInBlob> {
        let error = Err(RangeNotInBlob { range: self, length });
        match self {
            Self::Closed { first, last } if first <= last && last < length => Ok(first..last + 1),
            Self::From(first) if first < length => Ok(first..length),
            Self::Last(count) if count > 0 && length > 0 => {
                Ok(length.saturating_sub(count)..length)
            }
            _ => error,
        }
    }

    /// The first byte and the fewest bytes that the range can have, as far as the range alone tells.
    pub(super) const fn fewest_bytes(self) -> u64 {
        match self {
            Self::Closed { first, last } => (last - first).saturating_add(1),
            Self::From(_) | Self::Last(_) => 1,
        }
    }
}

/// The blob does not have the bytes asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the range {range} is not within the blob, which has {length} bytes")]
pub struct RangeNotInBlob {
    /// The range.
    pub range: ByteRange,
    /// The blob's length.
    pub length: u64,
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { first, last } => write!(f, "{first}-{last}"),
            Self::From(first) => write!(f, "{first}-"),
            Self::Last(count) => write!(f, "-{count}"),
        }
    }
}

/// Text that is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a range of bytes: write `5-9`, `5-` or `-5`")]
pub struct ByteRangeParseError;

impl FromStr for ByteRange {
    type Err = ByteRangeParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once('-').ok_or(ByteRangeParseError)?;
        let range = match (first.is_empty(), last.is_empty()) {
            (false, false) => Self::Closed { first: number(first)?, last: number(last)? },
            (false, true) => Self::From(number(first)?),
            (true, false) => Self::Last(number(last)?),
            (true, true) => return Err(ByteRangeParseError),
        };
        match range {
            Self::Closed { first, last } if first > last => Err(ByteRangeParseError),
            Self::Last(0) => Err(ByteRangeParseError),
            range => Ok(range),
        }
    }
}

/// Digits only: the standard parser would also take a sign.
fn number(text: &str) -> Result<u64, ByteRangeParseError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ByteRangeParseError);
    }
    text.parse().map_err(|_| ByteRangeParseError)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// If this failed, a user would get other bytes than the text says, or fewer without a word.
    #[test]
    fn ranges_mean_what_they_mean_in_http() {
        for (text, length, expected) in [
            ("0-0", 1, Some(0..1)),
            ("5-9", 10, Some(5..10)),
            ("5-9", 9, None),
            ("5-", 6, Some(5..6)),
            ("5-", 5, None),
            ("-5", 10, Some(5..10)),
            ("-5", 3, Some(0..3)),
            ("-5", 0, None),
            ("0-", 0, None),
            ("0-18446744073709551615", u64::MAX, None),
        ] {
            let range: ByteRange = text.parse().unwrap();
            assert_eq!(range.to_string(), text);
            assert_eq!(range.resolve(length).ok(), expected, "{text} of {length}");
        }
        for text in ["", "-", "5", "9-5", "-0", "+1-2", "1-+2", "a-b", "1-2-3", "1 -2", "--1"] {
            assert_eq!(text.parse::<ByteRange>(), Err(ByteRangeParseError), "{text:?}");
        }
        assert_eq!(ByteRange::exactly(3..3), None);
        assert_eq!(ByteRange::exactly(3..5), Some(ByteRange::Closed { first: 3, last: 4 }));
    }
}
