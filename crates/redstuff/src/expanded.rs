//! Whole rows and columns of the matrix: what slivers are hashed over and recovery symbols cut from.

use crate::axis::{Axis, SliverType};
use crate::decoding_symbol::DecodingSymbol;
use crate::engine::{Code, Engine};
use crate::index::{SliverIndex, SymbolId};
use crate::merkle::{MerkleProof, MerkleTree};
use crate::params::{EncodingParams, SymbolSize};
use crate::sliver::VerifiedSliver;
use crate::symbol::{GeneralRecoverySymbol, RecoverySymbol};

/// The code that acts on columns (`Primary`: `p` source symbols) or on rows (`Secondary`: `s`).
pub(crate) const fn code(params: EncodingParams, sliver_type: SliverType) -> Code {
    let source = params.source_symbols(sliver_type) as usize;
    Code { source, repair: params.n_shards() as usize - source }
}

/// Extends a sliver's data to the `n` symbols of its row or column, and hashes them.
pub(crate) fn expand<A: Axis, E: Engine + ?Sized>(
    engine: &mut E,
    params: EncodingParams,
    symbol_size: SymbolSize,
    data: &[u8],
) -> (Vec<u8>, MerkleTree) {
    let mut symbols = data.to_vec();
    symbols.resize(usize::from(params.n_shards()) * symbol_size.bytes(), 0);
    engine.extend(code(params, A::TYPE.orthogonal()), symbol_size.bytes(), &mut symbols);
    let tree = MerkleTree::build(engine, symbol_size.bytes(), &symbols);
    (symbols, tree)
}

/// A verified sliver with all `n` symbols of its row or column and their Merkle tree.
///
/// One expansion serves any number of recovery symbols (docs/protocol/encoding.md section 6.1).
#[derive(Debug, Clone)]
pub struct ExpandedSliver<A: Axis> {
    sliver: VerifiedSliver<A>,
    symbols: Vec<u8>,
    tree: MerkleTree,
}

impl<A: Axis> ExpandedSliver<A> {
    pub(crate) fn new_verified(
        sliver: VerifiedSliver<A>,
        symbols: Vec<u8>,
        tree: MerkleTree,
    ) -> Self {
        Self { sliver, symbols, tree }
    }

    /// The sliver.
    pub fn sliver(&self) -> &VerifiedSliver<A> {
        &self.sliver
    }

    /// The sliver, without the rest.
    pub fn into_sliver(self) -> VerifiedSliver<A> {
        self.sliver
    }

    /// Where this sliver meets sliver `target` of the other type.
    pub fn symbol_id(&self, target: SliverIndex) -> SymbolId {
        SymbolId::of(A::TYPE, self.sliver.index(), target)
    }

    /// The symbol this sliver has in common with sliver `target` of the other type, if there is one.
    pub fn symbol(&self, target: SliverIndex) -> Option<&[u8]> {
        let bytes = self.sliver.symbol_size().bytes();
        self.symbols.chunks_exact(bytes).nth(target.as_usize())
    }

    /// The proof that [`Self::symbol`] is what this sliver's hash commits to.
    pub fn proof(&self, target: SliverIndex) -> Option<MerkleProof> {
        self.tree.proof(target.as_usize())
    }

    /// The symbol for recovering sliver `target` of the other type, without a proof; nothing if there
    /// is no such sliver.
    pub fn decoding_symbol(&self, target: SliverIndex) -> Option<DecodingSymbol<A::Orthogonal>> {
        Some(DecodingSymbol::new(self.sliver.index(), self.symbol(target)?.to_vec()))
    }

    /// The symbol for recovering sliver `target` of the other type, with its proof; nothing if there
    /// is no such sliver.
    pub fn recovery_symbol(&self, target: SliverIndex) -> Option<RecoverySymbol<A::Orthogonal>> {
        Some(RecoverySymbol::new(self.decoding_symbol(target)?, self.proof(target)?))
    }

    /// [`Self::recovery_symbol`] in the form that names its target.
    pub fn general_symbol(&self, target: SliverIndex) -> Option<GeneralRecoverySymbol> {
        Some(GeneralRecoverySymbol::new(self.recovery_symbol(target)?, target))
    }
}
