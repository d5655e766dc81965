//! Many files in one blob, through the binary.

use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::Arc};

use serde_json::{Value, json};
use walrus_redstuff::{
    EncodingParams, ReadAt,
    quilt::{FileOutline, QuiltPlan, QuiltSource, Tags},
};

use crate::{
    content,
    network::{Network, Shape, blob_id},
    process::{run, walrus},
};

/// Every file below a directory, by its path there.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn write(root: &Path, name: &str, contents: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

#[test]
fn quilts_of_the_vectors_are_reproduced() {
    // Another implementation could not read our quilts, or would call them something else.
    let vectors = include_str!("../../crates/redstuff/tests/vectors/quilt.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let cases = vectors["quilts"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        for (i, file) in case["files"].as_array().unwrap().iter().enumerate() {
            let path = format!("file-{i}");
            fs::write(directory.path().join(&path), content::of_vector(file)).unwrap();
            let mut entry = json!({ "identifier": file["identifier"], "path": path });
            if file["tags"].is_object() {
                entry["tags"] = file["tags"].clone();
            }
            files.push(entry);
        }
        let manifest = json!({ "files": files }).to_string();
        fs::write(directory.path().join("manifest.json"), manifest).unwrap();
        let n_shards = case["n_shards"].to_string();
        let mut command = walrus(directory.path());
        command.args(["debug", "quilt", "--n-shards", &n_shards, "--manifest", "manifest.json"]);
        let finished = run(command.arg("--json"));
        if let Some(expected) = case["expect_error"].as_str() {
            let error = finished.error(2);
            assert!(error["message"].as_str().unwrap().starts_with(expected), "{error}");
            continue;
        }
        let report = finished.json();
        for field in ["quilt_len", "quilt_sha256", "blob_id", "index_bcs_hex", "patches"] {
            assert_eq!(report[field], case[field], "{field} of {}", case["id"]);
        }
    }
}

#[test]
fn a_directory_comes_back_file_by_file_with_a_third_of_the_nodes_gone() {
    // Small files are what quilts are for: each must be there, cheap to get, and safe from absent nodes.
    let mut network = Network::start(Shape { nodes: 10, shards: 310, behind_proxies: false });
    let source = network.path().join("source");
    for i in 0..200_u64 {
        let name = format!("many/{i:03}.bin");
        write(&source, &name, &content::random(i + 1, 3_000 + 30 * i as usize));
    }
    write(&source, "empty.txt", b"");
    write(&source, "deeply/nested/down/index.html", b"<p>hello</p>");
    write(&source, "Übergröße/海.txt", "水".as_bytes());
    let expected = tree(&source);

    let stored = network.client(&["quilt", "store", "source", "--tag", "from=test"]).json();
    let id = blob_id(&stored);
    let listed = network.client(&["quilt", "list", &id]).json();
    assert_eq!(listed["patches"], stored["patches"]);
    let patches = listed["patches"].as_array().unwrap();
    let names: Vec<&str> =
        patches.iter().map(|patch| patch["identifier"].as_str().unwrap()).collect();
    assert_eq!(names, expected.keys().map(String::as_str).collect::<Vec<_>>());
    let patch = |name: &str| patches.iter().find(|patch| patch["identifier"] == name).unwrap();
    let html = &patch("deeply/nested/down/index.html")["tags"];
    assert_eq!(html, &json!({ "content-type": "text/html", "from": "test" }));
    assert_eq!(stored["newly_created"], true);

    for node in [1, 5, 8] {
        network.kill_node(node);
    }
    let read = |arguments: &[&str]| {
        let report =
            network.client(&[&["quilt", "read"], arguments, &["--out", "one"]].concat()).json();
        (report, fs::read(network.path().join("one")).unwrap())
    };
    let mut recovered = 0;
    let some = expected.keys().step_by(10).map(String::as_str);
    for name in some.chain(["empty.txt", "Übergröße/海.txt"]) {
        let (report, bytes) = read(&[&id, "--identifier", name]);
        assert!(bytes == expected[name], "{name}");
        assert_eq!(report["whole_quilt"], false, "{report}");
        let share = report["bytes_fetched"].as_u64().unwrap() * 10;
        assert!(share < report["quilt_size"].as_u64().unwrap(), "{report}");
        recovered += report["columns_recovered"].as_u64().unwrap();
    }
    assert!(recovered > 0, "no column lay with the nodes that are gone");
    let patch_id = patch("many/050.bin")["patch_id"].as_str().unwrap();
    for arguments in [
        &["--patch", patch_id][..],
        &["--patch", patch_id, "--no-index"],
        &[&id, "--patch", patch_id],
    ] {
        assert!(read(arguments).1 == expected["many/050.bin"]);
    }
    let (report, bytes) = read(&[&id, "--tag", "content-type=text/html"]);
    assert_eq!(
        (report["identifier"].as_str(), &bytes[..]),
        (Some("deeply/nested/down/index.html"), &b"<p>hello</p>"[..])
    );
    let report = network.client(&["quilt", "extract", &id, "--out", "copy"]).json();
    assert_eq!(report["files"], 203);
    assert!(tree(&network.path().join("copy")) == expected);
}

