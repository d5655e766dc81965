#![allow(clippy::unwrap_used)]

mod document;
mod ranges;

use std::{path::Path, sync::Arc};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use walrus_chain::ChainEvent;
use walrus_core::{
    Epoch, Message, ObjectId, Persistence, SignedConfirmation, StorageConfirmation, TokenId,
};
use walrus_env::{Env, real};
use walrus_redstuff::{
    BlobMetadataWithId, EncodedBlob, GeneralRecoverySymbol, InconsistencyProof, Primary,
    RecoverySymbol, SliverIndex, SliverPairIndex, SliverType, decoding_symbols_from_bcs,
};

use crate::{
    committee::Membership,
    state::Shared,
    store::slivers::SliverKey,
    test_disk::TestDisk,
    test_node::{
        EPOCH, certified, committee, context, deleted, encode, happen, node, protocol_key,
        registered,
    },
};

const SHARDS: u16 = 10;

/// Node 1 of five, with two of ten shards, and its router.
struct Bench {
    node: Shared,
    router: Router,
    disk: TestDisk,
    blob: EncodedBlob,
}

impl Bench {
    async fn new() -> Self {
        let disk = TestDisk::default();
        let env = Env { disk: Arc::new(disk.clone()), ..real::env() };
        let addresses: Vec<String> = (1..=5).map(|n| format!("127.0.0.1:{n}")).collect();
        let node = node(env, Path::new("/n"), 1, committee(EPOCH, &addresses, 2)).await;
        let router = super::router(node.clone());
        Self { node, router, disk, blob: encode(SHARDS, &[7; 1000]) }
    }

    /// With the blob registered as permanent token 1.
    async fn registered() -> Self {
        let bench = Self::new().await;
        happen(&bench.node, 1, vec![registered(bench.id(), 1, false)]).await;
        bench
    }

    /// With the blob registered and everything stored.
    async fn stored() -> Self {
        let bench = Self::registered().await;
        bench.store_all().await;
        bench
    }

    async fn store_all(&self) {
        assert_eq!(self.put_metadata().await.0, StatusCode::CREATED);
        for key in self.keys() {
            assert_eq!(self.put_sliver(key).await.0, StatusCode::CREATED);
        }
    }

    fn id(&self) -> walrus_redstuff::BlobId {
        *self.blob.metadata().blob_id()
    }

    fn keys(&self) -> Vec<SliverKey> {
        self.node.membership.get().keys(&self.id())
    }

    /// A pair that belongs to another node.
    fn foreign_pair(&self) -> SliverPairIndex {
        let own = self.keys();
        let mut pairs = (0..SHARDS).map(SliverPairIndex);
        pairs.find(|pair| own.iter().all(|key| key.pair != *pair)).unwrap()
    }

    fn sliver(&self, key: SliverKey) -> Bytes {
        self.blob.pair(key.pair).unwrap().sliver(key.axis).to_bcs().into()
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Bytes) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    }

    async fn get(&self, path: &str) -> (StatusCode, Bytes) {
        let path = format!("/v1/blobs/{}{path}", self.id());
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn put(&self, path: &str, body: impl Into<Body>) -> (StatusCode, Bytes) {
        let path = format!("/v1/blobs/{}{path}", self.id());
        self.send(Request::put(path).body(body.into()).unwrap()).await
    }

    async fn put_metadata(&self) -> (StatusCode, Bytes) {
        self.put("/metadata", self.blob.metadata().to_bcs()).await
    }

    async fn put_sliver(&self, key: SliverKey) -> (StatusCode, Bytes) {
        self.put(&path(key), self.sliver(key)).await
    }
}

fn path(key: SliverKey) -> String {
    format!("/slivers/{}/{}", key.pair, key.axis)
}

fn data((status, body): (StatusCode, Bytes)) -> (u16, Value) {
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["success"]["code"], status.as_u16(), "{json}");
    (status.as_u16(), json["success"]["data"].clone())
}

fn refusal((status, body): (StatusCode, Bytes)) -> (u16, String) {
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["error"]["code"], status.as_u16(), "{json}");
    let reason = json["error"]["details"][0]["reason"].as_str().unwrap();
    (status.as_u16(), reason.to_owned())
}

