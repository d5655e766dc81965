//! One test per lie: what a dishonest node or a dishonest encoder may try.

#![allow(clippy::unwrap_used)]

mod support;

use support::{encoded, params};
use walrus_redstuff::engine::Fast;
use walrus_redstuff::{
    AnySliver, Axis, BlobId, BlobMetadata, BlobMetadataWithId, ConsistencyCheck, DecodeError,
    DecodingSymbol, Digest, EncodedBlob, EncodingParams, ExpandedSliver, Inconsistency,
    InconsistencyProof, MerkleProof, MerkleTree, MetadataError, Node, Primary, ProofError,
    RecoverError, RecoverySymbol, Secondary, Sliver, SliverError, SliverIndex, SliverPairHashes,
    SliverType, SymbolError, SymbolSize, VerifiedMetadata, VerifiedSliver, VerifiedSymbol,
    blake2b256, decode, recover_sliver, recover_sliver_unproven,
};

const N: u16 = 10;

/// 300 bytes at ten shards: 4 by 7 symbols of 12 bytes, 36 bytes of padding.
fn blob() -> (Vec<u8>, EncodedBlob) {
    encoded(N, 300)
}

fn expand<A: Axis>(blob: &EncodedBlob, index: u16) -> ExpandedSliver<A> {
    let sliver = blob.sliver::<A>(SliverIndex(index)).unwrap().into_sliver();
    blob.metadata().verify_and_expand(sliver, SliverIndex(index)).unwrap()
}

/// Metadata with one hash replaced, and the blob id that it then has.
fn altered(
    metadata: &VerifiedMetadata,
    pair: usize,
    sliver_type: SliverType,
    hash: Node,
) -> VerifiedMetadata {
    let mut hashes = metadata.hashes().to_vec();
    match sliver_type {
        SliverType::Primary => hashes[pair].primary = hash,
        SliverType::Secondary => hashes[pair].secondary = hash,
    }
    commit(metadata.params(), metadata.unencoded_length(), hashes)
}

fn commit(params: EncodingParams, length: u64, hashes: Vec<SliverPairHashes>) -> VerifiedMetadata {
    let metadata = BlobMetadata::new(length, hashes);
    let id = metadata.compute_blob_id();
    metadata.verify(params, &id).unwrap()
}

/// The slivers of one axis, verified against other metadata where that is possible.
fn verify_under<A: Axis>(
    metadata: &VerifiedMetadata,
    blob: &EncodedBlob,
    indices: impl IntoIterator<Item = u16>,
) -> Vec<VerifiedSliver<A>> {
    let indices = indices.into_iter().map(SliverIndex);
    indices
        .filter_map(|index| {
            metadata.verify_sliver(blob.sliver::<A>(index)?.into_sliver(), index).ok()
        })
        .collect()
}

fn wrong_hash() -> Node {
    Node::Digest(blake2b256(b"not the hash of any sliver"))
}

#[test]
fn sliver_with_a_flipped_bit_is_refused() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    for (at, sliver_type) in [0, 47].into_iter().flat_map(|at| SliverType::BOTH.map(|it| (at, it)))
    {
        let mut bytes = blob.any_sliver(sliver_type, SliverIndex(8)).unwrap().to_bcs();
        bytes[1 + at] ^= 1;
        let sliver = AnySliver::from_bcs(sliver_type, &bytes, params(N)).unwrap();
        let error = SliverError::WrongHash { sliver_type, index: SliverIndex(8) };
        assert_eq!(metadata.verify_any(sliver, SliverIndex(8)), Err(error));
    }
}

