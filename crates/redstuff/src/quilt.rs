//! Quilts: many small files in one blob, each readable on its own (docs/protocol/encoding.md section 8).
//!
//! A blob is a matrix that is read row by row; a quilt fills the same matrix column by column. The index
//! of its files lies in the first columns, and every file, a *patch*, in whole columns of its own. A column
//! is a secondary sliver: whoever wants one file fetches the slivers of its columns and no others.
//!
//! ```text
//!  column   0      1      2      3      4
//!         +------+-------------+------+------+
//!  row 0  | index| a.txt       | b.txt| zeros|     column c = secondary sliver c
//!  row 1  |      |             |      |      |     bytes go down a column, then on at
//!  row 2  |      |             |      |      |     the top of the next one
//!         +------+-------------+------+------+
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use walrus_redstuff::quilt::{FileOutline, PatchBlock, QuiltPlan, QuiltSource, Tags};
//! use walrus_redstuff::{EncodingParams, ReadAt};
//!
//! let params = EncodingParams::new(7)?;
//! let file = FileOutline { identifier: "a.txt".into(), tags: Tags::none(), length: 5 };
//! let quilt = QuiltSource::new(QuiltPlan::new(params, vec![file])?, vec![Arc::new(b"hello")]);
//!
//! let bytes = quilt.to_bytes()?;
//! let patch = quilt.plan().index().by_identifier("a.txt").ok_or("the file is in the quilt")?;
//! let columns = quilt.plan().shape().read_columns(&bytes, patch.columns())?;
//! assert_eq!(PatchBlock::parse(&columns, Some("a.txt"))?.data(), b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading order: [`QuiltShape`], [`QuiltPlan`] and [`QuiltSource`] to make one; [`QuiltIndex`] and
//! [`PatchBlock`], or [`PatchHead`] for files too long for memory, to read one; [`QuiltPatchId`], the name of a patch.

mod index;
mod patch_block;
mod patch_id;
mod plan;
mod shape;
mod source;
mod tags;

pub use index::{IndexError, QuiltIndex, QuiltPatch, index_columns};
pub use patch_block::{PatchBlock, PatchError, PatchHead};
pub use patch_id::{QuiltPatchId, QuiltPatchIdParseError};
pub use plan::{FileOutline, IdentifierError, PlanError, QuiltPlan, check_identifier};
pub use shape::{ColumnBytes, NotAQuilt, QuiltShape};
pub use source::QuiltSource;
pub use tags::{MAX_TAGS_BYTES, Tags, TagsError};

/// The only version of quilts, of patch blocks and of patch ids.
const VERSION: u8 = 1;
/// The index has at most so many columns.
const MAX_INDEX_COLUMNS: u16 = 10;
/// Bytes in front of the index: version and length.
const INDEX_HEADER_BYTES: usize = 5;
/// Bytes in front of a patch: version, length and mask.
const PATCH_HEADER_BYTES: usize = 6;
/// Longest identifier, in bytes.
pub const MAX_IDENTIFIER_BYTES: usize = 65_531;
