//! Keys, signatures and messages in forms that must be refused, one test per lie.
#![allow(clippy::unwrap_used)]

mod common;

use common::{confirmation, context, key};
use proptest::prelude::*;
use walrus_core::*;

/// The base field's modulus, big endian.
const P: &str = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf\
                 6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
/// The order of the groups.
const R: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// Adds the modulus to the number in the 64 bytes at `at`.
fn add_modulus(bytes: &mut [u8], at: usize) {
    let mut carry = 0u16;
    for (byte, p) in bytes[at..at + 64].iter_mut().rev().zip(hex::decode(P).unwrap().iter().rev()) {
        let sum = u16::from(*byte) + u16::from(*p) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
}

fn swap_coordinates(bytes: &mut [u8], a: usize, b: usize) {
    for i in 0..64 {
        bytes.swap(a * 64 + i, b * 64 + i);
    }
}

#[test]
fn secrets_out_of_range_are_refused() {
    // Zero signs nothing; an unreduced scalar is a second name of another key.
    let mut above = unhex::<32>(R);
    above[31] += 1;
    for bytes in [[0; 32], unhex(R), above, [0xff; 32]] {
        let error = ProtocolSecretKey::from_bytes(&bytes).unwrap_err();
        assert_eq!(error, ProtocolKeyError::SecretRange);
    }
    let mut below = unhex::<32>(R);
    below[31] -= 1;
    assert!(ProtocolSecretKey::from_bytes(&below).is_ok());
    assert!(NetworkSecretKey::from_bytes(&[0; 32]).is_err());
    assert!(NetworkSecretKey::from_bytes(&[0xff; 32]).is_err());
}

#[test]
fn key_files_of_another_form_are_refused() {
    // A file of the wrong kind must not become a key, nor its text an error message.
    let good = key(0).to_tagged_base64();
    let network = NetworkSecretKey::from_bytes(&[1; 32]).unwrap().to_tagged_base64();
    let flag = TaggedKeyError::Flag { expected: 4, got: 2 };
    let error = ProtocolSecretKey::from_tagged_base64(&network).unwrap_err();
    assert_eq!(error, ProtocolKeyError::File(flag));
    assert!(NetworkSecretKey::from_tagged_base64(&good).is_err());
    let bad =
        ["", &good[..43], &format!("{}=", &good[..43]), &good.replace('B', "-"), &"é".repeat(22)];
    for text in bad {
        assert!(ProtocolSecretKey::from_tagged_base64(text).is_err(), "{text}");
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let secret = key(0);
    let text = format!("{secret:?}");
    assert!(!text.contains(&secret.to_tagged_base64()[2..40]), "{text}");
    let network = NetworkSecretKey::from_bytes(&[9; 32]).unwrap();
    let text = format!("{network:?}");
    assert!(!text.contains(&network.to_tagged_base64()[2..40]), "{text}");
    assert!(!text.contains(&hex::encode([9; 8])), "{text}");
}

#[test]
fn the_identity_is_no_key_and_no_signature() {
    // Under the identity key the identity signature signs everything.
    let mut key_bytes = [0; 48];
    key_bytes[0] = 0xc0;
    let error = ProtocolPublicKey::from_bytes(&key_bytes).unwrap_err();
    assert_eq!(error, ProtocolKeyError::Identity);
    let mut uncompressed = [0; 96];
    assert!(ProtocolPublicKey::from_uncompressed(&uncompressed).is_err());
    uncompressed[0] = 0x40;
    assert!(ProtocolPublicKey::from_uncompressed(&uncompressed).is_err());
    assert!(ProtocolPublicKey::from_evm(&[0; 128]).is_err());

    let mut signature = [0; 96];
    signature[0] = 0xc0;
    let error = ProtocolSignature::from_bytes(&signature).unwrap_err();
    assert_eq!(error, SignatureError::Identity);
    assert_eq!(ProtocolSignature::from_evm(&[0; 256]), Err(SignatureError::Identity));
    assert_eq!(ProtocolSignature::aggregate([]), None);
}

#[test]
fn keys_that_cancel_out_sign_nothing() {
    // A key and its negation sum to the identity, and so do their signatures.
    let secret = ProtocolSecretKey::from_bytes(&unhex(&format!("{:064x}", 1))).unwrap();
    let mut negated = unhex::<32>(R);
    negated[31] -= 1;
    let negated = ProtocolSecretKey::from_bytes(&negated).unwrap();
    let message = confirmation(1);
    let signatures = [&secret, &negated]
        .map(|key| SignedMessage::sign(key, &context(), &message).signature().clone());
    assert_eq!(ProtocolSignature::aggregate(&signatures), None);
    let keys = [secret.public_key(), negated.public_key()];
    assert!(!signatures[0].verifies_aggregate(&message.to_bytes(&context()), keys));
    assert!(!signatures[0].verifies_aggregate(&message.to_bytes(&context()), []));
}

#[test]
fn chain_forms_are_canonical() {
    // A second encoding of a point would pass here and fail in the contract, or the
    // other way round.
    let public = key(0).public_key().clone();
    let signed = SignedMessage::sign(&key(0), &context(), &confirmation(1));
    let signature = signed.signature().clone();
    assert_eq!(ProtocolPublicKey::from_evm(&public.to_evm()).unwrap(), public);
    assert_eq!(ProtocolPublicKey::from_uncompressed(&public.to_uncompressed()).unwrap(), public);
    assert_eq!(ProtocolSignature::from_evm(&signature.to_evm()).unwrap(), signature);

    for index in 0..2 {
        let mut bytes = public.to_evm();
        bytes[index * 64 + 15] = 1;
        let error = ProtocolPublicKey::from_evm(&bytes).unwrap_err();
        assert_eq!(error, FieldError::Padding { index }.into());
        let mut bytes = public.to_evm();
        add_modulus(&mut bytes, index * 64);
        let error = ProtocolPublicKey::from_evm(&bytes).unwrap_err();
        assert_eq!(error, FieldError::TooLarge { index }.into());
    }
    for index in 0..4 {
        let mut bytes = signature.to_evm();
        bytes[index * 64] = 1;
        let error = ProtocolSignature::from_evm(&bytes).unwrap_err();
        assert_eq!(error, FieldError::Padding { index }.into());
        let mut bytes = signature.to_evm();
        add_modulus(&mut bytes, index * 64);
        let error = ProtocolSignature::from_evm(&bytes).unwrap_err();
        assert_eq!(error, FieldError::TooLarge { index }.into());
    }
}

#[test]
fn swapped_coordinates_are_refused() {
    // The compact form writes c1 first, the chain c0: mixing them up must not pass.
    let public = key(0).public_key().clone();
    let mut bytes = public.to_evm();
    swap_coordinates(&mut bytes, 0, 1);
    assert_eq!(ProtocolPublicKey::from_evm(&bytes), Err(ProtocolKeyError::NotOnCurve));

    let signed = SignedMessage::sign(&key(0), &context(), &confirmation(1));
    let evm = signed.signature().to_evm();
    let mut bytes = evm;
    swap_coordinates(&mut bytes, 0, 1);
    swap_coordinates(&mut bytes, 2, 3);
    assert_eq!(ProtocolSignature::from_evm(&bytes), Err(SignatureError::NotOnCurve));
    let mut bytes = evm;
    swap_coordinates(&mut bytes, 0, 2);
    swap_coordinates(&mut bytes, 1, 3);
    assert_eq!(ProtocolSignature::from_evm(&bytes), Err(SignatureError::NotOnCurve));
}

#[test]
fn points_outside_the_subgroup_are_refused() {
    // On the curve, but pairings with it prove nothing. Small x coordinates give points
    // of the full curve, which are in the subgroup with negligible probability.
    let found = (1..40u8).filter_map(|x| {
        let mut bytes = [0; 48];
        bytes[0] = 0x80;
        bytes[47] = x;
        ProtocolPublicKey::from_bytes(&bytes).err()
    });
    assert!(found.into_iter().any(|error| error == ProtocolKeyError::NotInSubgroup));
    let found = (1..40u8).filter_map(|x| {
        let mut bytes = [0; 96];
        bytes[0] = 0x80;
        bytes[95] = x;
        ProtocolSignature::from_bytes(&bytes).err()
    });
    assert!(found.into_iter().any(|error| error == SignatureError::NotInSubgroup));
}

#[test]
fn compressed_forms_are_canonical() {
    let public = key(0).public_key().clone();
    // Without the compression flag, with the infinity flag, x not below the modulus.
    let mut plain = *public.as_bytes();
    plain[0] &= 0x7f;
    let mut infinite = *public.as_bytes();
    infinite[0] |= 0x40;
    let mut large = unhex::<48>(P);
    large[0] |= 0x80;
    for bytes in [plain, infinite, large] {
        assert_eq!(ProtocolPublicKey::from_bytes(&bytes), Err(ProtocolKeyError::Encoding));
    }
    let uncompressed = public.to_uncompressed();
    assert!(ProtocolPublicKey::from_bytes(&uncompressed).is_err(), "96 bytes are another form");
    for flag in [0x80, 0x40, 0x20] {
        let mut bytes = uncompressed;
        bytes[0] |= flag;
        let error = ProtocolPublicKey::from_uncompressed(&bytes).unwrap_err();
        assert_eq!(error, ProtocolKeyError::Encoding);
    }
}

#[test]
fn messages_of_another_kind_are_named_for_what_they_are() {
    // Each error must be the field's own, since callers decide by it.
    let message = confirmation(5);
    let good = message.to_bytes(&context());
    let with = |index: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[index] = byte;
        message.check(&context(), &bytes).unwrap_err()
    };
    let expected = MessageType::StorageConfirmation;
    assert_eq!(with(0, 2), MessageError::Type { expected, got: 2 });
    assert_eq!(with(1, 0), MessageError::Version { expected: 1, got: 0 });
    assert_eq!(with(2, 4), MessageError::App { got: 4 });
    assert_eq!(with(3, 6), MessageError::Epoch { expected: Epoch(5), got: Epoch(6) });
    assert!(matches!(with(7, 0), MessageError::Domain { .. }));
    assert_eq!(with(39, 0), MessageError::BlobId);
    assert!(matches!(with(71, 2), MessageError::Malformed(_)));
    assert!(matches!(with(71, 0), MessageError::Malformed(_)), "object id left over");
    assert!(matches!(with(103, 0), MessageError::Persistence { .. }));
    assert_eq!(good.len(), 104);

    let long = [good.as_slice(), &[0]].concat();
    assert!(matches!(message.check(&context(), &long), Err(MessageError::Malformed(_))));
    let longer = vec![1; MAX_MESSAGE_LEN + 1];
    let error = MessageError::Length { max: MAX_MESSAGE_LEN, got: 120 };
    assert_eq!(message.check(&context(), &longer), Err(error));
    for end in 0..good.len() {
        assert!(message.check(&context(), &good[..end]).is_err(), "cut to {end} bytes");
    }
    let public = message.to_bytes(&SigningContext::PublicNetwork);
    assert!(message.check(&context(), &public).is_err(), "no domain");
}

#[test]
fn the_domain_names_chain_and_deployment() {
    // keccak256(abi.encode(uint256(1), address(0x2a..2a))), computed by another program.
    let domain = Domain::of(1, EvmAddress([0x2a; 20]));
    assert_eq!(domain.to_string(), DOMAIN_OF_1_2A);
    assert_ne!(domain, Domain::of(2, EvmAddress([0x2a; 20])));
    assert_ne!(domain, Domain::of(1, EvmAddress([0x2b; 20])));
}

const DOMAIN_OF_1_2A: &str = "0xf23d492556c82f88d280574385504962c0f13af4dd11d8a7ccdb594fb15467dc";

#[test]
fn a_proof_of_possession_binds_account_key_and_epoch() {
    let secret = key(0);
    let possession = |account: u8, key: &ProtocolSecretKey, epoch| {
        let account = EvmAddress([account; 20]).into();
        let public_key = key.public_key().clone();
        Message::new(Epoch(epoch), ProofOfPossession { account, public_key })
    };
    let message = possession(1, &secret, 3);
    let signed = SignedMessage::sign(&secret, &context(), &message);
    signed.verify(&context(), &message, secret.public_key()).unwrap();
    let other_key = possession(1, &key(1), 3);
    let refused = [
        (possession(2, &secret, 3), MessageError::Account),
        (other_key.clone(), MessageError::PublicKey),
    ];
    for (expected, error) in refused {
        let got = signed.verify(&context(), &expected, secret.public_key()).unwrap_err();
        assert_eq!(got, SignedMessageError::Message(error));
    }
    assert!(signed.verify(&context(), &possession(1, &secret, 4), secret.public_key()).is_err());
    // Claiming somebody else's key: the message is right, the signature is not.
    let stolen = SignedMessage::sign(&secret, &context(), &other_key);
    let got = stolen.verify(&context(), &other_key, key(1).public_key()).unwrap_err();
    assert_eq!(got, SignedMessageError::Signature);
    assert_eq!(message.to_bytes(&context()).len(), MAX_MESSAGE_LEN);
}

#[test]
fn oversized_json_is_refused() {
    let signature = SignedMessage::sign(&key(0), &context(), &confirmation(1)).signature().clone();
    let json = |chars: usize| {
        format!(r#"{{"serializedMessage":"{}","signature":"{signature}"}}"#, "A".repeat(chars))
    };
    assert!(serde_json::from_str::<SignedMessage>(&json(156)).is_ok());
    assert!(serde_json::from_str::<SignedMessage>(&json(160)).is_err());
    assert!(serde_json::from_str::<SignedMessage>(&json(1 << 20)).is_err());
    assert!(serde_json::from_str::<SignedMessage>(&json(155)).is_err(), "no padding");
}

proptest! {
    #[test]
    fn outside_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        // Whatever is accepted is also printed back as it was.
        if let Ok(signed) = SignedMessage::from_bcs(&bytes) {
            prop_assert_eq!(signed.to_bcs(), bytes.clone());
        }
        if let Ok(certificate) = Certificate::from_bcs(&bytes) {
            prop_assert_eq!(certificate.to_bcs(), bytes.clone());
        }
        for context in [context(), SigningContext::PublicNetwork] {
            let _ = Message::<StorageConfirmation>::from_bytes(&context, &bytes);
            let _ = Message::<InvalidBlobId>::from_bytes(&context, &bytes);
            let _ = Message::<ProofOfPossession>::from_bytes(&context, &bytes);
            let _ = Message::<SyncShardRequest>::from_bytes(&context, &bytes);
        }
        let _ = ProtocolPublicKey::from_bytes(&bytes);
        let _ = ProtocolSignature::from_bytes(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = ProtocolSecretKey::from_tagged_base64(&text);
        let _ = text.parse::<ProtocolPublicKey>();
        let _ = text.parse::<NetworkAddress>();
        let _ = text.parse::<Domain>();
        let _ = serde_json::from_slice::<Certificate>(&bytes);
    }

    #[test]
    fn any_point_prefix_is_read_without_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 96),
        flags in 0u8..8,
    ) {
        bytes[0] = flags << 5 | bytes[0] & 0x1f;
        if let Ok(signature) = ProtocolSignature::from_bytes(&bytes) {
            prop_assert_eq!(signature.to_bytes().to_vec(), bytes.clone());
        }
        if let Ok(key) = ProtocolPublicKey::from_bytes(&bytes[..48]) {
            prop_assert_eq!(key.as_bytes(), &bytes[..48]);
        }
        let _ = ProtocolPublicKey::from_uncompressed(&bytes.try_into().unwrap());
    }

    #[test]
    fn parsing_inverts_printing(
        randomness in any::<[u8; 32]>(),
        blob_id in any::<[u8; 32]>(),
        object in prop::option::of(any::<[u8; 32]>()),
        epoch in any::<u32>(),
    ) {
        let secret = ProtocolSecretKey::from_randomness(&randomness);
        let public = secret.public_key();
        prop_assert_eq!(&public.to_string().parse::<ProtocolPublicKey>().unwrap(), public);
        prop_assert_eq!(&ProtocolPublicKey::from_bytes(public.as_bytes()).unwrap(), public);
        prop_assert_eq!(&ProtocolPublicKey::from_evm(&public.to_evm()).unwrap(), public);
        let persistence = object.map_or(Persistence::Permanent, |id| {
            Persistence::Deletable(ObjectId(id))
        });
        let body = StorageConfirmation { blob_id: BlobId::from_bytes(blob_id), persistence };
        let message = Message::new(Epoch(epoch), body);
        for context in [context(), SigningContext::PublicNetwork] {
            let bytes = message.to_bytes(&context);
            prop_assert_eq!(&Message::from_bytes(&context, &bytes).unwrap(), &message);
            let signed = SignedMessage::sign(&secret, &context, &message);
            prop_assert_eq!(&SignedMessage::from_bcs(&signed.to_bcs()).unwrap(), &signed);
            let json = serde_json::to_string(&signed).unwrap();
            prop_assert_eq!(&serde_json::from_str::<SignedMessage>(&json).unwrap(), &signed);
            let evm = signed.signature().to_evm();
            prop_assert_eq!(&ProtocolSignature::from_evm(&evm).unwrap(), signed.signature());
        }
    }
}
