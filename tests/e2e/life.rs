//! One client for the whole life of data: many files, interruptions, ends, costs, proofs.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::{
    content,
    network::{Network, Shape, blob_id},
    process::{Background, run, wait_for, walrus},
    terminal::into_closed_pipe,
};

fn network() -> Network {
    Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false })
}

/// FROST that the client's account holds.
fn balance(network: &Network) -> u64 {
    network.client(&["info"]).json()["wallet"]["wal"].as_u64().unwrap()
}

/// The objects of the wallet.
fn objects(network: &Network) -> Vec<Value> {
    network.client(&["list"]).json()["blobs"].as_array().unwrap().clone()
}

fn directory_of(network: &Network, files: usize, length: usize) -> BTreeMap<String, Vec<u8>> {
    std::fs::create_dir_all(network.path().join("photos/inner")).unwrap();
    let file = |index: usize| {
        let folder = if index.is_multiple_of(3) { "photos/inner" } else { "photos" };
        let name = format!("{folder}/{index}.jpg");
        let contents = content::random(index as u64 + 40, length + index);
        std::fs::write(network.path().join(&name), &contents).unwrap();
        (name, contents)
    };
    (0..files).map(file).collect()
}

/// Kills a store of `arguments` as soon as some files, but not all, are certified, runs it
/// again, and checks that every file is stored and paid for once.
fn interrupted(network: &Network, files: &BTreeMap<String, Vec<u8>>, arguments: &[&str]) -> Value {
    let before = balance(network);
    let mut command = network.client_command(&[&["store", "photos"], arguments].concat());
    let mut store = Background::start_unready(&mut command);
    let certified = |blobs: &[Value]| blobs.iter().filter(|b| b["state"] == "stored").count();
    wait_for("some of the files", 120, || (certified(&objects(network)) >= 2).then_some(()));
    assert_eq!(store.ended(), None, "all files were stored before the store was killed");
    store.kill();
    let left = certified(&objects(network));
    assert!(left < files.len(), "{left}");

    let report = network.client(&[&["store", "photos"], arguments].concat()).json();
    assert_eq!(report["stored"].as_u64(), Some(files.len() as u64), "{report}");
    assert_eq!(report["failed"], 0, "{report}");
    let blobs = objects(network);
    // One object for each file, each certified, and nothing bought beside.
    assert_eq!(blobs.len(), files.len(), "{blobs:?}");
    assert_eq!(certified(&blobs), files.len());
    let price = network.client(&["info"]).json();
    let (storage, write) = (&price["storage_price"], &price["write_price"]);
    let once = |blob: &Value| {
        let units = blob["encoded_size"].as_u64().unwrap().div_ceil(1 << 20);
        units * (5 * storage.as_u64().unwrap() + write.as_u64().unwrap())
    };
    assert_eq!(before - balance(network), blobs.iter().map(once).sum::<u64>());
    // Run once more it does nothing.
    let held = balance(network);
    let again = network.client(&[&["store", "photos"], arguments].concat()).json();
    assert_eq!((again["cost_frost"].as_u64(), balance(network)), (Some(0), held));
    report
}

#[test]
fn a_killed_store_of_many_files_goes_on_and_pays_once() {
    // A laptop is closed in the middle of a thousand photos: nobody knows which are safe, and
    // starting over pays for half of them twice.
    let network = network();
    let files = directory_of(&network, 16, 30_000);
    let report = interrupted(&network, &files, &["--parallel", "2"]);
    for entry in report["files"].as_array().unwrap() {
        let contents = &files[entry["path"].as_str().unwrap()];
        assert!(network.read(entry["blob_id"].as_str().unwrap()) == *contents, "{entry}");
    }
}

