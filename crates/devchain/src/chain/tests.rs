//! The core without network: every test drives [`Chain`] with a clock of its own.
#![allow(clippy::unwrap_used)]

mod blocks;
mod contracts;
mod crash;
mod faults;
mod submission;

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718,
    primitives::{Bytes, TxKind, bytes},
};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

use super::*;
use crate::{
    RpcError,
    accounts::{DEV_BALANCE, DevAccount, dev_accounts},
};

const GENESIS: u64 = 1_800_000_000;

/// Counts in slot 0 and logs the count under topic 42 when called without data;
/// with data, reverts with it.
const COUNTER: [u8; 32] = *b"\x36\x60\x18\x57\x60\x01\x5f\x54\x01\x80\x5f\x55\x5f\x52\x60\x2a\
\x60\x20\x5f\xa1\x60\x20\x5f\xf3\x5b\x36\x5f\x5f\x37\x36\x5f\xfd";

fn config() -> ChainConfig {
    ChainConfig {
        chain_id: 31_337,
        gas_limit: 30_000_000,
        mine_on_transaction: true,
        seed: [7; 32],
        genesis_time: GENESIS,
        accounts: dev_accounts().iter().map(|a| (a.address, DEV_BALANCE)).collect(),
    }
}

/// A chain, a clock and the first development account.
struct Bench {
    chain: Chain,
    now: u64,
    payer: DevAccount,
}

impl Bench {
    fn new() -> Self {
        Self::with(config())
    }

    fn with(config: ChainConfig) -> Self {
        Self::over(Chain::open(config, None).unwrap())
    }

    fn over(chain: Chain) -> Self {
        let now = GENESIS + 10;
        Self { chain, now, payer: dev_accounts().swap_remove(0) }
    }

    fn rpc(&mut self, method: &str, params: Value) -> Result<Value, RpcError> {
        self.chain.rpc(self.now, method, &params)
    }

    fn ok(&mut self, method: &str, params: Value) -> Value {
        self.rpc(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn send(&mut self, transaction: TxEip1559) -> Result<String, RpcError> {
        let raw = sign(&self.payer, transaction);
        let hash = self.rpc("eth_sendRawTransaction", json!([raw]))?;
        Ok(hash.as_str().unwrap().to_owned())
    }

    /// A transaction of the payer with its next nonce.
    fn transaction(&self, to: TxKind, input: impl Into<Bytes>) -> TxEip1559 {
        TxEip1559 {
            chain_id: 31_337,
            nonce: self.chain.state.account(self.payer.address).nonce,
            gas_limit: 1_000_000,
            max_fee_per_gas: 10_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to,
            value: U256::ZERO,
            access_list: Default::default(),
            input: input.into(),
        }
    }

    fn transfer(&self) -> TxEip1559 {
        let to = TxKind::Call(Address::repeat_byte(0x77));
        TxEip1559 { value: U256::from(5), gas_limit: 21_000, ..self.transaction(to, bytes!()) }
    }

    fn receipt(&mut self, hash: &str) -> Value {
        self.ok("eth_getTransactionReceipt", json!([hash]))
    }

    fn deploy(&mut self, runtime: &[u8; 32]) -> Address {
        let transaction = self.transaction(TxKind::Create, deployment(runtime));
        let hash = self.send(transaction).unwrap();
        let receipt = self.receipt(&hash);
        assert_eq!(receipt["status"], "0x1");
        serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
    }

    /// Calls the counter without data, which makes it log.
    fn count(&mut self, counter: Address) -> String {
        let transaction = self.transaction(TxKind::Call(counter), bytes!());
        self.send(transaction).unwrap()
    }

    fn block(&mut self, number: u64) -> Value {
        self.ok("eth_getBlockByNumber", json!([format!("{number:#x}"), true]))
    }
}

/// Init code that deploys these 32 bytes.
fn deployment(runtime: &[u8; 32]) -> Bytes {
    [&[0x7f][..], runtime, &[0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]].concat().into()
}

fn sign<T>(account: &DevAccount, transaction: T) -> String
where
    T: SignableTransaction<alloy::primitives::Signature>,
    TxEnvelope: From<alloy::consensus::Signed<T>>,
{
    let key = SigningKey::from_slice(&account.secret_key).unwrap();
    let hash = transaction.signature_hash();
    let signature = key.sign_prehash_recoverable(hash.as_slice()).unwrap();
    let envelope = TxEnvelope::from(transaction.into_signed(signature.into()));
    Bytes::from(envelope.encoded_2718()).to_string()
}
