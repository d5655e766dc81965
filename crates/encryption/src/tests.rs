#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use walrus_testkit::content::xorshift64;
use zeroize::Zeroizing;

use super::*;

/// A key that opens, and those to whom it belongs.
fn pair() -> (Keys, Recipients) {
    let key = generate();
    let (mut keys, mut recipients) = (Keys::default(), Recipients::default());
    recipients.add(&key.recipient).unwrap();
    keys.add_identities(key.identity_file().as_bytes(), "key", &|_| None).unwrap();
    (keys, recipients)
}

fn sealed(recipients: &Recipients, padding: Padding, content: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let report = seal(recipients, padding, &mut &content[..], &mut output).unwrap();
    assert_eq!(report.content_bytes, content.len() as u64);
    assert_eq!(report.sealed_bytes, output.len() as u64);
    output
}

fn opened(sealed: &[u8], keys: &Keys) -> Vec<u8> {
    let mut content = Vec::new();
    Opened::new(Cursor::new(sealed), keys).unwrap().copy_all(&mut content).unwrap();
    content
}

const LENGTHS: [usize; 12] =
    [0, 1, 100, 65_431, 65_432, 65_433, 65_535, 65_536, 65_537, 131_072, 200_000, 1_000_000];

#[test]
fn what_is_sealed_comes_back_at_every_length() {
    // Around the edges of chunks one byte too few or too many would be lost or made up.
    let (keys, recipients) = pair();
    for length in LENGTHS {
        let content = xorshift64(length as u64 + 1, length);
        for padding in [Padding::None, Padding::Padme] {
            let file = sealed(&recipients, padding, &content);
            assert!(opened(&file, &keys) == content, "{length} {padding:?}");
        }
    }
}

#[test]
fn similar_lengths_become_equal_at_a_small_price() {
    // A length says which film it is.
    let (_, recipients) = pair();
    // The header's length varies at random; what is encrypted must not.
    let length = |content: usize| {
        let file = sealed(&recipients, Padding::Padme, &vec![7; content]);
        let Scan::Complete(header) = scan(&file) else { panic!() };
        file.len() - header
    };
    assert_eq!(length(0), length(65_000));
    assert_eq!(length(1_000_000), length(1_003_000));
    let mut lengths = std::collections::BTreeSet::new();
    for content in (65_536..40_000_000).step_by(997) {
        let padded = Padding::Padme.padded(content);
        assert!(padded >= content + TRAILER_BYTES as u64);
        assert!(padded as f64 <= 1.12 * (content + TRAILER_BYTES as u64) as f64, "{content}");
        lengths.insert(padded);
    }
    // 40,000 lengths fall into a few hundred.
    assert!(lengths.len() < 350, "{}", lengths.len());
    // The published examples.
    assert_eq!([padme(1), padme(9), padme(41), padme(1_000_000)], [1, 10, 44, 1_015_808]);
    assert_eq!(padme(u64::MAX), u64::MAX);
}

#[test]
fn content_that_looks_like_padding_is_not_cut() {
    // What age decrypts of a padded file is content, too, when it is stored.
    let (keys, recipients) = pair();
    let padded = sealed(&recipients, Padding::Padme, b"inner");
    let mut inner = Vec::new();
    let decryptor = age::Decryptor::new(&padded[..]).unwrap();
    let mut reader = decryptor.decrypt(keys.iter()).unwrap();
    std::io::Read::read_to_end(&mut reader, &mut inner).unwrap();
    assert!(inner.len() == 65_536 && inner.starts_with(b"inner\0"));
    let outer = sealed(&recipients, Padding::None, &inner);
    assert!(opened(&outer, &keys) == inner);
}

