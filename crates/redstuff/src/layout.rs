//! The shape of one blob's matrix.

use crate::axis::SliverType;
use crate::engine::Code;
use crate::params::{DataTooLarge, EncodingParams, SymbolSize};

/// All sizes that follow from the number of shards and the length of a blob
/// (docs/protocol/encoding.md sections 1.3 and 2.1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) params: EncodingParams,
    pub(crate) symbol_size: SymbolSize,
    /// The length of the blob.
    pub(crate) length: u64,
}

impl Layout {
    pub(crate) fn new(params: EncodingParams, length: u64) -> Result<Self, DataTooLarge> {
        Ok(Self { params, symbol_size: params.symbol_size(length)?, length })
    }

    /// Shards: rows and columns of the extended matrix.
    pub(crate) fn n(&self) -> usize {
        self.params.n_shards().into()
    }

    /// Rows of the blob's own matrix.
    pub(crate) fn p(&self) -> usize {
        self.params.primary_source_symbols().into()
    }

    /// Columns of the blob's own matrix.
    pub(crate) fn s(&self) -> usize {
        self.params.secondary_source_symbols().into()
    }

    /// Bytes of a symbol.
    pub(crate) fn z(&self) -> usize {
        self.symbol_size.bytes()
    }

    /// Bytes of a primary sliver.
    pub(crate) fn row_bytes(&self) -> usize {
        self.s() * self.z()
    }

    /// Bytes of a secondary sliver.
    pub(crate) fn column_bytes(&self) -> usize {
        self.p() * self.z()
    }

    /// The rows that hold any of the blob; the rows from here to `p` are padding.
    pub(crate) fn used_rows(&self) -> usize {
        // At most `p`: the symbol size was chosen so that the blob fits.
        self.length.div_ceil(self.row_bytes() as u64) as usize
    }

    /// How many bytes of row `row` are the blob's; what follows is padding.
    pub(crate) fn used_bytes(&self, row: usize) -> usize {
        let start = row as u64 * self.row_bytes() as u64;
        self.length.saturating_sub(start).min(self.row_bytes() as u64) as usize
    }

    /// The code that acts on columns.
    pub(crate) fn column_code(&self) -> Code {
        code(self.params, SliverType::Primary)
    }

    /// The code that acts on rows.
    pub(crate) fn row_code(&self) -> Code {
        code(self.params, SliverType::Secondary)
    }
}

/// The code that acts on columns (`Primary`: `p` source symbols) or on rows (`Secondary`: `s`).
pub(crate) const fn code(params: EncodingParams, sliver_type: SliverType) -> Code {
    let source = params.source_symbols(sliver_type) as usize;
    Code { source, repair: params.n_shards() as usize - source }
}
