//! Where files will lie in a quilt, from their names, tags and lengths alone (sections 8.4 and 8.5).

use std::ops::Range;

use super::index::{QuiltIndex, QuiltPatch, bcs_len};
use super::patch_block::{head_len, write_head};
use super::tags::Tags;
use super::{
    INDEX_HEADER_BYTES, MAX_IDENTIFIER_BYTES, MAX_INDEX_COLUMNS, PATCH_HEADER_BYTES, QuiltShape,
};
use crate::params::{EncodingParams, MAX_SYMBOL_BYTES, SymbolSize};

/// What must be known of a file to make room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOutline {
    /// Its name in the quilt.
    pub identifier: String,
    /// Its tags.
    pub tags: Tags,
    /// Its length in bytes.
    pub length: u64,
}

/// Why a text cannot be the name of a file in a quilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is too long.
    #[error("it has {got} bytes, at most {MAX_IDENTIFIER_BYTES} are allowed")]
    TooLong {
        /// Its length.
        got: usize,
    },
    /// It ends with white space.
    #[error("it ends with white space")]
    TrailingSpace,
    /// It contains a control character.
    #[error("it contains a control character")]
    Control,
}

/// Why files cannot become a quilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There are no files.
    #[error("a quilt needs at least one file")]
    Empty,
    /// There are more files than columns.
    #[error("{got} files do not fit into one quilt: with {n_shards} shards it holds at most {max}")]
    TooManyFiles {
        /// The most there can be.
        max: usize,
        /// The number of files.
        got: usize,
        /// The number of shards.
        n_shards: u16,
    },
    /// Two files have one name.
    #[error("two files are called `{identifier}`")]
    DuplicateIdentifier {
        /// The name.
        identifier: String,
    },
    /// A file's name is not allowed.
    #[error("`{}` cannot be the name of a file in a quilt: {reason}", identifier.escape_debug())]
    Identifier {
        /// The name.
        identifier: String,
        /// What is wrong with it.
        reason: IdentifierError,
    },
    /// A file is too long for its length to be written down.
    #[error("`{identifier}` has {got} bytes, a file in a quilt at most {max}")]
    FileTooLong {
        /// The file's name.
        identifier: String,
        /// The most there can be.
        max: u64,
        /// Its length.
        got: u64,
    },
    /// All files together are more than a blob can hold.
    #[error(
        "the files do not fit into one blob: with {n_shards} shards it has at most {max} bytes"
    )]
    TooLarge {
        /// The length of the longest blob.
        max: u64,
        /// The number of shards.
        n_shards: u16,
    },
}

/// Looks at the name of a file.
///
/// # Errors
/// [`IdentifierError`].
pub fn check_identifier(identifier: &str) -> Result<(), IdentifierError> {
    if identifier.is_empty() {
        return Err(IdentifierError::Empty);
    }
    if identifier.len() > MAX_IDENTIFIER_BYTES {
        return Err(IdentifierError::TooLong { got: identifier.len() });
    }
    if identifier.ends_with(char::is_whitespace) {
        return Err(IdentifierError::TrailingSpace);
    }
    if identifier.contains(char::is_control) {
        return Err(IdentifierError::Control);
    }
    Ok(())
}

/// The index and the shape of a quilt that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuiltPlan {
    shape: QuiltShape,
    index: QuiltIndex,
    /// For each patch, which of the given files it is, and its length.
    files: Vec<(usize, u64)>,
}

