//! `eth_sendRawTransaction`.

use alloy::{
    consensus::{Transaction, TxType, transaction::SignerRecoverable},
    eips::eip2718::Decodable2718,
    primitives::{Address, B256, Bytes, U256},
};
use revm::context_interface::cfg::gas::calculate_initial_tx_gas_for_tx;

use super::{
    Chain,
    block::SignedTransaction,
    execution::{RULES, transaction_env},
    mining::next_base_fee,
};
use crate::RpcError;

/// Longest signed transaction in bytes, as in the usual transaction pool.
const TRANSACTION_BYTES_MAX: usize = 128 << 10;

/// Longest init code in bytes, EIP-3860.
const INIT_CODE_BYTES_MAX: usize = 49_152;

impl Chain {
    /// Checks a signed transaction, lets it wait, and in instant mode mines it;
    /// answers its hash.
    pub(super) fn send_raw(&mut self, now: u64, raw: &Bytes) -> Result<B256, RpcError> {
        self.check_running()?;
        let (transaction, sender) = decode(raw)?;
        let hash = *transaction.tx_hash();
        if self.pool.get(hash).is_some() || self.ledger.position(hash)?.is_some() {
            return Err(RpcError::refused("already known"));
        }
        self.check_form(&transaction, sender)?;
        self.check_account(&transaction, sender)?;
        self.pool.insert(transaction, sender).map_err(RpcError::refused)?;
        if self.config.mine_on_transaction {
            self.rejected = None;
            self.mine_waiting(now)?;
            if let Some((_, reason)) = self.rejected.take().filter(|(found, _)| *found == hash) {
                return Err(RpcError::refused(reason));
            }
        }
        Ok(hash)
    }

    /// What can be told from the transaction and the next block alone.
    fn check_form(&self, transaction: &SignedTransaction, sender: Address) -> Result<(), RpcError> {
        let refuse = |message: String| Err(RpcError::refused(message));
        if !matches!(transaction.tx_type(), TxType::Legacy | TxType::Eip2930 | TxType::Eip1559) {
            return refuse(format!(
                "transaction type not supported: {} (this chain takes types 0, 1 and 2)",
                transaction.tx_type() as u8
            ));
        }
        if let Some(id) = transaction.chain_id().filter(|id| *id != self.config.chain_id) {
            let want = self.config.chain_id;
            return refuse(format!("invalid chain id for signer: have {id} want {want}"));
        }
        if transaction.gas_limit() > self.config.gas_limit {
            let (asked, limit) = (transaction.gas_limit(), self.config.gas_limit);
            return refuse(format!("exceeds block gas limit: tx gas {asked}, block {limit}"));
        }
        if transaction.is_create() && transaction.input().len() > INIT_CODE_BYTES_MAX {
            let size = transaction.input().len();
            return refuse(format!(
                "max initcode size exceeded: code size {size} limit {INIT_CODE_BYTES_MAX}"
            ));
        }
        let env = transaction_env(transaction, sender);
        let gas = calculate_initial_tx_gas_for_tx(&env, RULES, None);
        let needed = gas.initial_regular_gas.max(gas.floor_gas);
        if transaction.gas_limit() < needed {
            let asked = transaction.gas_limit();
            return refuse(format!("intrinsic gas too low: gas {asked}, minimum needed {needed}"));
        }
        let fee = transaction.max_fee_per_gas();
        let tip = transaction.max_priority_fee_per_gas().unwrap_or_default();
        if tip > fee {
            return refuse(format!(
                "max priority fee per gas higher than max fee per gas: tip {tip}, fee {fee}"
            ));
        }
        let base_fee = next_base_fee(&self.head);
        if fee < u128::from(base_fee) {
            return refuse(format!(
                "max fee per gas less than block base fee: fee {fee}, base fee {base_fee}"
            ));
        }
        Ok(())
    }

    /// What the sender's account must have.
    fn check_account(
        &self,
        transaction: &SignedTransaction,
        sender: Address,
    ) -> Result<(), RpcError> {
        let account = self.state.account(sender);
        let (next, nonce) = (account.nonce, transaction.nonce());
        if nonce < next {
            let message = format!("nonce too low: next nonce {next}, tx nonce {nonce}");
            return Err(RpcError::refused(message));
        }
        let gas = U256::from(transaction.gas_limit());
        let cost = gas
            .saturating_mul(U256::from(transaction.max_fee_per_gas()))
            .saturating_add(transaction.value());
        if cost > account.balance {
            let (balance, missing) = (account.balance, cost - account.balance);
            return Err(RpcError::refused(format!(
                "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, \
                 overshot {missing}"
            )));
        }
        Ok(())
    }
}

fn decode(raw: &Bytes) -> Result<(SignedTransaction, Address), RpcError> {
    if raw.len() > TRANSACTION_BYTES_MAX {
        let size = raw.len();
        return Err(RpcError::refused(format!(
            "oversized data: transaction size {size}, limit {TRANSACTION_BYTES_MAX}"
        )));
    }
    let transaction = SignedTransaction::decode_2718_exact(raw).map_err(|error| {
        RpcError::invalid_params(format!("the transaction does not decode: {error}"))
    })?;
    let sender = transaction
        .recover_signer()
        .map_err(|_| RpcError::refused("invalid sender: the signature is not valid"))?;
    Ok((transaction, sender))
}
