//! Committees and certificates: one test per lie, and that every quorum's certificate
//! is accepted.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{certificate_bcs, committee, confirmation, context, key, member};
use proptest::prelude::*;
use walrus_core::*;

/// Seven shards over four nodes, of which 1, 2 and 3 reach the quorum of five exactly.
const WEIGHTS: [u16; 4] = [2, 2, 1, 2];

fn sign(index: usize, message: &Message<StorageConfirmation>) -> SignedMessage {
    SignedMessage::sign(&key(index), &context(), message)
}

/// The certificate of these signers (seats) over `message`, whether or not it suffices.
fn certificate(signers: &[u16], message: &Message<StorageConfirmation>) -> Certificate {
    let signatures: Vec<_> = signers
        .iter()
        .map(|signer| sign(usize::from(*signer), message).signature().clone())
        .collect();
    let sum = ProtocolSignature::aggregate(&signatures).unwrap().to_bytes();
    let bytes = certificate_bcs(signers, &message.to_bytes(&context()), &sum);
    Certificate::from_bcs(&bytes).unwrap()
}

fn verify(
    certificate: &Certificate,
    committee: &Committee,
    message: &Message<StorageConfirmation>,
) -> Result<u32, CertificateError> {
    certificate.verify(&context(), committee, message, Threshold::Quorum)
}

#[test]
fn a_quorum_is_accepted_and_less_is_not() {
    let (committee, message) = (committee(3, &WEIGHTS), confirmation(3));
    assert_eq!(verify(&certificate(&[0, 1, 2], &message), &committee, &message), Ok(5));
    assert_eq!(verify(&certificate(&[3, 0, 1, 2], &message), &committee, &message), Ok(7));
    let error = CertificateError::Weight { needed: 5, got: 4 };
    let few = certificate(&[0, 3], &message);
    assert_eq!(verify(&few, &committee, &message), Err(error));
    assert_eq!(few.verify(&context(), &committee, &message, Threshold::OneHonest), Ok(4));
    let fewer = certificate(&[0], &message);
    let error = CertificateError::Weight { needed: 3, got: 2 };
    let got = fewer.verify(&context(), &committee, &message, Threshold::OneHonest);
    assert_eq!(got, Err(error));
}

#[test]
fn no_signers_are_refused() {
    let (committee, message) = (committee(3, &WEIGHTS), confirmation(3));
    let signature = sign(0, &message).signature().to_bytes();
    let bytes = certificate_bcs(&[], &message.to_bytes(&context()), &signature);
    let nobody = Certificate::from_bcs(&bytes).unwrap();
    let error = CertificateError::Weight { needed: 5, got: 0 };
    assert_eq!(verify(&nobody, &committee, &message), Err(error));
}

#[test]
fn a_signer_counts_once() {
    // Otherwise one member could confirm alone, its key and signature taken three times.
    let (committee, message) = (committee(3, &WEIGHTS), confirmation(3));
    let error = Err(CertificateError::DuplicateSigner { signer: 0 });
    let thrice = certificate(&[0, 0, 0], &message);
    assert_eq!(verify(&thrice, &committee, &message), error);
    assert_eq!(thrice.to_evm(), Err(CertificateError::DuplicateSigner { signer: 0 }));
    assert_eq!(verify(&certificate(&[0, 1, 2, 0], &message), &committee, &message), error);
}

#[test]
fn signers_outside_the_committee_are_refused() {
    let (committee, message) = (committee(3, &WEIGHTS), confirmation(3));
    let error = Err(CertificateError::UnknownSigner { signer: 4 });
    assert_eq!(verify(&certificate(&[0, 1, 2, 4], &message), &committee, &message), error);
    let sum = certificate(&[0, 1, 2], &message).signature().to_bytes();
    for signer in [255, 256, u16::MAX] {
        // 256 must not be taken for 0.
        let bytes = certificate_bcs(&[1, 2, 3, signer], &message.to_bytes(&context()), &sum);
        let error = Err(CertificateError::UnknownSigner { signer });
        assert_eq!(verify(&Certificate::from_bcs(&bytes).unwrap(), &committee, &message), error);
    }
}

#[test]
fn empty_seats_cannot_sign() {
    // The node that left seat 1 still has its key.
    let message = confirmation(3);
    let seats = vec![Some(member(1, &key(0), 2)), None, Some(member(3, &key(2), 2))];
    let map = [0, 0, 2, 2].map(Seat).to_vec();
    let committee = Committee::new(Epoch(3), seats, map).unwrap();
    let error = Err(CertificateError::UnknownSigner { signer: 1 });
    assert_eq!(verify(&certificate(&[0, 1, 2], &message), &committee, &message), error);
    let good = certificate(&[0, 2], &message);
    assert_eq!(verify(&good, &committee, &message), Ok(4));
    assert_eq!(good.to_evm().unwrap().signers[31], 0b101);
    assert_eq!(committee.owner_of(ShardIndex(3)).unwrap().node_id, NodeId(3));
}