fn refused(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

/// If this failed, clients would upload again what is there, or to a node that keeps nothing.
#[tokio::test(start_paused = true)]
async fn metadata_is_stored_only_for_registered_blobs_and_only_if_right() {
    let bench = Bench::new().await;
    assert_eq!(refusal(bench.put_metadata().await), refused(400, "NOT_REGISTERED"));
    assert_eq!(refusal(bench.get("/metadata").await), refused(404, "METADATA_NOT_FOUND"));
    let status = || async { data(bench.get("/metadata/status").await).1 };
    assert_eq!(status().await, "nonexistent");
    happen(&bench.node, 1, vec![registered(bench.id(), 1, false)]).await;
    assert_eq!(refusal(bench.get("/metadata").await), refused(404, "METADATA_NOT_FOUND"));

    let other = encode(SHARDS, b"another blob").metadata().to_bcs();
    assert_eq!(refusal(bench.put("/metadata", other).await), refused(400, "INVALID_METADATA"));
    let foreign = encode(7, &[7; 1000]).metadata().to_bcs();
    assert_eq!(refusal(bench.put("/metadata", foreign).await), refused(400, "INVALID_METADATA"));
    let good = bench.blob.metadata().to_bcs();
    let mut old_type = good.clone();
    old_type[1] = 0;
    let unsupported = refused(400, "UNSUPPORTED_ENCODING_TYPE");
    assert_eq!(refusal(bench.put("/metadata", old_type).await), unsupported);
    for malformed in [&good[..good.len() - 1], &[good.as_slice(), &[0]].concat()[..], b""] {
        let answer = refusal(bench.put("/metadata", malformed.to_vec()).await);
        assert!(answer.1 == "INVALID_CONTENT_TYPE" || answer.1 == "BODY_TOO_LARGE", "{answer:?}");
    }
    let request = Request::put(format!("/v1/blobs/{}/metadata", bench.id()))
        .header(CONTENT_TYPE, "application/json")
        .body(good.clone().into());
    let answer = bench.send(request.unwrap()).await;
    assert_eq!(refusal(answer), refused(400, "INVALID_CONTENT_TYPE"));
    assert_eq!(status().await, "nonexistent");

    let stored = data(bench.put_metadata().await);
    assert_eq!(stored, (201, "metadata successfully stored".into()));
    let again = data(bench.put_metadata().await);
    assert_eq!(again, (200, "metadata already stored".into()));
    assert_eq!(status().await, "stored");
    let (code, bytes) = bench.get("/metadata").await;
    assert_eq!(code, StatusCode::OK);
    let read = BlobMetadataWithId::from_bcs(&bytes, bench.node.params).unwrap();
    read.verify(bench.node.params, &bench.id()).unwrap();
}

/// If this failed, slivers would be lost, or wrong ones stored or served.
#[tokio::test(start_paused = true)]
async fn slivers_pass_every_check_in_order() {
    let bench = Bench::new().await;
    let key = bench.keys()[0];
    assert_eq!(refusal(bench.put_sliver(key).await), refused(400, "NOT_REGISTERED"));
    let pending = format!("{}?pending=true", path(key));
    let no_metadata = refused(400, "METADATA_NOT_FOUND");
    assert_eq!(refusal(bench.put(&pending, bench.sliver(key)).await), no_metadata);
    happen(&bench.node, 1, vec![registered(bench.id(), 1, false)]).await;
    assert_eq!(refusal(bench.put_sliver(key).await), no_metadata);
    bench.put_metadata().await;

    let good = bench.sliver(key);
    let beyond = format!("/slivers/{SHARDS}/primary");
    let out_of_range = refused(400, "INDEX_OUT_OF_RANGE");
    assert_eq!(refusal(bench.put(&beyond, good.clone()).await), out_of_range);
    assert_eq!(refusal(bench.get(&beyond).await), out_of_range);
    let other_pair = bench.sliver(bench.keys()[2]);
    let mismatch = refused(400, "SLIVER_INDEX_MISMATCH");
    assert_eq!(refusal(bench.put(&path(key), other_pair).await), mismatch);
    let foreign = SliverKey { pair: bench.foreign_pair(), axis: SliverType::Primary };
    let not_assigned = refused(400, "SHARD_NOT_ASSIGNED");
    assert_eq!(refusal(bench.put_sliver(foreign).await), not_assigned);
    assert_eq!(refusal(bench.get(&path(foreign)).await), not_assigned);
    let foreign_status = bench.get(&format!("{}/status", path(foreign))).await;
    assert_eq!(refusal(foreign_status), not_assigned);
    let mut flipped = good.to_vec();
    flipped[5] ^= 1;
    let cut = good[..good.len() - 1].to_vec();
    for wrong in [flipped, cut, b"nonsense".to_vec(), Vec::new()] {
        assert_eq!(refusal(bench.put(&path(key), wrong).await), refused(400, "INVALID_SLIVER"));
    }
    let not_found = refused(404, "SLIVER_NOT_FOUND");
    assert_eq!(refusal(bench.get(&path(key)).await), not_found);
    let status = format!("{}/status", path(key));
    assert_eq!(data(bench.get(&status).await).1, "nonexistent");

    let stored = (201, "sliver stored successfully".into());
    assert_eq!(data(bench.put(&path(key), good.clone()).await), stored);
    let again = (200, "sliver already stored".into());
    assert_eq!(data(bench.put(&path(key), good.clone()).await), again);
    assert_eq!(data(bench.get(&status).await).1, "stored");
    assert_eq!(bench.get(&path(key)).await, (StatusCode::OK, good));
}

/// If this failed, a client could fill the node's memory, or an unknown path would be
/// answered in a form clients cannot read.
#[tokio::test(start_paused = true)]
async fn oversize_bodies_and_malformed_requests_are_refused() {
    let bench = Bench::registered().await;
    let long = vec![0; 1 << 20];
    let too_large = refused(413, "BODY_TOO_LARGE");
    assert_eq!(refusal(bench.put("/metadata", long.clone()).await), too_large);
    assert_eq!(refusal(bench.put("/slivers/0/primary", long).await), too_large);
    let endless =
        futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 4096])));
    let answer = bench.put("/metadata", Body::from_stream(endless)).await;
    assert_eq!(refusal(answer), too_large);
    let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let answer = bench.put("/metadata", Body::from_stream(silent)).await;
    assert_eq!(refusal(answer).0, 504);
    for path in ["/slivers/x/primary", "/slivers/0/tertiary", "/slivers/70000/primary"] {
        assert_eq!(refusal(bench.get(path).await), refused(400, "MALFORMED_REQUEST"), "{path}");
    }
    let unknown_key = bench.put("/metadata?nonsense=1", bench.blob.metadata().to_bcs()).await;
    assert_eq!(refusal(unknown_key), refused(400, "MALFORMED_REQUEST"));
    assert_eq!(refusal(bench.get("/nothing").await), refused(404, "UNKNOWN_ROUTE"));
}

