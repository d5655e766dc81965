//! A gateway on a whole network: what clients of the public network's HTTP routes see.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
#![allow(unreachable_pub, missing_docs)]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Network, content};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use walrus_core::EvmAddress;
use walrus_gateway::{TipConfig, TipKind, TokenConfig};

/// Everything in one network: starting one is most of the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_serves_and_stores_for_existing_clients() {
    let mut network = Network::start().await;
    let gateway = network.gateway("main", |_| ()).await;
    store_and_read(&network, &gateway).await;
    ranges_and_conditions(&gateway).await;
    names_on_chain(&network, &gateway).await;
    quilts(&network, &gateway).await;
    concatenation(&network, &gateway).await;
    watching(&gateway).await;
    wishes_that_are_refused(&gateway).await;
    the_chain_for_the_page(&network, &gateway).await;
    support::described::only_what_is_described_is_answered(&gateway).await;
    support::fair::nobody_takes_all_the_places(&network).await;
    relay(&network).await;
    tokens_and_limits(&network).await;
    hostile_connections(&network).await;
    // Last: it takes a node away.
    a_lost_node(&mut network, &gateway).await;
    gateway.running.shutdown().await;
}

async fn store_and_read(network: &Network, gateway: &support::Gateway) {
    // Clients find their way by these fields; a wrong one loses the blob for its user.
    let bytes = content(1, 100_000);
    let answer = gateway.put("/v1/blobs?epochs=3&permanent=true", bytes.clone()).await;
    assert_eq!(answer.status, 200);
    let created = &answer.json()["newlyCreated"];
    let object = &created["blobObject"];
    assert_eq!(object["size"], 100_000);
    assert_eq!(object["encodingType"], "RS2");
    assert_eq!(
        (&object["deletable"], &object["storage"]["startEpoch"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(object["storage"]["endEpoch"], 4);
    assert!(object["id"].as_str().unwrap().len() == 66 && object["certifiedEpoch"] == 1);
    assert_eq!(created["resourceOperation"]["registerFromScratch"]["epochsAhead"], 3);
    assert!(created["cost"].as_u64().unwrap() > 0);
    let id = object["blobId"].as_str().unwrap();

    network.certified(id).await;
    let again = gateway.put("/v1/blobs?epochs=2&permanent=true", bytes.clone()).await.json();
    let again = &again["alreadyCertified"];
    assert_eq!((&again["blobId"], &again["endEpoch"]), (&json!(id), &json!(4)));
    assert!(again["object"].is_string() != again["event"].is_object(), "{again}");

    for round in ["nodes", "cache"] {
        let read = gateway.get(&format!("/v1/blobs/{id}")).await;
        assert_eq!(read.status, 200, "{round}");
        assert!(read.body == bytes, "{round}");
        assert_eq!(read.header("etag"), format!("\"{id}\""));
        assert_eq!(read.header("content-length"), "100000");
        assert_eq!(read.header("x-content-type-options"), "nosniff");
        assert!(read.header("content-security-policy").starts_with("sandbox"));
        assert!(read.header("cache-control").starts_with("public, max-age=86400"));
        assert_eq!(read.header("access-control-allow-origin"), "*");
        assert_eq!(read.header("content-type"), "");
    }
    let typed = gateway.get_with(&format!("/v1/blobs/{id}"), &[("accept", "image/png")]).await;
    assert_eq!(typed.header("content-type"), "image/png");
    let head = gateway.ask("HEAD", &format!("/v1/blobs/{id}"), &[], "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "100000", 0));
    let strict = format!("/v1/blobs/{id}?strict_consistency_check=true");
    assert!(gateway.get(&strict).await.body == bytes);
    let both = gateway.get(&format!("{strict}&skip_consistency_check=true")).await;
    assert_eq!((both.status, both.reason().as_str()), (400, "INVALID_CONSISTENCY_CHECK"));
    // A cache-busting parameter is no reason to refuse.
    assert_eq!(gateway.get(&format!("/v1/blobs/{id}?cb=1")).await.status, 200);

    let missing = gateway.get(&format!("/v1/blobs/{}", "A".repeat(43))).await;
    assert_eq!((missing.status, missing.reason().as_str()), (404, "BLOB_NOT_FOUND"));
    let (empty, _) = gateway.store("deletable=true", "").await;
    let read = gateway.get(&format!("/v1/blobs/{empty}")).await;
    assert_eq!((read.status, read.body.len()), (200, 0));
    assert_eq!(gateway.get("/status").await.body, "OK");
}

async fn ranges_and_conditions(gateway: &support::Gateway) {
    // Players that seek, and downloads that resume, take these bytes for the file's.
    let bytes = content(2, 3_000_000);
    let (id, _) = gateway.store("", bytes.clone()).await;
    let path = format!("/v1/blobs/{id}");
    let ask = async |range: &str| gateway.get_with(&path, &[("range", range)]).await;
    // Before anything of it is cached: from the nodes, with proofs.
    for (range, start, end) in [
        ("bytes=10-19", 10, 20),
        ("bytes=2999990-", 2_999_990, 3_000_000),
        ("bytes=-5", 2_999_995, 3_000_000),
    ] {
        let part = ask(range).await;
        assert_eq!(part.status, 206, "{range}");
        assert!(part.body == bytes[start..end], "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {start}-{}/3000000", end - 1));
    }
    let large = ask("bytes=1000-1400999").await;
    assert!(large.status == 206 && large.body == bytes[1000..1_401_000], "in several pieces");
    let several = ask("bytes=0-4,100-104").await;
    assert_eq!(several.status, 206);
    let boundary = several.header("content-type").split_once("boundary=").unwrap().1.to_owned();
    let text = String::from_utf8_lossy(&several.body).into_owned();
    assert_eq!(text.matches(&format!("--{boundary}\r\n")).count(), 2);
    assert!(text.contains("content-range: bytes 100-104/3000000\r\n\r\n"));
    assert_eq!(several.header("content-length"), several.body.len().to_string());
    let open = ask("bytes=0-").await;
    assert!(open.status == 206 && open.body == bytes, "what a player asks first");
    for bad in ["bytes=3000000-", "bytes=5-1", "bytes=0-1,0-1"] {
        let refused = ask(bad).await;
        assert_eq!(
            (refused.status, refused.reason().as_str()),
            (416, "INVALID_BYTE_RANGE"),
            "{bad}"
        );
        assert_eq!(refused.header("content-range"), "bytes */3000000");
    }
    let query = gateway.get(&format!("{path}/byte-range?start=5&length=10")).await;
    assert!(query.status == 206 && query.body == bytes[5..15]);
    for bad in ["start=5&length=0", "start=2999999&length=2", "start=18446744073709551615&length=1"]
    {
        let refused = gateway.get(&format!("{path}/byte-range?{bad}")).await;
        assert_eq!(
            (refused.status, refused.reason().as_str()),
            (400, "INVALID_BYTE_RANGE"),
            "{bad}"
        );
    }
    assert_eq!(gateway.get(&format!("{path}/byte-range?start=5")).await.status, 400);

    let tag = format!("\"{id}\"");
    let same = gateway.get_with(&path, &[("if-none-match", &tag)]).await;
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, tag.as_str()));
    let other = gateway.get_with(&path, &[("if-match", "\"x\"")]).await;
    assert_eq!((other.status, other.reason().as_str()), (412, "CONDITION_FAILED"));
    let stale = gateway.get_with(&path, &[("range", "bytes=0-1"), ("if-range", "\"x\"")]).await;
    assert!(stale.status == 200 && stale.body == bytes);
    let streamed = gateway.get(&format!("/v1alpha/blobs/{id}/stream")).await;
    assert!(streamed.body == bytes && streamed.header("x-walrus-streaming") == "true");
    // Many readers of the same blob at once.
    let reads = futures::future::join_all((0..20).map(|_| gateway.get(&path))).await;
    assert!(reads.iter().all(|read| read.body == bytes));
}

async fn names_on_chain(network: &Network, gateway: &support::Gateway) {
    // The name on the chain is what people share.
    let owner = network.writer(3);
    let bytes = content(3, 5_000);
    let query = format!("permanent=true&send_object_to={}", owner.address());
    let (id, object) = gateway.store(&query, bytes.clone()).await;
    let token = object.trim_start_matches("0x").trim_start_matches('0').to_owned();
    let token = walrus_core::TokenId(u64::from_str_radix(&token, 16).unwrap());
    assert_eq!(network.client.owner_of(token).await.unwrap(), Some(owner.address()));
    owner.set_attribute(token, "content-type", "text/html").await.unwrap();
    owner.set_attribute(token, "content-security-policy", "default-src *").await.unwrap();
    for name in [object, token.to_string(), format!("0x{:x}", token.0)] {
        let read = gateway.get(&format!("/v1/blobs/by-object-id/{name}")).await;
        assert!(read.status == 200 && read.body == bytes, "{name}");
        assert_eq!(read.header("content-type"), "text/html");
        assert!(read.header("content-security-policy").starts_with("sandbox"));
    }
    for (name, status) in [("999999", 404), ("0x", 400), ("abc", 400)] {
        assert_eq!(gateway.get(&format!("/v1/blobs/by-object-id/{name}")).await.status, status);
    }
    let id = id.parse().unwrap();
    let reference = owner.create_reference(&id, Some(token)).await.unwrap();
    let read = gateway.get(&format!("/v1/blobs/by-reference/{reference}")).await;
    assert!(read.status == 200 && read.body == bytes);
    assert_eq!(
        (read.header("cache-control"), read.header("content-type")),
        ("public, no-cache", "text/html")
    );
    let missing = gateway.get("/v1/blobs/by-reference/777").await;
    assert_eq!((missing.status, missing.reason().as_str()), (404, "OBJECT_ID_RESOLUTION_FAILED"));
}

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        body.extend(
            format!("--X\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").bytes(),
        );
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--X--\r\n");
    body
}

