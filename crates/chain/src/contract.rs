//! Contracts of others: an application's own, which ask the contracts of the network about
//! blobs. Their ABI is the caller's business; what is added here is that transactions happen
//! at most once and in order with the account's others.

use alloy::primitives::{Bytes, U256};
use walrus_core::EvmAddress;

use crate::{
    abi::{Plain, to_address},
    client::ChainClient,
    error::{ReadError, WriteError},
    rpc::{BlockTag, CallRequest},
    sender::{Action, Receipt},
    writer::ChainWriter,
};

impl ChainClient {
    /// Calls a view function of any contract at the newest block, with the encoded call
    /// `data`, and returns the encoded answer.
    ///
    /// # Errors
    /// A refusal is [`ReadError::Contract`]; an error that the contract defines itself comes
    /// as [`ContractError::Unknown`](crate::ContractError::Unknown), with its data.
    pub async fn call(&self, contract: EvmAddress, data: Vec<u8>) -> Result<Vec<u8>, ReadError> {
        let to = to_address(contract);
        let request = CallRequest { to: Some(to), data: data.into(), ..CallRequest::default() };
        let answer: Bytes = self.endpoints().call(&request, BlockTag::Latest).await?;
        // An account without code answers any call with nothing.
        if answer.is_empty() && self.endpoints().code(to).await?.is_empty() {
            return Err(ReadError::NoContract { address: contract });
        }
        Ok(answer.to_vec())
    }
}

impl ChainWriter {
    /// Creates a contract from its creation code, followed by the encoded arguments of its
    /// constructor, and returns its address.
    ///
    /// # Errors
    /// As all methods; see [`call`](ChainClient::call) for what a constructor refuses.
    pub async fn create(&self, code: Vec<u8>) -> Result<(EvmAddress, Receipt), WriteError> {
        let name = "create the contract";
        let action = Action { name, to: None, data: code.into(), value: U256::ZERO, gas: None };
        let receipt = self.sender().execute(action).await?;
        let transaction = receipt.transaction;
        let address = receipt.contract.ok_or(WriteError::MissingEvent {
            action: name,
            transaction,
            event: "the address of the contract",
        })?;
        Ok((address.plain(), receipt))
    }

    /// Calls any contract, with the encoded call `data` and so many wei.
    ///
    /// # Errors
    /// As all methods: what the contract refuses is found before anything is sent, where
    /// possible.
    pub async fn invoke(
        &self,
        contract: EvmAddress,
        data: Vec<u8>,
        wei: u128,
    ) -> Result<Receipt, WriteError> {
        let action = Action {
            name: "call the contract",
            to: Some(to_address(contract)),
            data: data.into(),
            value: U256::from(wei),
            gas: None,
        };
        self.sender().execute(action).await
    }
}
