//! The operations, each in our way and in the naive one.

use reed_solomon_simd::engine::Engine;
use walrus_redstuff::engine::Instructions;
use walrus_redstuff::{
    Axis, ConsistencyCheck, DecodingSymbol, EncodedBlob, Encoder, EncodingParams, Primary,
    Secondary, SliverIndex, SliverType, VerifiedMetadata, VerifiedSliver, recover_sliver_unproven,
};

use crate::contest::{Clock, Evidence, Row, contest};
use crate::naive::{self, Hash, Naive, ProvenSymbol};
use crate::options::Options;
use crate::ours::{Ours, THREADS, path};

/// The sliver that is recovered, extended and verified.
const TARGET: SliverIndex = SliverIndex(0);

/// A blob of one size and all that the operations on it need.
pub(crate) struct Bench<'a, E: Engine> {
    options: &'a Options,
    params: EncodingParams,
    data: Vec<u8>,
    naive: Naive<E>,
    /// One for each of [`THREADS`].
    ours: Vec<Ours>,
    rows: Vec<Row>,
}

impl<'a, E: Engine + Default> Bench<'a, E> {
    pub(crate) fn new(options: &'a Options, params: EncodingParams, blob_bytes: usize) -> Self {
        let z = params.symbol_size(blob_bytes as u64).unwrap().bytes();
        // The time of one thread says nothing about several.
        let threads = if options.clock == Clock::Thread { &THREADS[..1] } else { &THREADS };
        let ours = threads.iter().map(|threads| Ours::new(params, options.instructions, *threads));
        let (data, ours) = (random(blob_bytes), ours.collect());
        Self { options, params, data, naive: Naive::new(params, z), ours, rows: Vec::new() }
    }

    /// Measures everything that was asked for.
    pub(crate) fn run(mut self) -> Vec<Row> {
        self.whole("encode", |naive, data| naive.encode(data), |ours, data| ours.encode(data));
        self.whole(
            "metadata",
            |naive, data| naive.metadata(data),
            |ours, data| ours.metadata(data),
        );
        if self.options.only.iter().all(|only| only == "encode" || only == "metadata")
            && !self.options.only.is_empty()
        {
            return self.rows;
        }
        let encoded = Encoder::new(self.params).encode(&self.data).unwrap();
        self.decode(&encoded);
        self.parts(&encoded);
        self.rows
    }

    /// An operation that takes the blob.
    fn whole<T: Evidence, U: Evidence>(
        &mut self,
        op: &'static str,
        mut theirs: impl FnMut(&mut Naive<E>, &[u8]) -> T,
        work: impl Fn(&mut Ours, &[u8]) -> U,
    ) {
        let (naive, data) = (&mut self.naive, &self.data);
        let mut turns: Vec<_> = self.ours.iter_mut().map(|ours| || work(ours, data)).collect();
        let mut turns: Vec<&mut dyn FnMut() -> U> =
            turns.iter_mut().map(|turn| turn as &mut dyn FnMut() -> U).collect();
        if self.options.wants(op) {
            say(op, data.len());
            let times =
                contest(self.options.clock, data.len(), &mut || theirs(naive, data), &mut turns);
            self.note(op, times);
        }
    }

    fn decode(&mut self, encoded: &EncodedBlob) {
        let (n, length) = (self.params.n_shards(), self.data.len());
        let (p, s) = (self.params.primary_source_symbols(), self.params.secondary_source_symbols());
        let metadata = encoded.metadata();
        let roots = roots(metadata);
        // All that are pieces of the blob; the last ones, of which none is; and of the columns the last
        // ones, of which half are.
        let source = slivers::<Primary>(encoded, 0..p);
        let repair = slivers::<Primary>(encoded, n - p..n);
        let columns = slivers::<Secondary>(encoded, n - s..n);
        let check = ConsistencyCheck::Default;
        self.whole(
            "decode-source",
            |naive, _| naive.decode_primary(&parts(&source), &roots, length),
            |ours, _| ours.decode(metadata, &source, check),
        );
        self.whole(
            "decode-repair",
            |naive, _| naive.decode_primary(&parts(&repair), &roots, length),
            |ours, _| ours.decode(metadata, &repair, check),
        );
        self.whole(
            "decode-secondary",
            |naive, _| naive.decode_secondary(&parts(&columns), &roots, length),
            |ours, _| ours.decode(metadata, &columns, check),
        );
        self.whole(
            "decode-strict",
            |naive, _| naive.decode_strict(&parts(&source), &roots, length, metadata.blob_id()),
            |ours, _| ours.decode(metadata, &source, ConsistencyCheck::Strict),
        );
    }

