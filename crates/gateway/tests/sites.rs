//! Websites at a gateway on a whole network: what browsers and strangers see.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
#![allow(unreachable_pub, missing_docs, dead_code)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Answer, Gateway, Network, content};
use walrus_core::TokenId;
use walrus_redstuff::quilt::Tags;
use walrus_sdk::site::{Entry, Located, Manifest};
use walrus_sdk::{ProgressSink, QuiltFile, Source, StoreOptions, StoreState};

/// A website of two films, one in a quilt and one alone, and some pages.
struct Website {
    reference: u64,
    film: Vec<u8>,
    entries: BTreeMap<String, Entry>,
}

#[tokio::test(flavor = "multi_thread")]
async fn websites_are_served_as_web_servers_serve_them_and_harm_nobody() {
    let mut network = Network::start().await;
    let gateway = network
        .gateway("sites", |config| {
            config.sites_domain = Some("sites.example".parse().unwrap());
            config.limits.site_age = Duration::ZERO;
        })
        .await;
    let site = publish(&network).await;
    pages_and_types(&gateway, &site).await;
    a_film(&gateway, &site).await;
    paths_of_attackers(&gateway, &site).await;
    a_host_of_its_own(&gateway, &site).await;
    the_gateways_page_is_out_of_reach(&gateway, &site).await;
    manifests_of_lies(&network, &gateway, &site).await;
    references_that_move(&network, &gateway, &site).await;
    // Last: it takes the nodes away.
    pages_that_were_asked_for_before(&mut network, &gateway, &site).await;
    gateway.running.shutdown().await;
}

/// Stores a blob; its id and object.
async fn store(network: &Network, bytes: Vec<u8>) -> (walrus_redstuff::BlobId, TokenId) {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { epochs: 2, deletable: true, ..StoreOptions::default() };
    let (sdk, none) = (network.sdk(directory.path()), ProgressSink::none());
    let stored = sdk.store(&network.writer(3), Source::from(bytes), &options, &none).await.unwrap();
    let StoreState::Certified { token, .. } = stored.state else { panic!("{:?}", stored.state) };
    (stored.blob_id, token)
}

/// Creates a reference to a manifest.
async fn name(network: &Network, manifest: &Value) -> u64 {
    let (id, token) = store(network, manifest.to_string().into_bytes()).await;
    network.writer(3).create_reference(&id, Some(token)).await.unwrap()
}

async fn publish(network: &Network) -> Website {
    let film = content(20, 2_000_000);
    let (film_id, _) = store(network, film.clone()).await;
    let html = "text/html; charset=utf-8";
    let pages = [
        ("index.html", html, "<h1>home</h1>"),
        ("404.html", html, "<h1>lost</h1>"),
        ("docs/index.html", html, "<h1>docs</h1>"),
        ("docs/x y.html", html, "<h1>space</h1>"),
        ("a b/é/index.html", html, "<h1>far</h1>"),
        ("app.js", "text/javascript; charset=utf-8", "alert(1)"),
        ("v1/config", "application/json", "{}"),
        ("empty.txt", "text/plain; charset=utf-8", ""),
    ];
    let file = |(path, _, text): &(&str, &str, &str)| QuiltFile {
        identifier: (*path).to_owned(),
        tags: Tags::none(),
        content: Source::from(text.as_bytes().to_vec()),
    };
    let directory = tempfile::tempdir().unwrap();
    let (sdk, none) = (network.sdk(directory.path()), ProgressSink::none());
    let options = StoreOptions { epochs: 2, ..StoreOptions::default() };
    let files = pages.iter().map(file).collect();
    let quilt = sdk.store_quilt(&network.writer(3), files, &options, &none).await.unwrap();
    let mut entries = BTreeMap::new();
    for (path, kind, text) in pages {
        let patch = quilt.index.by_identifier(path).unwrap().id(quilt.stored.blob_id);
        let located = Located::Patch(patch);
        entries.insert(path.to_owned(), Entry::new(kind.to_owned(), text.len() as u64, &located));
    }
    let located = Located::Blob(film_id);
    entries.insert("film.mp4".to_owned(), Entry::new("video/mp4".to_owned(), 2_000_000, &located));
    let not_found = Some("404.html".to_owned());
    let manifest = Manifest::new("index.html".to_owned(), not_found, entries.clone());
    let reference = name(network, &serde_json::to_value(&manifest).unwrap()).await;
    Website { reference, film, entries }
}

