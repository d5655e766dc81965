//! What a file in a quilt is labelled with (sections 8.2 and 8.3).

use std::fmt;

use crate::bcs::{BcsError, Reader, Writer, uleb_len};

/// Longest serialised form of one file's tags.
pub const MAX_TAGS_BYTES: usize = u16::MAX as usize;
/// Bytes of a tag of which key and value are empty.
const LEAST_TAG_BYTES: usize = 2;

/// The tags of a file: keys with a value each, in canonical order.
///
/// It is kept as it is serialised, so that tags from outside take no more memory than they had bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Tags {
    /// A BCS map of strings to strings, checked when it was made.
    bcs: Box<[u8]>,
}

/// Why tags were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagsError {
    /// A key has two values.
    #[error("tag `{key}` is given twice")]
    Repeated {
        /// The key.
        key: String,
    },
    /// The tags take more than [`MAX_TAGS_BYTES`].
    #[error("the tags of a file take {got} bytes, at most {MAX_TAGS_BYTES} fit")]
    TooLong {
        /// Their serialised length.
        got: usize,
    },
}

impl Tags {
    /// No tags.
    pub fn none() -> Self {
        Self { bcs: Box::new([0]) }
    }

    /// These tags, given in any order.
    ///
    /// # Errors
    /// [`TagsError`].
    pub fn new<K: AsRef<str>, V: AsRef<str>>(
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, TagsError> {
        let mut total = 0_usize;
        let mut pairs = Vec::new();
        for (key, value) in tags {
            let (key, value) = (key.as_ref(), value.as_ref());
            total = total.saturating_add(string_len(key)).saturating_add(string_len(value));
            if total > MAX_TAGS_BYTES {
                return Err(TagsError::TooLong { got: total });
            }
            // Keys are sorted by their serialised form, length first.
            let mut serialised = Writer::with_capacity(string_len(key));
            serialised.bytes(key.as_bytes());
            pairs.push((serialised.finish(), key.to_owned(), value.to_owned()));
        }
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(TagsError::Repeated { key: twice[0].1.clone() });
        }
        let mut writer = Writer::with_capacity(total + 3);
        writer.count(pairs.len());
        for (key, _, value) in &pairs {
            writer.raw(key);
            writer.bytes(value.as_bytes());
        }
        let bcs = writer.finish();
        if bcs.len() > MAX_TAGS_BYTES {
            return Err(TagsError::TooLong { got: bcs.len() });
        }
        Ok(Self { bcs: bcs.into() })
    }

    /// Reads tags from within other data.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, BcsError> {
        let mut start = reader.clone();
        let left = reader.left();
        let count = reader.count(MAX_TAGS_BYTES / LEAST_TAG_BYTES, LEAST_TAG_BYTES)?;
        let mut last: Option<&[u8]> = None;
        for _ in 0..count {
            let mut key_start = reader.clone();
            let key_left = reader.left();
            reader.string(MAX_TAGS_BYTES)?;
            let key = key_start.take(key_left - reader.left())?;
            if last.is_some_and(|last| last >= key) {
                return Err(BcsError::MapOrder);
            }
            last = Some(key);
            reader.string(MAX_TAGS_BYTES)?;
        }
        let got = left - reader.left();
        if got > MAX_TAGS_BYTES {
            return Err(BcsError::TooLong { max: MAX_TAGS_BYTES, got });
        }
        Ok(Self { bcs: start.take(got)?.into() })
    }

    /// Keys and values in canonical order: by serialised key, so that short keys come first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut reader = Reader::new(&self.bcs);
        let count = reader.uleb().unwrap_or(0);
        let mut string = move || reader.string(MAX_TAGS_BYTES).expect("the map was checked");
        (0..count).map(move |_| (string(), string()))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bcs.len() == 1
    }

    /// The serialised form: a BCS map.
    pub fn as_bcs(&self) -> &[u8] {
        &self.bcs
    }
}

impl Default for Tags {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The bytes of a serialised string.
pub(super) fn string_len(text: &str) -> usize {
    uleb_len(text.len()) + text.len()
}