#[test]
fn sliver_of_another_index_is_refused() {
    let (_, blob) = blob();
    let sliver = blob.sliver::<Primary>(SliverIndex(3)).unwrap().into_sliver();
    let error = SliverError::WrongIndex { expected: SliverIndex(4), got: SliverIndex(3) };
    assert_eq!(blob.metadata().verify_sliver(sliver.clone(), SliverIndex(4)), Err(error));
    // Relabelled, it fails by its hash.
    let relabelled = Sliver::<Primary>::new(
        params(N),
        SliverIndex(4),
        sliver.symbol_size(),
        sliver.data().to_vec(),
    );
    let error = SliverError::WrongHash { sliver_type: SliverType::Primary, index: SliverIndex(4) };
    assert_eq!(blob.metadata().verify_sliver(relabelled.unwrap(), SliverIndex(4)), Err(error));
    // And it names no sliver beyond the last.
    let error = SliverError::IndexOutOfRange { index: SliverIndex(N), n_shards: N };
    let beyond =
        Sliver::<Primary>::new(params(N), SliverIndex(N), sliver.symbol_size(), vec![0; 84]);
    assert_eq!(beyond.unwrap_err(), error);
}

#[test]
fn sliver_for_more_shards_is_refused() {
    let (_, blob) = blob();
    let size = blob.metadata().symbol_size();
    let foreign =
        Sliver::<Primary>::new(params(13), SliverIndex(12), size, vec![0; 9 * 12]).unwrap();
    let error = SliverError::IndexOutOfRange { index: SliverIndex(12), n_shards: N };
    assert_eq!(blob.metadata().verify_sliver(foreign, SliverIndex(12)), Err(error));
}

#[test]
fn sliver_of_the_other_axis_is_refused() {
    let (_, blob) = blob();
    let bytes = blob.sliver::<Secondary>(SliverIndex(2)).unwrap().to_bcs();
    // 4 symbols where a primary sliver has 7.
    let error = SliverError::WrongLength { expected: 84, got: 48 };
    assert_eq!(Sliver::<Primary>::from_bcs(&bytes, params(N)).unwrap_err(), error);
    // With equal shapes (n = 4 has none, so cut one to fit) the hash still differs.
    let row = blob.sliver::<Primary>(SliverIndex(2)).unwrap();
    let as_column = Sliver::<Secondary>::new(
        params(N),
        SliverIndex(2),
        row.symbol_size(),
        row.data()[..48].to_vec(),
    );
    let error =
        SliverError::WrongHash { sliver_type: SliverType::Secondary, index: SliverIndex(2) };
    assert_eq!(blob.metadata().verify_sliver(as_column.unwrap(), SliverIndex(2)), Err(error));
}

#[test]
fn sliver_of_a_wrong_shape_is_refused_before_it_is_hashed() {
    let (_, blob) = blob();
    let index = SliverIndex(0);
    let row = blob.sliver::<Primary>(index).unwrap();
    let short =
        Sliver::<Primary>::new(params(N), index, row.symbol_size(), row.data()[..83].to_vec());
    assert_eq!(short.unwrap_err(), SliverError::WrongLength { expected: 84, got: 83 });
    let small = SymbolSize::new(10).unwrap();
    let smaller =
        Sliver::<Primary>::new(params(N), index, small, row.data()[..70].to_vec()).unwrap();
    let error = SliverError::WrongLength { expected: 84, got: 70 };
    assert_eq!(blob.metadata().verify_sliver(smaller, index), Err(error));
    // A sliver of seven shards, five symbols a row, with the right length but another symbol size.
    let (_, foreign) = encoded(7, 60);
    let size = SymbolSize::new(14).unwrap();
    let disguised = Sliver::<Primary>::new(params(8), index, size, vec![0; 84]).unwrap();
    let error = SliverError::WrongSymbolSize { expected: row.symbol_size(), got: size };
    assert_eq!(blob.metadata().verify_sliver(disguised, index), Err(error));
    assert_eq!(foreign.metadata().symbol_size().get(), 4);
}

#[test]
fn symbol_sizes_of_zero_and_odd_are_refused() {
    for size in ["0000", "0300"] {
        let bytes = hex::decode(format!("00{size}0000")).unwrap();
        let refused = Sliver::<Primary>::from_bcs(&bytes, params(4));
        assert!(matches!(refused, Err(SliverError::Malformed(_))), "{size}");
    }
}