async fn confirmation(bench: &Bench, persistence: Persistence) -> Result<(), (u16, String)> {
    let path = match persistence {
        Persistence::Permanent => "/confirmation/permanent".to_owned(),
        Persistence::Deletable(object) => format!("/confirmation/deletable/{object}"),
    };
    let answer = bench.get(&path).await;
    if answer.0 != StatusCode::OK {
        return Err(refusal(answer));
    }
    let signed: SignedConfirmation = serde_json::from_value(data(answer).1).unwrap();
    let body = StorageConfirmation { blob_id: bench.id(), persistence };
    let message = Message::new(bench.node.epoch(), body);
    signed.into_signed().verify(&context(), &message, protocol_key(1).public_key()).unwrap();
    Ok(())
}

/// If this failed, a node would vouch for data that it does not have.
#[tokio::test(start_paused = true)]
async fn nothing_is_confirmed_while_anything_is_missing() {
    let bench = Bench::new().await;
    let permanent = Persistence::Permanent;
    let missing = Err(refused(400, "MISSING_SLIVERS"));
    assert_eq!(confirmation(&bench, permanent).await, Err(refused(400, "NOT_REGISTERED")));
    happen(&bench.node, 1, vec![registered(bench.id(), 1, false)]).await;
    assert_eq!(confirmation(&bench, permanent).await, missing);
    bench.put_metadata().await;
    for key in bench.keys() {
        assert_eq!(confirmation(&bench, permanent).await, missing, "before {key:?}");
        bench.put_sliver(key).await;
    }
    assert_eq!(confirmation(&bench, permanent).await, Ok(()));

    // A damaged sliver is missing again as soon as it is found.
    let (file, _) = bench.disk.files(Path::new("/n/slivers"))[0].clone();
    bench.disk.flip_bit(&file, 20 + 30);
    let first = bench.keys()[0];
    assert_eq!(refusal(bench.get(&path(first)).await), refused(404, "SLIVER_NOT_FOUND"));
    assert_eq!(confirmation(&bench, permanent).await, missing);
    assert_eq!(bench.put_sliver(first).await.0, StatusCode::CREATED);
    assert_eq!(confirmation(&bench, permanent).await, Ok(()));

    // More shards in another epoch: what was enough is not enough any more.
    let addresses: Vec<String> = (1..=5).map(|n| format!("127.0.0.1:{n}")).collect();
    let fewer = committee(Epoch(4), &addresses[..1], SHARDS);
    let membership = Membership::new(bench.node.node_id, Epoch(4), Some(fewer));
    bench.node.membership.set(membership);
    assert_eq!(confirmation(&bench, permanent).await, missing);
    // Not a member at all: nothing to sign for.
    let outsider = Membership::new(bench.node.node_id, Epoch(4), None);
    bench.node.membership.set(outsider);
    let not_assigned = Err(refused(400, "SHARD_NOT_ASSIGNED"));
    assert_eq!(confirmation(&bench, permanent).await, not_assigned);
}