#[test]
fn wrong_keys_and_passphrases_are_told_apart() {
    // "It failed" sends people looking for the wrong thing.
    let (keys, recipients) = pair();
    let (stranger, _) = pair();
    let to_key = sealed(&recipients, Padding::None, b"x");
    let fail =
        |file: &[u8], keys: &Keys| Opened::new(Cursor::new(file.to_vec()), keys).unwrap_err();
    assert!(matches!(fail(&to_key, &stranger), OpenError::WrongKey));
    assert!(matches!(fail(&to_key, &Keys::default()), OpenError::NeedsKey));

    let (right, wrong) = (Zeroizing::new("right".to_owned()), Zeroizing::new("wrong".to_owned()));
    let mut by_passphrase = Recipients::default();
    by_passphrase.add_passphrase(&right).unwrap();
    assert_eq!(by_passphrase.add_passphrase(&right), Err(RecipientError::Mixed));
    assert_eq!(by_passphrase.add("age1"), Err(RecipientError::Mixed));
    let to_words = sealed(&by_passphrase, Padding::Padme, b"y");
    assert!(matches!(fail(&to_words, &keys), OpenError::NeedsPassphrase));
    let mut try_wrong = Keys::default();
    try_wrong.add_passphrase(&wrong);
    assert!(matches!(fail(&to_words, &try_wrong), OpenError::WrongPassphrase));
    assert!(matches!(fail(&to_key, &try_wrong), OpenError::NeedsKey));
    let mut try_right = Keys::default();
    try_right.add_passphrase(&right);
    assert_eq!(opened(&to_words, &try_right), b"y");

    assert!(matches!(fail(b"", &keys), OpenError::NotEncrypted));
    assert!(matches!(fail(b"hello", &keys), OpenError::NotEncrypted));
    assert!(matches!(fail(b"age-encryption.org/v1\n-> X25519", &keys), OpenError::BadHeader));
    let endless = [b"age-encryption.org/v1\n".to_vec(), vec![b'a'; 1 << 20]].concat();
    assert!(matches!(fail(&endless, &keys), OpenError::BadHeader));
}

#[test]
fn every_change_and_every_cut_is_noticed() {
    // Whoever can change what is decrypted decides what the reader believes.
    let (keys, recipients) = pair();
    let content = xorshift64(3, 150_000);
    let file = sealed(&recipients, Padding::Padme, &content);
    let header = match scan(&file) {
        Scan::Complete(length) => length,
        other => panic!("{other:?}"),
    };
    let read = |file: &[u8]| -> Result<Vec<u8>, String> {
        let mut opened = Opened::new(Cursor::new(file), &keys).map_err(|e| e.to_string())?;
        let mut content = Vec::new();
        opened.copy_all(&mut content).map_err(|e| e.to_string())?;
        Ok(content)
    };
    assert!(read(&file).unwrap() == content);
    for at in (0..header).chain((header..file.len()).step_by(9_973)) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(read(&changed).is_err(), "byte {at}");
    }
    let cuts = [1, 16, 17, file.len() - header - 1, file.len() - header, file.len() - 1];
    let on_chunks = [1, 2].map(|chunks| file.len() - header - chunks * SEALED_CHUNK_BYTES as usize);
    for cut in cuts.into_iter().chain(on_chunks) {
        assert!(read(&file[..file.len() - cut]).is_err(), "{cut} bytes cut");
    }
    assert!(read(&[&file[..], b"x"].concat()).is_err());
    // Chunks that change places are each authentic, but not there.
    let (one, two) = (header, header + SEALED_CHUNK_BYTES as usize);
    let mut swapped = file[..one].to_vec();
    swapped.extend(&file[two..two + SEALED_CHUNK_BYTES as usize]);
    swapped.extend(&file[one..two]);
    swapped.extend(&file[two + SEALED_CHUNK_BYTES as usize..]);
    assert!(read(&swapped).unwrap_err().contains("1th chunk"));
}