#[test]
fn metadata_of_another_blob_is_refused() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let other = BlobId::from_bytes([7; 32]);
    let expected = MetadataError::WrongBlobId { expected: other, got: *metadata.blob_id() };
    assert_eq!(metadata.metadata().clone().verify(params(N), &other).unwrap_err(), expected);
    // A claimed id is only a claim, either way.
    let claim = BlobMetadataWithId { blob_id: other, metadata: metadata.metadata().clone() };
    assert_eq!(claim.clone().verify(params(N), &other).unwrap_err(), expected);
    let expected = MetadataError::WrongBlobId { expected: *metadata.blob_id(), got: other };
    assert_eq!(claim.verify(params(N), metadata.blob_id()).unwrap_err(), expected);
}

#[test]
fn metadata_with_altered_length_or_hash_is_refused() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let longer = BlobMetadata::new(301, metadata.hashes().to_vec());
    let refused = longer.verify(params(N), metadata.blob_id());
    assert!(matches!(refused, Err(MetadataError::WrongBlobId { .. })));
    let mut hashes = metadata.hashes().to_vec();
    hashes.swap(0, 1);
    let refused = BlobMetadata::new(300, hashes).verify(params(N), metadata.blob_id());
    assert!(matches!(refused, Err(MetadataError::WrongBlobId { .. })));
}

#[test]
fn metadata_of_impossible_shape_is_refused() {
    let (_, blob) = blob();
    let hashes = blob.metadata().hashes().to_vec();
    let max = params(N).max_blob_size();
    let too_large = BlobMetadata::new(max + 1, hashes.clone());
    let id = too_large.compute_blob_id();
    let error = MetadataError::TooLarge { length: max + 1, max };
    assert_eq!(too_large.verify(params(N), &id).unwrap_err(), error);
    let too_few = BlobMetadata::new(300, hashes[..9].to_vec());
    let id = too_few.compute_blob_id();
    let error = MetadataError::WrongShardCount { expected: 10, got: 9 };
    assert_eq!(too_few.verify(params(N), &id).unwrap_err(), error);
    // The removed encoding type 0.
    let mut bytes = blob.metadata().to_bcs();
    bytes[1] = 0;
    BlobMetadata::from_bcs(&bytes, params(N)).unwrap_err();
}

/// Such a blob can be registered, so nodes must take its metadata, and nothing may ever verify by it.
#[test]
fn empty_roots_are_taken_and_never_verify() {
    let (_, blob) = blob();
    for hash in [Node::Empty, Node::Digest(Digest::EMPTY)] {
        let metadata = altered(blob.metadata(), 3, SliverType::Primary, hash);
        let bytes = metadata.to_bcs();
        assert_eq!(BlobMetadata::from_bcs(&bytes, params(N)).unwrap().to_bcs(), bytes);
        let index = SliverIndex(3);
        let sliver = blob.sliver::<Primary>(index).unwrap().into_sliver();
        let error = SliverError::WrongHash { sliver_type: SliverType::Primary, index };
        assert_eq!(metadata.verify_sliver(sliver, index), Err(error));
        let symbol = expand::<Primary>(&blob, 3).recovery_symbol(SliverIndex(1)).unwrap();
        let refused = symbol.verify(&metadata, SliverIndex(1));
        assert!(matches!(refused, Err(SymbolError::WrongProof { .. })));
    }
}

#[test]
fn too_few_slivers_give_nothing() {
    let (_, blob) = blob();
    let three = (0..3).map(|i| blob.sliver::<Primary>(SliverIndex(i)).unwrap());
    // Repeating one, or adding one of another blob, does not help.
    let (_, foreign) = encoded(N, 299);
    let more = [blob.sliver(SliverIndex(0)).unwrap(), foreign.sliver(SliverIndex(9)).unwrap()];
    let error = DecodeError::TooFewSlivers { sliver_type: SliverType::Primary, needed: 4, got: 3 };
    for check in [ConsistencyCheck::Skip, ConsistencyCheck::Default] {
        assert_eq!(
            decode(blob.metadata(), three.clone().chain(more.clone()), check),
            Err(error.clone())
        );
    }
}

