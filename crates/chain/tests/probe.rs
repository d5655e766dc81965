//! Chains that cannot carry a network are refused before anything is sent.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{
    proxy::{Fate, Proxy},
    *,
};
use walrus_chain::*;
use walrus_devchain::{DevChain, DevChainConfig};

/// Probes the embedded chain with some answers replaced.
async fn probe_with<F>(replace: F) -> Result<(), ProbeError>
where
    F: Fn(&Value) -> Option<Value> + Send + Sync + 'static,
{
    let env = walrus_env::real::env();
    let chain = DevChain::start(&env, DevChainConfig::default()).await.unwrap();
    chain.mine(2).await.unwrap();
    let decide = move |question: &Value, _| replace(question).map_or(Fate::Pass, Fate::Result);
    let proxy = Proxy::start(&env, chain.endpoint(), decide).await;
    probe(&endpoints(&env, std::slice::from_ref(&proxy.url))).await
}

fn calls(question: &Value, address_end: &str) -> bool {
    question["method"] == "eth_call"
        && question["params"][0]["to"].as_str().unwrap().to_lowercase().ends_with(address_end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_missing_feature_has_its_own_refusal() {
    // A network deployed where certificates cannot be verified would take money and
    // never certify anything.
    probe_with(|_| None).await.unwrap();

    for (address, name) in
        [("000f", "pairing"), ("000b", "addition"), ("0011", "map"), ("0009", "BLAKE2F")]
    {
        // No code there: every call gives nothing.
        let error = probe_with(move |q| calls(q, address).then(|| json!("0x"))).await.unwrap_err();
        let ProbeError::Precompile { name: got, .. } = &error else { panic!("{error}") };
        assert!(got.contains(name), "{error}");
    }
    // Says yes to every pairing.
    let yes = format!("0x{:064x}", 1);
    let error = probe_with(move |q| calls(q, "000f").then(|| json!(yes))).await.unwrap_err();
    assert!(matches!(error, ProbeError::Precompile { .. }), "{error}");

    let zero = format!("0x{:064x}", 0);
    let error = probe_with(move |q| calls(q, "2935").then(|| json!(zero))).await.unwrap_err();
    assert!(matches!(error, ProbeError::History { number: 1, .. }), "{error}");

    let finalized = |q: &Value| (q["params"][0] == "finalized").then_some(Value::Null);
    let error = probe_with(finalized).await.unwrap_err();
    assert!(matches!(error, ProbeError::Finality { .. }), "{error}");

    // A chain whose PREVRANDAO is a constant.
    let constant = |q: &Value| {
        let hash = format!("0x{:064x}", 9);
        let number = match q["params"][0].as_str()? {
            "latest" => "0x2",
            "0x1" => "0x1",
            _ => return None,
        };
        (q["method"] == "eth_getBlockByNumber").then(|| {
            json!({
                "number": number, "hash": hash, "parentHash": hash, "timestamp": "0x1",
                "mixHash": hash, "baseFeePerGas": "0x1",
            })
        })
    };
    let error = probe_with(constant).await.unwrap_err();
    assert!(matches!(error, ProbeError::Randomness { first: 1, second: 2 }), "{error}");
}
