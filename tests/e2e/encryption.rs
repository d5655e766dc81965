//! Encryption in the client, with the age program as a witness where it is installed.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    content,
    network::{Network, Shape, blob_id},
    process::{Finished, run, walrus},
};

fn network() -> Network {
    Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false })
}

/// A key of `walrus keygen`: its file and its recipient.
fn keygen(directory: &Path, name: &str) -> String {
    let report = run(walrus(directory).args(["--json", "keygen", "--out", name])).json();
    report["recipient"].as_str().unwrap().to_owned()
}

/// What a shell pipeline prints; nothing if a program in it is not installed.
fn shell(directory: &Path, program: &str, script: &str) -> Option<Vec<u8>> {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    if !found.status.success() {
        println!("NOT CHECKED: {program} is not installed");
        return None;
    }
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(directory).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

fn store(network: &Network, arguments: &[&str]) -> Value {
    network.client(&[&["store"], arguments].concat()).json()
}

/// Reads to a file and returns what is in it.
fn read(network: &Network, id: &str, arguments: &[&str]) -> Vec<u8> {
    let out = network.path().join("read.out");
    let _ = std::fs::remove_file(&out);
    network.client(&[&["read", id, "--out", "read.out"], arguments].concat()).json();
    std::fs::read(out).unwrap()
}

fn piped(network: &Network, arguments: &[&str]) -> Finished {
    let mut command = walrus(network.path());
    run(command.arg("read").args(arguments))
}

#[test]
fn what_is_encrypted_is_read_with_the_key_and_by_no_one_else() {
    // The data of a stranger on machines of strangers: the key is all that protects it.
    let network = network();
    let directory = network.path();
    let recipient = keygen(directory, "me.txt");
    let mode = std::fs::metadata(directory.join("me.txt")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    run(walrus(directory).args(["--json", "keygen", "--out", "me.txt"])).error(2);
    keygen(directory, "stranger.txt");
    let contents = content::random(5, 1_000_000);
    std::fs::write(directory.join("diary.txt"), &contents).unwrap();
    let report = store(&network, &["diary.txt", "--encrypt", "--recipient", &recipient]);
    let id = blob_id(&report);
    let size = report["size"].as_u64().unwrap();
    assert!(size > 1_000_000 && size < 1_120_000, "{report}");

    // The file on the network shows nothing of the content, and no name goes to the chain.
    let raw = network.read(&id);
    assert!(raw.starts_with(b"age-encryption.org/v1\n") && raw.len() as u64 == size);
    assert!(!raw.windows(32).any(|window| window == &contents[..32]));
    let object = report["object_id"].to_string();
    let attributes = network.client(&["blob", "attributes", &object]).json();
    assert_eq!(attributes["attributes"], serde_json::json!([]));

    assert!(read(&network, &id, &["--identity", "me.txt"]) == contents);
    let through = piped(&network, &[&id, "-i", "me.txt"]);
    assert!(through.code == 0 && through.stdout == contents, "{}", through.stderr);

    // Only what is needed is fetched for a part.
    for (range, expected) in [
        ("0-9", &contents[..10]),
        ("500000-500099", &contents[500_000..500_100]),
        ("65530-65545", &contents[65_530..65_546]),
        ("-7", &contents[contents.len() - 7..]),
    ] {
        let arguments = ["read", &id, "--range", range, "-i", "me.txt", "--out", "part"];
        let report = network.client(&arguments).json();
        assert!(std::fs::read(directory.join("part")).unwrap() == expected, "{range}");
        let fetched = report["bytes_fetched"].as_u64().unwrap();
        assert!(fetched < 700_000, "{range}: {report}");
        assert_eq!(report["content_size"], 1_000_000, "{report}");
    }
    let beyond = ["read", &id, "--range", "1000000-1000001", "-i", "me.txt", "--out", "part"];
    let error = network.client(&beyond).error(2);
    assert!(error["message"].as_str().unwrap().contains("1000000"), "{error}");

    // Somebody else's key, no key, and a blob that is not encrypted are told apart.
    std::fs::remove_file(directory.join("read.out")).unwrap();
    let refused = |arguments: &[&str], text: &str| {
        let error = network.client(&[&["read", "--out", "read.out"], arguments].concat()).error(2);
        assert!(error["message"].as_str().unwrap().contains(text), "{error}");
        assert!(error["hint"].is_string(), "{error}");
        assert!(!directory.join("read.out").exists());
    };
    refused(&[&id, "-i", "stranger.txt"], "not encrypted to any of the given keys");
    refused(&[&id, "--range", "0-1", "-i", "stranger.txt"], "not encrypted to any");
    refused(&[&id, "-i", "diary.txt"], "holds no key");
    std::fs::write(directory.join("words"), "open sesame\n").unwrap();
    refused(&[&id, "--passphrase-file", "words"], "encrypted to keys");
    std::fs::write(directory.join("open"), "open").unwrap();
    let plain = blob_id(&store(&network, &["open"]));
    refused(&[&plain, "-i", "me.txt"], "not encrypted");
    refused(&[&plain, "--range", "0-1", "-i", "me.txt"], "not encrypted");

    // The same command again finds what it stored, although encrypting gives other bytes.
    let again = store(&network, &["diary.txt", "--encrypt", "--recipient", &recipient]);
    assert_eq!((&again["blob_id"], &again["cost_frost"]), (&report["blob_id"], &0.into()));
    // What is cut or changed before it is stored never leaves a file behind.
    let mut changed = raw.clone();
    *changed.last_mut().unwrap() ^= 1;
    let middle = raw.len() / 2;
    let mut inside = raw.clone();
    inside[middle] ^= 1;
    for (damaged, text) in [
        (&changed[..], "its end was changed"),
        (&raw[..middle], "cut short"),
        (&inside[..], "not authentic"),
    ] {
        std::fs::write(directory.join("damaged"), damaged).unwrap();
        let id = blob_id(&store(&network, &["damaged"]));
        let error = network.client(&["read", &id, "-i", "me.txt", "--out", "read.out"]).error(1);
        assert!(error["message"].as_str().unwrap().contains(text), "{error}");
        assert!(!directory.join("read.out").exists());
        // Nor a byte in a pipe.
        let through = piped(&network, &[&id, "-i", "me.txt"]);
        assert!(through.code == 1 && through.stdout.is_empty(), "{}", through.stderr);
    }
}

#[test]
fn the_age_program_reads_what_we_wrote_and_the_reverse() {
    // Data that only our program can decrypt is lost when our program is.
    let network = network();
    let directory = network.path();
    let recipient = keygen(directory, "me.txt");
    let contents = content::random(6, 200_000);
    std::fs::write(directory.join("file"), &contents).unwrap();

    let exact = ["file", "--recipient", &recipient, "--padding", "none"];
    let id = blob_id(&store(&network, &exact));
    std::fs::write(directory.join("exact.age"), network.read(&id)).unwrap();
    if let Some(decrypted) = shell(directory, "age", "age -d -i me.txt exact.age") {
        assert!(decrypted == contents);
    }
    let id = blob_id(&store(&network, &["file", "--recipient", &recipient]));
    std::fs::write(directory.join("padded.age"), network.read(&id)).unwrap();
    // The lines of docs/encryption.md.
    let script = "age -d -i me.txt padded.age > padded\n\
        head -c \"$(tail -c 104 padded | cut -d ' ' -f 2 | sed 's/^0*//' | tr -d '\\n')\" padded";
    if let Some(decrypted) = shell(directory, "age", script) {
        assert!(decrypted == contents);
    }
    // The reverse: a key and a file of theirs.
    let script = "age-keygen -o theirs.txt 2>/dev/null\n\
        age -r \"$(age-keygen -y theirs.txt)\" -o theirs.age file";
    if shell(directory, "age-keygen", script).is_some() {
        let id = blob_id(&store(&network, &["theirs.age"]));
        assert!(read(&network, &id, &["-i", "theirs.txt"]) == contents);
        let part = piped(&network, &[&id, "-i", "theirs.txt", "--range", "150000-150009"]);
        assert!(part.stdout == contents[150_000..150_010], "{}", part.stderr);
    }
    // Keys that SSH uses, of both kinds.
    for (kind, bits) in [("ed25519", ""), ("rsa", "-b 2048")] {
        let script = format!("ssh-keygen -q -t {kind} {bits} -N '' -f ssh-{kind}");
        if shell(directory, "ssh-keygen", &script).is_none() {
            continue;
        }
        let (private, public) = (format!("ssh-{kind}"), format!("ssh-{kind}.pub"));
        let id =
            blob_id(&store(&network, &["file", "--recipients-file", &public, "--padding", "none"]));
        assert!(read(&network, &id, &["-i", &private]) == contents);
        std::fs::write(directory.join("ssh.age"), network.read(&id)).unwrap();
        if let Some(decrypted) = shell(directory, "age", &format!("age -d -i {private} ssh.age")) {
            assert!(decrypted == contents);
        }
    }
}

#[test]
fn a_passphrase_protects_too() {
    // Who has nothing but their memory can still have a secret.
    let network = network();
    let directory = network.path();
    std::fs::write(directory.join("words"), "correct horse battery staple\n").unwrap();
    std::fs::write(directory.join("wrong"), "incorrect horse\n").unwrap();
    std::fs::write(directory.join("note"), "remember the milk").unwrap();
    let report = store(&network, &["note", "--passphrase-file", "words"]);
    let id = blob_id(&report);
    assert_eq!(read(&network, &id, &["--passphrase-file", "words"]), b"remember the milk");
    let wrong = ["read", &id, "--out", "x", "--passphrase-file", "wrong"];
    let error = network.client(&wrong).error(2);
    assert!(error["message"].as_str().unwrap().contains("the passphrase is wrong"), "{error}");
    let mut command = network.client_command(&["read", &id, "--passphrase", "--out", "x"]);
    let done = run(command.env("WALRUS_PASSPHRASE", "correct horse battery staple"));
    assert_eq!(done.code, 0, "{}", done.stderr);
    let nobody = network.client(&["read", &id, "--passphrase", "--out", "x"]).error(2);
    assert!(nobody["hint"].as_str().unwrap().contains("WALRUS_PASSPHRASE"), "{nobody}");
    // Found again for the same passphrase, and not for another one.
    let again = store(&network, &["note", "--passphrase-file", "words"]);
    assert_eq!(again["blob_id"], report["blob_id"]);
    let other = store(&network, &["note", "--passphrase-file", "wrong"]);
    assert_ne!(other["blob_id"], report["blob_id"]);
}

#[test]
fn readers_change_and_a_blob_is_forgotten_without_touching_it() {
    // Storing a terabyte again because somebody left the team would not be done; nor can a
    // blob that nodes keep be deleted on demand. Its key can.
    let network = network();
    let directory = network.path();
    let (alice, bob) = (keygen(directory, "alice.txt"), keygen(directory, "bob.txt"));
    let contents = content::random(8, 100_000);
    std::fs::write(directory.join("plans"), &contents).unwrap();
    let encrypt = ["plans", "--recipient", &alice, "--key-file", "plans.key", "--padding", "none"];
    let report = store(&network, &encrypt);
    let id = blob_id(&report);
    let with = |identity: &str, key: &str| {
        network.client(&["read", &id, "--out", "out", "-i", identity, "--key-file", key])
    };
    with("alice.txt", "plans.key").json();
    assert!(std::fs::read(directory.join("out")).unwrap() == contents);
    // Whoever has an account on the machine could read it; unless its owner had it so.
    let mode = || std::fs::metadata(directory.join("out")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(directory.join("out"), Permissions::from_mode(0o640)).unwrap();
    with("alice.txt", "plans.key").json();
    assert_eq!(mode(), 0o640);
    with("bob.txt", "plans.key").error(2);
    // Alice's key alone is not enough: the blob is encrypted to its own.
    network.client(&["read", &id, "--out", "out", "-i", "alice.txt"]).error(2);
    // Another blob's key is never overwritten.
    std::fs::write(directory.join("other"), "other").unwrap();
    network.client(&["store", "other", "--recipient", &alice, "--key-file", "plans.key"]).error(2);
    let again = store(&network, &encrypt);
    assert_eq!((&again["blob_id"], &again["cost_frost"]), (&report["blob_id"], &0.into()));

    // Alice leaves, Bob comes: only the small file changes.
    let before = std::fs::read(directory.join("plans.key")).unwrap();
    // A second name shows what is left of the old key file on the disk.
    std::fs::hard_link(directory.join("plans.key"), directory.join("lain")).unwrap();
    let rotate = ["key", "rotate", "plans.key", "--identity", "alice.txt", "--recipient", &bob];
    network.client(&rotate).json();
    assert_ne!(std::fs::read(directory.join("plans.key")).unwrap(), before);
    with("bob.txt", "plans.key").json();
    with("alice.txt", "plans.key").error(2);
    network.client(&rotate).error(2);
    with("alice.txt", "lain").error(2);
    assert!(!std::fs::read(directory.join("lain")).unwrap().starts_with(b"age"));
    // The same with the age program alone.
    std::fs::write(directory.join("plans.age"), network.read(&id)).unwrap();
    let script = "age -d -i bob.txt plans.key > blob-key.txt\nage -d -i blob-key.txt plans.age";
    if let Some(decrypted) = shell(directory, "age", script) {
        assert!(decrypted == contents);
    }

    network.client(&["key", "destroy", "plans.key"]).error(2);
    network.client(&["key", "destroy", "bob.txt", "--yes"]).error(2);
    network.client(&["key", "destroy", "plans.key", "--yes"]).json();
    assert!(!directory.join("plans.key").exists());
    with("bob.txt", "plans.key").error(2);
    network.client(&["read", &id, "--out", "out", "-i", "bob.txt"]).error(2);
}
