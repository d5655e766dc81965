//! The contracts' verdicts: `contracts/test/vectors/messages.json` is written by the
//! Solidity tests from what the contracts really did. If a case differs here, a client
//! would submit what reverts, or discard what counts.
#![allow(clippy::unwrap_used)]

mod common;

use common::certificate_bcs;
use serde_json::Value;
use walrus_core::*;

fn vectors() -> Value {
    let text = include_str!("../../../contracts/test/vectors/messages.json");
    serde_json::from_str(text).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value).strip_prefix("0x").unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(value.as_u64().unwrap()).ok().unwrap()
}

fn context(vectors: &Value) -> SigningContext {
    let committees = text(&vectors["committees"]).parse().unwrap();
    SigningContext::deployed(number(&vectors["chain_id"]), committees)
}

fn committee(vectors: &Value) -> Committee {
    let committee = &vectors["committee"];
    let members = committee["members"].as_array().unwrap().iter().map(|entry| {
        let secret = ProtocolSecretKey::from_bytes(&array(&entry["secret_key"])).unwrap();
        common::member(number(&entry["node_id"]), &secret, number(&entry["weight"]))
    });
    let epoch = Epoch(number(&committee["epoch"]));
    Committee::with_consecutive_shards(epoch, members.collect()).unwrap()
}

#[test]
fn domains_are_equal() {
    let vectors = vectors();
    let domain = text(&vectors["domain"]).parse().unwrap();
    assert_eq!(context(&vectors), SigningContext::Deployed(domain));
}

/// Compares the bytes and the point they hash to. The signature by the secret key 1 is
/// that point.
fn check_message<B: MessageBody>(vectors: &Value, case: &Value, body: B) {
    let context = context(vectors);
    let message = Message::new(Epoch(number(&case["epoch"])), body);
    assert_eq!(message.to_bytes(&context), bytes(&case["message"]), "{case}");
    let mut one = [0; 32];
    one[31] = 1;
    let one = ProtocolSecretKey::from_bytes(&one).unwrap();
    let signed = SignedMessage::sign(&one, &context, &message);
    assert_eq!(signed.signature().to_evm(), array(&case["hash_to_g2"]), "{case}");
}

#[test]
fn messages_and_their_points_are_equal() {
    let vectors = vectors();
    let cases = vectors["messages"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let blob_id = || BlobId::from_bytes(array(&case["blob_id"]));
        let confirm = |persistence| StorageConfirmation { blob_id: blob_id(), persistence };
        match text(&case["kind"]) {
            "proof_of_possession" => {
                let account = text(&case["operator"]).parse::<EvmAddress>().unwrap().into();
                let public_key =
                    ProtocolPublicKey::from_bytes(&bytes(&case["public_key"])).unwrap();
                check_message(&vectors, case, ProofOfPossession { account, public_key });
            }
            "permanent_confirmation" => {
                check_message(&vectors, case, confirm(Persistence::Permanent));
            }
            "deletable_confirmation" => {
                let token: TokenId = text(&case["token_id"]).parse().unwrap();
                check_message(&vectors, case, confirm(Persistence::Deletable(token.into())));
            }
            "invalid_blob_id" => {
                check_message(&vectors, case, InvalidBlobId { blob_id: blob_id() });
            }
            kind => panic!("unknown kind {kind}"),
        }
    }
}

#[test]
fn keys_are_equal_in_every_form() {
    let vectors = vectors();
    let members = vectors["committee"]["members"].as_array().unwrap();
    for (entry, (seat, member)) in members.iter().zip(committee(&vectors).members()) {
        assert_eq!(seat, Seat(number(&entry["seat"])));
        let key = &member.public_key;
        assert_eq!(key.as_bytes().to_vec(), bytes(&entry["public_key"]));
        let uncompressed = array(&entry["public_key_uncompressed"]);
        assert_eq!(key.to_uncompressed(), uncompressed);
        assert_eq!(ProtocolPublicKey::from_uncompressed(&uncompressed).unwrap(), *key);
    }
}

#[test]
fn certificates_get_the_contract_s_verdict() {
    let vectors = vectors();
    let (context, committee) = (context(&vectors), committee(&vectors));
    let cases = vectors["certificates"].as_array().unwrap();
    assert!(cases.len() >= 43);
    for case in cases {
        let message_bytes = bytes(&case["message"]);
        let message = Message::<StorageConfirmation>::from_bytes(&context, &message_bytes).unwrap();
        let threshold = match text(&case["threshold"]) {
            "quorum" => Threshold::Quorum,
            _ => Threshold::OneHonest,
        };
        // What has not the length of a signature is refused by its type.
        let Ok(signature) = <[u8; 256]>::try_from(bytes(&case["signature"])) else {
            assert_eq!(case["error"], "BadSignatureLength(uint256)", "{case}");
            continue;
        };
        let evm = EvmCertificate { signature, signers: array(&case["signers"]) };
        let verdict = match Certificate::from_evm(&evm, message_bytes.clone()) {
            Err(error) => Err(decode_error(&error)),
            Ok(certificate) => {
                certificate.verify(&context, &committee, &message, threshold).map_err(refusal)
            }
        };
        let expected = match &case["error"] {
            Value::Null => Ok(number(&case["weight"])),
            error => Err(text(error)),
        };
        assert_eq!(verdict, expected, "{case}");
        if let (Ok(_), Value::Bool(accepted)) = (&verdict, &case["accepted"]) {
            assert!(accepted);
            check_forms(&evm, &message_bytes);
        }
    }
}

/// An accepted certificate has the same chain form after a journey through BCS.
fn check_forms(evm: &EvmCertificate, message: &[u8]) {
    let certificate = Certificate::from_evm(evm, message.to_vec()).unwrap();
    assert_eq!(certificate.to_evm().unwrap(), *evm);
    let signature = certificate.signature().to_bytes();
    assert_eq!(certificate.to_bcs(), certificate_bcs(certificate.signers(), message, &signature));
}

/// The contract's error for a signature that is no point.
fn decode_error(error: &SignatureError) -> &'static str {
    match error {
        SignatureError::Identity => "InfinityPoint()",
        SignatureError::Field(_) => "NotCanonical()",
        _ => "InvalidPoint()",
    }
}

/// The contract's error for a certificate that does not suffice.
fn refusal(error: CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownSigner { .. } => "UnknownSigners(uint256)",
        CertificateError::Weight { .. } => "NotEnoughWeight(uint16,uint16)",
        CertificateError::Signature => "BadSignature()",
        other => panic!("no error of the contract: {other}"),
    }
}