#[test]
fn a_killed_store_of_encrypted_files_pays_once_too() {
    // Encrypting again makes another blob of the same file: it would be paid for again.
    let network = network();
    let files = directory_of(&network, 10, 30_000);
    let key = run(walrus(network.path()).args(["--json", "keygen", "--out", "me.txt"])).json();
    let recipient = key["recipient"].as_str().unwrap();
    let report = interrupted(&network, &files, &["--parallel", "2", "--recipient", recipient]);
    let entry = &report["files"][0];
    let read = ["read", entry["blob_id"].as_str().unwrap(), "-i", "me.txt", "--out", "out"];
    network.client(&read).json();
    let contents = &files[entry["path"].as_str().unwrap()];
    assert!(std::fs::read(network.path().join("out")).unwrap() == *contents);
    // No encrypted copy is left behind.
    let gc = network.client(&["gc"]).json();
    assert_eq!(gc["encrypted_copies"]["count"], 0, "{gc}");
}

#[test]
fn files_that_fail_or_are_equal_do_not_stop_the_others() {
    // One unreadable file among a thousand must not keep the rest from being stored.
    let network = network();
    let directory = network.path();
    for name in ["one", "two", "three"] {
        std::fs::write(directory.join(name), "the same in all").unwrap();
    }
    let limit = 4 * 7 * 65_534;
    std::fs::write(directory.join("large"), vec![0; limit + 1]).unwrap();
    let done = network.client(&["store", "one", "two", "large", "three"]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&report["stored"], &report["failed"]), (&3.into(), &1.into()), "{report}");
    assert_eq!(objects(&network).len(), 1);
    network.client(&["store", "one", "-"]).error(2);
    network.client(&["store", "one", "missing"]).error(2);
}

#[test]
fn what_is_mine_is_listed_priced_extended_and_given_away() {
    // Who does not see an end coming loses the data at it.
    let network = network();
    let directory = network.path();
    std::fs::write(directory.join("holiday.jpg"), content::random(1, 50_000)).unwrap();
    let price = network.client(&["cost", "holiday.jpg", "--epochs", "3"]).json();
    let held = balance(&network);
    let report = network.client(&["store", "holiday.jpg", "--epochs", "3"]).json();
    assert_eq!(price["cost_frost"], report["cost_frost"], "{price}");
    assert_eq!(held - balance(&network), price["cost_frost"].as_u64().unwrap());
    assert_eq!(price["end_epoch"], report["end_epoch"]);
    assert!(price["gas"]["total"].as_u64().unwrap() > 300_000, "{price}");
    assert!(price["gas_wei"].as_str().unwrap().parse::<u128>().unwrap() > 0, "{price}");
    let size = ["cost", "--size", "50000", "--epochs", "3"];
    assert_eq!(network.client(&size).json()["cost_frost"], price["cost_frost"]);

    let id = blob_id(&report);
    let object = report["object_id"].to_string();
    let listed = &objects(&network)[0];
    assert_eq!(listed["name"], "holiday.jpg", "{listed}");
    assert_eq!(listed["cost_frost"], report["cost_frost"], "{listed}");
    assert_eq!((&listed["state"], &listed["end_epoch"]), (&"stored".into(), &report["end_epoch"]));
    // Epochs last an hour here.
    let ends = listed["ends_at"].as_u64().unwrap();
    let mut plain = walrus(directory);
    plain.env(
        "WALRUS_PRIVATE_KEY",
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    );
    let text = String::from_utf8(run(plain.arg("list")).stdout).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");

    // To a date: the dry run says the price and pays nothing, then exactly that is paid.
    let date = |seconds: u64| format!("{}h", seconds / 3600);
    let dry = network.client(&["extend", &id, "--until", &date(5 * 3600), "--dry-run"]).json();
    let more = dry["extended"][0]["epochs"].as_u64().unwrap();
    assert!((2..=3).contains(&more), "{dry}");
    let held = balance(&network);
    network.client(&["extend", &object, "--until", &date(5 * 3600)]).json();
    assert_eq!(held - balance(&network), dry["cost_frost"].as_u64().unwrap());
    let later = &objects(&network)[0];
    assert_eq!(later["ends_at"].as_u64().unwrap(), ends + more * 3600, "{later}");
    assert_eq!(
        later["cost_frost"].as_u64().unwrap(),
        report["cost_frost"].as_u64().unwrap() + dry["cost_frost"].as_u64().unwrap()
    );
    // Again there is nothing to do; beyond what is sold is refused with the limit.
    let none = network.client(&["extend", &id, "--until", &date(5 * 3600)]).json();
    assert_eq!(none["extended"], serde_json::json!([]), "{none}");
    network.client(&["extend", &id, "--until", "9y"]).error(2);
    network.client(&["extend", &id, "--until", "someday"]).error(2);
    // Rules pay for many at once, so they ask first.
    network.client(&["extend", "--all", "--epochs", "1"]).error(2);
    let rule = ["extend", "--ending-before", "1y", "--epochs", "1", "--yes"];
    assert_eq!(network.client(&rule).json()["extended"].as_array().unwrap().len(), 1);
    let rule = ["extend", "--ending-before", "1h", "--epochs", "1", "--yes"];
    assert_eq!(network.client(&rule).json()["extended"].as_array().unwrap().len(), 0);

    let shared = network.client(&["share", &id, "--gateway", "https://gate.example/"]).json();
    assert_eq!(shared["link"], format!("https://gate.example/v1/blobs/{id}"), "{shared}");
    let sent = ["send", &object, "0x00000000000000000000000000000000000000aa"];
    network.client(&sent).json();
    assert!(objects(&network).is_empty());
    network.client(&sent).error(5);
}