impl QuiltPlan {
    /// Plans a quilt of files in any order.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(params: EncodingParams, files: Vec<FileOutline>) -> Result<Self, PlanError> {
        let n_shards = params.n_shards();
        let columns = params.secondary_source_symbols();
        if files.is_empty() {
            return Err(PlanError::Empty);
        }
        let mut files: Vec<(usize, FileOutline)> = files.into_iter().enumerate().collect();
        files.sort_by(|(_, a), (_, b)| a.identifier.cmp(&b.identifier));
        if let Some(twice) = files.windows(2).find(|two| two[0].1.identifier == two[1].1.identifier)
        {
            let identifier = twice[0].1.identifier.clone();
            return Err(PlanError::DuplicateIdentifier { identifier });
        }
        if files.len() >= usize::from(columns) {
            let (max, got) = (usize::from(columns) - 1, files.len());
            return Err(PlanError::TooManyFiles { max, got, n_shards });
        }
        let names = files.iter().map(|(_, file)| (file.identifier.as_str(), &file.tags));
        let mut sizes = vec![(INDEX_HEADER_BYTES + bcs_len(names)) as u64];
        for (_, file) in &files {
            sizes.push(block_bytes(file)?);
        }
        let max = params.max_blob_size();
        let symbol_size =
            symbol_size(params, &sizes).ok_or(PlanError::TooLarge { max, n_shards })?;
        let shape = QuiltShape::new(params, symbol_size);
        let mut index = QuiltIndex { columns: columns_of(&shape, sizes[0]), patches: Vec::new() };
        let mut start = index.columns;
        let mut origins = Vec::with_capacity(files.len());
        for ((origin, file), size) in files.into_iter().zip(&sizes[1..]) {
            let end = start + columns_of(&shape, *size);
            let FileOutline { identifier, tags, length } = file;
            index.patches.push(QuiltPatch { identifier, tags, start, end });
            origins.push((origin, length));
            start = end;
        }
        Ok(Self { shape, index, files: origins })
    }

    /// The matrix.
    pub fn shape(&self) -> &QuiltShape {
        &self.shape
    }

    /// The index.
    pub fn index(&self) -> &QuiltIndex {
        &self.index
    }

    /// Each file's place in the list that the plan was made from, its columns, what stands in front of it,
    /// and its length.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, Range<u16>, Vec<u8>, u64)> {
        self.index.patches.iter().zip(&self.files).map(|(patch, (origin, length))| {
            let head = write_head(&patch.identifier, &patch.tags, *length);
            (*origin, patch.columns(), head, *length)
        })
    }
}

/// The bytes that a file takes with what stands in front of it.
fn block_bytes(file: &FileOutline) -> Result<u64, PlanError> {
    check_identifier(&file.identifier)
        .map_err(|reason| PlanError::Identifier { identifier: file.identifier.clone(), reason })?;
    let head = head_len(&file.identifier, &file.tags) as u64;
    let max = u64::from(u32::MAX) - (head - PATCH_HEADER_BYTES as u64);
    if file.length > max {
        let identifier = file.identifier.clone();
        return Err(PlanError::FileTooLong { identifier, max, got: file.length });
    }
    Ok(head + file.length)
}

/// The columns that so many bytes take. The symbol size was chosen so that all of them fit.
fn columns_of(shape: &QuiltShape, bytes: u64) -> u16 {
    let columns = bytes.div_ceil(shape.column_bytes() as u64);
    u16::try_from(columns).expect("everything fits the columns")
}

/// The smallest symbol size with which the index and all files fit, if there is one.
fn symbol_size(params: EncodingParams, sizes: &[u64]) -> Option<SymbolSize> {
    let rows = u64::from(params.primary_source_symbols());
    let columns = u64::from(params.secondary_source_symbols());
    // No size is above 2^33 and there are fewer than 2^16.
    let sum: u64 = sizes.iter().sum();
    let longest = sizes.iter().copied().max()?;
    let mut low = sum.div_ceil(columns * rows);
    low = low.max(sizes[0].div_ceil(rows * u64::from(MAX_INDEX_COLUMNS)));
    low = low.max((INDEX_HEADER_BYTES as u64).div_ceil(rows));
    let mut high = longest.div_ceil(columns / sizes.len() as u64 * rows);
    while low < high {
        let middle = (low + high) / 2;
        let needed: u64 = sizes.iter().map(|size| size.div_ceil(middle * rows)).sum();
        if needed <= columns { high = middle } else { low = middle + 1 }
    }
    let even = low.next_multiple_of(2);
    let even = u16::try_from(even).ok().filter(|even| *even <= MAX_SYMBOL_BYTES)?;
    SymbolSize::new(even)
}
