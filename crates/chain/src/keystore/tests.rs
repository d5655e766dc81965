use walrus_core::EvmAddress;

use super::*;

const PASSWORD: &str = "testpassword";
const SECRET: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

/// Written by foundry: `cast wallet import --private-key <SECRET>`.
const SCRYPT: &str = r#"{"crypto":{"cipher":"aes-128-ctr",
    "cipherparams":{"iv":"0703f4d4d16faff736473fd62acd94b0"},
    "ciphertext":"c22c9456f8409e2099c988bb4e0b7797eb0a39e67d86964b8a83030add5878c1",
    "kdf":"scrypt","kdfparams":{"dklen":32,"n":8192,"p":1,"r":8,
    "salt":"d58ed68e337ce6b5038611de4e64fe845eaf4359138d1485b3bc1df19c85b77a"},
    "mac":"dacc6dcc7e7758ad775ec611b778d2c78dab6d9333afcf98f19f757fefb1b2b8"},
    "id":"da1470f9-36cd-4585-b9c5-cf5223860680","version":3}"#;
/// An example of the Web3 Secret Storage definition.
const PBKDF2: &str = r#"{"Crypto":{"cipher":"aes-128-ctr",
    "cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
    "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    "kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
    "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
    "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
    "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

#[test]
fn key_files_of_other_programs_are_read() {
    // People bring the key files they have; reading one wrong loses the account.
    for file in [SCRYPT, PBKDF2] {
        let secret = decrypt(file.as_bytes(), PASSWORD).unwrap();
        assert_eq!(hex::encode(secret.as_slice()), SECRET);
    }
    let other = decrypt(PBKDF2.as_bytes(), "testpassworD");
    assert!(matches!(other, Err(KeystoreError::WrongPassword)), "{other:?}");
}

#[test]
fn our_key_files_are_read_back_and_differ_each_time() {
    // Equal salts would let one guess open several files.
    let env = walrus_env::real::env();
    let address = EvmAddress([7; 20]);
    let files: Vec<_> = (0..2).map(|_| encrypt(&env, &[5; 32], address, "π", 4)).collect();
    assert_ne!(files[0], files[1]);
    assert_eq!(*decrypt(&files[0], "π").unwrap(), [5; 32]);
    assert!(matches!(decrypt(&files[0], "p"), Err(KeystoreError::WrongPassword)));
    let text = String::from_utf8(files[0].clone()).unwrap();
    assert!(text.contains(&"07".repeat(20)) && text.contains("aes-128-ctr"));
}

#[test]
fn hostile_key_files_are_refused_before_they_cost_anything() {
    // A file that asks for terabytes must not take the machine down.
    let changed = |from: &str, to: &str| {
        let file = SCRYPT.replace(from, to);
        assert_ne!(file, SCRYPT);
        decrypt(file.as_bytes(), PASSWORD).unwrap_err()
    };
    for (from, to) in [
        ("8192", "1099511627776"),
        ("8192", "8191"),
        ("\"n\":8192", "\"n\":0"),
        ("\"p\":1", "\"p\":99"),
        ("\"r\":8", "\"r\":4000000000"),
        ("\"dklen\":32", "\"dklen\":31"),
        ("\"version\":3", "\"version\":1"),
        ("aes-128-ctr", "aes-256-gcm"),
        ("94b0", "94"),
    ] {
        let error = changed(from, to);
        assert!(matches!(error, KeystoreError::Unsupported { .. }), "{from} {to}: {error}");
    }
    for bad in ["", "{}", "[]", "null", &SCRYPT[..100], &SCRYPT.replace("scrypt", "argon2")] {
        let error = decrypt(bad.as_bytes(), PASSWORD).unwrap_err();
        assert!(matches!(error, KeystoreError::Form(_)), "{bad}: {error}");
    }
}