#[test]
fn availability_is_proven_by_samples_and_not_by_hope() {
    // Whoever deletes their last copy because a command said so must be able to believe it.
    let mut network = network();
    let contents = content::random(77, 1_000_000);
    let report = network.store("film", &contents);
    let id = blob_id(&report);
    let sure = network.client(&["verify", &id]).json();
    assert_eq!((&sure["available"], &sure["proven"]), (&true.into(), &10.into()), "{sure}");
    assert_eq!(sure["chance_if_lost"], 0.0, "{sure}");
    assert_eq!(sure["signed_weight"], 10, "{sure}");
    // Symbols of ten shards are large; even so it is less than the film.
    assert!(sure["bytes_fetched"].as_u64().unwrap() < 800_000, "{sure}");
    assert_eq!(sure["secondary"]["proven"], 10, "{sure}");
    let nodes = sure["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 4, "{sure}");
    for node in nodes {
        let all = serde_json::json!({ "asked": node["shards"], "proven": node["shards"] });
        assert!(node["signed"] == true && node["primary"] == all && node["secondary"] == all);
    }

    let unknown = "A".repeat(43);
    network.client(&["verify", &unknown]).error(3);
    // One node of four is away: enough is left, and it says what is missing.
    network.kill_node(0);
    let less = network.client(&["verify", &id]).json();
    let proven = less["proven"].as_u64().unwrap();
    assert!((7..10).contains(&proven) && less["available"] == true, "{less}");
    assert_eq!(less["failed"].as_array().unwrap().len() as u64, 10 - proven);
    assert_eq!(less["secondary"]["proven"], proven, "{less}");
    let silent: Vec<&Value> =
        less["nodes"].as_array().unwrap().iter().filter(|node| node["signed"] == false).collect();
    let [silent] = silent[..] else { panic!("{less}") };
    let nothing = serde_json::json!({ "asked": silent["shards"], "proven": 0 });
    assert!(silent["primary"] == nothing && silent["secondary"] == nothing, "{less}");
    // Three are away: fewer than four shards are left.
    network.kill_node(1);
    network.kill_node(2);
    let done = network.client(&["verify", &id]);
    assert_eq!(done.code, 4, "{}", done.stderr);
    let lost: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(lost["available"], false, "{lost}");
}

#[test]
fn what_was_paid_for_and_never_finished_is_found() {
    // Capacity that nobody uses and nobody knows of is money lost.
    let mut network = network();
    for node in 0..4 {
        network.kill_node(node);
    }
    std::fs::write(network.path().join("draft"), "unfinished").unwrap();
    std::fs::write(network.path().join("final"), "unfinished for ever").unwrap();
    network.client(&["store", "draft", "--deletable"]).error(4);
    network.client(&["store", "final"]).error(4);
    let found = network.client(&["gc"]).json();
    let names: Vec<&str> = found["unfinished"].as_array().unwrap().iter().map(name).collect();
    assert_eq!(names, ["draft", "final"], "{found}");
    assert_eq!(found["unfinished"][0]["running"], false, "{found}");
    // A store on another machine may be under way: that is not known here.
    let asked = network.client(&["gc", "--delete"]).error(2);
    assert!(asked["hint"].as_str().unwrap().contains("--yes"), "{asked}");
    network.client(&["gc", "--delete", "--yes"]).json();
    let capacity = network.client(&["capacity", "list"]).json();
    assert_eq!(capacity["capacity"].as_array().unwrap().len(), 1, "{capacity}");
    let left = network.client(&["gc"]).json();
    let names: Vec<&str> = left["unfinished"].as_array().unwrap().iter().map(name).collect();
    assert_eq!(names, ["final"], "{left}");
    // The other one is finished by the same command, at no further cost.
    for node in 0..4 {
        network.start_node(node);
    }
    let held = balance(&network);
    network.client(&["store", "final"]).json();
    assert_eq!(balance(&network), held);
    assert_eq!(network.client(&["gc"]).json()["unfinished"], serde_json::json!([]));
}

fn name(blob: &Value) -> &str {
    blob["name"].as_str().unwrap()
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    // Help that is not where people look for it is not help.
    let directory = tempfile::tempdir().unwrap();
    let report = run(walrus(directory.path()).args(["--json", "man", "--out", "man"])).json();
    let pages = report["pages"].as_array().unwrap();
    for page in ["walrus.1", "walrus-store.1", "walrus-key-rotate.1", "walrus-verify.1"] {
        assert!(pages.contains(&page.into()), "{pages:?}");
        let text = std::fs::read_to_string(directory.path().join("man").join(page)).unwrap();
        let name = page.trim_end_matches(".1").replace('-', "\\-");
        assert!(text.contains(".TH") && text.contains(&name), "{page}");
    }
    assert!(Path::new(directory.path()).join("man/walrus-node-run.1").exists());
}

#[test]
fn a_website_is_published_changed_and_read_by_its_reference() {
    // A website whose change costs as much as the website is never changed.
    let network = network();
    let directory = network.path().join("site");
    std::fs::create_dir_all(directory.join("docs")).unwrap();
    let write =
        |path: &str, contents: &[u8]| std::fs::write(directory.join(path), contents).unwrap();
    write("index.html", b"<h1>Walrus</h1>");
    write("404.html", b"not here");
    write("docs/index.html", b"docs");
    write("film.mp4", &content::random(5, 400_000));
    for page in 0..8 {
        write(&format!("docs/{page}.css"), &content::random(page, 3_000));
    }
    // What programs keep for themselves would be public for as long as the website is.
    std::fs::create_dir(directory.join(".git")).unwrap();
    write(".git/config", b"token");
    write(".env", b"PASSWORD=x");
    let link = directory.join("link");
    std::os::unix::fs::symlink(".env", &link).unwrap();
    let error = network.client(&["site", "publish", "site"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("link is a symbolic link"), "{error}");
    std::fs::remove_file(link).unwrap();
    let first = network.client(&["site", "publish", "site", "--gateway", "http://gate/"]).json();
    let left_out = serde_json::json!({ "count": 2, "names": [".env", ".git/"] });
    assert_eq!(first["left_out"], left_out, "{first}");
    let reference = first["reference"].to_string();
    assert_eq!(first["link"], format!("http://gate/v1/sites/{reference}/"), "{first}");
    // Six files fit into a quilt of ten shards: two quilts, the film, the list.
    assert_eq!((&first["files"], &first["blobs"]), (&12.into(), &4.into()), "{first}");
    // Four objects without a name and a price would be anybody's guess.
    let mine = objects(&network);
    let named: Vec<&str> = mine.iter().filter_map(|blob| blob["name"].as_str()).collect();
    assert_eq!(named.len(), 4, "{mine:?}");
    for part in ["site/film.mp4", "site/(list of files)", "site/404.html … "] {
        assert!(named.iter().any(|name| name.starts_with(part)), "{part}: {named:?}");
    }
    let paid: u64 = mine.iter().map(|blob| blob["cost_frost"].as_u64().unwrap()).sum();
    assert_eq!(first["cost_frost"], paid, "{mine:?}");
    let read = |path: &str| {
        network.client(&["site", "read", &reference, path, "--out", "page"]).json();
        std::fs::read(network.path().join("page")).unwrap()
    };
    assert_eq!(read("/"), b"<h1>Walrus</h1>");
    assert_eq!(read("docs/"), b"docs");
    assert_eq!(read("docs/7.css"), content::random(7, 3_000));
    assert!(read("film.mp4") == content::random(5, 400_000));
    // `walrus site read … | head`.
    let mut command = network.client_command(&["site", "read", &reference, "film.mp4"]);
    assert_eq!(into_closed_pipe(&mut command, false), (0, String::new()));
    network.client(&["site", "read", &reference, "docs", "--out", "page"]).error(3);
    network.client(&["site", "read", &reference, "/none", "--out", "page"]).error(3);
    let listed = network.client(&["site", "list", &reference]).json();
    assert_eq!(listed["files"].as_object().unwrap().len(), 12, "{listed}");
    assert_eq!(listed["files"]["docs/7.css"]["type"], "text/css; charset=utf-8", "{listed}");
    assert_eq!(listed["not_found"], "404.html", "{listed}");

    // Unchanged it costs nothing; a change pays for its quilt and the list.
    let again = ["site", "publish", "site", "--reference", &reference];
    let same = network.client(&again).json();
    assert_eq!((&same["cost_frost"], &same["version"]), (&0.into(), &1.into()), "{same}");
    write("index.html", b"<h1>Walrus, changed</h1>");
    let held = balance(&network);
    let changed = network.client(&again).json();
    assert_eq!((&changed["reference"], &changed["version"]), (&first["reference"], &2.into()));
    let (cost, whole) =
        (changed["cost_frost"].as_u64().unwrap(), first["cost_frost"].as_u64().unwrap());
    assert!(cost > 0 && cost < whole, "{changed}");
    assert_eq!(held - balance(&network), cost);
    assert_eq!(read("/index.html"), b"<h1>Walrus, changed</h1>");

    // Somebody else's reference is refused before anything is paid for.
    std::fs::remove_file(directory.join("index.html")).unwrap();
    network.client(&again).error(2);
    let mut other = walrus(network.path());
    other.env("WALRUS_PRIVATE_KEY", "07".repeat(32)).arg("--json").args(again);
    write("index.html", b"mine");
    let error = run(&mut other).error(5);
    assert!(error["message"].as_str().unwrap().contains("belongs to"), "{error}");
    // Nor is everything that a reference can point at a website.
    std::fs::write(network.path().join("file"), "{}").unwrap();
    let id = blob_id(&network.client(&["store", "file"]).json());
    let other = network.client(&["ref", "create", "--", &id]).json();
    network.client(&["site", "list", &other["reference"].to_string()]).error(2);
    // Quilts have names and prices as well.
    let quilt = network.client(&["quilt", "store", "file", "site/docs/1.css"]).json();
    let mine = objects(&network);
    let stored = mine.iter().find(|blob| blob["blob_id"] == quilt["blob_id"]).unwrap();
    assert_eq!(stored["name"], "file, site/docs/1.css", "{stored}");
    assert_eq!(stored["cost_frost"], quilt["cost_frost"], "{stored}");
}
