//! Gas prices.

use alloy::{consensus::Transaction, rpc::types::FeeHistory};

use super::{
    Chain,
    block::{Block, Mined},
    mining::next_base_fee,
};
use crate::{ChainError, RpcError};

/// The tip this chain suggests, in wei per gas. None is needed.
pub(super) const SUGGESTED_TIP: u128 = 1_000_000_000;

/// Most blocks of one fee history.
const HISTORY_BLOCKS_MAX: u64 = 1024;

/// Most percentiles of one fee history.
const PERCENTILES_MAX: usize = 100;

impl Chain {
    /// A price with which a transaction is mined next.
    pub(super) fn gas_price(&self) -> u128 {
        u128::from(next_base_fee(&self.head)) + SUGGESTED_TIP
    }

    /// `eth_feeHistory` of up to `count` blocks that end with `newest`.
    pub(super) fn fee_history(
        &self,
        count: u64,
        newest: u64,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, RpcError> {
        if newest > self.head.number {
            let head = self.head.number;
            let message = format!("request beyond head block: {newest}, head {head}");
            return Err(RpcError::refused(message));
        }
        if let Some(percentiles) = &percentiles {
            check_percentiles(percentiles)?;
        }
        let count = count.clamp(1, HISTORY_BLOCKS_MAX).min(newest + 1);
        let oldest = newest + 1 - count;
        let mut history = FeeHistory { oldest_block: oldest, ..FeeHistory::default() };
        let mut rewards = Vec::new();
        for number in oldest..=newest {
            let block = self.ledger.block(number)?;
            let block = block.ok_or(ChainError::Corrupt("a block is missing"))?;
            let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
            history.base_fee_per_gas.push(base_fee.into());
            history
                .gas_used_ratio
                .push(block.header.gas_used as f64 / block.header.gas_limit as f64);
            history.base_fee_per_blob_gas.push(1);
            history.blob_gas_used_ratio.push(0.0);
            if let Some(percentiles) = &percentiles {
                rewards.push(tips_at(&block, base_fee, percentiles));
            }
            if number == newest {
                history.base_fee_per_gas.push(next_base_fee(&block.header).into());
                history.base_fee_per_blob_gas.push(1);
            }
        }
        history.reward = percentiles.map(|_| rewards);
        Ok(history)
    }
}

fn check_percentiles(percentiles: &[f64]) -> Result<(), RpcError> {
    let ordered = percentiles.windows(2).all(|pair| pair[0] <= pair[1]);
    let in_range = percentiles.iter().all(|percentile| (0.0..=100.0).contains(percentile));
    if ordered && in_range && percentiles.len() <= PERCENTILES_MAX {
        return Ok(());
    }
    Err(RpcError::invalid_params(format!(
        "percentiles rise from 0 to 100, at most {PERCENTILES_MAX} of them"
    )))
}

/// The tips, weighed by gas, at each percentile of a block; zero in an empty one.
fn tips_at(block: &Block, base_fee: u64, percentiles: &[f64]) -> Vec<u128> {
    let tip = |mined: &Mined| mined.transaction.effective_tip_per_gas(base_fee).unwrap_or_default();
    let mut tips: Vec<_> =
        block.transactions.iter().map(|mined| (tip(mined), mined.gas_used)).collect();
    tips.sort_unstable();
    let at = |percentile: &f64| {
        let threshold = block.header.gas_used as f64 * percentile / 100.0;
        let mut gas = 0;
        let found = tips.iter().find(|(_, gas_used)| {
            gas += gas_used;
            gas as f64 >= threshold
        });
        found.or(tips.last()).map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(at).collect()
}