#[test]
fn another_message_is_refused_whatever_its_signature() {
    // Each certificate is valid for what it says, and presented for something else.
    let (committee, message) = (committee(3, &WEIGHTS), confirmation(3));
    let signers = [0, 1, 2, 3];
    let of_blob = |blob, persistence| {
        let blob_id = BlobId::from_bytes([blob; 32]);
        Message::new(Epoch(3), StorageConfirmation { blob_id, persistence })
    };
    let refused = [
        certificate(&signers, &confirmation(2)),
        certificate(&signers, &of_blob(8, message.body.persistence)),
        certificate(&signers, &of_blob(7, Persistence::Permanent)),
        certificate(&signers, &of_blob(7, Persistence::of(TokenId(43), true))),
    ];
    for certificate in refused {
        let error = verify(&certificate, &committee, &message).unwrap_err();
        assert!(matches!(error, CertificateError::Message(_)), "{error}");
    }
    let stale = confirmation(2);
    let error = verify(&certificate(&signers, &stale), &committee, &stale).unwrap_err();
    let (committee_epoch, message_epoch) = (Epoch(3), Epoch(2));
    assert_eq!(
        error,
        CertificateError::CommitteeEpoch { committee: committee_epoch, message: message_epoch }
    );
}

#[test]
fn another_network_s_certificate_is_refused() {
    let (committee, message) = (committee(3, &WEIGHTS), confirmation(3));
    let good = certificate(&[0, 1, 2], &message);
    let others = [
        SigningContext::deployed(1, EvmAddress([0xc0; 20])),
        SigningContext::deployed(31_337, EvmAddress([0xc1; 20])),
        SigningContext::PublicNetwork,
    ];
    for other in others {
        let error = good.verify(&other, &committee, &message, Threshold::Quorum).unwrap_err();
        assert!(matches!(error, CertificateError::Message(_)), "{error}");
    }
}

#[test]
fn the_keys_must_be_exactly_those_of_the_signers() {
    let (committee, message) = (committee(3, &WEIGHTS), confirmation(3));
    let sum = certificate(&[0, 1, 2], &message).signature().to_bytes();
    for signers in [&[0, 1, 2, 3][..], &[0, 1, 3], &[1, 2, 3]] {
        let bytes = certificate_bcs(signers, &message.to_bytes(&context()), &sum);
        let changed = Certificate::from_bcs(&bytes).unwrap();
        assert_eq!(verify(&changed, &committee, &message), Err(CertificateError::Signature));
    }
}

#[test]
fn the_builder_names_liars_and_counts_only_the_good() {
    let (committee, message) = (Arc::new(committee(3, &WEIGHTS)), confirmation(3));
    let mut builder =
        CertificateBuilder::new(committee.clone(), context(), message.clone(), Threshold::Quorum)
            .unwrap();
    builder.add(NodeId(1), &sign(0, &message)).unwrap();
    let again = builder.add(NodeId(1), &sign(0, &message));
    assert_eq!(again, Err(AddError::AlreadySigned { node: NodeId(1) }));
    // Node 2 sends node 1's confirmation, then one of another epoch; node 9 is unknown.
    let copied = builder.add(NodeId(2), &sign(0, &message)).unwrap_err();
    let source = SignedMessageError::Signature;
    assert_eq!(copied, AddError::Refused { node: NodeId(2), source });
    let stale = builder.add(NodeId(2), &sign(1, &confirmation(2))).unwrap_err();
    assert!(matches!(stale, AddError::Refused { node: NodeId(2), .. }));
    let stranger = builder.add(NodeId(9), &sign(8, &message));
    assert_eq!(stranger, Err(AddError::NotAMember { node: NodeId(9) }));
    assert_eq!((builder.weight(), builder.needed_weight()), (2, 5));
    let error = FinishError::Weight { needed: 5, got: 2 };
    assert_eq!(builder.finish(), Err(error));
    builder.add(NodeId(3), &sign(2, &message)).unwrap();
    builder.add(NodeId(2), &sign(1, &message)).unwrap();
    let certificate = builder.finish().unwrap();
    assert_eq!(certificate.signers(), [0, 1, 2]);
    assert_eq!(verify(&certificate, &committee, &message), Ok(5));
    let stale = CertificateBuilder::new(committee, context(), confirmation(2), Threshold::Quorum);
    assert!(stale.is_err(), "a message of another epoch than the committee");
}

#[test]
fn unverified_signatures_are_checked_before_they_leave() {
    let (committee, message) = (Arc::new(committee(3, &WEIGHTS)), confirmation(3));
    let mut builder =
        CertificateBuilder::new(committee.clone(), context(), message.clone(), Threshold::Quorum)
            .unwrap();
    builder.add(NodeId(1), &sign(0, &message)).unwrap();
    builder.add_unverified(NodeId(2), &sign(3, &message)).unwrap();
    builder.add_unverified(NodeId(3), &sign(2, &message)).unwrap();
    assert!(builder.is_complete());
    let error = FinishError::BadSignatures { nodes: vec![NodeId(2)] };
    assert_eq!(builder.finish(), Err(error));
    assert!(!builder.has_signed(NodeId(2)) && builder.has_signed(NodeId(3)));
    assert_eq!(builder.weight(), 3);
    builder.add_unverified(NodeId(4), &sign(3, &message)).unwrap();
    assert_eq!(verify(&builder.finish().unwrap(), &committee, &message), Ok(5));
    let other = builder.add_unverified(NodeId(2), &sign(1, &confirmation(2)));
    assert!(other.is_err(), "the message is compared all the same");
}