/// A dishonest encoder: the slivers and hashes of 300 bytes, but a length that cuts some off.
#[test]
fn padding_that_is_not_zero_is_refused_whichever_slivers_arrive() {
    let (data, blob) = blob();
    let metadata = commit(params(N), 290, blob.metadata().hashes().to_vec());
    assert_eq!(metadata.symbol_size(), blob.metadata().symbol_size());
    for range in [0..4, 6..10] {
        let slivers = verify_under::<Primary>(&metadata, &blob, range);
        assert_eq!(slivers.len(), 4);
        for check in [ConsistencyCheck::Default, ConsistencyCheck::Strict] {
            let refused = decode(&metadata, slivers.clone(), check);
            assert_eq!(refused, Err(Inconsistency::Padding.into()));
        }
        let unchecked = decode(&metadata, slivers, ConsistencyCheck::Skip);
        assert!(unchecked.unwrap() == data[..290]);
    }
    let slivers = verify_under::<Secondary>(&metadata, &blob, 3..10);
    assert_eq!(
        decode(&metadata, slivers, ConsistencyCheck::Default),
        Err(Inconsistency::Padding.into())
    );
}

/// A dishonest encoder commits to systematic row 2 of another blob. Whoever decodes without that row
/// gets other bytes than whoever decodes with it: the default check must refuse both.
#[test]
fn surplus_slivers_are_not_taken_as_checked() {
    let (_, blob) = blob();
    let (_, other) = encoded(N, 299);
    let foreign = *other.metadata().sliver_hash(SliverType::Primary, SliverIndex(2)).unwrap();
    let metadata = altered(blob.metadata(), 2, SliverType::Primary, foreign);
    let rows = verify_under::<Primary>(&metadata, &blob, [0, 1, 3, 9]);
    assert_eq!(rows.len(), 4);
    let foreign_row = verify_under::<Primary>(&metadata, &other, [2]);
    assert_eq!(foreign_row.len(), 1);
    let refused = Err(Inconsistency::PrimarySliver { index: SliverIndex(2) }.into());
    // The fifth sliver verifies against the metadata, but nothing was decoded from it.
    let surplus = rows.iter().chain(&foreign_row).cloned();
    assert_eq!(decode(&metadata, surplus, ConsistencyCheck::Default), refused);
    assert_eq!(decode(&metadata, rows, ConsistencyCheck::Default), refused);
    // Decoding with the foreign row contradicts the others: rows 1 and 3 no longer fit.
    let with_foreign = foreign_row.into_iter().chain(verify_under(&metadata, &blob, [0, 8, 9]));
    let refused = decode(&metadata, with_foreign, ConsistencyCheck::Default);
    assert!(matches!(refused, Err(DecodeError::InvalidBlob(_))));
}

/// Where default and strict differ: hashes that no reader of source rows ever needs.
#[test]
fn wrong_repair_hashes_pass_the_default_check_and_not_the_strict_one() {
    let (data, blob) = blob();
    for (pair, sliver_type) in [(8, SliverType::Primary), (1, SliverType::Secondary)] {
        let metadata = altered(blob.metadata(), pair, sliver_type, wrong_hash());
        let rows = verify_under::<Primary>(&metadata, &blob, [0, 1, 2, 5]);
        let decoded = decode(&metadata, rows.clone(), ConsistencyCheck::Default);
        assert!(decoded.unwrap() == data);
        let got = *blob.metadata().blob_id();
        let refused = decode(&metadata, rows, ConsistencyCheck::Strict);
        assert_eq!(refused, Err(Inconsistency::BlobId { got }.into()));
        let columns = verify_under::<Secondary>(&metadata, &blob, 0..7);
        assert!(decode(&metadata, columns, ConsistencyCheck::Default).unwrap() == data);
    }
}

