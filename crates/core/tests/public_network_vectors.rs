//! Known answers of the public network: messages, signatures, aggregates, certificates
//! and their wire forms. If one fails, our bytes are not the protocol's.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use walrus_core::*;

const CONTEXT: SigningContext = SigningContext::PublicNetwork;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/bls.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn keys(vectors: &Value) -> Vec<ProtocolSecretKey> {
    let keys = vectors["keys"].as_array().unwrap();
    keys.iter()
        .map(|k| ProtocolSecretKey::from_bytes(&array(&k["secret_key_hex"])).unwrap())
        .collect()
}

#[test]
fn keys_and_key_files() {
    let vectors = vectors();
    for (case, key) in vectors["keys"].as_array().unwrap().iter().zip(keys(&vectors)) {
        assert_eq!(hex::encode(key.public_key().as_bytes()), case["public_key_hex"]);
        let file = case["tagged_keypair_base64"].as_str().unwrap();
        assert_eq!(*key.to_tagged_base64(), file);
        let read = ProtocolSecretKey::from_tagged_base64(&format!("{file}\n")).unwrap();
        assert_eq!(read.public_key(), key.public_key());
    }
    let ones = ProtocolSecretKey::from_bytes(&[1; 32]).unwrap();
    assert_eq!(*ones.to_tagged_base64(), "BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB");
    assert_eq!(
        hex::encode(ones.public_key().as_bytes()),
        "aa1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8b\
         c874b4471f0501127abb1ea0d9f68ac1"
    );
    let network = NetworkSecretKey::from_bytes(&[1; 32]).unwrap();
    let file = "AgEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    assert_eq!(*network.to_tagged_base64(), file);
    let read = NetworkSecretKey::from_tagged_base64(file).unwrap();
    assert_eq!(
        hex::encode(read.public_key().0),
        "026ff03b949241ce1dadd43519e6960e0a85b41a69a05c328103aa2bce1594ca16"
    );
}

/// Runs one message's case with its typed form.
fn check<B: MessageBody>(case: &Value, keys: &[ProtocolSecretKey], body: B) {
    let name = case["name"].as_str().unwrap();
    let epoch = Epoch(u32::try_from(case["params"]["epoch"].as_u64().unwrap()).unwrap());
    let message = Message::new(epoch, body);
    let expected = bytes(&case["message_hex"]);
    assert_eq!(message.to_bytes(&CONTEXT), expected, "{name}");
    assert_eq!(Message::from_bytes(&CONTEXT, &expected).unwrap(), message, "{name}");

    let mut signatures = Vec::new();
    for entry in case["signatures"].as_array().unwrap() {
        let key = &keys[usize::try_from(entry["key"].as_u64().unwrap()).unwrap()];
        let signed = SignedMessage::sign(key, &CONTEXT, &message);
        let signature = bytes(&entry["signature_hex"]);
        assert_eq!(signed.signature().to_bytes().to_vec(), signature, "{name}");
        signed.verify(&CONTEXT, &message, key.public_key()).unwrap();
        signatures.push(signed.signature().clone());
    }
    let sum = ProtocolSignature::aggregate(&signatures).unwrap();
    assert_eq!(hex::encode(sum.to_bytes()), case["aggregate"]["signature_hex"], "{name}");
    let public_keys: Vec<_> = keys.iter().map(|key| key.public_key()).collect();
    assert!(sum.verifies_aggregate(&expected, public_keys.iter().copied()), "{name}");
    assert!(!sum.verifies_aggregate(&expected, public_keys[..2].iter().copied()), "{name}");

    check_signed_forms(case, keys, &message);
    if !case["certificate_signers_0_1_2_bcs_hex"].is_null() {
        check_certificate_forms(case, &sum, &expected);
    }
    check_changed_bytes(keys, &message, &expected, &sum);
}

fn check_signed_forms<B: MessageBody>(
    case: &Value,
    keys: &[ProtocolSecretKey],
    message: &Message<B>,
) {
    let signed = SignedMessage::sign(&keys[0], &CONTEXT, message);
    let bcs = bytes(&case["signed_message_key0_bcs_hex"]);
    assert_eq!(signed.to_bcs(), bcs);
    assert_eq!(SignedMessage::from_bcs(&bcs).unwrap(), signed);
    let json = &case["signed_message_key0_json"];
    assert_eq!(serde_json::to_value(&signed).unwrap(), *json);
    assert_eq!(serde_json::from_value::<SignedMessage>(json.clone()).unwrap(), signed);

    let wrapped = SignedConfirmation::Signed(signed);
    assert_eq!(SignedConfirmation::from_bcs(&wrapped.to_bcs()).unwrap(), wrapped);
    assert_eq!(wrapped.to_bcs(), [vec![0], bcs].concat());
    let json = &case["storage_confirmation_key0_json"];
    if !json.is_null() {
        assert_eq!(serde_json::to_value(&wrapped).unwrap(), *json);
        assert_eq!(serde_json::from_value::<SignedConfirmation>(json.clone()).unwrap(), wrapped);
    }
}

fn check_certificate_forms(case: &Value, sum: &ProtocolSignature, message: &[u8]) {
    let bcs = bytes(&case["certificate_signers_0_1_2_bcs_hex"]);
    let json = &case["certificate_signers_0_1_2_json"];
    let certificate = Certificate::from_bcs(&bcs).unwrap();
    assert_eq!(certificate.signers(), [0, 1, 2]);
    assert_eq!(certificate.signature(), sum);
    assert_eq!(certificate.message_bytes(), message);
    assert_eq!(certificate.to_bcs(), bcs);
    assert_eq!(serde_json::to_value(&certificate).unwrap(), *json);
    assert_eq!(serde_json::from_value::<Certificate>(json.clone()).unwrap(), certificate);
}

