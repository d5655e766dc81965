//! The index of a quilt: which file is in which columns (section 8.2).

use std::collections::BTreeSet;
use std::ops::Range;

use super::tags::{Tags, string_len};
use super::{
    INDEX_HEADER_BYTES, MAX_IDENTIFIER_BYTES, NotAQuilt, QuiltPatchId, QuiltShape, VERSION,
};
use crate::bcs::{BcsError, Reader, Writer, uleb_len};
use crate::blob_id::BlobId;

/// One file of a quilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuiltPatch {
    pub(super) identifier: String,
    pub(super) tags: Tags,
    pub(super) start: u16,
    pub(super) end: u16,
}

impl QuiltPatch {
    /// Its name. In a quilt from elsewhere it may be any text: look at it before using it as the name of
    /// a file or in a header.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Its tags.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// Its columns, at least one.
    pub fn columns(&self) -> Range<u16> {
        self.start..self.end
    }

    /// Its id in the quilt of this id.
    pub fn id(&self, quilt_id: BlobId) -> QuiltPatchId {
        QuiltPatchId::new(quilt_id, self.columns()).expect("a patch has at least one column")
    }
}

/// Which file is in which columns of a quilt.
///
/// The files are in the order in which they lie, without gaps and without overlap. The order of
/// identifiers is the writer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuiltIndex {
    pub(super) patches: Vec<QuiltPatch>,
    pub(super) columns: u16,
}

/// Why a blob is not a quilt, or its index is not one that a writer could have made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The blob's length is not that of a quilt.
    #[error(transparent)]
    NotAQuilt(#[from] NotAQuilt),
    /// It does not begin like a quilt.
    #[error("the blob is not a quilt: it begins with {got}, not with version {VERSION}")]
    Version {
        /// The first byte.
        got: u8,
    },
    /// The declared length is above what the index columns hold.
    #[error("the quilt's index claims {got} bytes, at most {max} fit")]
    TooLong {
        /// The most there can be.
        max: u64,
        /// The length declared.
        got: u32,
    },
    /// Fewer columns were given than the index takes.
    #[error("the quilt's index is cut off: it takes {needed} bytes, {got} are there")]
    Truncated {
        /// Bytes of the index with its head.
        needed: usize,
        /// Bytes given.
        got: usize,
    },
    /// More files than columns.
    #[error("the quilt's index claims {got} files, at most {max} fit")]
    TooManyPatches {
        /// The most there can be.
        max: usize,
        /// The number declared.
        got: usize,
    },
    /// A file ends where it starts, or before: it would overlap with others.
    #[error(
        "file {position} of the quilt's index overlaps: it starts in column {start} and ends before column {end}"
    )]
    Overlap {
        /// The file's place in the index, from 0.
        position: usize,
        /// Where the file before it ends.
        start: u16,
        /// Where it ends.
        end: u16,
    },
    /// A file lies beyond the quilt.
    #[error(
        "file {position} of the quilt's index ends before column {end}, but there are {columns}"
    )]
    OutOfRange {
        /// The file's place in the index, from 0.
        position: usize,
        /// Where it ends.
        end: u16,
        /// The quilt's columns.
        columns: u16,
    },
    /// Two files have one name.
    #[error("two files of the quilt's index are called `{identifier}`")]
    DuplicateIdentifier {
        /// The name.
        identifier: String,
    },
    /// The bytes are not the one form of an index.
    #[error("malformed quilt index")]
    Malformed(#[from] BcsError),
}

/// How many columns the index takes, read from the first one.
///
/// # Errors
/// [`IndexError`] if this is not the first column of a quilt.
pub fn index_columns(shape: &QuiltShape, first_column: &[u8]) -> Result<u16, IndexError> {
    let bytes = INDEX_HEADER_BYTES + index_bytes(shape, first_column)?;
    // At most ten: `index_bytes` compared it with what these hold.
    Ok(bytes.div_ceil(shape.column_bytes()) as u16)
}

/// The declared length of the index, if so much can be there.
fn index_bytes(shape: &QuiltShape, start: &[u8]) -> Result<usize, IndexError> {
    let mut reader = Reader::new(start);
    let version = reader.u8()?;
    if version != VERSION {
        return Err(IndexError::Version { got: version });
    }
    let got = reader.u32()?;
    let room = u64::from(shape.max_index_columns()) * shape.column_bytes() as u64;
    let max = room.saturating_sub(INDEX_HEADER_BYTES as u64);
    if u64::from(got) > max {
        return Err(IndexError::TooLong { max, got });
    }
    Ok(got as usize)
}