async fn pages_and_types(gateway: &Gateway, site: &Website) {
    // A page as text, without its style, or kept for a day is a broken website.
    let root = format!("/v1/sites/{}", site.reference);
    let bare = gateway.get(&format!("{root}?a=1&b=%20")).await;
    assert_eq!(
        (bare.status, bare.header("location")),
        (308, format!("{root}/?a=1&b=%20").as_str())
    );
    for (path, text) in [
        ("/", "<h1>home</h1>"),
        ("/?x=y", "<h1>home</h1>"),
        ("/index.html", "<h1>home</h1>"),
        ("/docs/", "<h1>docs</h1>"),
        ("/docs/x%20y.html", "<h1>space</h1>"),
        ("/a%20b/%C3%A9/", "<h1>far</h1>"),
    ] {
        let page = gateway.get(&format!("{root}{path}")).await;
        assert_eq!((page.status, &page.body[..]), (200, text.as_bytes()), "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "public, max-age=60");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("content-length"), text.len().to_string());
        assert!(page.header("etag").len() == 52 && page.header("etag").starts_with('"'));
        // Its own scripts and fonts are another origin's to a sandboxed page.
        assert_eq!(page.header("access-control-allow-origin"), "*");
    }
    let script = gateway.get(&format!("{root}/app.js")).await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    let empty = gateway.get(&format!("{root}/empty.txt")).await;
    assert_eq!((empty.status, empty.header("content-length")), (200, "0"));
    let to = gateway.get(&format!("{root}/a%20b/%C3%A9?q=%2F")).await;
    let far = format!("{root}/a%20b/%C3%A9/?q=%2F");
    assert_eq!((to.status, to.header("location")), (308, far.as_str()));
    // The number as explorers write it.
    let hexadecimal = gateway.get(&format!("/v1/sites/0x{:x}/docs", site.reference)).await;
    assert_eq!(hexadecimal.header("location"), format!("{root}/docs/"));

    let page = gateway.get(&format!("{root}/")).await;
    let tag = page.header("etag").to_owned();
    let same = gateway.get_with(&format!("{root}/"), &[("if-none-match", &tag)]).await;
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, tag.as_str()));
    assert!(same.header("content-security-policy").starts_with("sandbox"));
    let head = gateway.ask("HEAD", &format!("{root}/"), &[], "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "13", 0));
    let put = gateway.put(&format!("{root}/"), "x").await;
    assert_eq!((put.status, put.reason().as_str()), (405, "METHOD_NOT_ALLOWED"));

    // The page for what is missing is not what was asked for: no part of it, and never 304.
    let lost = format!("{root}/none");
    let plain = gateway.get(&lost).await;
    assert_eq!((plain.status, &plain.body[..]), (404, &b"<h1>lost</h1>"[..]));
    assert_eq!((plain.header("etag"), plain.header("accept-ranges")), ("", ""));
    let tag = format!("\"{}\"", patch_of(site, "404.html"));
    for (name, value) in [
        ("range", "bytes=0-1"),
        ("if-none-match", tag.as_str()),
        ("if-none-match", "*"),
        ("if-match", "\"x\""),
    ] {
        let again = gateway.get_with(&lost, &[(name, value)]).await;
        assert_eq!((again.status, again.body.len()), (404, 13), "{name}: {value}");
    }
    let head = gateway.ask("HEAD", &lost, &[], "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (404, "13", 0));
    // As itself it is a page like others.
    assert_eq!(gateway.get(&format!("{root}/404.html")).await.status, 200);
}

fn patch_of(site: &Website, path: &str) -> String {
    match site.entries[path].located().unwrap() {
        Located::Patch(id) => id.to_string(),
        Located::Blob(id) => id.to_string(),
    }
}

async fn a_film(gateway: &Gateway, site: &Website) {
    // Without ranges nobody can seek, and some browsers play nothing at all.
    let path = format!("/v1/sites/{}/film.mp4", site.reference);
    let part = gateway.get_with(&path, &[("range", "bytes=1000000-1000099")]).await;
    assert!(part.status == 206 && part.body == site.film[1_000_000..1_000_100]);
    assert_eq!(part.header("content-range"), "bytes 1000000-1000099/2000000");
    assert_eq!(part.header("content-type"), "video/mp4");
    let tag = format!("\"{}\"", patch_of(site, "film.mp4"));
    assert_eq!(part.header("etag"), tag);
    let resumed = gateway.get_with(&path, &[("range", "bytes=1999990-"), ("if-range", &tag)]).await;
    assert!(resumed.status == 206 && resumed.body == site.film[1_999_990..]);
    let beyond = gateway.get_with(&path, &[("range", "bytes=2000000-")]).await;
    assert_eq!((beyond.status, beyond.reason().as_str()), (416, "INVALID_BYTE_RANGE"));
    let head = gateway.ask("HEAD", &path, &[], "").await;
    assert_eq!((head.status, head.header("content-length")), (200, "2000000"));
    let whole = gateway.get(&path).await;
    assert!(whole.status == 200 && whole.body == site.film);
    let page = format!("/v1/sites/{}/index.html", site.reference);
    let part = gateway.get_with(&page, &[("range", "bytes=4-7")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &b"home"[..]));
}

async fn paths_of_attackers(gateway: &Gateway, site: &Website) {
    // A path that leaves the website would show what else is stored here, or lead away.
    let root = format!("/v1/sites/{}", site.reference);
    for path in [
        "/%2e%2e/config",
        "/..%2f..%2fv1%2fconfig",
        "/docs/%2e%2e/index.html",
        "/docs/..%5cindex.html",
        "/index.html%00",
        "/docs%252f",
        "/index.html/",
    ] {
        let lost = gateway.get(&format!("{root}{path}")).await;
        assert_eq!((lost.status, &lost.body[..]), (404, &b"<h1>lost</h1>"[..]), "{path}");
    }
    for path in ["//docs", "/%2Fdocs", "///docs"] {
        let to = gateway.get(&format!("{root}{path}")).await;
        assert_eq!((to.status, to.header("location")), (308, format!("{root}/docs/").as_str()));
    }
    assert_eq!(gateway.get(&format!("{root}/%ff")).await.reason(), "MALFORMED_REQUEST");
    for number in ["0", "-1", "abc", "7x", "99999999999999999999999"] {
        let refused = gateway.get(&format!("/v1/sites/{number}/")).await;
        assert_eq!(refused.reason(), "INVALID_ID_FORMAT", "{number}");
        assert_eq!(gateway.get(&format!("/v1/sites/{number}")).await.status, 400, "{number}");
    }
}

async fn at(gateway: &Gateway, host: &str, path: &str) -> Answer {
    gateway.get_with(path, &[("host", host)]).await
}

async fn a_host_of_its_own(gateway: &Gateway, site: &Website) {
    // Links that begin with / work only at the root of a host.
    let host = format!("{}.sites.example", site.reference);
    for host in [host.clone(), format!("{host}:31415"), host.to_uppercase(), format!("{host}.")] {
        let page = at(gateway, &host, "/").await;
        assert_eq!((page.status, &page.body[..]), (200, &b"<h1>home</h1>"[..]), "{host}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("content-security-policy"), "", "in its own origin it may do all");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    let to = at(gateway, &host, "/docs?x=1").await;
    assert_eq!((to.status, to.header("location")), (308, "/docs/?x=1"));
    let to = at(gateway, &host, "//docs").await;
    assert_eq!((to.status, to.header("location")), (308, "/docs/"), "never //docs/");
    assert_eq!(at(gateway, &host, "/none").await.status, 404);
    let part = gateway.get_with("/film.mp4", &[("host", &host), ("range", "bytes=5-9")]).await;
    assert!(part.status == 206 && part.body == site.film[5..10]);
    let missing = at(gateway, "777.sites.example", "/").await;
    assert_eq!((missing.status, missing.reason().as_str()), (404, "OBJECT_ID_RESOLUTION_FAILED"));
    // Every other name is the gateway's own, as without a domain.
    for host in ["sites.example", "07.sites.example", "x.sites.example", "[::1]:80", "elsewhere"] {
        let page = at(gateway, host, "/").await;
        assert!(page.header("content-security-policy").starts_with("default-src 'self'"), "{host}");
    }
    let config = gateway.get("/v1/config").await.json();
    assert_eq!(config["sites_domain"], "sites.example");
}

async fn the_gateways_page_is_out_of_reach(gateway: &Gateway, site: &Website) {
    // The script of a website would pay with the wallet of who looks at it.
    let root = format!("/v1/sites/{}", site.reference);
    for path in ["/", "/app.js", "/none", "/film.mp4"] {
        let page = gateway.get(&format!("{root}{path}")).await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("sandbox ") && !policy.contains("allow-same-origin"), "{path}");
    }
    // At its host name nothing is there but the website.
    let host = format!("{}.sites.example", site.reference);
    for path in ["/v1/rpc", "/v1/nodes", "/status", "/v1/api", "/js/main.js", &root] {
        let page = at(gateway, &host, path).await;
        assert_eq!((page.status, &page.body[..]), (404, &b"<h1>lost</h1>"[..]), "{path}");
    }
    let own = at(gateway, &host, "/v1/config").await;
    assert_eq!((own.status, &own.body[..]), (200, &b"{}"[..]), "a path like any other");
    for (method, path) in [("POST", "/v1/rpc"), ("PUT", "/v1/blobs"), ("PUT", "/v1/quilts")] {
        let refused = gateway.ask(method, path, &[("host", &host)], "[]").await;
        assert_eq!((refused.status, refused.reason().as_str()), (405, "METHOD_NOT_ALLOWED"));
    }
}

async fn manifests_of_lies(network: &Network, gateway: &Gateway, site: &Website) {
    // Anybody can name anything a website, and every gateway will be asked for it.
    let film = patch_of(site, "film.mp4");
    let page = patch_of(site, "index.html");
    let mut unknown = page.clone();
    unknown.replace_range(0..43, &"A".repeat(43));
    let manifest = json!({
        "walrus_site": 1, "index": "index.html", "not_found": "nowhere",
        "files": {
            "short": {"type": "video/mp4", "size": 1, "blob": film},
            "long": {"type": "text/html", "size": u64::MAX, "patch": page},
            "nothing": {"type": "text/html", "size": 1, "blob": "A".repeat(43)},
            "no-quilt": {"type": "text/html", "size": 1, "patch": unknown},
            "untyped": {"type": "", "size": 1, "patch": page},
        },
    });
    let reference = name(network, &manifest).await;
    let root = format!("/v1/sites/{reference}");
    // The length that is sent is that of the bytes, whatever the manifest says.
    for method in ["GET", "HEAD"] {
        let short = gateway.ask(method, &format!("{root}/short"), &[], "").await;
        assert_eq!((short.status, short.header("content-length")), (200, "2000000"));
        let long = gateway.ask(method, &format!("{root}/long"), &[], "").await;
        assert_eq!((long.status, long.header("content-length")), (200, "13"));
    }
    let part = gateway.get_with(&format!("{root}/long"), &[("range", "bytes=13-")]).await;
    assert_eq!(part.status, 416);
    assert_eq!(gateway.get(&format!("{root}/untyped")).await.status, 200);
    for path in ["nothing", "no-quilt"] {
        let gone = gateway.get(&format!("{root}/{path}")).await;
        assert_eq!((gone.status, gone.reason().as_str()), (404, "BLOB_NOT_FOUND"), "{path}");
    }
    for path in ["", "none"] {
        let gone = gateway.get(&format!("{root}/{path}")).await;
        assert_eq!((gone.status, gone.reason().as_str()), (404, "SITE_FILE_NOT_FOUND"), "{path}");
    }
    let file = json!({"type": "text/html", "size": 1, "blob": film});
    for bad in [
        json!("no manifest"),
        json!({"walrus_site": 2, "index": "i", "files": {}}),
        json!({"walrus_site": 1, "index": "i", "files": {"../up": file}}),
        json!({"walrus_site": 1, "index": "i", "files": {}, "headers": {"set-cookie": "a"}}),
        json!({"walrus_site": 1, "index": "i", "files":
            {"x": {"type": "text/html\r\nset-cookie: a", "size": 1, "blob": film}}}),
    ] {
        let reference = name(network, &bad).await;
        for _ in 0..2 {
            let refused = gateway.get(&format!("/v1/sites/{reference}/")).await;
            assert_eq!(
                (refused.status, refused.reason().as_str()),
                (404, "NOT_A_WEBSITE"),
                "{bad}"
            );
        }
    }
    // A film is no manifest however long it is.
    let film = film.parse().unwrap();
    let reference = network.writer(3).create_reference(&film, None).await.unwrap();
    assert_eq!(gateway.get(&format!("/v1/sites/{reference}/")).await.reason(), "NOT_A_WEBSITE");
    let missing = gateway.get("/v1/sites/777/").await;
    assert_eq!((missing.status, missing.reason().as_str()), (404, "OBJECT_ID_RESOLUTION_FAILED"));
}

async fn references_that_move(network: &Network, gateway: &Gateway, site: &Website) {
    // Who publishes again must see it, and who takes it down must see that too.
    let owner = network.writer(3);
    let number = site.reference;
    let path = format!("/v1/sites/{number}/");
    let before = gateway.get(&path).await;
    let docs = site.entries["docs/index.html"].clone();
    let entries = [("index.html".to_owned(), docs)].into();
    let manifest = Manifest::new("index.html".to_owned(), None, entries);
    let (id, token) = store(network, serde_json::to_vec(&manifest).unwrap()).await;
    owner.update_reference(number, &id, Some(token), 1).await.unwrap();
    let after = gateway.get_with(&path, &[("if-none-match", before.header("etag"))]).await;
    assert_eq!((after.status, &after.body[..]), (200, &b"<h1>docs</h1>"[..]));
    // A gateway that remembers for longer shows what it knew for so long, and no longer.
    let slow =
        network.gateway("slow", |config| config.limits.site_age = Duration::from_secs(3600)).await;
    assert_eq!(&slow.get(&path).await.body[..], b"<h1>docs</h1>");
    owner.freeze_reference(number, 2).await.unwrap();
    assert_eq!(gateway.get(&path).await.status, 200, "frozen is not gone");
    owner.delete(token).await.unwrap();
    let gone = gateway.get(&path).await;
    assert_eq!((gone.status, gone.reason().as_str()), (404, "BLOB_NOT_FOUND"));
    assert_eq!(slow.get(&path).await.status, 200);
    slow.running.shutdown().await;
}

async fn pages_that_were_asked_for_before(
    network: &mut Network,
    gateway: &Gateway,
    site: &Website,
) {
    // Every visitor would cost the nodes all of a website again.
    for node in 0..usize::from(support::NODES) {
        network.stop_node(node).await;
    }
    let path = format!("/v1/blobs/by-quilt-patch-id/{}", patch_of(site, "docs/index.html"));
    let page = gateway.get(&path).await;
    assert_eq!((page.status, &page.body[..]), (200, &b"<h1>docs</h1>"[..]));
    assert_eq!(page.header("x-quilt-patch-identifier"), "docs/index.html");
    let part = gateway.get_with(&path, &[("range", "bytes=4-7")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &b"docs"[..]));
}