    /// Operations on single slivers and symbols, on one thread.
    fn parts(&mut self, encoded: &EncodedBlob) {
        self.ours.truncate(1);
        let (n, metadata) = (self.params.n_shards(), encoded.metadata());
        let root = roots(metadata)[TARGET.as_usize()];
        let sliver = encoded.sliver::<Primary>(TARGET).unwrap();
        let crossing = SliverIndex(n - 1);
        let symbol = self.ours[0].expand(metadata, &sliver).recovery_symbol(crossing).unwrap();
        self.whole(
            "make-symbol",
            |naive, _| naive.make_symbol(sliver.data(), &root, crossing.as_usize()),
            |ours, _| ours.expand(metadata, &sliver).recovery_symbol(crossing).unwrap(),
        );
        self.whole(
            "verify-sliver",
            |naive, _| naive.verify_sliver(sliver.data(), &root),
            |ours, _| drop(ours.expand(metadata, &sliver).into_sliver()),
        );
        // These two choose the engine themselves.
        if self.options.instructions != Instructions::detect() {
            return;
        }
        self.whole(
            "verify-symbol",
            |_, _| {
                let (data, path) = (symbol.data().to_vec(), path(&symbol));
                naive::verify_symbol(ProvenSymbol { data, path }, crossing.as_usize(), &root)
            },
            |_, _| symbol.clone().verify(metadata, crossing).unwrap(),
        );
        self.recover(encoded, &root);
    }

    /// From the symbols of the last secondary slivers, half of which are pieces of the sliver.
    fn recover(&mut self, encoded: &EncodedBlob, root: &Hash) {
        let (n, s) = (self.params.n_shards(), self.params.secondary_source_symbols());
        let metadata = encoded.metadata();
        let symbols: Vec<_> = slivers::<Secondary>(encoded, n - s..n)
            .iter()
            .map(|sliver| (sliver.index(), sliver.symbol(TARGET.as_usize()).unwrap().to_vec()))
            .collect();
        self.whole(
            "recover-sliver",
            |naive, _| {
                let symbols = symbols.iter();
                let symbols = symbols.map(|(source, data)| (source.as_usize(), data.clone()));
                naive.recover(symbols.collect(), root)
            },
            |_, _| {
                let symbols = symbols.iter();
                let symbols =
                    symbols.map(|(source, data)| DecodingSymbol::new(*source, data.clone()));
                recover_sliver_unproven::<Primary>(metadata, TARGET, symbols).unwrap()
            },
        );
    }

    fn note(&mut self, op: &'static str, (naive_ms, ours_ms): (f64, Vec<f64>)) {
        for (ours, ours_ms) in self.ours.iter().zip(ours_ms) {
            self.rows.push(Row {
                op,
                n_shards: self.params.n_shards(),
                blob_bytes: self.data.len(),
                threads: ours.threads,
                engine: self.options.instructions.to_string(),
                ours_ms,
                naive_ms,
            });
        }
    }
}

fn slivers<A: Axis>(encoded: &EncodedBlob, range: std::ops::Range<u16>) -> Vec<VerifiedSliver<A>> {
    range.map(|index| encoded.sliver(SliverIndex(index)).unwrap()).collect()
}

/// Slivers as the baseline takes them.
fn parts<A: Axis>(slivers: &[VerifiedSliver<A>]) -> Vec<(usize, &[u8])> {
    slivers.iter().map(|sliver| (sliver.index().as_usize(), sliver.data())).collect()
}

/// The roots of all primary slivers.
fn roots(metadata: &VerifiedMetadata) -> Vec<Hash> {
    let pairs = metadata.hashes().iter();
    pairs.map(|pair| *pair.sliver(SliverType::Primary).digest().as_bytes()).collect()
}

/// Bytes without a pattern: most symbols of a blob of zeros need no work.
fn random(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn say(op: &str, blob_bytes: usize) {
    eprintln!("{op} of {blob_bytes} bytes …");
}