#[test]
fn altered_symbol_or_proof_is_refused() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let (column, target) = (expand::<Secondary>(&blob, 5), SliverIndex(8));
    let honest = column.recovery_symbol(target).unwrap();
    honest.clone().verify(metadata, target).unwrap();
    let mut data = honest.data().to_vec();
    data[0] ^= 1;
    let altered_data = RecoverySymbol::<Primary>::new(
        DecodingSymbol::new(SliverIndex(5), data),
        honest.proof().clone(),
    );
    let mut path = honest.proof().path().to_vec();
    path[0] = Node::Empty;
    let altered_path =
        RecoverySymbol::new(honest.decoding_symbol().clone(), MerkleProof::new(path.clone()));
    path.pop();
    let short_path =
        RecoverySymbol::new(honest.decoding_symbol().clone(), MerkleProof::new(path.clone()));
    path.extend([Node::Empty; 2]);
    let long_path = RecoverySymbol::new(honest.decoding_symbol().clone(), MerkleProof::new(path));
    for symbol in [altered_data, altered_path, short_path, long_path] {
        let refused = symbol.verify(metadata, target);
        assert!(matches!(refused, Err(SymbolError::WrongProof { .. })));
    }
    // The right symbol for another target, or said to come from another source.
    assert!(honest.clone().verify(metadata, SliverIndex(7)).is_err());
    let relabelled = RecoverySymbol::<Primary>::new(
        DecodingSymbol::new(SliverIndex(4), honest.data().to_vec()),
        honest.proof().clone(),
    );
    assert!(relabelled.verify(metadata, target).is_err());
}

#[test]
fn symbols_out_of_range_or_of_wrong_length_are_refused_before_hashing() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let honest = expand::<Secondary>(&blob, 5).recovery_symbol(SliverIndex(8)).unwrap();
    let forged = |source, data: &[u8]| {
        RecoverySymbol::<Primary>::new(
            DecodingSymbol::new(SliverIndex(source), data.to_vec()),
            honest.proof().clone(),
        )
    };
    let error = SymbolError::IndexOutOfRange { index: SliverIndex(N), n_shards: N };
    assert_eq!(forged(N, honest.data()).verify(metadata, SliverIndex(8)), Err(error.clone()));
    assert_eq!(honest.clone().verify(metadata, SliverIndex(N)), Err(error));
    let error = SymbolError::WrongLength { expected: metadata.symbol_size(), got: 11 };
    assert_eq!(forged(5, &honest.data()[..11]).verify(metadata, SliverIndex(8)), Err(error));
}

/// The lax rule of the reference, step 3 of section 6.2: a symbol whose *source* index equals the
/// wanted target would pass although it lies elsewhere.
#[test]
fn symbol_whose_source_index_equals_the_target_is_refused() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let wanted = SliverIndex(5);
    // For primary sliver 8, from secondary sliver 5: symbol (8, 5).
    let symbol = expand::<Secondary>(&blob, 5).general_symbol(SliverIndex(8)).unwrap();
    assert_eq!(symbol.id().to_string(), "8-5");
    let refused = symbol.clone().verify::<Primary>(metadata, wanted);
    assert!(matches!(refused, Err(SymbolError::WrongTarget { .. })));
    // It does lie on primary sliver 8 and on secondary sliver 5, and serves either.
    let row = symbol.clone().verify::<Primary>(metadata, SliverIndex(8)).unwrap();
    assert_eq!((row.source(), row.has_source_proof()), (SliverIndex(5), true));
    let column = symbol.verify::<Secondary>(metadata, wanted).unwrap();
    assert_eq!((column.source(), column.has_source_proof()), (SliverIndex(8), false));
}

