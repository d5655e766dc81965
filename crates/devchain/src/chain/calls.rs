//! `eth_call` and `eth_estimateGas`.

use alloy::{
    primitives::{Bytes, TxKind, U256},
    rpc::types::TransactionRequest,
};
use revm::{
    context::{BlockEnv, TxEnv},
    context_interface::result::{ExecutionResult, HaltReason},
};

use super::{
    Chain,
    execution::{self},
};
use crate::RpcError;

/// Gas of a plain transfer.
const TRANSFER_GAS: u64 = 21_000;

/// What a call may be handed on top of what it is charged (the stipend, EIP-150's 1/64).
const STIPEND: u64 = 2_300;

/// An estimate stops when it is within 1/128 of the least gas that does.
const ESTIMATE_PRECISION: u64 = 128;

impl Chain {
    /// Runs a call without effects; answers its output.
    pub(super) fn call(
        &self,
        env: BlockEnv,
        request: &TransactionRequest,
    ) -> Result<Bytes, RpcError> {
        let transaction = self.request_env(request)?;
        let result = self.run(env, transaction)?;
        succeeded(result).map(|result| result.into_output().unwrap_or_default())
    }

    /// Gas with which the call goes well: the least, within one percent.
    pub(super) fn estimate_gas(
        &self,
        env: BlockEnv,
        request: &TransactionRequest,
    ) -> Result<u64, RpcError> {
        let mut transaction = self.request_env(request)?;
        transaction.gas_limit = self.affordable_gas(&transaction)?;
        let try_with =
            |gas_limit: u64| self.run(env.clone(), TxEnv { gas_limit, ..transaction.clone() });
        let ceiling = transaction.gas_limit;
        let result = succeeded(try_with(ceiling)?)?;
        if result.tx_gas_used() == TRANSFER_GAS {
            return Ok(TRANSFER_GAS);
        }

        // `below` is known to fail, `enough` to do.
        let mut below = result.tx_gas_used() - 1;
        let mut enough = ceiling;
        let spent = result.gas().total_gas_spent();
        let mut attempt = (spent + STIPEND).saturating_mul(64) / 63;
        while enough - below > (enough / ESTIMATE_PRECISION).max(1) {
            if attempt <= below || attempt >= enough {
                attempt = below + (enough - below) / 2;
            }
            // Too little gas for the transaction itself is an error, not an outcome.
            match try_with(attempt) {
                Ok(result) if result.is_success() => enough = attempt,
                _ => below = attempt,
            }
            attempt = below + (enough - below) / 2;
        }
        Ok(enough)
    }

    fn run(&self, env: BlockEnv, transaction: TxEnv) -> Result<ExecutionResult, RpcError> {
        execution::call(self.view(), env, self.config.chain_id, transaction)
            .map_err(RpcError::refused)
    }

    /// The most gas the caller can ask for, by the block and by its balance.
    fn affordable_gas(&self, transaction: &TxEnv) -> Result<u64, RpcError> {
        if transaction.gas_price == 0 {
            return Ok(transaction.gas_limit);
        }
        let balance = self.state.account(transaction.caller).balance;
        let Some(rest) = balance.checked_sub(transaction.value) else {
            return Err(RpcError::refused("insufficient funds for transfer"));
        };
        let affordable = rest / U256::from(transaction.gas_price);
        Ok(transaction.gas_limit.min(affordable.saturating_to()))
    }

    /// A request as the EVM takes it; gas is the block's when none is named.
    fn request_env(&self, request: &TransactionRequest) -> Result<TxEnv, RpcError> {
        let blobs = request.blob_versioned_hashes.is_some() || request.sidecar.is_some();
        if blobs || request.authorization_list.is_some() {
            return Err(RpcError::invalid_params("blobs and authorizations are not supported"));
        }
        if request.chain_id.is_some_and(|id| id != self.config.chain_id) {
            let want = self.config.chain_id;
            return Err(RpcError::invalid_params(format!("the chain id is {want}")));
        }
        let data = match (&request.input.input, &request.input.data) {
            (Some(input), Some(data)) if input != data => {
                return Err(RpcError::invalid_params("`input` and `data` differ"));
            }
            (Some(data), _) | (None, Some(data)) => data.clone(),
            (None, None) => Bytes::new(),
        };
        let tx_type = match (request.max_priority_fee_per_gas, &request.access_list) {
            (Some(_), _) => 2,
            (None, Some(_)) => 1,
            (None, None) => 0,
        };
        let priority = request.max_priority_fee_per_gas;
        let fee = request.gas_price.or(request.max_fee_per_gas).or(priority).unwrap_or_default();
        Ok(TxEnv {
            tx_type,
            caller: request.from.unwrap_or_default(),
            gas_limit: request.gas.unwrap_or(u64::MAX).min(self.config.gas_limit),
            gas_price: fee,
            kind: request.to.unwrap_or(TxKind::Create),
            value: request.value.unwrap_or_default(),
            data,
            nonce: 0,
            chain_id: Some(self.config.chain_id),
            access_list: request.access_list.clone().unwrap_or_default(),
            gas_priority_fee: priority,
            blob_hashes: Vec::new(),
            max_fee_per_blob_gas: 0,
            authorization_list: Vec::new(),
        })
    }
}

/// Turns an outcome that is not a success into the error clients expect.
fn succeeded(result: ExecutionResult) -> Result<ExecutionResult, RpcError> {
    match result {
        ExecutionResult::Success { .. } => Ok(result),
        ExecutionResult::Revert { output, .. } => Err(RpcError::reverted(&output)),
        ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } => {
            Err(RpcError::refused("out of gas"))
        }
        ExecutionResult::Halt { reason, .. } => {
            Err(RpcError::refused(format!("execution halted: {reason:?}")))
        }
    }
}
