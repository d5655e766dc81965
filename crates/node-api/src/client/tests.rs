#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use futures::StreamExt as _;
use walrus_core::{Domain, EvmAddress, NetworkSecretKey, Persistence, ProtocolSecretKey};
use walrus_env::http::{ServerConfig, serve};
use walrus_env::{AbortOnDrop, CancellationToken, real};
use walrus_redstuff::{
    EncodedBlob, Encoder, EncodingParams, Primary, Secondary, SliverIndex, VerifiedMetadata,
};

use super::*;
use crate::error::{ApiError, ErrorReason};
use crate::extract::{BlobPath, SliverPath, binary, success};
use crate::limits::MAX_ERROR_BODY_BYTES;

/// A node that answers with `router`, and a client of it.
struct Stub {
    client: NodeClient,
    _server: AbortOnDrop,
}

async fn stub(router: Router) -> Stub {
    stub_with(router, None, NodeClientConfig::default()).await
}

async fn stub_with(
    router: Router,
    key: Option<NetworkSecretKey>,
    config: NodeClientConfig,
) -> Stub {
    let env = real::env();
    let listener = env.net.bind("127.0.0.1", 0).await.unwrap();
    let address: NodeAddress = listener.local_address().parse().unwrap();
    let tls = key.as_ref().map(|key| tls::server_config(&env, key, "127.0.0.1").unwrap());
    let server = ServerConfig { tls, ..ServerConfig::default() };
    let shutdown = CancellationToken::new();
    let task = env.spawn("stub", serve(env.clone(), listener, router, server, shutdown));
    let identity = match key {
        Some(key) => NodeIdentity::Tls(key.public_key()),
        None => NodeIdentity::PlainLoopback,
    };
    let client = NodeClient::new(&env, &address, &identity, config).unwrap();
    Stub { client, _server: task.abort_on_drop() }
}

fn context() -> SigningContext {
    SigningContext::deployed(31337, EvmAddress([7; 20]))
}

fn blob_id() -> BlobId {
    BlobId::from_bytes([5; 32])
}

fn body() -> StorageConfirmation {
    StorageConfirmation { blob_id: blob_id(), persistence: Persistence::Permanent }
}

/// A node that answers every request for a confirmation with `signed`.
async fn confirming(signed: SignedMessage) -> Stub {
    let answer = SignedConfirmation::Signed(signed);
    let handler = move || async move { success(http::StatusCode::OK, answer) };
    stub(Router::new().route(routes::CONFIRMATION_PERMANENT, get(handler))).await
}

#[tokio::test]
async fn only_the_expected_confirmation_is_accepted() {
    // Any other counted as a confirmation would spoil the certificate, or certify what
    // is not stored.
    let (key, stranger) = (ProtocolSecretKey::from_randomness(&[1; 32]), [2; 32]);
    let stranger = ProtocolSecretKey::from_randomness(&stranger);
    let context = context();
    let expected = ExpectedConfirmation {
        epoch: Epoch(4),
        body: body(),
        context: &context,
        key: key.public_key(),
    };
    let other_blob = StorageConfirmation { blob_id: BlobId::from_bytes([6; 32]), ..body() };
    let other_object = StorageConfirmation {
        persistence: Persistence::Deletable(walrus_core::ObjectId([1; 32])),
        ..body()
    };
    let other_domain = SigningContext::Deployed(Domain([1; 32]));
    let sign = |key, context: &SigningContext, epoch, body| {
        SignedMessage::sign(key, context, &Message::new(Epoch(epoch), body))
    };
    let ask = async |signed: SignedMessage| {
        let stub = confirming(signed).await;
        stub.client.confirmation(&expected, &ConfirmationQuery::default()).await
    };

    assert!(ask(sign(&key, &context, 4, body())).await.is_ok());
    for (epoch, decision) in [(3, Decision::Retry { after: None }), (5, Decision::Refresh)] {
        let wrong_epoch = NodeError::WrongEpoch { expected: Epoch(4), got: Epoch(epoch) };
        let answer = ask(sign(&key, &context, epoch, body())).await.unwrap_err();
        assert_eq!((answer.decision(), answer), (decision, wrong_epoch));
    }
    for lie in [
        sign(&stranger, &context, 4, body()),
        sign(&stranger, &context, 3, body()),
        sign(&key, &context, 4, other_blob),
        sign(&key, &context, 4, other_object),
        sign(&key, &other_domain, 4, body()),
    ] {
        let error = ask(lie).await.unwrap_err();
        assert_eq!(error.decision(), Decision::Blame, "{error}");
    }
}

