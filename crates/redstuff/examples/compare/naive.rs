//! The baseline: RedStuff in the simplest form that is fair.
//!
//! `reed-solomon-simd` one row and one column at a time, `blake2` one message at a time, each symbol
//! hashed once, the repair-by-repair corner never kept. Coders and working buffers are made once and
//! used again; only what is handed out is allocated anew, as on our side. A published implementation
//! of the same code was found to cost the same within noise.

use blake2::Digest as _;
use blake2::digest::consts::U32;
use reed_solomon_simd::engine::Engine;
use reed_solomon_simd::rate::{
    DefaultRateDecoder, DefaultRateEncoder, RateDecoder as _, RateEncoder as _,
};
use walrus_redstuff::{BlobId, Digest, EncodingParams, EncodingType};

/// A BLAKE2b-256 digest.
pub(crate) type Hash = [u8; 32];

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// Coders and buffers for blobs of one symbol size.
pub(crate) struct Naive<E: Engine> {
    n: usize,
    /// Rows of the blob's matrix, symbols of a secondary sliver.
    p: usize,
    /// Columns of the blob's matrix, symbols of a primary sliver.
    s: usize,
    /// Bytes of a symbol.
    z: usize,
    row_encoder: DefaultRateEncoder<E>,
    column_encoder: DefaultRateEncoder<E>,
    row_decoder: DefaultRateDecoder<E>,
    column_decoder: DefaultRateDecoder<E>,
    leaves: Vec<Hash>,
    columns: Vec<u8>,
}

/// The hashes of a blob's slivers, and its name.
pub(crate) struct Metadata {
    /// Primary and secondary root of each pair.
    pub(crate) pairs: Vec<[Hash; 2]>,
    pub(crate) id: BlobId,
}

/// All slivers of a blob: `n` rows of `s` symbols and `n` columns of `p` symbols.
pub(crate) struct Encoded {
    pub(crate) primary: Vec<u8>,
    pub(crate) secondary: Vec<u8>,
    pub(crate) metadata: Metadata,
}

/// A symbol and the siblings on its way to the root.
pub(crate) struct ProvenSymbol {
    pub(crate) data: Vec<u8>,
    pub(crate) path: Vec<Hash>,
}