impl QuiltIndex {
    /// Reads the index from the bytes of the quilt's first columns, at least [`index_columns`] of them.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn from_columns(shape: &QuiltShape, columns: &[u8]) -> Result<Self, IndexError> {
        let length = index_bytes(shape, columns)?;
        let needed = INDEX_HEADER_BYTES + length;
        let bcs = columns.get(INDEX_HEADER_BYTES..needed);
        let bcs = bcs.ok_or(IndexError::Truncated { needed, got: columns.len() })?;
        Self::from_bcs(shape, bcs)
    }

    /// Reads the index from its serialised form, without the head.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn from_bcs(shape: &QuiltShape, bcs: &[u8]) -> Result<Self, IndexError> {
        let columns = (INDEX_HEADER_BYTES + bcs.len()).div_ceil(shape.column_bytes());
        let fits = columns <= usize::from(shape.max_index_columns());
        let max = usize::from(shape.max_index_columns()) * shape.column_bytes();
        let columns = u16::try_from(columns).ok().filter(|_| fits);
        let columns = columns.ok_or(BcsError::TooLong { max, got: bcs.len() })?;
        let mut reader = Reader::new(bcs);
        let (count, max) = (reader.uleb()? as usize, shape.max_patches());
        if count > max {
            return Err(IndexError::TooManyPatches { max, got: count });
        }
        // Nothing is reserved for a count that was only claimed.
        let mut patches: Vec<QuiltPatch> = Vec::new();
        for position in 0..count {
            let start = patches.last().map_or(columns, |last| last.end);
            patches.push(read_patch(shape, &mut reader, position, start)?);
        }
        reader.finish()?;
        let mut names = BTreeSet::new();
        if let Some(twice) = patches.iter().find(|patch| !names.insert(patch.identifier())) {
            return Err(IndexError::DuplicateIdentifier { identifier: twice.identifier.clone() });
        }
        Ok(Self { patches, columns })
    }

    /// The serialised form, without version and length.
    pub fn to_bcs(&self) -> Vec<u8> {
        let files = self.patches.iter().map(|patch| (patch.identifier.as_str(), &patch.tags));
        let mut writer = Writer::with_capacity(bcs_len(files));
        writer.count(self.patches.len());
        for patch in &self.patches {
            writer.u16(patch.end);
            writer.bytes(patch.identifier.as_bytes());
            writer.raw(patch.tags.as_bcs());
        }
        writer.finish()
    }

    /// What the first columns of the quilt begin with: version, length and index.
    pub(super) fn to_block(&self) -> Vec<u8> {
        let bcs = self.to_bcs();
        let length = u32::try_from(bcs.len()).expect("ten columns have fewer than 2^32 bytes");
        let mut writer = Writer::with_capacity(INDEX_HEADER_BYTES + bcs.len());
        writer.u8(VERSION);
        writer.u32(length);
        writer.raw(&bcs);
        writer.finish()
    }

    /// The files in the order in which they lie.
    pub fn patches(&self) -> &[QuiltPatch] {
        &self.patches
    }

    /// How many columns the index takes.
    pub fn columns(&self) -> u16 {
        self.columns
    }

    /// The file of this name.
    pub fn by_identifier(&self, identifier: &str) -> Option<&QuiltPatch> {
        self.patches.iter().find(|patch| patch.identifier == identifier)
    }

    /// The files that carry this tag with exactly this value.
    pub fn by_tag<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
    ) -> impl Iterator<Item = &'a QuiltPatch> {
        self.patches.iter().filter(move |patch| patch.tags.get(key) == Some(value))
    }

    /// The file that lies in exactly these columns.
    pub fn by_columns(&self, columns: &Range<u16>) -> Option<&QuiltPatch> {
        self.patches.iter().find(|patch| patch.columns() == *columns)
    }
}

fn read_patch(
    shape: &QuiltShape,
    reader: &mut Reader<'_>,
    position: usize,
    start: u16,
) -> Result<QuiltPatch, IndexError> {
    let end = reader.u16()?;
    if end <= start {
        return Err(IndexError::Overlap { position, start, end });
    }
    let columns = shape.columns();
    if end > columns {
        return Err(IndexError::OutOfRange { position, end, columns });
    }
    let identifier = reader.string(MAX_IDENTIFIER_BYTES)?.to_owned();
    Ok(QuiltPatch { identifier, tags: Tags::read(reader)?, start, end })
}

/// The serialised length of an index of these files: it does not depend on where they lie.
pub(super) fn bcs_len<'a>(files: impl ExactSizeIterator<Item = (&'a str, &'a Tags)>) -> usize {
    let count = uleb_len(files.len());
    count + files.map(|(name, tags)| 2 + string_len(name) + tags.as_bcs().len()).sum::<usize>()
}