#[tokio::test]
async fn refusals_keep_their_reason() {
    // The upload decides by it whether to wait, refresh or give up.
    let refuse = |reason: ErrorReason| {
        let handler = move || async move { ApiError::new(reason, "no") };
        Router::new().route(routes::BLOB_STATUS, get(handler))
    };
    let cases = [
        (ErrorReason::NotRegistered, Decision::Retry { after: None }),
        (ErrorReason::ShardNotAssigned, Decision::Refresh),
        (ErrorReason::ForbiddenBlob, Decision::TryAnother),
        (ErrorReason::Unavailable, Decision::Retry { after: None }),
        (ErrorReason::ChallengeCare, Decision::TryAnother),
        (ErrorReason::InternalError, Decision::Retry { after: None }),
        (ErrorReason::SliverNotFound, Decision::TryAnother),
    ];
    for (reason, decision) in cases {
        let node = stub(refuse(reason)).await;
        let error = node.client.blob_status(&blob_id()).await.unwrap_err();
        assert_eq!(error.decision(), decision, "{reason}: {error}");
    }
    let busy = || async {
        ApiError::new(ErrorReason::Unavailable, "busy").with_retry_after(Duration::from_secs(3))
    };
    let node = stub(Router::new().route(routes::BLOB_STATUS, get(busy))).await;
    let error = node.client.blob_status(&blob_id()).await.unwrap_err();
    assert_eq!(error.decision(), Decision::Retry { after: Some(Duration::from_secs(3)) });
}

