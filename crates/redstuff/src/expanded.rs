//! Whole rows and columns of the matrix: what slivers are hashed over and recovery symbols cut from.

use crate::axis::{Axis, SliverType};
use crate::blob_id::Digest;
use crate::decoding_symbol::DecodingSymbol;
use crate::engine::{Code, Engine};
use crate::index::{SliverIndex, SymbolId};
use crate::layout::code;
use crate::merkle::{MerkleProof, MerkleTree, RawDigest, root_of_hashes};
use crate::params::{EncodingParams, SymbolSize};
use crate::sliver::VerifiedSliver;
use crate::symbol::{GeneralRecoverySymbol, RecoverySymbol};

/// Extends a sliver's data to the `n` symbols of its row or column, and hashes them.
pub(crate) fn expand<A: Axis, E: Engine>(
    engine: &mut E,
    params: EncodingParams,
    symbol_size: SymbolSize,
    data: &[u8],
) -> (Vec<u8>, MerkleTree) {
    let z = symbol_size.bytes();
    let mut symbols = data.to_vec();
    symbols.resize(usize::from(params.n_shards()) * z, 0);
    let (source, repair) = symbols.split_at_mut(data.len());
    extend_one(engine, code(params, A::TYPE.orthogonal()), z, source, repair);
    let tree = MerkleTree::build(engine, z, &symbols);
    (symbols, tree)
}

/// The Merkle root over the `n` symbols of a sliver's row or column, when nothing else is wanted.
pub(crate) fn expanded_root<E: Engine>(
    engine: &mut E,
    buffers: &mut RootBuffers,
    params: EncodingParams,
    symbol_size: SymbolSize,
    sliver_type: SliverType,
    data: &[u8],
) -> Digest {
    let (z, code) = (symbol_size.bytes(), code(params, sliver_type.orthogonal()));
    let RootBuffers { repair, leaves, parents } = buffers;
    repair.resize(code.repair * z, 0);
    extend_one(engine, code, z, data, repair);
    leaves.resize(code.length(), [0; 32]);
    let (of_source, of_repair) = leaves.split_at_mut(code.source);
    engine.hash_leaves(z, z, data, of_source);
    engine.hash_leaves(z, z, repair, of_repair);
    Digest::from_bytes(root_of_hashes(engine, leaves, parents))
}

/// Room for [`expanded_root`], which may serve again.
#[derive(Debug, Default)]
pub(crate) struct RootBuffers {
    repair: Vec<u8>,
    leaves: Vec<RawDigest>,
    parents: Vec<RawDigest>,
}

impl RootBuffers {
    /// The bytes that are held on to for symbols.
    pub(crate) fn symbol_bytes(&self) -> usize {
        self.repair.capacity()
    }
}

/// Extends one codeword whose symbols lie one after the other.
fn extend_one<E: Engine>(
    engine: &mut E,
    code: Code,
    symbol_bytes: usize,
    source: &[u8],
    repair: &mut [u8],
) {
    let source: Vec<&[u8]> = source.chunks_exact(symbol_bytes).collect();
    let mut repair: Vec<&mut [u8]> = repair.chunks_exact_mut(symbol_bytes).collect();
    engine.extend(code, symbol_bytes, &source, &mut repair);
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
