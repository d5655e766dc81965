//! What a file's columns hold: a head that repeats name and tags, and the file (section 8.3).

use std::ops::Range;

use super::tags::{Tags, string_len};
use super::{PATCH_HEADER_BYTES, VERSION};
use crate::bcs::{BcsError, Reader, Writer};

/// The bit of the mask that tells of tags.
const HAS_TAGS: u8 = 1;

/// Why columns do not hold a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// They do not begin like a file of a quilt.
    #[error("no file of a quilt begins here: version {got} instead of {VERSION}")]
    Version {
        /// The first byte.
        got: u8,
    },
    /// The declared length leaves the columns.
    #[error("the file claims {got} bytes, its columns have room for {max}")]
    TooLong {
        /// Bytes after the head in these columns.
        max: usize,
        /// The length declared.
        got: u32,
    },
    /// Bits that are not known tell of sections that are not known.
    #[error("the file has sections of an unknown kind (mask {got:#04x})")]
    UnknownMask {
        /// The mask.
        got: u8,
    },
    /// The file is not the one that the index tells of.
    #[error("the index tells of `{expected}` in these columns, but they hold `{got}`")]
    OtherIdentifier {
        /// The name in the index.
        expected: String,
        /// The name in the columns.
        got: String,
    },
    /// A section is not the one form of what it holds.
    #[error("malformed head of a file in a quilt")]
    Malformed(#[from] BcsError),
}

/// What stands in front of a file, and where in the columns the file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchHead<'a> {
    identifier: &'a str,
    tags: Tags,
    data: Range<u64>,
}

impl<'a> PatchHead<'a> {
    /// Longest head: two sections of as many bytes as their lengths can tell of.
    pub const MAX_BYTES: usize = PATCH_HEADER_BYTES + 2 * (2 + u16::MAX as usize);

    /// Reads the head of the file in columns that have `columns_bytes` together, of which `start` holds the
    /// first: [`Self::MAX_BYTES`], or all if they are fewer. The file must be called `expected` where the
    /// index is at hand. Copies no more than the tags.
    ///
    /// # Errors
    /// [`PatchError`].
    pub fn parse(
        start: &'a [u8],
        columns_bytes: u64,
        expected: Option<&str>,
    ) -> Result<Self, PatchError> {
        let mut reader = Reader::new(start);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(PatchError::Version { got: version });
        }
        let (got, mask) = (reader.u32()?, reader.u8()?);
        let max = columns_bytes.saturating_sub(PATCH_HEADER_BYTES as u64);
        if u64::from(got) > max {
            return Err(PatchError::TooLong {
                max: usize::try_from(max).unwrap_or(usize::MAX),
                got,
            });
        }
        if mask & !HAS_TAGS != 0 {
            return Err(PatchError::UnknownMask { got: mask });
        }
        let end = PATCH_HEADER_BYTES as u64 + u64::from(got);
        let here = usize::try_from(got).unwrap_or(usize::MAX).min(reader.left());
        let mut block = Reader::new(reader.take(here)?);
        let mut section = section_of(&mut block)?;
        let identifier = section.string(super::MAX_IDENTIFIER_BYTES)?;
        section.finish()?;
        let mut tags = Tags::none();
        if mask & HAS_TAGS != 0 {
            let mut section = section_of(&mut block)?;
            tags = Tags::read(&mut section)?;
            section.finish()?;
        }
        if let Some(expected) = expected.filter(|expected| *expected != identifier) {
            let (expected, got) = (expected.to_owned(), identifier.to_owned());
            return Err(PatchError::OtherIdentifier { expected, got });
        }
        let data = (PATCH_HEADER_BYTES + here - block.left()) as u64..end;
        Ok(Self { identifier, tags, data })
    }

    /// The file's name.
    pub fn identifier(&self) -> &'a str {
        self.identifier
    }

    /// The file's tags.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// Where the file lies in the columns.
    pub fn data(&self) -> Range<u64> {
        self.data.clone()
    }
}

/// A file of a quilt as it lies in its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchBlock<'a> {
    identifier: &'a str,
    tags: Tags,
    data: &'a [u8],
    /// Where the block, and with it the file, ends.
    end: usize,
}

impl<'a> PatchBlock<'a> {
    /// Reads the file that `columns`, one after the other, hold, which must be called `expected` where
    /// the index is at hand. Copies no more than the tags.
    ///
    /// # Errors
    /// [`PatchError`].
    pub fn parse(columns: &'a [u8], expected: Option<&str>) -> Result<Self, PatchError> {
        let head = PatchHead::parse(columns, columns.len() as u64, expected)?;
        // Within the columns, all of which are here.
        let (start, end) = (head.data.start as usize, head.data.end as usize);
        let PatchHead { identifier, tags, .. } = head;
        Ok(Self { identifier, tags, data: &columns[start..end], end })
    }

    /// Its name.
    pub fn identifier(&self) -> &'a str {
        self.identifier
    }

    /// Its tags.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The file.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Where the file lies in the columns that were given.
    pub fn data_place(&self) -> Range<usize> {
        self.end - self.data.len()..self.end
    }
}

/// A section: its length in two bytes, then so many bytes.
fn section_of<'a>(block: &mut Reader<'a>) -> Result<Reader<'a>, BcsError> {
    let length = block.u16()?;
    Ok(Reader::new(block.take(length.into())?))
}

/// The bytes in front of a file: head, name and tags.
pub(super) fn head_len(identifier: &str, tags: &Tags) -> usize {
    let tags = if tags.is_empty() { 0 } else { 2 + tags.as_bcs().len() };
    PATCH_HEADER_BYTES + 2 + string_len(identifier) + tags
}

/// Writes what stands in front of a file of `length` bytes. The caller has checked that all of it fits
/// the length fields.
pub(super) fn write_head(identifier: &str, tags: &Tags, length: u64) -> Vec<u8> {
    let fits = "the plan checked the lengths";
    let head = head_len(identifier, tags);
    let after = (head - PATCH_HEADER_BYTES) as u64 + length;
    let mut writer = Writer::with_capacity(head);
    writer.u8(VERSION);
    writer.u32(u32::try_from(after).expect(fits));
    writer.u8(if tags.is_empty() { 0 } else { HAS_TAGS });
    writer.u16(u16::try_from(string_len(identifier)).expect(fits));
    writer.bytes(identifier.as_bytes());
    if !tags.is_empty() {
        writer.u16(u16::try_from(tags.as_bcs().len()).expect(fits));
        writer.raw(tags.as_bcs());
    }
    writer.finish()
}
