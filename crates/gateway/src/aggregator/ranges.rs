//! `Range` and what goes with it (RFC 9110 section 14).

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use walrus_sdk::ByteRange;

use crate::error::{Error, Reason};

/// Ranges in one request.
const RANGES: usize = 16;
/// Longest header that is looked at.
const HEADER_BYTES: usize = 1024;

/// The parts of a blob that a request asks for; nothing if it asks for all.
///
/// # Errors
/// 416 if none of them is in the blob, if they are too many, or overlap: asking for the
/// same bytes again and again is an attack.
pub(crate) fn requested(
    headers: &HeaderMap,
    etag: &str,
    length: u64,
) -> Result<Option<Vec<Range<u64>>>, Error> {
    let Some(value) = headers.get(RANGE) else { return Ok(None) };
    // The client has another version, or cannot tell: it gets all of this one.
    if headers.get(IF_RANGE).is_some_and(|value| value.as_bytes() != etag.as_bytes()) {
        return Ok(None);
    }
    let refuse =
        |message: &str| Error::new(Reason::InvalidByteRange, message).with("length", length);
    let text = value.to_str().map_err(|_| refuse("the range is not text"))?;
    // Another unit than bytes is not for us to refuse.
    let Some((unit, list)) = text.split_once('=') else {
        return Err(refuse("write the range as bytes=5-9"));
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ok(None);
    }
    if list.len() > HEADER_BYTES || list.split(',').count() > RANGES {
        return Err(refuse("too many ranges in one request").with("limit", RANGES));
    }
    let mut ranges = Vec::new();
    for part in list.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let range: ByteRange = part.parse().map_err(|_| refuse("write ranges as 5-9, 5- or -5"))?;
        ranges.extend(within(range, length));
    }
    if ranges.is_empty() {
        return Err(refuse("the range is not within the blob"));
    }
    let mut sorted = ranges.clone();
    sorted.sort_by_key(|range| range.start);
    if sorted.windows(2).any(|pair| pair[0].end > pair[1].start) {
        return Err(refuse("the ranges overlap"));
    }
    Ok(Some(ranges))
}

/// The bytes of a range that the blob has: an end beyond the blob's is the blob's.
fn within(range: ByteRange, length: u64) -> Option<Range<u64>> {
    let range = match range {
        ByteRange::Closed { first, last } if last >= length => ByteRange::From(first),
        other => other,
    };
    range.resolve(length).ok()
}

/// What a request's conditions say about a representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Go on.
    Met,
    /// The client has it.
    NotModified,
    /// The client wanted another.
    Failed,
}

/// Looks at `If-Match` and `If-None-Match`.
pub(crate) fn condition(headers: &HeaderMap, etag: &str) -> Condition {
    let names = |weak: bool, header: &http::HeaderValue| {
        let Ok(text) = header.to_str() else { return false };
        text.split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag == etag || (weak && tag.strip_prefix("W/") == Some(etag)))
    };
    let mut matches = headers.get_all(IF_MATCH).iter().peekable();
    if matches.peek().is_some() && !matches.any(|value| names(false, value)) {
        return Condition::Failed;
    }
    if headers.get_all(IF_NONE_MATCH).iter().any(|value| names(true, value)) {
        return Condition::NotModified;
    }
    Condition::Met
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
mod tests {
    use http::HeaderName;

    use super::*;

    const TAG: &str = "\"tag\"";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn ask(range: &str, length: u64) -> Result<Option<Vec<Range<u64>>>, Reason> {
        requested(&headers(&[(RANGE, range)]), TAG, length).map_err(|error| error.reason)
    }

    #[test]
    fn ranges_mean_what_the_standard_says() {
        // Players probe with an open range, and resume with an end beyond the blob.
        assert_eq!(ask("bytes=0-", 10), Ok(Some(vec![0..10])));
        assert_eq!(ask("bytes=5-1000", 10), Ok(Some(vec![5..10])));
        assert_eq!(ask("bytes=-3", 10), Ok(Some(vec![7..10])));
        assert_eq!(ask("bytes=-30", 10), Ok(Some(vec![0..10])));
        assert_eq!(ask("bytes=0-0, 4-5,-1", 10), Ok(Some(vec![0..1, 4..6, 9..10])));
        assert_eq!(ask("bytes=0-0,50-60", 10), Ok(Some(vec![0..1])));
        assert_eq!(ask("lines=0-0", 10), Ok(None));
        for bad in ["bytes=10-", "bytes=9-5", "bytes=-0", "bytes=a-b", "bytes=", "bytes", "bytes=1"]
        {
            assert_eq!(ask(bad, 10), Err(Reason::InvalidByteRange), "{bad}");
        }
        assert_eq!(ask("bytes=0-", 0), Err(Reason::InvalidByteRange));
    }

    #[test]
    fn many_or_overlapping_ranges_are_refused() {
        // A kilobyte of header would otherwise ask for a thousand copies of the blob.
        let many = format!("bytes={}", "0-,".repeat(RANGES + 1));
        assert_eq!(ask(&many, 10), Err(Reason::InvalidByteRange));
        assert_eq!(ask("bytes=0-5,5-9", 10), Err(Reason::InvalidByteRange));
        assert_eq!(ask("bytes=5-9,0-4", 10), Ok(Some(vec![5..10, 0..5])));
    }

    #[test]
    fn conditions_compare_whole_tags() {
        // A client that holds a version must not be sent it again, nor a part of another.
        let with = |name, value| headers(&[(name, value)]);
        assert_eq!(
            condition(&with(IF_NONE_MATCH, "\"x\", W/\"tag\""), TAG),
            Condition::NotModified
        );
        assert_eq!(condition(&with(IF_NONE_MATCH, "*"), TAG), Condition::NotModified);
        assert_eq!(condition(&with(IF_NONE_MATCH, "tag"), TAG), Condition::Met);
        assert_eq!(condition(&with(IF_MATCH, "W/\"tag\""), TAG), Condition::Failed);
        assert_eq!(condition(&with(IF_MATCH, "\"tag\""), TAG), Condition::Met);
        let other = headers(&[(RANGE, "bytes=0-1"), (IF_RANGE, "\"old\"")]);
        assert_eq!(requested(&other, TAG, 10).unwrap(), None);
        let same = headers(&[(RANGE, "bytes=0-1"), (IF_RANGE, TAG)]);
        assert_eq!(requested(&same, TAG, 10).unwrap(), Some(vec![0..2]));
    }
}
