//! Running the EVM at Prague rules.

use alloy::{
    consensus::Transaction,
    eips::eip2930::AccessList,
    primitives::{Address, Bytes},
};
use revm::{
    ExecuteEvm, MainBuilder, SystemCallEvm,
    context::{BlockEnv, CfgEnv, TxEnv},
    context_interface::result::{EVMError, ExecutionResult, InvalidTransaction},
    handler::{MainnetContext, MainnetEvm},
    primitives::{eip4844::BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE, hardfork::SpecId},
    state::EvmState,
};

use super::{block::SignedTransaction, state::View};

/// The rules in force from block 0.
pub(super) const RULES: SpecId = SpecId::PRAGUE;

/// Outcome of a transaction that could be executed, gone well or not.
pub(super) type Outcome = (ExecutionResult, EvmState);

fn evm<'a>(
    view: View<'a>,
    block: BlockEnv,
    configure: impl FnOnce(&mut CfgEnv),
) -> MainnetEvm<MainnetContext<View<'a>>> {
    MainnetContext::new(view, RULES).with_block(block).modify_cfg_chained(configure).build_mainnet()
}

/// Executes a transaction as part of a block.
///
/// # Errors
/// The reason, for people, when it may not be part of the block at all.
pub(super) fn transact(
    view: View<'_>,
    block: BlockEnv,
    chain_id: u64,
    transaction: TxEnv,
) -> Result<Outcome, String> {
    let mut evm = evm(view, block, |cfg| cfg.chain_id = chain_id);
    evm.transact(transaction).map(|done| (done.result, done.state)).map_err(describe)
}

/// Executes a transaction as `eth_call` does: without a nonce, from any address,
/// and without a fee when none is named.
///
/// # Errors
/// As [`transact`].
pub(super) fn call(
    view: View<'_>,
    block: BlockEnv,
    chain_id: u64,
    transaction: TxEnv,
) -> Result<ExecutionResult, String> {
    let free = transaction.gas_price == 0;
    let mut evm = evm(view, block, |cfg| {
        cfg.chain_id = chain_id;
        cfg.disable_nonce_check = true;
        cfg.disable_eip3607 = true;
        cfg.disable_base_fee = free;
    });
    evm.transact_one(transaction).map_err(describe)
}

/// Calls a contract as the protocol does at the start of a block.
///
/// # Errors
/// Only for rules this chain does not use.
pub(super) fn system_call(
    view: View<'_>,
    block: BlockEnv,
    contract: Address,
    data: Bytes,
) -> Result<EvmState, String> {
    let done = evm(view, block, |_| ()).system_call(contract, data).map_err(describe)?;
    Ok(done.state)
}

/// A block environment with the blob fee of an empty market.
pub(super) fn block_env() -> BlockEnv {
    let mut block = BlockEnv::default();
    block.set_blob_excess_gas_and_price(0, BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE);
    block
}

/// A signed transaction as the EVM takes it.
pub(super) fn transaction_env(transaction: &SignedTransaction, sender: Address) -> TxEnv {
    TxEnv {
        tx_type: transaction.tx_type() as u8,
        caller: sender,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_else(AccessList::default),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: Vec::new(),
    }
}

/// The message Ethereum nodes give, as clients look for their words.
fn describe(error: EVMError<std::convert::Infallible>) -> String {
    let error = match error {
        EVMError::Transaction(error) => error,
        other => return other.to_string(),
    };
    match &error {
        InvalidTransaction::NonceTooLow { tx, state } => {
            format!("nonce too low: next nonce {state}, tx nonce {tx}")
        }
        InvalidTransaction::NonceTooHigh { tx, state } => {
            format!("nonce too high: next nonce {state}, tx nonce {tx}")
        }
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            format!("insufficient funds for gas * price + value: balance {balance}, tx cost {fee}")
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            format!("intrinsic gas too low: gas {gas_limit}, minimum needed {initial_gas}")
        }
        InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            format!("intrinsic gas too low: gas {gas_limit}, minimum needed {gas_floor}")
        }
        InvalidTransaction::GasPriceLessThanBasefee => {
            "max fee per gas less than block base fee".to_owned()
        }
        InvalidTransaction::PriorityFeeGreaterThanMaxFee => {
            "max priority fee per gas higher than max fee per gas".to_owned()
        }
        InvalidTransaction::CallerGasLimitMoreThanBlock => "exceeds block gas limit".to_owned(),
        InvalidTransaction::CreateInitCodeSizeLimit => "max initcode size exceeded".to_owned(),
        InvalidTransaction::RejectCallerWithCode => "sender not an EOA".to_owned(),
        InvalidTransaction::InvalidChainId => "invalid chain id".to_owned(),
        other => other.to_string(),
    }
}