#[test]
fn any_part_is_read_from_the_chunks_it_needs() {
    // Fetching the whole for a few bytes makes random access useless.
    let (keys, recipients) = pair();
    for length in LENGTHS {
        let content = xorshift64(9, length);
        for padding in [Padding::None, Padding::Padme] {
            let file = sealed(&recipients, padding, &content);
            let Scan::Complete(header) = scan(&file) else { panic!() };
            let layout = Layout::new(header, file.len() as u64).unwrap();
            let length = length as u64;
            for (start, end) in
                [(0, 1), (length / 2, length / 2 + 10), (length.saturating_sub(1), length)]
            {
                let range = start.min(length)..end.min(length);
                let parts = Parts::new(file.len() as u64);
                for wanted in [0..header as u64, layout.end(), layout.chunks_of(range.clone())] {
                    for missing in parts.missing(wanted) {
                        let bytes = &file[missing.start as usize..missing.end as usize];
                        parts.insert(missing.start, bytes.to_vec());
                    }
                }
                let mut opened = Opened::new(parts, &keys).unwrap();
                assert_eq!(opened.len(), length);
                let mut part = Vec::new();
                opened.copy(range.clone(), &mut part).unwrap();
                assert!(
                    part == content[range.start as usize..range.end as usize],
                    "{length} {range:?}"
                );
                assert!(opened.copy(0..length + 1, &mut part).is_err());
            }
        }
    }
    assert_eq!(Layout::new(100, 100), None);
    assert_eq!(Layout::new(100, 50), None);
    assert_eq!(Layout::new(100, 115), None);
}

#[test]
fn what_was_not_fetched_is_an_error_and_not_zeros() {
    let mut parts = Parts::new(100);
    parts.insert(10, vec![1; 20]);
    parts.insert(50, vec![2; 5]);
    assert_eq!(parts.missing(0..100), [0..10, 30..50, 55..100]);
    assert_eq!(parts.missing(12..30), []);
    assert!(std::io::Read::read(&mut parts, &mut [0; 4]).is_err());
}

#[test]
fn who_may_read_changes_without_the_blob() {
    // Encrypting a terabyte again because somebody left would not be done.
    let (old, old_recipients) = pair();
    let (new, new_recipients) = pair();
    let (key, blob_recipients) = BlobKey::create();
    let blob = sealed(&blob_recipients, Padding::Padme, b"the data");
    let first = key.seal(&old_recipients).unwrap();
    let second = BlobKey::open(&first, &old).unwrap().seal(&new_recipients).unwrap();
    assert!(matches!(BlobKey::open(&second, &old), Err(OpenError::WrongKey)));
    let reopened = BlobKey::open(&second, &new).unwrap();
    assert_eq!(opened(&blob, &reopened.keys("key.age").unwrap()), b"the data");
    // The key file also works as an identity file beside the key that opens it.
    let mut both = new;
    both.add_identities(&second, "key.age", &|_| None).unwrap();
    assert_eq!(opened(&blob, &both), b"the data");
    assert!(matches!(Opened::new(Cursor::new(&blob), &old), Err(OpenError::WrongKey)));
}

#[test]
fn what_is_no_recipient_or_key_is_refused_with_the_reason() {
    let mut recipients = Recipients::default();
    let secret = generate();
    let secret_line = secret.identity_file().lines().last().unwrap().to_owned();
    assert_eq!(recipients.add(&secret_line), Err(RecipientError::Secret));
    assert!(matches!(recipients.add("bob"), Err(RecipientError::Unknown(_))));
    assert!(matches!(recipients.add("age1bob"), Err(RecipientError::Invalid { .. })));
    assert!(matches!(recipients.add("ssh-ed25519 AAAA"), Err(RecipientError::Invalid { .. })));
    let file = format!("# friends\n\n {} \n", secret.recipient);
    recipients.add_file(&file).unwrap();
    assert_eq!(recipients.names(), [secret.recipient.as_str()]);
    let nobody = seal(&Recipients::default(), Padding::None, &mut &b""[..], &mut Vec::new());
    assert!(matches!(nobody, Err(SealError::NoRecipients)));

    let mut keys = Keys::default();
    for file in [&b"hello"[..], b"", b"# only a comment\n", b"-----BEGIN OPENSSH PRIVATE KEY-----"]
    {
        let refused = keys.add_identities(file, "file", &|_| None);
        assert!(matches!(refused, Err(KeyError::NoKey { .. })), "{refused:?}");
    }
    let mut many = Recipients::default();
    (0..1000).for_each(|_| many.add(&secret.recipient).unwrap());
    let refused = seal(&many, Padding::None, &mut &b""[..], &mut Vec::new());
    assert!(matches!(refused, Err(SealError::TooManyRecipients { .. })), "{refused:?}");
}