/// A body that never ends.
fn endless() -> Body {
    let chunk = Bytes::from_static(&[0x20; 16 * 1024]);
    let chunks = futures::stream::repeat(chunk).map(Ok::<_, std::convert::Infallible>);
    Body::from_stream(chunks)
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_and_blamed() {
    // Else one node could fill the client's memory.
    let node = stub(Router::new().route(routes::METADATA, get(|| async { endless() }))).await;
    let params = EncodingParams::new(10).unwrap();
    let error = node.client.metadata(params, &blob_id()).await.unwrap_err();
    let limit = crate::limits::metadata_get(params);
    assert_eq!(error, NodeError::Misbehaved(Misbehaviour::BodyTooLong { limit }));

    let refusal = || async { (http::StatusCode::NOT_FOUND, endless()).into_response() };
    let node = stub(Router::new().route(routes::METADATA, get(refusal))).await;
    let error = node.client.metadata(params, &blob_id()).await.unwrap_err();
    assert_eq!(error, NodeError::NotFound { message: String::new() });
    const { assert!(MAX_ERROR_BODY_BYTES <= 1 << 20) };
}

#[tokio::test]
async fn a_silent_node_costs_no_more_than_the_time_limit() {
    let never = || async { std::future::pending::<Response>().await };
    let config = NodeClientConfig {
        request_timeout: Duration::from_millis(100),
        ..NodeClientConfig::default()
    };
    let router = Router::new().route(routes::HEALTH, get(never));
    let node = stub_with(router, None, config).await;
    let error = node.client.health(false).await.unwrap_err();
    assert_eq!(error, NodeError::Timeout { after: Duration::from_millis(100) });
    assert_eq!(error.decision(), Decision::Retry { after: None });
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let env = real::env();
    let address = NodeAddress { host: "127.0.0.1".into(), port: 1 };
    let identity = NodeIdentity::PlainLoopback;
    let client = NodeClient::new(&env, &address, &identity, NodeClientConfig::default()).unwrap();
    let error = client.health(false).await.unwrap_err();
    assert!(matches!(error, NodeError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused() {
    let env = real::env();
    let address = NodeAddress { host: "node.example".into(), port: 9185 };
    let identity = NodeIdentity::PlainLoopback;
    let made = NodeClient::new(&env, &address, &identity, NodeClientConfig::default());
    assert!(matches!(made, Err(NodeClientError::PlainNotLoopback(_))));
}

#[tokio::test]
async fn requests_arrive_as_the_handlers_read_them_over_tls() {
    // Path, query, body and status of both sides must agree, and TLS be in between.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let store = move |path: SliverPath, body: Bytes| async move {
        record.lock().unwrap().push((path, body));
        success(http::StatusCode::CREATED, crate::wire::SLIVER_STORED)
    };
    let status = |BlobPath(id): BlobPath| async move {
        assert_eq!(id, blob_id());
        Json(crate::wire::Envelope::new(200, StoredStatus::Stored))
    };
    let router =
        Router::new().route(routes::SLIVER, put(store)).route(routes::METADATA_STATUS, get(status));
    let key = NetworkSecretKey::from_bytes(&[9; 32]).unwrap();
    let node = stub_with(router, Some(key), NodeClientConfig::default()).await;
    let pair = SliverPairIndex(3);
    let body = Bytes::from_static(b"sliver");
    let id = blob_id();
    let put = node.client.put_sliver(&id, pair, SliverType::Secondary, body.clone());
    assert_eq!(put.await, Ok(PutOutcome::Stored));
    let path = SliverPath { blob_id: blob_id(), pair, sliver_type: SliverType::Secondary };
    assert_eq!(*seen.lock().unwrap(), [(path, body)]);
    assert_eq!(node.client.metadata_status(&blob_id()).await, Ok(StoredStatus::Stored));
}

#[tokio::test]
async fn a_malformed_path_is_refused_in_the_json_form() {
    let handler = |_: SliverPath| async { binary(Bytes::new()) };
    let node = stub(Router::new().route(routes::SLIVER, get(handler))).await;
    let path = "/v1/blobs/x/slivers/3/primary";
    let timeout = Duration::from_secs(5);
    let error = node.client.transport.get_bytes(path, 10, timeout).await.unwrap_err();
    let NodeError::Refused { status: 400, reason, .. } = error else { panic!("{error}") };
    assert_eq!(reason, Some(ErrorReason::MalformedRequest));
}

fn encoded(seed: u8) -> EncodedBlob {
    let blob: Vec<u8> = (0..5000_u32).map(|i| (i * 7) as u8 ^ seed).collect();
    Encoder::new(EncodingParams::new(10).unwrap()).encode(&blob).unwrap()
}

/// A node that answers every request for the pattern with `bytes`, and what a client of
/// it says to `ask`.
async fn answering<T>(
    pattern: &str,
    bytes: Vec<u8>,
    ask: impl AsyncFnOnce(NodeClient) -> Result<T, NodeError>,
) -> Result<T, NodeError> {
    let handler = move || async move { binary(bytes) };
    let node = stub(Router::new().route(pattern, get(handler))).await;
    ask(node.client.clone()).await
}

#[tokio::test]
async fn only_metadata_of_the_blob_asked_for_is_accepted() {
    let (blob, other) = (encoded(1), encoded(2));
    let id = *blob.metadata().blob_id();
    let params = blob.metadata().params();
    let ask = async |bytes: Vec<u8>| {
        answering(routes::METADATA, bytes, async |node: NodeClient| {
            node.metadata(params, &id).await
        })
        .await
    };
    let good = blob.metadata().to_bcs_with_id();
    assert_eq!(ask(good.clone()).await.unwrap().unencoded_length(), 5000);
    let relabelled = [id.as_bytes().as_slice(), &other.metadata().to_bcs()].concat();
    let truncated = good[..good.len() - 1].to_vec();
    for lie in [other.metadata().to_bcs_with_id(), relabelled, truncated, Vec::new()] {
        let error = ask(lie).await.unwrap_err();
        assert_eq!(error.decision(), Decision::Blame, "{error}");
    }
}

#[tokio::test]
async fn only_the_sliver_asked_for_is_accepted() {
    let (blob, other) = (encoded(1), encoded(2));
    let metadata: &VerifiedMetadata = blob.metadata();
    let pair = SliverPairIndex(4);
    let ask = async |bytes: Vec<u8>| {
        answering(routes::SLIVER, bytes, async |node: NodeClient| {
            node.sliver::<Secondary>(metadata, pair).await
        })
        .await
    };
    let secondary =
        |blob: &EncodedBlob, index| blob.sliver::<Secondary>(SliverIndex(index)).unwrap().to_bcs();
    // Pair 4 of 10 has secondary sliver 5.
    let good = secondary(&blob, 5);
    assert_eq!(ask(good.clone()).await.unwrap().index(), SliverIndex(5));
    let mut flipped = good.clone();
    flipped[7] ^= 1;
    let wrong_axis = blob.sliver::<Primary>(SliverIndex(5)).unwrap().to_bcs();
    let truncated = good[..good.len() / 2].to_vec();
    for lie in [secondary(&other, 5), secondary(&blob, 4), flipped, wrong_axis, truncated] {
        let error = ask(lie).await.unwrap_err();
        assert_eq!(error.decision(), Decision::Blame, "{error}");
    }
}

#[tokio::test]
async fn only_proved_symbols_of_the_target_are_accepted() {
    // A wrong symbol used in recovery would end in a false accusation of the encoder.
    use walrus_redstuff::GeneralRecoverySymbol;
    let blob = encoded(1);
    let metadata = blob.metadata();
    let symbols = |blob: &EncodedBlob, target: u16, sources: &[u16]| -> Vec<_> {
        let target = SliverIndex(target);
        let expand = |source: &u16| {
            let sliver = blob.sliver::<Secondary>(SliverIndex(*source)).unwrap();
            let sliver = sliver.into_sliver();
            let expanded = blob.metadata().verify_and_expand(sliver, SliverIndex(*source));
            expanded.unwrap().general_symbol(target).unwrap()
        };
        sources.iter().map(expand).collect()
    };
    let ask = async |list: Vec<GeneralRecoverySymbol>| {
        let bytes = GeneralRecoverySymbol::list_to_bcs(&list);
        answering(routes::RECOVERY_SYMBOLS, bytes, async |node: NodeClient| {
            node.recovery_symbols::<Primary>(metadata, SliverIndex(4), 3).await
        })
        .await
    };
    let good = ask(symbols(&blob, 4, &[1, 7, 7])).await.unwrap();
    assert_eq!(good.iter().map(|s| s.source().0).collect::<Vec<_>>(), [1, 7]);
    // Of one sliver, as a sample: another sliver's symbol proves nothing about this one.
    let one = async |list: Vec<GeneralRecoverySymbol>| {
        let bytes = GeneralRecoverySymbol::list_to_bcs(&list);
        answering(routes::RECOVERY_SYMBOLS, bytes, async |node: NodeClient| {
            node.symbol_of::<Primary>(metadata, SliverIndex(1), SliverIndex(4)).await
        })
        .await
    };
    assert_eq!(one(symbols(&blob, 4, &[1])).await.unwrap().source(), SliverIndex(1));
    for lie in [
        symbols(&blob, 4, &[7]),
        symbols(&blob, 5, &[1]),
        symbols(&encoded(2), 4, &[1]),
        symbols(&blob, 4, &[1, 7]),
        Vec::new(),
    ] {
        let error = one(lie).await.unwrap_err();
        assert_eq!(error.decision(), Decision::Blame, "{error}");
    }
    for lie in
        [symbols(&blob, 5, &[1]), symbols(&encoded(2), 4, &[1]), symbols(&blob, 4, &[0, 1, 2, 3])]
    {
        let error = ask(lie).await.unwrap_err();
        assert_eq!(error.decision(), Decision::Blame, "{error}");
    }
}
