//! Runs of symbols with all that proves them.

use std::fmt;

use crate::axis::{Primary, SliverType};
use crate::bcs::{BcsError, Reader, Writer};
use crate::blob_id::BlobId;
use crate::expanded::ExpandedSliver;
use crate::index::SliverIndex;
use crate::params::{EncodingParams, SymbolSize};
use crate::sliver::VerifiedSliver;

use super::{RowRun, RunProof, SliverHashError, SliverHashProof};

/// Why a run of symbols was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The bytes are not a run.
    #[error("malformed run of symbols")]
    Malformed(#[from] BcsError),
    /// The hash of the row does not belong to the blob.
    #[error("the run's row is not proven")]
    Hashes(#[from] SliverHashError),
    /// The run is of another row, or begins at another column.
    #[error(
        "the run begins in row {got_row} at column {got_first}, not in row {row} at column {first}"
    )]
    WrongPlace {
        /// The row asked for.
        row: SliverIndex,
        /// The first column asked for.
        first: SliverIndex,
        /// The run's row.
        got_row: SliverIndex,
        /// The run's first column.
        got_first: SliverIndex,
    },
    /// The symbols asked for do not lie on a primary sliver.
    #[error("{count} symbols from column {first} of row {row} are not on a primary sliver")]
    NotOnSliver {
        /// The row.
        row: SliverIndex,
        /// The first column.
        first: SliverIndex,
        /// The number of symbols.
        count: u16,
    },
    /// The run has more or fewer symbols than asked for.
    #[error("the run must be {expected} bytes long, not {got}")]
    WrongLength {
        /// The length of the symbols asked for.
        expected: usize,
        /// The run's length.
        got: usize,
    },
    /// The proof has more or fewer digests than such a run needs.
    #[error("the proof of the run has {got} digests, not {expected}")]
    WrongProofLength {
        /// The digests needed.
        expected: usize,
        /// The digests there.
        got: usize,
    },
    /// The symbols are not those of the row: whoever sent them is to blame.
    #[error("the symbols from column {first} of row {row} are not what the blob id commits to")]
    WrongHash {
        /// The row.
        row: SliverIndex,
        /// The first column.
        first: SliverIndex,
    },
}

/// Neighbouring symbols of a row, with the proof that the row contains them and the proof that the
/// blob contains the row.
#[derive(Clone, PartialEq, Eq)]
pub struct SymbolRun {
    hashes: SliverHashProof,
    first: SliverIndex,
    data: Vec<u8>,
    proof: RunProof,
}

impl SymbolRun {
    /// Cuts a run out of a sliver. Nothing unless the run lies on this sliver and `hashes` is of its
    /// pair.
    pub fn cut(
        sliver: &ExpandedSliver<Primary>,
        run: RowRun,
        hashes: SliverHashProof,
        params: EncodingParams,
    ) -> Option<Self> {
        let (columns, n) = (run.columns(), usize::from(params.n_shards()));
        let fits = run.is_on_sliver(params)
            && run.row == sliver.sliver().index()
            && hashes.pair() == run.pair();
        if !fits {
            return None;
        }
        let z = sliver.sliver().symbol_size().bytes();
        let data = sliver.sliver().data().get(columns.start * z..columns.end * z)?.to_vec();
        let first_path = sliver.proof(run.first)?;
        let last_path = sliver.proof(SliverIndex(run.first.get() + run.count - 1))?;
        let proof = RunProof::between(columns, n, &first_path, &last_path)?;
        Some(Self { hashes, first: run.first, data, proof })
    }

    /// The proof of the row's hash.
    pub fn hashes(&self) -> &SliverHashProof {
        &self.hashes
    }

    /// The symbols, one after the other.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The proof of the symbols in the row.
    pub fn proof(&self) -> &RunProof {
        &self.proof
    }

