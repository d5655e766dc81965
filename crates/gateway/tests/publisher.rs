//! What a publisher pays for, and what it does not pay for twice.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
#![allow(unreachable_pub, missing_docs, dead_code)]

mod support;

use futures::future::join_all;
use support::{Network, content};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_paid_for_once_whoever_has_the_turn() {
    // Somebody who presses the button twice, or five people with the same file, would each
    // cost the publisher the whole price, as often as it has accounts.
    let network = Network::start().await;
    let gateway = network.gateway("gateway", |_| ()).await;
    let bytes = content(21, 40_000);
    let answers = join_all((0..5).map(|_| gateway.put("/v1/blobs?epochs=3", bytes.clone()))).await;
    let answers: Vec<_> = answers.iter().map(support::Answer::json).collect();
    let new = answers.iter().filter(|answer| answer.get("newlyCreated").is_some());
    assert_eq!(new.count(), 1, "{answers:?}");
    assert_eq!(network.client.network().await.unwrap().blob_count, 1);
    let again = gateway.put("/v1/blobs?epochs=3", bytes.clone()).await.json();
    assert!(again.get("alreadyCertified").is_some(), "{again}");

    // An object for somebody else is another wish, and is theirs once for all.
    let friend = network.writer(3).address();
    let path = format!("/v1/blobs?epochs=3&send_object_to={friend}");
    for key in ["newlyCreated", "alreadyCertified"] {
        let answer = gateway.put(&path, bytes.clone()).await.json();
        assert!(answer.get(key).is_some(), "{answer}");
    }
    assert_eq!(network.client.network().await.unwrap().blob_count, 2);
    let owner = network.client.owner_of(walrus_core::TokenId(2)).await.unwrap();
    assert_eq!(owner, Some(friend));
    // And never counts as the publisher's own.
    let again = gateway.put("/v1/blobs?epochs=3", bytes).await.json();
    let own = again["alreadyCertified"]["object"].as_str().unwrap().ends_with("01");
    assert!(own, "{again}");
}