async fn quilts(network: &Network, gateway: &support::Gateway) {
    // A file of a quilt must be the one of that name, whole and alone.
    let (small, large) = (content(4, 700), content(5, 300_000));
    let tags = br#"[{"identifier":"dir/b.txt","tags":{"content-type":"text/plain","n":7}}]"#;
    let body = form(&[("a", &large), ("_metadata", tags), ("dir/b.txt", &small)]);
    let kind = [("content-type", "multipart/form-data; boundary=X")];
    let stored = gateway.ask("PUT", "/v1/quilts?epochs=2", &kind, body).await;
    assert_eq!(stored.status, 200, "{}", stored.json());
    let json = stored.json();
    let quilt = json["blobStoreResult"]["newlyCreated"]["blobObject"]["blobId"].as_str().unwrap();
    let patches = json["storedQuiltBlobs"].as_array().unwrap();
    assert_eq!(patches.len(), 2);
    let patch = patches.iter().find(|p| p["identifier"] == "dir/b.txt").unwrap();
    let patch_id = patch["quiltPatchId"].as_str().unwrap();
    for path in [format!("by-quilt-patch-id/{patch_id}"), format!("by-quilt-id/{quilt}/dir/b.txt")]
    {
        let read = gateway.get(&format!("/v1/blobs/{path}")).await;
        assert!(read.status == 200 && read.body == small, "{path}");
        assert_eq!(read.header("x-quilt-patch-identifier"), "dir/b.txt");
        assert_eq!(
            (read.header("content-type"), read.header("etag")),
            ("text/plain", format!("\"{patch_id}\"").as_str())
        );
        let part = gateway.get_with(&format!("/v1/blobs/{path}"), &[("range", "bytes=1-3")]).await;
        assert!(part.status == 206 && part.body == small[1..4]);
    }
    let list = gateway.get(&format!("/v1/quilts/{quilt}/patches")).await.json();
    let listed = list.as_array().unwrap().iter().find(|p| p["identifier"] == "dir/b.txt").unwrap();
    assert_eq!((&listed["patch_id"], &listed["tags"]["n"]), (&json!(patch_id), &json!("7")));
    let missing = gateway.get(&format!("/v1/blobs/by-quilt-id/{quilt}/c")).await;
    assert_eq!((missing.status, missing.reason().as_str()), (404, "QUILT_PATCH_NOT_FOUND"));
    assert_eq!(gateway.get("/v1/blobs/by-quilt-patch-id/abc").await.status, 400);
    // Whoever has the file makes nobody read a quilt: not even one that cannot be read.
    let first = if patch_id.starts_with('A') { 'B' } else { 'A' };
    let elsewhere = format!("{first}{}", &patch_id[1..]);
    let path = format!("/v1/blobs/by-quilt-patch-id/{elsewhere}");
    for (tag, status) in [(format!("\"{elsewhere}\""), 304), ("*".to_owned(), 404)] {
        let answer = gateway.get_with(&path, &[("if-none-match", tag.as_str())]).await;
        assert_eq!(answer.status, status, "{tag}");
    }
    let empty = gateway.ask("PUT", "/v1/quilts", &kind, form(&[])).await;
    assert_eq!((empty.status, empty.reason().as_str()), (400, "MALFORMED_REQUEST"));
    assert_eq!(gateway.put("/v1/quilts", "x").await.status, 415);
    // Others see by the object's attribute that they need not guess what the blob is.
    let object: walrus_core::ObjectId = json["blobStoreResult"]["newlyCreated"]["blobObject"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let attributes = network.client.attributes(object.token().unwrap()).await.unwrap();
    assert_eq!(attributes, [("_walrusBlobType".to_owned(), "quilt".to_owned())]);
    // More than a blob can hold is no fault of the form's.
    let large =
        gateway.ask("PUT", "/v1/quilts", &kind, form(&[("a", &content(13, 8_000_000))])).await;
    assert_eq!((large.status, large.reason().as_str()), (413, "BLOB_TOO_LARGE"));
    // A file that does not fit into the memory set aside for it is refused before it is fetched.
    let careful = network.gateway("careful", |c| c.limits.max_patch_bytes = 100_000).await;
    let path = |name: &str| format!("/v1/blobs/by-quilt-id/{quilt}/{name}");
    let refused = careful.get(&path("a")).await;
    assert_eq!((refused.status, refused.reason().as_str()), (413, "BLOB_TOO_LARGE"));
    assert!(refused.json().to_string().contains("100000"), "{}", refused.json());
    assert_eq!(careful.get(&path("dir/b.txt")).await.status, 200);
    careful.running.shutdown().await;
}

async fn concatenation(network: &Network, gateway: &support::Gateway) {
    // An error after the head must not look like the end of the file.
    let (first, object) = gateway.store("", content(6, 1000)).await;
    let (second, _) = gateway.store("", content(7, 2000)).await;
    let both = [content(6, 1000), content(7, 2000)].concat();
    let get = gateway.get(&format!("/v1alpha/blobs/concat?ids={object},{second}")).await;
    assert!(get.status == 200 && get.body == both);
    let kind = [("content-type", "application/json")];
    let list = json!({"ids": [first, second]}).to_string();
    let post = gateway.ask("POST", "/v1alpha/blobs/concat", &kind, list).await;
    assert!(post.status == 200 && post.body == both);
    for (list, status) in
        [(json!({"ids": []}), 400), (json!({"ids": ["?"]}), 400), (json!({"ids": ["999999"]}), 404)]
    {
        let refused = gateway.ask("POST", "/v1alpha/blobs/concat", &kind, list.to_string()).await;
        assert_eq!(refused.status, status, "{list}");
    }
    let deep = format!("{{\"ids\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(gateway.ask("POST", "/v1alpha/blobs/concat", &kind, deep).await.status, 400);

    // The same blob a hundred times would be an answer of hundreds of gigabytes.
    let careful = network.gateway("concise", |c| c.limits.max_blob_bytes = 3500).await;
    for (ids, whole) in [(format!("{first},{second}"), true), (format!("{second},{second}"), false)]
    {
        let mut stream = tokio::net::TcpStream::connect(careful.running.address()).await.unwrap();
        let request = format!(
            "GET /v1alpha/blobs/concat?ids={ids} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer.ends_with(b"\r\n0\r\n\r\n"), whole, "{ids}");
    }
    careful.running.shutdown().await;
}

async fn watching(gateway: &support::Gateway) {
    // A person who stores a large file must see that something happens, and the end.
    let path = "/v1/blobs?upload=0123abcd";
    let (events, stored) = tokio::join!(
        gateway.get("/v1/uploads/0123abcd/events"),
        gateway.put(path, content(8, 400_000))
    );
    assert_eq!((events.status, events.header("content-type")), (200, "text/event-stream"));
    let text = String::from_utf8(events.body.to_vec()).unwrap();
    let messages: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |stage: &str| messages.iter().filter(|m| m["stage"] == stage).count();
    for stage in ["receiving", "encoded", "registered", "uploading", "confirmations", "certified"] {
        assert!(of(stage) > 0, "no {stage} in {text}");
    }
    assert!(messages.iter().any(|m| m["stage"] == "node" && m["state"] == "confirmed"));
    let id = stored.json()["newlyCreated"]["blobObject"]["blobId"].clone();
    assert_eq!(messages.last().unwrap()["blob_id"], id);
}

async fn wishes_that_are_refused(gateway: &support::Gateway) {
    // Any page that somebody looks at could spend the gateway's money.
    let own = format!("http://{}", gateway.running.address());
    for (origin, status) in [("https://evil.org", 403), ("null", 403), (own.as_str(), 200)] {
        let headers = [("origin", origin)];
        let answer = gateway.ask("PUT", "/v1/blobs", &headers, "for a page").await;
        assert_eq!(answer.status, status, "{origin}");
        let kind = [headers[0], ("content-type", "multipart/form-data; boundary=X")];
        if status == 403 {
            assert_eq!(answer.reason(), "FOREIGN_ORIGIN");
            assert_eq!(gateway.ask("PUT", "/v1/quilts", &kind, "").await.status, 403);
        }
    }
    // A guess about what somebody wanted would be paid for.
    for query in
        ["epochs=0", "epochs=1000", "epoch=1", "share=true", "send_object_to=0x1", "upload=a%20b"]
    {
        let refused = gateway.put(&format!("/v1/blobs?{query}"), "x").await;
        assert_eq!(
            (refused.status, refused.reason().as_str()),
            (400, "MALFORMED_REQUEST"),
            "{query}"
        );
    }
    let both = gateway.put("/v1/blobs?permanent=true&deletable=true", "x").await;
    assert_eq!(both.reason(), "INVALID_BLOB_PERSISTENCE");
    assert_eq!(gateway.get("/v1/nothing").await.reason(), "UNKNOWN_ROUTE");
    assert_eq!(gateway.ask("DELETE", "/v1/blobs", &[], "").await.reason(), "METHOD_NOT_ALLOWED");
    let long = gateway.get(&format!("/v1/blobs/{}", "x".repeat(20_000))).await;
    assert_eq!(long.reason(), "MALFORMED_REQUEST");
    let preflight = [
        ("origin", "https://x"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization"),
    ];
    let allowed = gateway.ask("OPTIONS", "/v1/blobs", &preflight, "").await;
    assert_eq!(allowed.header("access-control-allow-headers"), "authorization");
    assert_eq!(allowed.header("access-control-max-age"), "86400");
}

async fn the_chain_for_the_page(network: &Network, gateway: &support::Gateway) {
    // The page is of no use without these; another origin must get nothing of it.
    let config = gateway.get("/v1/config").await.json();
    let deployment = network.client.deployment();
    assert_eq!(config["chain_id"], deployment.chain_id);
    assert_eq!(config["contracts"]["wal"], deployment.contracts.wal.to_string());
    assert_eq!((&config["n_shards"], &config["local"]), (&json!(support::SHARDS), &json!(false)));
    assert!(config.get("development_key").is_none());
    let kind = [("content-type", "application/json"), ("origin", "https://x")];
    let ask =
        async |question: Value| gateway.ask("POST", "/v1/rpc", &kind, question.to_string()).await;
    let question = |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = ask(question("eth_chainId", json!([]))).await;
    assert_eq!(answer.json()["result"], format!("{:#x}", deployment.chain_id));
    assert_eq!(answer.header("access-control-allow-origin"), "");
    for method in ["eth_sign", "evm_mine", "debug_traceTransaction", "eth_newFilter"] {
        assert_eq!(
            ask(question(method, json!([]))).await.json()["error"]["code"],
            -32601,
            "{method}"
        );
    }
    let wal = deployment.contracts.wal.to_string();
    let logs = json!([{"address": wal, "fromBlock": "0x0", "toBlock": "0xffffff"}]);
    assert_eq!(ask(question("eth_getLogs", logs)).await.json()["error"]["code"], -32602);
    let logs = json!([{"address": wal, "fromBlock": "0x0", "toBlock": "latest", "topics": []}]);
    assert!(!ask(question("eth_getLogs", logs)).await.json()["result"][0].is_null());
    let batch =
        ask(json!([question("eth_chainId", json!([])), question("eth_blockNumber", json!([]))]))
            .await;
    assert_eq!(batch.json().as_array().unwrap().len(), 2);
    assert_eq!(ask(json!([])).await.status, 400);
    let plain = gateway.ask("POST", "/v1/rpc", &[("content-type", "text/plain")], "{}").await;
    assert_eq!(plain.status, 415);
    let long = format!("[{}]", " ".repeat(300_000));
    assert_eq!(gateway.ask("POST", "/v1/rpc", &kind, long).await.status, 413);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(gateway.ask("POST", "/v1/rpc", &kind, deep).await.status, 400);

    let page = gateway.get("/").await;
    assert!(
        page.status == 200
            && page.header("content-security-policy").starts_with("default-src 'self'")
    );
    let nodes = gateway.get("/v1/nodes").await.json();
    assert_eq!(nodes.as_array().unwrap().len(), usize::from(support::NODES));
    assert!(nodes[0]["reachable"] == true && nodes[0]["health"]["nodeStatus"].is_string());
    let (id, _) = gateway.store("permanent=true", content(9, 100)).await;
    let proof = gateway.get(&format!("/v1/blobs/{id}/confirmations")).await.json();
    assert!(proof["weight"].as_u64().unwrap() >= proof["needed"].as_u64().unwrap(), "{proof}");
}

async fn relay(network: &Network) {
    // A client that pays for itself must get a certificate that the chain takes.
    let gateway = network.gateway("relay", |_| ()).await;
    assert_eq!(gateway.get("/v1/tip-config").await.json(), json!("no_tip"));
    let owner = network.writer(3);
    let directory = tempfile::tempdir().unwrap();
    let sdk = network.sdk(directory.path());
    let bytes = content(10, 50_000);
    let params = sdk.network().await.unwrap().committee.params();
    let none = walrus_sdk::ProgressSink::none();
    let metadata = sdk.coder().metadata(params, bytes.clone(), &none).await.unwrap();
    let id = *metadata.blob_id();
    let (cost, _) = sdk.quote(bytes.len() as u64, 2).await.unwrap();
    owner.ensure_allowance(cost.total()).await.unwrap();
    let registration = walrus_chain::BlobRegistration {
        root_hash: *metadata.root_hash(),
        size: bytes.len() as u64,
        encoding_type: 1,
        deletable: true,
        owner: owner.address(),
        max_write_fee: cost.write,
    };
    let registered = owner.buy_and_register(&registration, 2, cost.storage).await.unwrap();
    let object = walrus_core::ObjectId::from(registered.token_id);
    let path = format!(
        "/v1/blob-upload-relay?blob_id={id}&deletable_blob_object={object}&encoding_type=RS2"
    );
    let wrong = gateway.ask("POST", &path, &[], content(11, 50_000)).await;
    assert_eq!((wrong.status, wrong.reason().as_str()), (400, "BLOB_ID_MISMATCH"));
    let watched = format!("{path}&upload=relayed");
    let answer = gateway.ask("POST", &watched, &[], bytes.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let told = gateway.get("/v1/uploads/relayed/events").await;
    let told = String::from_utf8(told.body.to_vec()).unwrap();
    for stage in ["encoded", "uploading", "confirmations", "signed"] {
        assert!(told.contains(&format!("\"stage\":\"{stage}\"")), "{stage} is missing: {told}");
    }
    let json = answer.json();
    assert_eq!(json["blob_id"].as_array().unwrap().len(), 32);
    let certificate = &json["confirmation_certificate"];
    assert!(certificate["signers"].as_array().unwrap().len() >= 3);
    // As a client would: from the answer alone.
    let certificate: walrus_core::Certificate =
        serde_json::from_value(certificate.clone()).unwrap();
    owner.certify(registered.token_id, &certificate).await.unwrap();
    assert!(gateway.get(&format!("/v1/blobs/{id}")).await.body == bytes);
    let unknown = format!("/v1/blob-upload-relay?blob_id={id}&deletable_blob_object=0x99&typo=1");
    assert_eq!(gateway.ask("POST", &unknown, &[], bytes.clone()).await.status, 400);
    gateway.running.shutdown().await;

    let tip = TipConfig {
        address: EvmAddress([7; 20]),
        kind: TipKind::Const(105),
        max_age: Duration::from_secs(3600),
        max_ahead: Duration::from_secs(60),
    };
    let gateway = network.gateway("relay-tip", |config| config.tip = Some(tip.clone())).await;
    let asked = gateway.get("/v1/tip-config").await.json();
    assert_eq!(
        asked,
        json!({"send_tip": {"address": tip.address.to_string(), "kind": {"const": 105}}})
    );
    let unpaid = gateway.ask("POST", &path, &[], bytes.clone()).await;
    assert_eq!((unpaid.status, unpaid.reason().as_str()), (400, "INVALID_TIP"));
    gateway.running.shutdown().await;
}

async fn tokens_and_limits(network: &Network) {
    // Whoever finds the publisher's address would otherwise spend its money.
    let gateway = network
        .gateway("tokens", |config| {
            config.limits.max_upload_bytes = 1000;
            config.tokens = Some(TokenConfig {
                algorithm: "HS256".to_owned(),
                key: b"a secret of enough bytes".to_vec(),
                expiring: None,
                verify_upload: true,
            });
            config.metrics_bind = Some("127.0.0.1:0".to_owned());
        })
        .await;
    let refused = gateway.put("/v1/blobs", "x").await;
    assert_eq!((refused.status, refused.reason().as_str()), (401, "MISSING_TOKEN"));
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    let token = |jti: &str| {
        let exp = network.env.clock.unix().as_secs() + 60;
        let claims = json!({"exp": exp, "jti": jti, "max_size": 10});
        let key = jsonwebtoken::EncodingKey::from_secret(b"a secret of enough bytes");
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        format!("Bearer {token}")
    };
    let put = async |token: &str, body: &'static str| {
        gateway.ask("PUT", "/v1/blobs", &[("authorization", token)], body).await
    };
    let first = token("1");
    assert_eq!(put(&first, "ten bytes!").await.status, 200);
    assert_eq!(put(&first, "ten bytes!").await.reason(), "TOKEN_ALREADY_USED");
    assert_eq!(put(&token("2"), "eleven byte").await.reason(), "INVALID_SIZE");
    // What was refused for something else must not cost the token.
    let second = [("authorization", token("2"))];
    let second = [(second[0].0, second[0].1.as_str())];
    for path in ["/v1/blobs?epochs=0", "/v1/blobs?share=true", "/v1/blobs?send_object_to=x"] {
        assert_eq!(gateway.ask("PUT", path, &second, "x").await.status, 400, "{path}");
    }
    assert_eq!(gateway.ask("PUT", "/v1/blobs", &second, "ten bytes!").await.status, 200);
    let form = |length: usize| {
        format!(
            "--X\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n{}\r\n--X--\r\n",
            "x".repeat(length)
        )
    };
    for (length, status) in [(11, "INVALID_SIZE"), (10, "")] {
        let token = token(&format!("form {length}"));
        let kind = [
            ("authorization", token.as_str()),
            ("content-type", "multipart/form-data; boundary=X"),
        ];
        let answer = gateway.ask("PUT", "/v1/quilts", &kind, form(length)).await;
        assert_eq!(if answer.status == 200 { String::new() } else { answer.reason() }, status);
    }
    let long =
        gateway.ask("PUT", "/v1/blobs", &[("authorization", &token("3"))], vec![0; 1001]).await;
    assert_eq!((long.status, long.reason().as_str()), (413, "BODY_TOO_LARGE"));

    let address = gateway.running.metrics_address().unwrap().to_owned();
    assert_ne!(address, gateway.running.address());
    assert_eq!(gateway.get("/metrics").await.status, 404, "figures are for the operator");
    let figures = gateway.get_from(&address, "/metrics").await;
    let text = String::from_utf8(figures.body.to_vec()).unwrap();
    assert!(text.contains("walrus_gateway_stores_total 3\n"), "{text}");
    gateway.running.shutdown().await;
}

async fn hostile_connections(network: &Network) {
    // Whoever opens all connections and says nothing would otherwise lock everybody out.
    let gateway = network
        .gateway("hostile", |config| {
            config.limits.max_connections = 50;
            config.limits.head_time = Duration::from_millis(500);
        })
        .await;
    let (host, port) = walrus_env::split_host_port(gateway.running.address()).unwrap();
    let mut silent = Vec::new();
    // Some of them begin to speak the newer version of HTTP, or a request.
    for begun in ["", "PRI * HT", "GET / HTTP/1.1\r\nx: "].into_iter().cycle().take(1000) {
        let mut io = network.env.net.connect(host, port).await.unwrap();
        io.write_all(begun.as_bytes()).await.unwrap();
        silent.push(io);
    }
    assert_eq!(gateway.get("/status").await.status, 200);
    drop(silent);

    // Headers without end must not be kept in memory. The system's buffers between the two
    // take some megabytes more than the server reads, hence the large bound.
    const ENDLESS: usize = 64 << 20;
    let mut io = network.env.net.connect(host, port).await.unwrap();
    io.write_all(b"GET /status HTTP/1.1\r\nhost: h\r\n").await.unwrap();
    let line = format!("x: {}\r\n", "a".repeat(8000));
    let mut sent = 0_usize;
    while sent < ENDLESS && io.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }
    let mut answer = Vec::new();
    let _ = io.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 431"), "{text}");
    assert!(sent < ENDLESS, "all of it was taken");
    gateway.running.shutdown().await;
}

async fn a_lost_node(network: &mut Network, gateway: &support::Gateway) {
    // One node of four may be away at any time: nobody must notice.
    let bytes = content(12, 60_000);
    let (id, _) = gateway.store("permanent=true", bytes.clone()).await;
    network.stop_node(3).await;
    let fresh = network.gateway("fresh", |_| ()).await;
    assert!(fresh.get(&format!("/v1/blobs/{id}")).await.body == bytes);
    let part = fresh.get_with(&format!("/v1/blobs/{id}"), &[("range", "bytes=100-199")]).await;
    assert!(part.body == bytes[100..200]);
    fresh.running.shutdown().await;
}