    /// Checks that these are the symbols `expected` of the blob. Costs a hash for each symbol and for
    /// each node above.
    ///
    /// # Errors
    /// [`RunError`]: do not use the run; blame its sender.
    pub fn verify(
        self,
        params: EncodingParams,
        blob_id: &BlobId,
        expected: RowRun,
    ) -> Result<VerifiedRun, RunError> {
        let RowRun { row, first, count } = expected;
        if !expected.is_on_sliver(params) {
            return Err(RunError::NotOnSliver { row, first, count });
        }
        let (got_row, got_first) = (SliverIndex(self.hashes.pair().get()), self.first);
        if (got_row, got_first) != (row, first) {
            return Err(RunError::WrongPlace { row, first, got_row, got_first });
        }
        let proven = self.hashes.verify(params, blob_id)?;
        let (symbol_size, n) = (proven.symbol_size(), usize::from(params.n_shards()));
        let (bytes, got) = (expected.bytes(symbol_size), self.data.len());
        if got != bytes {
            return Err(RunError::WrongLength { expected: bytes, got });
        }
        let columns = expected.columns();
        let (digests, got) = (RunProof::digests(columns.clone(), n), self.proof.siblings().len());
        if got != digests {
            return Err(RunError::WrongProofLength { expected: digests, got });
        }
        let root = proven.sliver(SliverType::Primary);
        if !self.proof.verify(root, &self.data, symbol_size.bytes(), columns, n) {
            return Err(RunError::WrongHash { row, first });
        }
        let (blob_id, blob_bytes) = (*blob_id, proven.unencoded_length());
        Ok(VerifiedRun { blob_id, blob_bytes, symbol_size, run: expected, data: self.data })
    }

    /// Parses a run for a network of this size. Nothing is allocated beyond the length of `bytes`.
    ///
    /// # Errors
    /// [`BcsError`] if the bytes are not the one form of a run.
    pub fn from_bcs(bytes: &[u8], params: EncodingParams) -> Result<Self, BcsError> {
        let mut reader = Reader::new(bytes);
        let hashes = SliverHashProof::read(&mut reader, params)?;
        let first = SliverIndex(reader.u16()?);
        let data = reader.bytes(params.max_sliver_bcs_len())?;
        let proof = RunProof::read(&mut reader, params.n_shards().into())?;
        reader.finish()?;
        Ok(Self { hashes, first, data: data.to_vec(), proof })
    }

    /// The serialised run: the proof of the row's hash, the first column, the symbols as one byte
    /// vector, the proof of the symbols.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(self.data.len() + 2048);
        self.hashes.write(&mut writer);
        writer.u16(self.first.get());
        writer.bytes(&self.data);
        self.proof.write(&mut writer);
        writer.finish()
    }
}

impl fmt::Debug for SymbolRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pair, first) = (self.hashes.pair(), self.first);
        write!(f, "SymbolRun(row {pair} from column {first}, {} bytes)", self.data.len())
    }
}

/// Symbols of a row that a blob id commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedRun {
    blob_id: BlobId,
    blob_bytes: u64,
    symbol_size: SymbolSize,
    run: RowRun,
    data: Vec<u8>,
}

impl VerifiedRun {
    /// Some symbols of a verified sliver of a blob of `blob_bytes` bytes; nothing unless they lie on
    /// it.
    pub fn of_sliver(
        sliver: &VerifiedSliver<Primary>,
        blob_bytes: u64,
        run: RowRun,
    ) -> Option<Self> {
        let (symbol_size, columns) = (sliver.symbol_size(), run.columns());
        let z = symbol_size.bytes();
        let data = sliver.data().get(columns.start * z..columns.end * z)?;
        if run.row != sliver.index() || data.is_empty() {
            return None;
        }
        let (blob_id, data) = (*sliver.blob_id(), data.to_vec());
        Some(Self { blob_id, blob_bytes, symbol_size, run, data })
    }

    /// The blob.
    pub fn blob_id(&self) -> &BlobId {
        &self.blob_id
    }

    /// The length of the blob.
    pub fn blob_bytes(&self) -> u64 {
        self.blob_bytes
    }

    /// The length of each symbol.
    pub fn symbol_size(&self) -> SymbolSize {
        self.symbol_size
    }

    /// Which symbols these are.
    pub fn run(&self) -> RowRun {
        self.run
    }

    /// The symbols, one after the other.
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}

impl fmt::Debug for VerifiedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedRun({:?}, {} bytes)", self.run, self.data.len())
    }
}
