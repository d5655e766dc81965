//! The chain through alloy's own provider, as users of that library meet it.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::task::{Context, Poll};

use alloy::{
    network::{EthereumWallet, TransactionBuilder},
    primitives::{B256, U256},
    providers::{Provider, ProviderBuilder},
    rpc::{
        client::RpcClient,
        json_rpc::{RequestPacket, ResponsePacket},
        types::{Filter, TransactionRequest},
    },
    signers::local::PrivateKeySigner,
    transports::{TransportError, TransportErrorKind, TransportFut},
};
use support::{COUNTER, Rpc, deployment};
use walrus_devchain::{DevChain, DevChainConfig};

/// alloy's packets over the environment's HTTP client.
#[derive(Clone)]
struct Transport(Rpc);

impl tower_service::Service<RequestPacket> for Transport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let rpc = self.0.clone();
        Box::pin(async move {
            let (_, answer) = rpc.post(serde_json::to_string(&packet).unwrap()).await;
            serde_json::from_value(answer).map_err(TransportErrorKind::custom)
        })
    }
}

#[tokio::test]
async fn a_provider_with_its_usual_fillers_works() {
    // Its fillers ask for chain id, nonce, gas, fee history; its types decode every answer.
    let env = walrus_env::real::env();
    let chain = DevChain::start(&env, DevChainConfig::default()).await.unwrap();
    let transport = Transport(Rpc::new(&env, chain.endpoint()));
    let payer = &chain.accounts()[0];
    let signer = PrivateKeySigner::from_bytes(&B256::from(payer.secret_key)).unwrap();
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::from(signer))
        .connect_client(RpcClient::new(transport, true));

    assert_eq!(provider.get_chain_id().await.unwrap(), chain.chain_id());
    let create = TransactionRequest::default().with_deploy_code(deployment(&COUNTER));
    let receipt = provider.send_transaction(create).await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
    let counter = receipt.contract_address.unwrap();

    let call = TransactionRequest::default().with_to(counter);
    let receipt =
        provider.send_transaction(call.clone()).await.unwrap().get_receipt().await.unwrap();
    assert_eq!(receipt.logs()[0].topics(), [B256::with_last_byte(42)]);
    let logs = provider.get_logs(&Filter::new().address(counter).from_block(0)).await.unwrap();
    assert_eq!(logs, receipt.logs());
    assert_eq!(provider.get_storage_at(counter, U256::ZERO).await.unwrap(), U256::from(1));
    let hash = receipt.block_hash.unwrap();
    let block = provider.get_block_by_hash(hash).full().await.unwrap().unwrap();
    assert_eq!(block.header.inner.hash_slow(), hash);
    assert_eq!(block.transactions.len(), 1);

    let error = provider.call(call.with_input(vec![1, 2, 3])).await.unwrap_err();
    let payload = error.as_error_resp().unwrap();
    assert_eq!(payload.as_revert_data().unwrap().to_vec(), [1, 2, 3]);
    chain.shutdown().await;
}