#[test]
fn impossible_committees_are_refused() {
    let build = |members: Vec<Member>| Committee::with_consecutive_shards(Epoch(1), members);
    let two = || vec![member(1, &key(0), 3), member(2, &key(1), 4)];
    assert!(build(two()).is_ok());
    // One key at two seats would count its signature twice.
    let mut members = two();
    members[1].public_key = members[0].public_key.clone();
    assert_eq!(build(members), Err(CommitteeError::Key { node: NodeId(2) }));
    for node in [1, 0] {
        let mut members = two();
        members[1].node_id = NodeId(node);
        assert_eq!(build(members), Err(CommitteeError::Node { node: NodeId(node) }));
    }
    let mut members = two();
    members[0].weight = 0;
    let error = CommitteeError::Weight { node: NodeId(1), weight: 0, shards: 0 };
    assert_eq!(build(members), Err(error));
    let mut members = two();
    members[0].name = "x".repeat(101);
    assert_eq!(build(members), Err(CommitteeError::Name { node: NodeId(1), got: 101 }));
    let error = CommitteeError::ShardCount { got: 3 };
    assert_eq!(build(vec![member(1, &key(0), 3)]), Err(error));
    assert_eq!(build(vec![]), Err(CommitteeError::ShardCount { got: 0 }));

    let seats = || two().into_iter().map(Some).collect::<Vec<_>>();
    let map = |seats: [u8; 7]| seats.map(Seat).to_vec();
    let error = CommitteeError::Weight { node: NodeId(1), weight: 3, shards: 4 };
    let got = Committee::new(Epoch(1), seats(), map([0, 0, 0, 0, 1, 1, 1]));
    assert_eq!(got, Err(error));
    let got = Committee::new(Epoch(1), seats(), map([0, 0, 0, 1, 1, 1, 2]));
    assert_eq!(got, Err(CommitteeError::Owner { shard: ShardIndex(6), seat: Seat(2) }));
}

#[test]
fn lookups_agree_with_the_map() {
    let seats = vec![Some(member(1, &key(0), 3)), Some(member(2, &key(1), 4))];
    let map = [1, 0, 1, 0, 1, 0, 1].map(Seat).to_vec();
    let committee = Committee::new(Epoch(1), seats, map).unwrap();
    assert_eq!(committee.shards_of(NodeId(1)), [1, 3, 5].map(ShardIndex));
    assert_eq!(committee.shards_of(NodeId(3)), []);
    assert_eq!(committee.owner_of(ShardIndex(2)).unwrap().node_id, NodeId(2));
    assert_eq!(committee.owner_of(ShardIndex(7)), None);
    assert_eq!(committee.seat_of(NodeId(2)), Some(Seat(1)));
    assert_eq!(committee.member_with_key(key(1).public_key()).unwrap().node_id, NodeId(2));
    assert_eq!(committee.member_with_key(key(2).public_key()), None);
    assert_eq!((committee.weight_of(NodeId(2)), committee.weight_of(NodeId(5))), (4, 0));
    assert_eq!((committee.n_shards(), committee.max_faulty()), (7, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_quorum_verifies_in_every_form(
        weights in prop::collection::vec(1u16..8, 4..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 12),
    ) {
        // Which members answer first must not matter.
        let (committee, message) = (Arc::new(committee(9, &weights)), confirmation(9));
        let mut builder = CertificateBuilder::new(
            committee.clone(), context(), message.clone(), Threshold::Quorum,
        ).unwrap();
        let mut nodes: Vec<usize> = (0..weights.len()).collect();
        for index in order {
            let node = nodes.remove(index.index(nodes.len()));
            builder.add(NodeId(node as u32 + 1), &sign(node, &message)).unwrap();
            if builder.is_complete() || nodes.is_empty() {
                break;
            }
        }
        let weight = builder.weight();
        let certificate = builder.finish().unwrap();
        prop_assert_eq!(verify(&certificate, &committee, &message), Ok(weight));
        let bcs = Certificate::from_bcs(&certificate.to_bcs()).unwrap();
        prop_assert_eq!(&bcs, &certificate);
        let json = serde_json::to_string(&certificate).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Certificate>(&json).unwrap(), &certificate);
        let evm = certificate.to_evm().unwrap();
        let back = Certificate::from_evm(&evm, certificate.message_bytes().to_vec()).unwrap();
        prop_assert_eq!(&back, &certificate);
    }
}
