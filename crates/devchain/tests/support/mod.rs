//! Raw JSON-RPC and signed transactions for the tests in this folder.
#![allow(dead_code, reason = "each test file uses its part")]

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718,
    primitives::{Bytes, TxKind, U64, U256},
};
use http::Request;
use http_body_util::Full;
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use walrus_devchain::DevAccount;
use walrus_env::{
    Env,
    http::{HttpClient, HttpClientConfig, read_body},
};

/// Counts in slot 0 and logs the count under topic 42 when called without data;
/// with data, reverts with it.
pub(crate) const COUNTER: [u8; 32] =
    *b"\x36\x60\x18\x57\x60\x01\x5f\x54\x01\x80\x5f\x55\x5f\x52\x60\x2a\
\x60\x20\x5f\xa1\x60\x20\x5f\xf3\x5b\x36\x5f\x5f\x37\x36\x5f\xfd";

/// Calls the address in the first word of its data with the rest, and returns or
/// reverts with what that gave.
pub(crate) const FORWARDER: [u8; 32] =
    *b"\x60\x20\x36\x03\x80\x60\x20\x5f\x37\x5f\x5f\x91\x5f\x5f\x35\x5a\
\xfa\x3d\x5f\x5f\x3e\x3d\x5f\x91\x60\x1d\x57\x90\xfd\x5b\x90\xf3";

/// Init code that deploys these 32 bytes.
pub(crate) fn deployment(runtime: &[u8; 32]) -> Bytes {
    [&[0x7f][..], runtime, &[0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]].concat().into()
}

/// A JSON-RPC client.
#[derive(Clone)]
pub(crate) struct Rpc {
    client: HttpClient,
    endpoint: String,
}

impl Rpc {
    pub(crate) fn new(env: &Env, endpoint: String) -> Self {
        Self { client: HttpClient::new(env, HttpClientConfig::default()), endpoint }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Posts a body as it is; answers status and body.
    pub(crate) async fn post(&self, body: impl Into<bytes::Bytes>) -> (u16, Value) {
        let request = Request::post(&self.endpoint)
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .unwrap();
        let response = self.client.send(request).await.unwrap();
        let status = response.status().as_u16();
        let body = read_body(response.into_body(), 64 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// A call; the error object when it is refused.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, Value> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (_, mut answer) = self.post(call.to_string()).await;
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].take()),
        }
    }

    pub(crate) async fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub(crate) async fn head(&self) -> u64 {
        number(&self.ok("eth_blockNumber", json!([])).await)
    }

    /// Signs with the next nonce, sends and answers the hash.
    pub(crate) async fn send(
        &self,
        account: &DevAccount,
        to: TxKind,
        input: Bytes,
        gas_limit: u64,
    ) -> Value {
        let nonce = self.ok("eth_getTransactionCount", json!([account.address, "pending"])).await;
        let raw = sign(
            account,
            TxEip1559 {
                chain_id: 31_337,
                nonce: number(&nonce),
                gas_limit,
                max_fee_per_gas: 10_000_000_000,
                max_priority_fee_per_gas: 1_000_000_000,
                to,
                value: U256::ZERO,
                access_list: Default::default(),
                input,
            },
        );
        self.ok("eth_sendRawTransaction", json!([raw])).await
    }

    /// The receipt of a mined transaction.
    pub(crate) async fn receipt(&self, hash: &Value) -> Value {
        self.ok("eth_getTransactionReceipt", json!([hash])).await
    }

    /// The receipt, once there is one: anvil answers before it mines.
    pub(crate) async fn receipt_in_time(&self, hash: &Value) -> Value {
        for _ in 0..500 {
            let receipt = self.receipt(hash).await;
            if !receipt.is_null() {
                return receipt;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no receipt for {hash}");
    }
}

/// A quantity as a number.
pub(crate) fn number(value: &Value) -> u64 {
    serde_json::from_value::<U64>(value.clone()).unwrap().to()
}

/// The raw signed transaction as hex.
pub(crate) fn sign(account: &DevAccount, transaction: TxEip1559) -> String {
    let key = SigningKey::from_slice(&account.secret_key).unwrap();
    let signature = key.sign_prehash_recoverable(transaction.signature_hash().as_slice()).unwrap();
    let envelope = TxEnvelope::from(transaction.into_signed(signature.into()));
    Bytes::from(envelope.encoded_2718()).to_string()
}
