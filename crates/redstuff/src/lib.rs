//! Encodes blobs into slivers, proves them, and decodes and heals them (RedStuff).
//!
//! A blob is laid out as a matrix of symbols, and a Reed-Solomon code extends its rows and its columns
//! to `n` by `n` for `n` shards. Each shard keeps one row (a *primary sliver*) and one column (a
//! *secondary sliver*). A third of the rows or two thirds of the columns give the blob back; a lost
//! sliver is healed from single symbols of the others; and a Merkle tree over every row and column,
//! hashed together into the blob id, shows whether any of it is genuine. The bytes are those of the
//! public network, as docs/protocol/encoding.md lays them down.
//!
//! This crate is no client and no node: it has no clock, no file and no socket, and no global state but
//! tables that are computed once. Threads ([`Workers`]) and storage ([`ReadAt`], [`ReadWriteAt`]) are
//! handed in. It knows neither signatures nor committees.
//!
//! ```
//! use walrus_redstuff::{ConsistencyCheck, EncodingParams, Encoder, Primary, SliverIndex, decode};
//!
//! let params = EncodingParams::new(10)?;
//! let encoded = Encoder::new(params).encode(b"walrus blob id v1 regression test")?;
//! let metadata = encoded.metadata();
//! assert_eq!(metadata.blob_id().to_string(), "RcU82Mwf-CFkv1LaI_2qcpANwpGUuG3TMwnVzZxD2kY");
//!
//! // Any four of the ten primary slivers are enough.
//! let slivers = [9, 2, 7, 4].into_iter().filter_map(|index| encoded.sliver::<Primary>(SliverIndex(index)));
//! let blob = decode(metadata, slivers, ConsistencyCheck::Default)?;
//! assert_eq!(blob, b"walrus blob id v1 regression test");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reading order
//!
//! 1. [`EncodingParams`]: all that follows from the number of shards. [`BlobId`], [`SliverIndex`],
//!    [`SliverPairIndex`], [`ShardIndex`]: names. [`SliverType`], [`Primary`], [`Secondary`]: the axes.
//! 2. [`Encoder`] and [`EncodedBlob`]: from bytes to slivers.
//! 3. [`BlobMetadata`] and [`VerifiedMetadata`], [`Sliver`] and [`VerifiedSliver`]: what arrives, and
//!    what has been checked. [`decode`]: back to bytes.
//! 4. [`ExpandedSliver`], [`RecoverySymbol`], [`GeneralRecoverySymbol`], [`recover_sliver`],
//!    [`InconsistencyProof`]: healing.
//! 5. [`StreamEncoder`] and [`StreamDecoder`]: blobs that do not fit into memory. [`RangeCover`],
//!    [`SymbolRun`]: parts of blobs.
//! 6. [`quilt`]: many files in one blob.
//! 7. [`engine`]: the arithmetic and hashing below; [`bcs`]: the serialised form.
//!
//! # Guarantees
//!
//! - A `Verified` type exists only for what a blob id commits to; there is no way around the check.
//! - Bytes from outside never panic, have exactly one accepted form, and are bounded before anything
//!   is allocated for them.
//! - [`decode`] with the default check gives every reader the same bytes or an error.
//! - All engines, any number of threads, and streaming give the same bytes.

mod any_sliver;
mod axis;
pub mod bcs;
mod blob_id;
mod buffer;
mod decode;
mod decoding_symbol;
mod encode;
pub mod engine;
mod expanded;
mod hash;
mod inconsistency;
mod index;
mod layout;
mod merkle;
mod metadata;
mod params;
pub mod quilt;
mod range;
mod recovery;
mod sheet;
mod sliver;
mod sliver_view;
mod storage;
mod stream;
mod symbol;
mod trees;
mod workers;

pub use any_sliver::{AnySliver, AnyVerifiedSliver};
pub use axis::{Axis, Primary, Secondary, SliverType, SliverTypeParseError};
pub use blob_id::{BlobId, BlobIdParseError, Digest};
pub use decode::{ConsistencyCheck, DecodeError, Inconsistency, decode, decode_with};
pub use decoding_symbol::{
    DecodingSymbol, DecodingSymbols, EitherDecodingSymbol, decoding_symbols_from_bcs,
    decoding_symbols_to_bcs,
};
pub use encode::{EncodedBlob, Encoder};
pub use expanded::ExpandedSliver;
pub use hash::blake2b256;
pub use inconsistency::{AnyInconsistencyProof, InconsistencyProof, ProofError};
pub use index::{ShardIndex, SliverIndex, SliverPairIndex, SymbolId, SymbolIdParseError};
pub use merkle::{MerkleProof, MerkleTree, Node, path_length};
pub use metadata::{
    BlobMetadata, BlobMetadataWithId, MetadataError, SliverPairHashes, VerifiedMetadata,
};
pub use params::{
    DataTooLarge, EncodingParams, EncodingType, EncodingTypeParseError, MAX_SHARDS,
    MAX_SYMBOL_BYTES, MIN_SHARDS, ParamsError, SymbolSize,
};
pub use range::{
    ProvenSliverHashes, RangeCover, RangeError, RowRun, RunError, RunProof, SliverHashError,
    SliverHashProof, SymbolRun, VerifiedRun,
};
pub use recovery::{RecoverError, recover_sliver, recover_sliver_unproven};
pub use sliver::{Sliver, SliverError, SliverPair, VerifiedSliver};
pub use sliver_view::{SliverChecker, SliverView};
pub use storage::{Memory, ReadAt, ReadWriteAt};
pub use stream::{
    DecodeStreamError, EncodeStreamError, StreamDecoder, StreamEncoder, StreamedBlob,
};
pub use symbol::{
    EitherRecoverySymbol, GeneralRecoverySymbol, RecoverySymbol, RecoverySymbolPair, SymbolError,
    VerifiedSymbol,
};
pub use workers::{Workers, WorkersError};
