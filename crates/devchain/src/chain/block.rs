//! Blocks with their transactions and receipts.

use alloy::{
    consensus::{
        Eip658Value, EthereumTxEnvelope, Header, Receipt, ReceiptEnvelope, Sealed, Transaction,
        TxEip4844, TxReceipt,
    },
    eips::eip2718::{Decodable2718, Encodable2718},
    primitives::{Address, B256, Bytes, Log, TxKind},
};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

use crate::ChainError;

/// A signed transaction. Blob transactions decode (without blobs) and are refused later.
pub(super) type SignedTransaction = EthereumTxEnvelope<TxEip4844>;

/// A block of the chain.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) header: Sealed<Header>,
    pub(super) transactions: Vec<Mined>,
}

/// A transaction in a block, with its outcome.
#[derive(Clone, Debug)]
pub(super) struct Mined {
    pub(super) transaction: SignedTransaction,
    pub(super) sender: Address,
    pub(super) success: bool,
    /// Gas paid for, after refunds.
    pub(super) gas_used: u64,
    pub(super) logs: Vec<Log>,
}

/// [`Mined`] as stored, RLP.
#[derive(RlpEncodable, RlpDecodable)]
struct MinedRecord {
    /// EIP-2718 bytes.
    transaction: Bytes,
    sender: Address,
    success: bool,
    gas_used: u64,
    logs: Vec<Log>,
}

impl Mined {
    /// The transaction's hash.
    pub(super) fn hash(&self) -> B256 {
        *self.transaction.tx_hash()
    }

    /// The address a creation creates at, shown even when it failed, as nodes do.
    pub(super) fn created(&self) -> Option<Address> {
        let creates = self.transaction.kind() == TxKind::Create;
        creates.then(|| self.sender.create(self.transaction.nonce()))
    }
}

impl Block {
    /// The block's number.
    pub(super) fn number(&self) -> u64 {
        self.header.number
    }

    /// The stored form of the transactions.
    pub(super) fn encode_body(&self) -> Vec<u8> {
        let records = self.transactions.iter().map(|mined| MinedRecord {
            transaction: mined.transaction.encoded_2718().into(),
            sender: mined.sender,
            success: mined.success,
            gas_used: mined.gas_used,
            logs: mined.logs.clone(),
        });
        alloy_rlp::encode(records.collect::<Vec<_>>())
    }

    /// Puts a block together from its stored parts.
    pub(super) fn decode(header: Sealed<Header>, mut body: &[u8]) -> Result<Self, ChainError> {
        let corrupt = ChainError::Corrupt("a block body");
        let Ok(records) = Vec::<MinedRecord>::decode(&mut body) else { return Err(corrupt) };
        let mut transactions = Vec::with_capacity(records.len());
        for record in records {
            let Ok(transaction) = SignedTransaction::decode_2718_exact(&record.transaction) else {
                return Err(corrupt);
            };
            transactions.push(Mined {
                transaction,
                sender: record.sender,
                success: record.success,
                gas_used: record.gas_used,
                logs: record.logs,
            });
        }
        Ok(Self { header, transactions })
    }
}

/// The consensus receipts of a block's transactions, in order.
pub(super) fn receipts(transactions: &[Mined]) -> Vec<ReceiptEnvelope> {
    let mut cumulative_gas_used = 0;
    let receipt = |mined: &Mined| {
        cumulative_gas_used += mined.gas_used;
        let receipt = Receipt {
            status: Eip658Value::Eip658(mined.success),
            cumulative_gas_used,
            logs: mined.logs.clone(),
        };
        ReceiptEnvelope::from_typed(mined.transaction.tx_type(), receipt.into_with_bloom())
    };
    transactions.iter().map(receipt).collect()
}
