//! What is asked of a quilt, and what comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use walrus_core::NodeId;
use walrus_redstuff::BlobId;
use walrus_redstuff::quilt::{IndexError, PatchError, QuiltPatchId, Tags};

use crate::client::ReadBlobError;
use crate::range::describe;

/// What is wanted of the reading of a quilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuiltReadOptions {
    /// The most bytes of columns fetched for the index or for one file; refused before any is.
    pub max_patch_bytes: u64,
    /// The longest quilt that is read as a whole where single columns can neither be had nor recovered.
    pub max_quilt_bytes: u64,
    /// Whether a file read by its id must be in the quilt's index. An id is only a range of columns: one
    /// that somebody made up can point at bytes within a file that look like another file. The index
    /// costs its columns, mostly one.
    pub check_index: bool,
}

impl Default for QuiltReadOptions {
    fn default() -> Self {
        Self { max_patch_bytes: 1 << 30, max_quilt_bytes: 1 << 30, check_index: true }
    }
}

/// What a file of a quilt is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchName {
    /// Its columns, as a quilt patch id names them.
    Id(QuiltPatchId),
    /// Its name.
    Identifier(String),
    /// A tag that only it carries.
    Tag {
        /// The key.
        key: String,
        /// The value, exactly.
        value: String,
    },
}

impl std::fmt::Display for PatchName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "file {id}"),
            Self::Identifier(identifier) => write!(f, "file `{identifier}`"),
            Self::Tag { key, value } => write!(f, "file tagged `{key}={value}`"),
        }
    }
}

/// A file of a quilt that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPatch {
    /// Its id.
    pub id: QuiltPatchId,
    /// Its name.
    pub identifier: String,
    /// Its tags.
    pub tags: Tags,
    /// The file, verified against the quilt's blob id.
    pub bytes: Vec<u8>,
}

/// What reading from a quilt cost so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuiltReport {
    /// The length of the whole quilt.
    pub quilt_bytes: u64,
    /// Bytes of all answers received, wrong ones and the metadata included.
    pub bytes_fetched: u64,
    /// Columns that came from the nodes that hold them.
    pub columns: u32,
    /// Columns that had to be recovered from symbols of other nodes.
    pub columns_recovered: u32,
    /// The whole quilt had to be read.
    pub whole_quilt: bool,
    /// Nodes that sent wrong data, with the first wrong answer of each.
    pub misbehaved: BTreeMap<NodeId, String>,
    /// Nodes that failed otherwise, with the last failure of each.
    pub failed: BTreeMap<NodeId, String>,
    /// Time for all of it.
    pub time: Duration,
}

/// Why something was not read from a quilt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadQuiltError {
    /// The blob is not a quilt, or its index is not one that a writer could have made.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The columns do not hold the file.
    #[error("the file in the quilt is malformed: {0}")]
    Patch(#[from] PatchError),
    /// The quilt's index has no such file.
    #[error("quilt {quilt_id} has no {name}")]
    NoSuchPatch {
        /// The quilt.
        quilt_id: BlobId,
        /// What was asked for.
        name: PatchName,
    },
    /// Several files carry the tag.
    #[error("more than one {name}: {}", identifiers.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: PatchName,
        /// Their names.
        identifiers: Vec<String>,
    },
    /// The columns are longer than the reader accepts.
    #[error("the columns have {length} bytes, the limit of this reader is {max}")]
    TooLong {
        /// Bytes of the columns.
        length: u64,
        /// The reader's limit.
        max: u64,
    },
    /// Columns could not be had, and the quilt is longer than the reader accepts.
    #[error(
        "parts of the quilt could not be had or recovered: {}", describe(.misbehaved, .failed)
    )]
    OutOfReach {
        /// Nodes that sent wrong data, with the first wrong answer of each.
        misbehaved: BTreeMap<NodeId, String>,
        /// Nodes that failed otherwise, with the last failure of each.
        failed: BTreeMap<NodeId, String>,
    },
    /// What was put aside of a whole quilt cannot be read back.
    #[error("what was put aside of the quilt cannot be read: {0}")]
    Aside(std::io::Error),
    /// The file cannot be written where it was wanted.
    #[error("the file of the quilt cannot be written: {0}")]
    Output(std::io::Error),
    /// The blob cannot be read at all.
    #[error(transparent)]
    Read(#[from] ReadBlobError),
}