/// Any changed byte of the message, and any changed byte of the signature, is refused.
fn check_changed_bytes<B: MessageBody>(
    keys: &[ProtocolSecretKey],
    message: &Message<B>,
    bytes: &[u8],
    sum: &ProtocolSignature,
) {
    let signature = SignedMessage::sign(&keys[0], &CONTEXT, message).signature().clone();
    for index in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[index] ^= 1 << (index % 8);
        assert!(!signature.verifies(&changed, keys[0].public_key()), "byte {index}");
        assert!(!sum.verifies_aggregate(&changed, keys.iter().map(|k| k.public_key())));
        assert!(message.check(&CONTEXT, &changed).is_err(), "byte {index}");
    }
    for index in 0..ProtocolSignature::LEN {
        let mut changed = signature.to_bytes();
        changed[index] ^= 1 << (index % 8);
        let verifies = ProtocolSignature::from_bytes(&changed)
            .is_ok_and(|signature| signature.verifies(bytes, keys[0].public_key()));
        assert!(!verifies, "signature byte {index}");
    }
}

#[test]
fn messages_signatures_aggregates_and_wire_forms() {
    let vectors = vectors();
    let keys = keys(&vectors);
    let cases = vectors["messages"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let params = &case["params"];
        let blob_id = || BlobId::from_bytes(array(&params["blob_id_hex"]));
        match case["kind"].as_str().unwrap() {
            "storage_confirmation" => {
                let persistence = match params["persistence"].as_str().unwrap() {
                    "permanent" => Persistence::Permanent,
                    _ => Persistence::Deletable(ObjectId(array(&params["object_id_hex"]))),
                };
                check(case, &keys, StorageConfirmation { blob_id: blob_id(), persistence });
            }
            "invalid_blob_id" => check(case, &keys, InvalidBlobId { blob_id: blob_id() }),
            "proof_of_possession" => {
                let index = usize::try_from(params["public_key_of_key"].as_u64().unwrap()).unwrap();
                let account = Account(array(&params["sui_address_hex"]));
                let public_key = keys[index].public_key().clone();
                check(case, &keys, ProofOfPossession { account, public_key });
            }
            kind => panic!("unknown kind {kind}"),
        }
    }
}

#[test]
fn message_bytes_of_the_specification() {
    // docs/protocol/encoding.md section 7.3.
    let id = "45c53cd8cc1ff82164bf52da23fdaa72900dc29194b86dd33309d5cd9c43da46";
    let blob_id = BlobId::from_bytes(hex::decode(id).unwrap().try_into().unwrap());
    let epoch = Epoch(21);
    let permanent = StorageConfirmation { blob_id, persistence: Persistence::Permanent };
    let permanent = Message::new(epoch, permanent);
    let bytes = permanent.to_bytes(&CONTEXT);
    assert_eq!(hex::encode(&bytes), format!("01000315000000{id}00"));

    let persistence = Persistence::Deletable(ObjectId([0x2a; 32]));
    let deletable = Message::new(epoch, StorageConfirmation { blob_id, persistence });
    let expected = format!("01000315000000{id}01{}", "2a".repeat(32));
    assert_eq!(hex::encode(deletable.to_bytes(&CONTEXT)), expected);

    let invalid = Message::new(epoch, InvalidBlobId { blob_id });
    assert_eq!(hex::encode(invalid.to_bytes(&CONTEXT)), format!("02000315000000{id}"));

    let request = SyncShardRequest {
        shard_index: ShardIndex(5),
        sliver_type: SliverType::Secondary,
        starting_blob_id: blob_id,
        sliver_count: 10,
        epoch,
    };
    let request = Message::new(epoch, request);
    let expected = format!("0300031500000000050001{id}0a0000000000000015000000");
    assert_eq!(hex::encode(request.to_bytes(&CONTEXT)), expected);
    assert_eq!(Message::from_bytes(&CONTEXT, &request.to_bytes(&CONTEXT)).unwrap(), request);

    let keys = [1, 2, 3].map(|byte| ProtocolSecretKey::from_bytes(&[byte; 32]).unwrap());
    let account = Account([0x2a; 32]);
    let public_key = keys[0].public_key().clone();
    let key_hex = hex::encode(public_key.as_bytes());
    let possession = Message::new(Epoch(0), ProofOfPossession { account, public_key });
    let expected = format!("00000300000000{}{key_hex}", "2a".repeat(32));
    assert_eq!(hex::encode(possession.to_bytes(&CONTEXT)), expected);

    let signatures = keys.map(|key| {
        let signed = SignedMessage::sign(&key, &CONTEXT, &permanent);
        signed.signature().clone()
    });
    assert_eq!(
        hex::encode(signatures[0].to_bytes()),
        "87503a6bd021ca86db5ed2d29850b98dbcc99ee6cafb59b01f2b747a82184244\
         62f5d5e3c881fb5b80d8102014dde0941542d982ea87c73e6524d4ea31c0be13\
         74736ebd8cdd47823fa38762ad4ad0f039690038d76c9c5d2d8c2d36ca998683"
    );
    assert_eq!(
        hex::encode(ProtocolSignature::aggregate(&signatures).unwrap().to_bytes()),
        "87f2297b8ec284056961875401758dfd7e5cfe67bebd350f8dfc030a298c9cf2\
         6a2f2318684e83b1341f395df8cb836d173d372c219e043c0db0d86c8dff3c20\
         151e9b63c5a9fa3cd6504fe54b19ae644a81c15b66704fed62970c2786bb8026"
    );
}