impl<E: Engine + Default> Naive<E> {
    pub(crate) fn new(params: EncodingParams, z: usize) -> Self {
        let n = usize::from(params.n_shards());
        let p = usize::from(params.primary_source_symbols());
        let s = usize::from(params.secondary_source_symbols());
        let encoder = |k| DefaultRateEncoder::new(k, n - k, z, E::default(), None).unwrap();
        let decoder = |k| DefaultRateDecoder::new(k, n - k, z, E::default(), None).unwrap();
        Self {
            n,
            p,
            s,
            z,
            row_encoder: encoder(s),
            column_encoder: encoder(p),
            row_decoder: decoder(s),
            column_decoder: decoder(p),
            leaves: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// All slivers and the metadata.
    pub(crate) fn encode(&mut self, data: &[u8]) -> Encoded {
        let mut primary = vec![0; self.n * self.s * self.z];
        primary[..data.len()].copy_from_slice(data);
        let mut secondary = vec![0; self.n * self.p * self.z];
        self.extend_rows(data, &mut secondary);
        let metadata = self.hash_columns(data.len(), &secondary, Some(&mut primary));
        Encoded { primary, secondary, metadata }
    }

    /// The metadata alone.
    pub(crate) fn metadata(&mut self, data: &[u8]) -> Metadata {
        let mut columns = std::mem::take(&mut self.columns);
        columns.clear();
        columns.resize(self.n * self.p * self.z, 0);
        self.extend_rows(data, &mut columns);
        let metadata = self.hash_columns(data.len(), &columns, None);
        self.columns = columns;
        metadata
    }

    /// Rows that hold data, extended and written down as columns; the others extend to zeros.
    fn extend_rows(&mut self, data: &[u8], columns: &mut [u8]) {
        let (p, s, z) = (self.p, self.s, self.z);
        let mut row = vec![0; s * z];
        for (r, source) in data.chunks(s * z).enumerate() {
            row.fill(0);
            row[..source.len()].copy_from_slice(source);
            extend(&mut self.row_encoder, &row, z, |c, symbol| {
                columns[(c * p + r) * z..][..z].copy_from_slice(symbol);
            });
        }
    }

    /// Columns extended and hashed, their repair symbols written to the repair rows of `primary`;
    /// then the trees of the rows.
    fn hash_columns(
        &mut self,
        length: usize,
        columns: &[u8],
        mut primary: Option<&mut Vec<u8>>,
    ) -> Metadata {
        let (n, p, s, z) = (self.n, self.p, self.s, self.z);
        let leaves = &mut self.leaves;
        leaves.clear();
        let mut column_roots = Vec::with_capacity(n);
        for (c, column) in columns.chunks_exact(p * z).enumerate() {
            extend(&mut self.column_encoder, column, z, |r, symbol| {
                leaves.push(hash(LEAF, symbol));
                if let Some(primary) = primary.as_mut().filter(|_| r >= p && c < s) {
                    primary[(r * s + c) * z..][..z].copy_from_slice(symbol);
                }
            });
            column_roots.push(root(leaves[c * n..].to_vec()));
        }
        let row_root = |r| root((0..n).map(|c| leaves[c * n + r]).collect());
        let pairs: Vec<_> = (0..n).map(|k| [row_root(k), column_roots[n - 1 - k]]).collect();
        let top = root(pairs.iter().map(|pair| hash(LEAF, pair.as_flattened())).collect());
        let id = BlobId::from_parts(EncodingType::Rs2, length as u64, &Digest::from_bytes(top));
        Metadata { pairs, id }
    }

    /// The blob from `p` primary slivers, every row that was not given checked.
    pub(crate) fn decode_primary(
        &mut self,
        slivers: &[(usize, &[u8])],
        roots: &[Hash],
        length: usize,
    ) -> Vec<u8> {
        let (p, s, z) = (self.p, self.s, self.z);
        let mut blob = vec![0; p * s * z];
        let mut given = vec![false; p];
        for (index, data) in slivers.iter().filter(|(index, _)| *index < p) {
            blob[index * s * z..][..s * z].copy_from_slice(data);
            given[*index] = true;
        }
        if given.contains(&false) {
            for c in 0..s {
                let symbols = slivers.iter().map(|(index, data)| (*index, &data[c * z..][..z]));
                restore(&mut self.column_decoder, p, symbols, |r, symbol| {
                    blob[(r * s + c) * z..][..z].copy_from_slice(symbol);
                });
            }
        }
        self.check(blob, &given, roots, length)
    }

    /// The blob from `s` secondary slivers, every row checked.
    pub(crate) fn decode_secondary(
        &mut self,
        slivers: &[(usize, &[u8])],
        roots: &[Hash],
        length: usize,
    ) -> Vec<u8> {
        let (p, s, z) = (self.p, self.s, self.z);
        let mut blob = vec![0; p * s * z];
        for (r, row) in blob.chunks_exact_mut(s * z).enumerate() {
            let symbols = slivers.iter().map(|(index, data)| (*index, &data[r * z..][..z]));
            for (index, symbol) in symbols.clone().filter(|(index, _)| *index < s) {
                row[index * z..][..z].copy_from_slice(symbol);
            }
            restore(&mut self.row_decoder, s, symbols, |c, symbol| {
                row[c * z..][..z].copy_from_slice(symbol);
            });
        }
        self.check(blob, &vec![false; p], roots, length)
    }

    /// The blob from all source slivers, encoded again in full.
    pub(crate) fn decode_strict(
        &mut self,
        slivers: &[(usize, &[u8])],
        roots: &[Hash],
        length: usize,
        id: &BlobId,
    ) -> Vec<u8> {
        let blob = self.decode_primary(slivers, roots, length);
        assert_eq!(self.metadata(&blob).id, *id);
        blob
    }

    fn check(
        &mut self,
        mut blob: Vec<u8>,
        given: &[bool],
        roots: &[Hash],
        length: usize,
    ) -> Vec<u8> {
        assert!(blob[length..].iter().all(|byte| *byte == 0));
        let rows = blob.chunks_exact(self.s * self.z).zip(given).zip(roots);
        for ((row, _), expected) in rows.filter(|((_, given), _)| !**given) {
            let mut leaves = Vec::with_capacity(self.n);
            extend(&mut self.row_encoder, row, self.z, |_, symbol| leaves.push(hash(LEAF, symbol)));
            assert_eq!(root(leaves), *expected);
        }
        blob.truncate(length);
        blob
    }

    /// A primary sliver from symbols of `s` secondary slivers, checked.
    pub(crate) fn recover(&mut self, symbols: Vec<(usize, Vec<u8>)>, expected: &Hash) -> Vec<u8> {
        let z = self.z;
        let mut row = vec![0; self.s * z];
        for (index, symbol) in symbols.iter().filter(|(index, _)| *index < self.s) {
            row[index * z..][..z].copy_from_slice(symbol);
        }
        let given = symbols.iter().map(|(index, symbol)| (*index, symbol.as_slice()));
        restore(&mut self.row_decoder, self.s, given, |c, symbol| {
            row[c * z..][..z].copy_from_slice(symbol);
        });
        self.verify_sliver(&row, expected);
        row
    }

    /// Extends a primary sliver and compares the root of its tree.
    pub(crate) fn verify_sliver(&mut self, row: &[u8], expected: &Hash) {
        let mut leaves = Vec::with_capacity(self.n);
        extend(&mut self.row_encoder, row, self.z, |_, symbol| leaves.push(hash(LEAF, symbol)));
        assert_eq!(root(leaves), *expected);
    }

    /// Extends and checks a primary sliver and cuts out one symbol with its proof.
    pub(crate) fn make_symbol(
        &mut self,
        row: &[u8],
        expected: &Hash,
        target: usize,
    ) -> ProvenSymbol {
        let (mut data, mut level) = (Vec::new(), Vec::with_capacity(self.n));
        extend(&mut self.row_encoder, row, self.z, |c, symbol| {
            level.push(hash(LEAF, symbol));
            if c == target {
                data.extend_from_slice(symbol);
            }
        });
        let (mut path, mut position) = (Vec::new(), target);
        while level.len() > 1 {
            pad(&mut level);
            path.push(level[position ^ 1]);
            level = parents(&level);
            position /= 2;
        }
        assert_eq!(level[0], *expected);
        ProvenSymbol { data, path }
    }
}

/// Follows a proof to the root.
pub(crate) fn verify_symbol(symbol: ProvenSymbol, index: usize, expected: &Hash) -> Vec<u8> {
    let (mut digest, mut position) = (hash(LEAF, &symbol.data), index);
    for sibling in &symbol.path {
        let pair = if position % 2 == 0 { [digest, *sibling] } else { [*sibling, digest] };
        digest = hash(NODE, pair.as_flattened());
        position /= 2;
    }
    assert_eq!(digest, *expected);
    symbol.data
}

/// Hands out all symbols of a codeword by their position.
fn extend<E: Engine>(
    encoder: &mut DefaultRateEncoder<E>,
    source: &[u8],
    z: usize,
    mut take: impl FnMut(usize, &[u8]),
) {
    for (position, symbol) in source.chunks_exact(z).enumerate() {
        encoder.add_original_shard(symbol).unwrap();
        take(position, symbol);
    }
    let repair = encoder.encode().unwrap();
    for (position, symbol) in (source.len() / z..).zip(repair.recovery_iter()) {
        take(position, symbol);
    }
}

/// Hands out the source symbols of a codeword that are not among the known ones.
fn restore<'a, E: Engine>(
    decoder: &mut DefaultRateDecoder<E>,
    source_symbols: usize,
    known: impl Iterator<Item = (usize, &'a [u8])>,
    mut take: impl FnMut(usize, &[u8]),
) {
    for (position, symbol) in known {
        match position.checked_sub(source_symbols) {
            None => decoder.add_original_shard(position, symbol).unwrap(),
            Some(repair) => decoder.add_recovery_shard(repair, symbol).unwrap(),
        }
    }
    let restored = decoder.decode().unwrap();
    restored.restored_original_iter().for_each(|(position, symbol)| take(position, symbol));
}

fn root(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        pad(&mut level);
        level = parents(&level);
    }
    level[0]
}

fn pad(level: &mut Vec<Hash>) {
    if level.len() % 2 == 1 {
        level.push([0; 32]);
    }
}

fn parents(level: &[Hash]) -> Vec<Hash> {
    level.chunks_exact(2).map(|pair| hash(NODE, pair.as_flattened())).collect()
}

fn hash(prefix: u8, message: &[u8]) -> Hash {
    let mut hasher = blake2::Blake2b::<U32>::new();
    hasher.update([prefix]);
    hasher.update(message);
    hasher.finalize().into()
}