/// If this failed, the deletion of one object would leave another one's certificate
/// standing on nothing.
#[tokio::test(start_paused = true)]
async fn each_object_is_confirmed_for_itself() {
    let bench = Bench::new().await;
    happen(&bench.node, 1, vec![registered(bench.id(), 1, true)]).await;
    bench.store_all().await;
    let object = |token| Persistence::Deletable(ObjectId::from(TokenId(token)));
    let not_registered = Err(refused(400, "NOT_REGISTERED"));
    assert_eq!(confirmation(&bench, object(1)).await, Ok(()));
    assert_eq!(confirmation(&bench, object(2)).await, not_registered);
    assert_eq!(confirmation(&bench, Persistence::Permanent).await, not_registered);
    let huge = Persistence::Deletable(ObjectId([1; 32]));
    assert_eq!(confirmation(&bench, huge).await, not_registered);

    happen(&bench.node, 2, vec![registered(bench.id(), 2, false), deleted(bench.id(), 1)]).await;
    assert_eq!(confirmation(&bench, object(1)).await, not_registered);
    assert_eq!(confirmation(&bench, object(2)).await, not_registered);
    assert_eq!(confirmation(&bench, Persistence::Permanent).await, Ok(()));
}

/// If this failed, ended or invalid blobs would still be stored, served and vouched for.
#[tokio::test(start_paused = true)]
async fn ended_and_invalid_blobs_are_refused() {
    let bench = Bench::stored().await;
    let key = bench.keys()[0];
    let now = bench.node.membership.get();
    let at_end = Membership::new(bench.node.node_id, Epoch(5), now.committee().cloned());
    bench.node.membership.set(at_end);
    assert_eq!(refusal(bench.get("/metadata").await), refused(404, "METADATA_NOT_FOUND"));
    assert_eq!(refusal(bench.get(&path(key)).await), refused(404, "SLIVER_NOT_FOUND"));
    assert_eq!(refusal(bench.put_sliver(key).await), refused(400, "NOT_REGISTERED"));
    let permanent = Persistence::Permanent;
    assert_eq!(confirmation(&bench, permanent).await, Err(refused(400, "NOT_REGISTERED")));
    assert_eq!(data(bench.get("/status").await), (200, "nonexistent".into()));

    bench.node.membership.set(now);
    assert_eq!(confirmation(&bench, permanent).await, Ok(()));
    let invalidated = ChainEvent::BlobIdInvalidated { epoch: EPOCH, blob_id: bench.id() };
    happen(&bench.node, 2, vec![invalidated]).await;
    let invalid = refused(400, "INVALID_BLOB");
    assert_eq!(refusal(bench.put_metadata().await), invalid);
    assert_eq!(refusal(bench.put_sliver(key).await), invalid);
    assert_eq!(confirmation(&bench, permanent).await, Err(invalid));
    assert_eq!(refusal(bench.get(&path(key)).await), refused(404, "SLIVER_NOT_FOUND"));
    let (_, status) = data(bench.get("/status").await);
    assert_eq!(status["invalid"]["event"]["eventSeq"], "0", "{status}");
}