/// Made with `ssh-keygen -t ed25519 -N 'open sesame'`.
const LOCKED_SSH_KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDpe19gcd
Zeik6aYmAsz/2fAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIKeOjl0ZVjZZ/i6z
UiLfhplv2c1fucjCeFL+VRC3pBuzAAAAkC1OuI7BWJ3pKaPBjG2YdDGkM2SzQsmxr7bbA/
kNI088RoNwOmyXA8rLeLgEC79aWGjQCT4ZMC8ORsI5ytQhPNzjRtVhgvo8AYCYv157r7BJ
P0v9ljbDX/y51kiBtiyyBOS4jWYWLF0ZE+tHUKtCCbThMMyGDwAj0N/yh+Yt3GUNn2hC9y
4Ey4cPv3AeN+SKKg==
-----END OPENSSH PRIVATE KEY-----
";
const LOCKED_SSH_RECIPIENT: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeOjl0ZVjZZ/i6zUiLfhplv2c1fucjCeFL+VRC3pBuz test";

#[test]
fn keys_that_are_themselves_encrypted_ask_for_their_passphrase_once() {
    // Keys are mostly kept that way; asking for each blob anew, or not at all, makes people stop it.
    let mut recipients = Recipients::default();
    recipients.add(LOCKED_SSH_RECIPIENT).unwrap();
    let asked = std::cell::Cell::new(0);
    let with = |file: &[u8], passphrase: Option<&str>| {
        let mut keys = Keys::default();
        let ask = |_: &str| {
            asked.set(asked.get() + 1);
            passphrase.map(|words| Zeroizing::new(words.to_owned()))
        };
        keys.add_identities(file, "key", &ask).map(|()| keys)
    };
    let file = sealed(&recipients, Padding::Padme, b"mine");
    let ssh = LOCKED_SSH_KEY.as_bytes();
    let keys = with(ssh, Some("open sesame")).unwrap();
    assert_eq!((opened(&file, &keys), opened(&file, &keys)), (b"mine".to_vec(), b"mine".to_vec()));
    assert_eq!(asked.get(), 1);
    let wrong = Opened::new(Cursor::new(&file), &with(ssh, Some("wrong")).unwrap()).unwrap_err();
    assert!(matches!(wrong, OpenError::WrongPassphrase), "{wrong:?}");
    let silent = Opened::new(Cursor::new(&file), &with(ssh, None).unwrap()).unwrap_err();
    assert!(matches!(silent, OpenError::WrongKey), "{silent:?}");

    // An identity file that the age program encrypted with a passphrase.
    let key = generate();
    let mut lock = Recipients::default();
    lock.add_passphrase(&Zeroizing::new("open sesame".to_owned())).unwrap();
    let locked = sealed(&lock, Padding::None, key.identity_file().as_bytes());
    let mut recipients = Recipients::default();
    recipients.add(&key.recipient).unwrap();
    let file = sealed(&recipients, Padding::None, b"too");
    assert_eq!(opened(&file, &with(&locked, Some("open sesame")).unwrap()), b"too");
    assert!(matches!(with(&locked, Some("wrong")), Err(KeyError::Locked { .. })));
    assert!(matches!(with(&locked, None), Err(KeyError::Locked { .. })));
}