fn symbols_for<T: Axis>(
    blob: &EncodedBlob,
    target: u16,
    sources: &[u16],
) -> Vec<RecoverySymbol<T>> {
    let symbol =
        |source: &u16| expand::<T::Orthogonal>(blob, *source).recovery_symbol(SliverIndex(target));
    sources.iter().map(|source| symbol(source).unwrap()).collect()
}

fn verified<T: Axis>(
    metadata: &VerifiedMetadata,
    target: u16,
    symbols: &[RecoverySymbol<T>],
) -> Vec<VerifiedSymbol<T>> {
    symbols
        .iter()
        .map(|symbol| symbol.clone().verify(metadata, SliverIndex(target)).unwrap())
        .collect()
}

#[test]
fn too_few_symbols_heal_nothing() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let mut symbols = verified(metadata, 8, &symbols_for::<Primary>(&blob, 8, &[0, 1, 2, 3, 4, 5]));
    symbols.push(symbols[0].clone());
    symbols.extend(verified(metadata, 7, &symbols_for::<Primary>(&blob, 7, &[9])));
    let error = RecoverError::TooFewSymbols { needed: 7, got: 6 };
    assert_eq!(recover_sliver(metadata, SliverIndex(8), symbols), Err(error));
}

#[test]
fn unproven_symbols_that_lie_prove_nothing() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let symbol = |source| {
        let honest = expand::<Primary>(&blob, source).decoding_symbol(SliverIndex(1)).unwrap();
        assert_eq!(honest.source(), SliverIndex(source));
        honest
    };
    let mut symbols = vec![symbol(0), symbol(3), symbol(9), symbol(6)];
    recover_sliver_unproven::<Secondary>(metadata, SliverIndex(1), symbols.clone()).unwrap();
    symbols[2] = DecodingSymbol::new(SliverIndex(9), vec![0; 12]);
    let refused = recover_sliver_unproven(metadata, SliverIndex(1), symbols.clone());
    assert_eq!(refused, Err(RecoverError::Mismatch));
    // Those that cannot be symbols at all are left out.
    symbols[2] = DecodingSymbol::new(SliverIndex(9), vec![0; 11]);
    symbols.push(DecodingSymbol::new(SliverIndex(N), vec![0; 12]));
    let refused = recover_sliver_unproven(metadata, SliverIndex(1), symbols);
    assert_eq!(refused, Err(RecoverError::TooFewSymbols { needed: 4, got: 3 }));
}

/// The whole way: a dishonest encoder, a node that cannot heal its sliver, a proof, another node that
/// checks it.
fn inconsistent_blob_is_proven<T: Axis>() {
    let (_, blob) = blob();
    let (honest, target) = (blob.metadata(), SliverIndex(8));
    let sources: Vec<u16> = (0..params(N).symbols_per_sliver(T::TYPE)).rev().collect();
    let symbols = symbols_for::<T>(&blob, 8, &sources);
    let pair = target.to_pair_index(T::TYPE, N).as_usize();
    for hash in [wrong_hash(), Node::Empty, Node::Digest(Digest::EMPTY)] {
        let metadata = altered(honest, pair, T::TYPE, hash);
        let failed = recover_sliver(&metadata, target, verified(&metadata, 8, &symbols));
        let Err(RecoverError::Inconsistent(proof)) = failed else { panic!("recovered {failed:?}") };
        assert_eq!(proof.symbols(), symbols);
        let bytes = proof.to_bcs();
        let parsed =
            InconsistencyProof::<T>::from_bcs(&bytes, params(N), metadata.symbol_size()).unwrap();
        assert_eq!(parsed, *proof);
        parsed.verify(&metadata).unwrap();
        // By honest metadata the same symbols show nothing.
        assert_eq!(parsed.verify(honest), Err(ProofError::Consistent));
    }
}

#[test]
fn inconsistent_rows_are_proven() {
    inconsistent_blob_is_proven::<Primary>();
}

#[test]
fn inconsistent_columns_are_proven() {
    inconsistent_blob_is_proven::<Secondary>();
}