#[tokio::test(start_paused = true)]
async fn the_status_follows_the_chain() {
    let bench = Bench::new().await;
    let status = || async { data(bench.get("/status").await).1 };
    assert_eq!(status().await, "nonexistent");
    happen(&bench.node, 1, vec![registered(bench.id(), 1, true)]).await;
    assert_eq!(status().await["deletable"]["deletableCounts"]["count_deletable_total"], 1);
    happen(&bench.node, 2, vec![registered(bench.id(), 2, false)]).await;
    assert_eq!(status().await["permanent"]["isCertified"], false);
    happen(&bench.node, 3, vec![certified(bench.id(), 2, false)]).await;
    let certified = status().await;
    assert_eq!(certified["permanent"]["isCertified"], true);
    assert_eq!(certified["permanent"]["endEpoch"], 5);
    assert_eq!(certified["permanent"]["initialCertifiedEpoch"], 3);
}

/// If this failed, a client that registers and uploads at once would be sent away.
#[tokio::test(start_paused = true)]
async fn requests_wait_for_a_registration_that_is_on_its_way() {
    let bench = Bench::new().await;
    let chain = async {
        bench.node.progress.asked().await;
        bench.node.progress.begin();
        happen(&bench.node, 1, vec![registered(bench.id(), 1, false)]).await;
        bench.node.progress.end();
    };
    let (answer, ()) = tokio::join!(bench.put_metadata(), chain);
    assert_eq!(answer.0, StatusCode::CREATED);

    let late = Bench::new().await;
    let chain = async {
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        happen(&late.node, 1, vec![registered(late.id(), 1, false)]).await;
    };
    let long_poll = late.get("/confirmation/permanent?wait_for_registration=true&wait_millis=4500");
    let (answer, ()) = tokio::join!(long_poll, chain);
    assert_eq!(refusal(answer), refused(400, "MISSING_SLIVERS"));
}