/// A blob that is the quilt of files with these names, however strange.
fn quilt_named(n_shards: u16, names: &[&str]) -> Vec<u8> {
    let file =
        |name: &&str| FileOutline { identifier: (*name).to_owned(), tags: Tags::none(), length: 4 };
    let params = EncodingParams::new(n_shards).unwrap();
    let plan = QuiltPlan::new(params, names.iter().map(file).collect()).unwrap();
    let contents = names.iter().map(|_| Arc::new(b"evil") as Arc<dyn ReadAt>).collect();
    QuiltSource::new(plan, contents).to_bytes().unwrap()
}

#[test]
fn strangers_quilts_do_no_harm_and_the_guide_is_right() {
    let network = Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false });
    names_that_do_harm_are_refused(&network);
    paths_that_cannot_be_stored_are_refused(&network);
    the_guide_is_right(&network);
}

fn names_that_do_harm_are_refused(network: &Network) {
    // A stranger's quilt could otherwise write anywhere, or one file over another.
    let root = network.path();
    for (i, names) in [
        &["good", "../evil"][..],
        &["/tmp/walrus-evil"],
        &["a", "A"],
        &["x", "x/y"],
        &["a\\..\\evil"],
        &["."],
    ]
    .into_iter()
    .enumerate()
    {
        let blob = network.store(&format!("quilt-{i}"), &quilt_named(10, names));
        let out = format!("out-{i}");
        let error = network.client(&["quilt", "extract", &blob_id(&blob), "--out", &out]).error(1);
        let message = error["message"].as_str().unwrap();
        let last = names.last().unwrap().escape_debug().to_string();
        assert!(message.contains(&last), "{names:?}: {message}");
        assert!(!root.join(&out).exists() && !root.join("evil").exists());
    }
    // What is there already is left alone, and a link is not followed.
    let blob = blob_id(&network.store("quilt", &quilt_named(10, &["dir/file", "top"])));
    fs::create_dir_all(root.join("elsewhere")).unwrap();
    fs::create_dir_all(root.join("linked")).unwrap();
    std::os::unix::fs::symlink(root.join("elsewhere"), root.join("linked/dir")).unwrap();
    let error = network.client(&["quilt", "extract", &blob, "--out", "linked"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("symbolic link"), "{error}");
    assert!(tree(&root.join("elsewhere")).is_empty());
    write(root, "there/top", b"mine");
    let error = network.client(&["quilt", "extract", &blob, "--out", "there"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("exists already"), "{error}");
    assert_eq!(tree(&root.join("there")), [("top".to_owned(), b"mine".to_vec())].into());
    network.client(&["quilt", "extract", &blob, "--out", "fresh"]).json();
    assert_eq!(tree(&root.join("fresh")).len(), 2);

    // A blob that is no quilt, and a file that is not there.
    let other = blob_id(&network.store("other", b"no quilt"));
    let error = network.client(&["quilt", "list", &other]).error(2);
    assert!(error["hint"].as_str().unwrap().contains("walrus read"), "{error}");
    let error =
        network.client(&["quilt", "read", &blob, "--identifier", "x", "--out", "x"]).error(3);
    assert!(error["hint"].as_str().unwrap().contains("quilt list"), "{error}");
    let error = network.client(&["quilt", "read", "--patch", &blob, "--out", "x"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("whole blob"), "{error}");
    assert_eq!(network.client(&["quilt", "read", &blob, "--out", "x"]).code, 2);
}

fn paths_that_cannot_be_stored_are_refused(network: &Network) {
    // A file could be left out, or another be stored in its place, without a word.
    let root = network.path();
    write(root, "links/file", b"x");
    std::os::unix::fs::symlink("/etc/hostname", root.join("links/link")).unwrap();
    let error = network.client(&["quilt", "store", "links"]).error(2);
    assert!(
        error["message"].as_str().unwrap().contains("links/link is a symbolic link"),
        "{error}"
    );
    fs::create_dir_all(root.join("nothing")).unwrap();
    network.client(&["quilt", "store", "nothing"]).error(2);
    network.client(&["quilt", "store", "missing"]).error(2);
    write(root, "two/file", b"y");
    let error = network.client(&["quilt", "store", "links/file", "two"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("two files are called"), "{error}");
    for i in 0..7 {
        write(root, &format!("seven/{i}"), b"z");
    }
    let error = network.client(&["quilt", "store", "seven"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("at most 6"), "{error}");
}

/// The commands in the guide, as a shell would run them one after the other.
fn the_guide_is_right(network: &Network) {
    // A guide whose commands do not work is worse than none.
    let guide = include_str!("../../docs/quilts.md");
    let root = network.path();
    write(root, "holiday/2026/harbour.jpg", &content::random(1, 50_000));
    write(root, "holiday/2026/island.jpg", &content::random(2, 60_000));
    write(root, "holiday/notes.txt", b"it rained");
    let mut files = Vec::new();
    for i in 0..200_u64 {
        fs::write(root.join(format!("sample-{i}")), content::random(i + 9, 10_000)).unwrap();
        files
            .push(json!({ "identifier": format!("sample-{i:03}"), "path": format!("sample-{i}") }));
    }
    fs::write(root.join("manifest.json"), json!({ "files": files }).to_string()).unwrap();

    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut reports = Vec::new();
    for line in guide.lines().filter(|line| line.starts_with("walrus ")) {
        let mut line = line.to_owned();
        known.iter().for_each(|(name, value)| line = line.replace(name, value));
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let mut command: Command = network.client_command(&arguments);
        let report = run(&mut command).json();
        if let Some(patch) = report["patches"].as_array().and_then(|patches| patches.first()) {
            known.entry("QUILT").or_insert_with(|| blob_id(&report));
            known.entry("PATCH").or_insert_with(|| patch["patch_id"].as_str().unwrap().to_owned());
        }
        reports.push(report);
    }
    assert_eq!(reports.len(), 7);
    assert_eq!(tree(&root.join("copy")), tree(&root.join("holiday")));
    assert_eq!(fs::read(root.join("harbour.jpg")).unwrap(), content::random(1, 50_000));
    assert_eq!(fs::read(root.join("notes.txt")).unwrap(), b"it rained");
    let costs = reports.last().unwrap();
    for field in ["quilt_len", "encoded_blob_length", "encoded_length_of_single_blobs", "files_len"]
    {
        let figure = grouped(costs[field].as_u64().unwrap());
        assert!(guide.contains(&figure), "{field} is {figure}, which the guide does not say");
    }
}

/// A number with a space after every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