#[test]
fn proofs_about_honest_blobs_are_refused() {
    let (_, blob) = blob();
    let metadata = blob.metadata();
    let symbols = symbols_for::<Secondary>(&blob, 1, &[0, 9, 3, 5]);
    let target = SliverIndex(1);
    let proof = InconsistencyProof::new(target, symbols.clone());
    assert_eq!(proof.verify(metadata), Err(ProofError::Consistent));
    // One symbol too few, one too many.
    let few = InconsistencyProof::new(target, symbols[..3].to_vec());
    assert_eq!(few.verify(metadata), Err(ProofError::WrongCount { expected: 4, got: 3 }));
    let more =
        InconsistencyProof::new(target, symbols_for::<Secondary>(&blob, 1, &[0, 9, 3, 5, 6]));
    assert_eq!(more.verify(metadata), Err(ProofError::WrongCount { expected: 4, got: 5 }));
    InconsistencyProof::<Secondary>::from_bcs(&more.to_bcs(), params(N), metadata.symbol_size())
        .unwrap_err();
    // No such sliver; symbols of another target.
    let beyond = InconsistencyProof::new(SliverIndex(N), symbols.clone());
    assert!(matches!(beyond.verify(metadata), Err(ProofError::IndexOutOfRange { .. })));
    let shifted = InconsistencyProof::new(SliverIndex(2), symbols);
    assert!(matches!(shifted.verify(metadata), Err(ProofError::Symbol { .. })));
}

/// Even about a blob that is inconsistent, for a proof must stand by itself.
#[test]
fn duplicated_symbols_prove_nothing() {
    let (_, blob) = blob();
    let metadata = altered(blob.metadata(), 8, SliverType::Primary, wrong_hash());
    let mut symbols = symbols_for::<Primary>(&blob, 8, &[0, 1, 2, 3, 4, 5, 6]);
    symbols[6] = symbols[2].clone();
    let proof = InconsistencyProof::new(SliverIndex(8), symbols);
    let error = ProofError::DuplicateSource { source_index: SliverIndex(2) };
    assert_eq!(proof.verify(&metadata), Err(error));
}

/// Symbols proven by the target's own tree heal it, but say nothing about the encoder.
#[test]
fn symbols_proven_by_the_target_itself_prove_no_inconsistency() {
    let (_, blob) = blob();
    let target = SliverIndex(8);
    let row = expand::<Primary>(&blob, 8);
    let symbols: Vec<_> = (0..7)
        .map(|column| row.general_symbol(SliverIndex(column)).unwrap())
        .map(|symbol| symbol.verify::<Primary>(blob.metadata(), target).unwrap())
        .collect();
    assert!(symbols.iter().all(|symbol| !symbol.has_source_proof()));
    assert_eq!(&recover_sliver(blob.metadata(), target, symbols).unwrap(), row.sliver());

    // A root over symbols that are no codeword: its own proofs hold, the sliver does not exist.
    let size = blob.metadata().symbol_size();
    let noise = support::xorshift64(1, usize::from(N) * size.bytes());
    let mut engine = Fast::new();
    let tree = MerkleTree::build(&mut engine, size.bytes(), &noise);
    let metadata = altered(blob.metadata(), 8, SliverType::Primary, Node::Digest(tree.root()));
    let symbols: Vec<_> = (0..7)
        .map(|column| {
            let data = noise[usize::from(column) * 12..][..12].to_vec();
            let proof = tree.proof(column.into()).unwrap();
            let symbol = RecoverySymbol::<Secondary>::new(DecodingSymbol::new(target, data), proof);
            let general = walrus_redstuff::GeneralRecoverySymbol::new(symbol, SliverIndex(column));
            general.verify::<Primary>(&metadata, target).unwrap()
        })
        .collect();
    assert_eq!(recover_sliver(&metadata, target, symbols), Err(RecoverError::Mismatch));
}
