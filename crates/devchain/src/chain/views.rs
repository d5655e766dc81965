//! Blocks, transactions and receipts as JSON-RPC shows them.

use alloy::{
    consensus::{Transaction as _, transaction::Recovered},
    eips::eip4895::Withdrawals,
    primitives::U256,
    rpc::types::{
        Block as RpcBlock, BlockTransactions, Header as RpcHeader, Log, Transaction,
        TransactionReceipt,
    },
};
use alloy_rlp::Encodable;
use serde::Serialize;
use serde_json::Value;

use super::{
    block::{Block, SignedTransaction, receipts},
    pool::Waiting,
};

/// Any of alloy's RPC types as JSON.
pub(super) fn json<T: Serialize>(value: T) -> Value {
    serde_json::to_value(value).expect("RPC types have string keys and no failing parts")
}

/// A block, with whole transactions or their hashes.
pub(super) fn block(block: &Block, full: bool) -> Value {
    let transactions = match full {
        true => BlockTransactions::Full(
            (0..block.transactions.len()).map(|index| in_block(block, index)).collect(),
        ),
        false => {
            BlockTransactions::Hashes(block.transactions.iter().map(|mined| mined.hash()).collect())
        }
    };
    let header = RpcHeader::from_sealed(block.header.clone())
        .with_size(Some(U256::from(block.header.inner().length() + block.encode_body().len())));
    json(RpcBlock::<Transaction<SignedTransaction>, RpcHeader> {
        header,
        uncles: Vec::new(),
        transactions,
        withdrawals: Some(Withdrawals::default()),
    })
}

/// A mined transaction.
pub(super) fn mined(block: &Block, index: usize) -> Value {
    json(in_block(block, index))
}

fn in_block(block: &Block, index: usize) -> Transaction<SignedTransaction> {
    let mined = &block.transactions[index];
    Transaction {
        effective_gas_price: Some(
            mined.transaction.effective_gas_price(block.header.base_fee_per_gas),
        ),
        inner: Recovered::new_unchecked(mined.transaction.clone(), mined.sender),
        block_hash: Some(block.header.hash()),
        block_number: Some(block.number()),
        transaction_index: Some(index as u64),
        block_timestamp: Some(block.header.timestamp),
    }
}

/// A transaction that waits.
pub(super) fn waiting(waiting: &Waiting) -> Value {
    json(Transaction {
        effective_gas_price: None,
        inner: Recovered::new_unchecked(waiting.transaction.clone(), waiting.sender),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        block_timestamp: None,
    })
}

/// The receipts of a block.
pub(super) fn block_receipts(block: &Block) -> Vec<TransactionReceipt> {
    let logs = logs(block);
    let receipts = receipts(&block.transactions).into_iter().zip(logs);
    let receipt = |(index, (receipt, logs)): (usize, (_, Vec<Log>))| {
        let receipt: alloy::consensus::ReceiptEnvelope = receipt;
        let mined = &block.transactions[index];
        let mut logs = logs.into_iter();
        TransactionReceipt {
            inner: receipt
                .map_logs(|_| logs.next().expect("a receipt's logs are those of its transaction")),
            transaction_hash: mined.hash(),
            transaction_index: Some(index as u64),
            block_hash: Some(block.header.hash()),
            block_number: Some(block.number()),
            gas_used: mined.gas_used,
            effective_gas_price: mined
                .transaction
                .effective_gas_price(block.header.base_fee_per_gas),
            blob_gas_used: None,
            blob_gas_price: None,
            from: mined.sender,
            to: mined.transaction.to(),
            contract_address: mined.created(),
        }
    };
    receipts.enumerate().map(receipt).collect()
}

/// The logs of a block, by transaction; indices count through the block.
pub(super) fn logs(block: &Block) -> Vec<Vec<Log>> {
    let mut log_index = 0;
    let mut of_transaction = Vec::with_capacity(block.transactions.len());
    for (index, mined) in block.transactions.iter().enumerate() {
        let logs = mined.logs.iter().map(|log| {
            log_index += 1;
            Log {
                inner: log.clone(),
                block_hash: Some(block.header.hash()),
                block_number: Some(block.number()),
                block_timestamp: Some(block.header.timestamp),
                transaction_hash: Some(mined.hash()),
                transaction_index: Some(index as u64),
                log_index: Some(log_index - 1),
                removed: false,
            }
        });
        of_transaction.push(logs.collect());
    }
    of_transaction
}
