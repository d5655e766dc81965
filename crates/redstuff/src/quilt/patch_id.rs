//! The name of a file in a quilt (section 8.6).

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{QuiltShape, VERSION};
use crate::blob_id::BlobId;

/// The bytes of a quilt patch id.
const BYTES: usize = 37;
/// The characters of its text form.
const TEXT_LEN: usize = 50;
/// The characters of a blob id.
const BLOB_ID_TEXT_LEN: usize = 43;

/// A quilt, and columns of it that hold one file.
///
/// It is only a range of columns. Anybody can make one up that points inside of a file, where its author
/// may have put something that looks like another file. Whoever must know that it names a file of the
/// quilt asks [`QuiltIndex::by_columns`](super::QuiltIndex::by_columns).
///
/// Text form: 50 characters of URL-safe base64 without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuiltPatchId {
    quilt_id: BlobId,
    start: u16,
    end: u16,
}

/// Why text or bytes are not a quilt patch id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuiltPatchIdParseError {
    /// It is a blob's id, not that of a file within one.
    #[error("this is the id of a whole blob: a quilt patch id has {TEXT_LEN} characters")]
    BlobId,
    /// The text does not have 50 characters.
    #[error("a quilt patch id has {TEXT_LEN} characters, not {got}")]
    Length {
        /// The bytes of text found.
        got: usize,
    },
    /// The text is not the URL-safe base64 of 37 bytes.
    #[error("a quilt patch id is URL-safe base64 without padding")]
    Base64,
    /// The version is not known.
    #[error("quilt patch ids of version {got} are not known, only those of version {VERSION}")]
    Version {
        /// The version found.
        got: u8,
    },
    /// The columns end where they start, or before.
    #[error("the quilt patch id names no columns: {start} to {end}")]
    NoColumns {
        /// The first column.
        start: u16,
        /// The column after the last.
        end: u16,
    },
}

impl QuiltPatchId {
    /// The id of the patch in these columns, the last of which is excluded; nothing if there are none.
    pub fn new(quilt_id: BlobId, columns: Range<u16>) -> Option<Self> {
        let Range { start, end } = columns;
        (start < end).then_some(Self { quilt_id, start, end })
    }

    /// The quilt.
    pub const fn quilt_id(&self) -> &BlobId {
        &self.quilt_id
    }

    /// The columns, at least one.
    pub const fn columns(&self) -> Range<u16> {
        self.start..self.end
    }

    /// Whether a quilt of this shape has these columns. To be asked before anything is fetched.
    pub fn fits(&self, shape: &QuiltShape) -> bool {
        self.end <= shape.columns()
    }

    /// The id's bytes: quilt, version, first column, column after the last, little-endian.
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..32].copy_from_slice(self.quilt_id.as_bytes());
        bytes[32] = VERSION;
        bytes[33..35].copy_from_slice(&self.start.to_le_bytes());
        bytes[35..].copy_from_slice(&self.end.to_le_bytes());
        bytes
    }

    /// The id with these bytes.
    ///
    /// # Errors
    /// [`QuiltPatchIdParseError::Version`] or [`QuiltPatchIdParseError::NoColumns`].
    pub fn from_bytes(bytes: &[u8; BYTES]) -> Result<Self, QuiltPatchIdParseError> {
        if bytes[32] != VERSION {
            return Err(QuiltPatchIdParseError::Version { got: bytes[32] });
        }
        let mut quilt_id = [0; 32];
        quilt_id.copy_from_slice(&bytes[..32]);
        let start = u16::from_le_bytes([bytes[33], bytes[34]]);
        let end = u16::from_le_bytes([bytes[35], bytes[36]]);
        Self::new(BlobId::from_bytes(quilt_id), start..end)
            .ok_or(QuiltPatchIdParseError::NoColumns { start, end })
    }
}

impl FromStr for QuiltPatchId {
    type Err = QuiltPatchIdParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() {
            TEXT_LEN => {}
            BLOB_ID_TEXT_LEN if text.parse::<BlobId>().is_ok() => {
                return Err(QuiltPatchIdParseError::BlobId);
            }
            got => return Err(QuiltPatchIdParseError::Length { got }),
        }
        let mut bytes = [0; BYTES];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(BYTES) => Self::from_bytes(&bytes),
            _ => Err(QuiltPatchIdParseError::Base64),
        }
    }
}

impl fmt::Display for QuiltPatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&URL_SAFE_NO_PAD.encode(self.to_bytes()))
    }
}

impl fmt::Debug for QuiltPatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuiltPatchId({}, columns {}..{})", self.quilt_id, self.start, self.end)
    }
}

impl Serialize for QuiltPatchId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QuiltPatchId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