/// If this failed, peers could not heal from this node.
#[tokio::test(start_paused = true)]
async fn recovery_symbols_verify_against_the_metadata() {
    let bench = Bench::stored().await;
    let metadata = bench.blob.metadata();
    let symbols = |query: &str| {
        let path = format!("/recoverySymbols?{query}");
        let bench = &bench;
        async move { bench.get(&path).await }
    };
    let parse = |(status, bytes): (StatusCode, Bytes)| {
        assert_eq!(status, StatusCode::OK);
        let size = metadata.symbol_size();
        GeneralRecoverySymbol::list_from_bcs(&bytes, bench.node.params, size, 10).unwrap()
    };
    let of_target = parse(symbols("targetSliver=9&targetType=primary&proofAxis=secondary").await);
    assert_eq!(of_target.len(), 2, "one for each shard");
    for symbol in of_target {
        symbol.verify::<Primary>(metadata, SliverIndex(9)).unwrap();
    }
    let own = bench.keys()[0].pair;
    let one = parse(symbols(&format!("id={own}-3&proofAxis=primary")).await);
    assert_eq!(one.len(), 1);

    let foreign = bench.foreign_pair();
    let absent = symbols(&format!("id={foreign}-3&proofAxis=primary")).await;
    assert_eq!(refusal(absent), refused(400, "SYMBOL_NOT_PRESENT_AT_SHARDS"));
    assert_eq!(refusal(symbols("").await), refused(400, "NO_SYMBOLS_SPECIFIED"));
    let out_of_range = refused(400, "INDEX_OUT_OF_RANGE");
    assert_eq!(refusal(symbols("id=10-3").await), out_of_range);
    assert_eq!(refusal(symbols("targetSliver=10&targetType=primary").await), out_of_range);

    let decoding = bench.get("/decodingSymbols?targetSlivers=1&targetType=primary").await;
    assert_eq!(decoding.0, StatusCode::OK);
    let size = metadata.symbol_size();
    let found = decoding_symbols_from_bcs(&decoding.1, bench.node.params, size, 1).unwrap();
    let row = bench.blob.sliver::<Primary>(SliverIndex(1)).unwrap();
    let row = metadata.verify_and_expand(row.into_sliver(), SliverIndex(1)).unwrap();
    assert_eq!(found[&SliverIndex(1)].len(), 2, "one for each shard");
    for symbol in &found[&SliverIndex(1)] {
        assert_eq!(symbol.target_type(), SliverType::Primary);
        assert_eq!(Some(symbol.data()), row.symbol(symbol.source()));
    }
    let beyond = bench.get("/decodingSymbols?targetSlivers=9&targetType=primary").await;
    assert_eq!(refusal(beyond), refused(400, "RECOVERY_SYMBOL_OUT_OF_RANGE"));
    let none = bench.get("/decodingSymbols?targetType=primary").await;
    assert_eq!(refusal(none), refused(400, "NO_TARGET_SLIVERS_SPECIFIED"));

    let empty = Bench::registered().await;
    let nothing = empty.get("/recoverySymbols?targetSliver=1&targetType=primary").await;
    assert_eq!(refusal(nothing), refused(404, "SLIVER_NOT_FOUND"));
}

/// If this failed, an honest blob could be declared invalid by anybody.
#[tokio::test(start_paused = true)]
async fn a_proof_against_an_honest_blob_is_refused() {
    let bench = Bench::registered().await;
    let post = |body: Vec<u8>| {
        let path = format!("/v1/blobs/{}/inconsistencyProof/primary", bench.id());
        bench.send(Request::post(path).body(body.into()).unwrap())
    };
    assert_eq!(refusal(post(Vec::new()).await), refused(400, "METADATA_NOT_FOUND"));
    bench.put_metadata().await;
    assert_eq!(refusal(post(b"nonsense".to_vec()).await), refused(400, "INVALID_PROOF"));
    let target = SliverIndex(2);
    let needed = usize::from(bench.node.params.symbols_per_sliver(SliverType::Primary));
    let symbols: Vec<RecoverySymbol<Primary>> = (0..SHARDS)
        .map(SliverIndex)
        .take(needed)
        .map(|source| {
            let sliver = bench.blob.sliver::<walrus_redstuff::Secondary>(source).unwrap();
            let metadata = bench.blob.metadata();
            let expanded = metadata.verify_and_expand(sliver.into_sliver(), source).unwrap();
            expanded.recovery_symbol(target).unwrap()
        })
        .collect();
    let proof = InconsistencyProof::new(target, symbols).to_bcs();
    assert_eq!(refusal(post(proof).await), refused(400, "INVALID_PROOF"));
}

#[tokio::test(start_paused = true)]
async fn health_tells_real_numbers() {
    let bench = Bench::registered().await;
    let request = Request::get("/v1/health?detailed=true").body(Body::empty()).unwrap();
    let (_, health) = data(bench.send(request).await);
    assert_eq!(health["epoch"], 3);
    assert_eq!(health["nodeStatus"], "Active");
    assert_eq!(health["eventProgress"]["persisted"], 1);
    assert_eq!(health["latestCheckpointSequenceNumber"], 1);
    assert_eq!(health["shardSummary"]["owned"], 2);
    assert_eq!(health["shardDetail"]["owned"][1]["shard"], 1);
}
