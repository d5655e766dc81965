//! Getting transactions of one account into blocks: nonces, fees, resending, receipts.
//!
//! A transaction that was handed to the chain is never given up for a new one with
//! another nonce, whatever answers are lost: the same bytes are sent again until one of
//! them is in a block, or another transaction has taken the nonce. So an action happens
//! at most once for each call.

use std::{sync::Arc, time::Duration};

use alloy::{
    consensus::TxEip1559,
    primitives::{Address, B256, Bytes, TxKind, U64, U256},
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use walrus_core::EvmAddress;

use crate::{
    abi::Plain,
    contract_error::ContractError,
    endpoints::{Endpoints, Refusal, RpcError},
    error::{TransactionHash, WriteError},
    rpc::{BlockTag, CallRequest, Log, RawReceipt},
    wallet::Wallet,
};

/// How transactions are priced and followed.
#[derive(Clone, Debug)]
pub struct SendConfig {
    /// Blocks that must stand on a receipt, its own counted; at least 1.
    pub confirmations: u64,
    /// First pause between two looks for a receipt; doubles up to `poll_max`.
    pub poll_min: Duration,
    /// Longest pause between two looks for a receipt.
    pub poll_max: Duration,
    /// A transaction not in a block after this time is sent again as it is, and with
    /// higher fees after each further such time.
    pub resend_after: Duration,
    /// A transaction not confirmed after this time is reported as unresolved.
    pub give_up_after: Duration,
    /// Lowest priority fee offered, in wei per gas.
    pub priority_fee_min: u128,
}

impl Default for SendConfig {
    fn default() -> Self {
        Self {
            confirmations: 1,
            poll_min: Duration::from_millis(20),
            poll_max: Duration::from_secs(1),
            resend_after: Duration::from_secs(20),
            give_up_after: Duration::from_secs(300),
            priority_fee_min: 1_000_000,
        }
    }
}

/// Gas above the estimate, in percent: state may change before the block.
const GAS_MARGIN_PERCENT: u64 = 25;
/// Raise of both fees for a replacement, in percent; nodes ask for at least 10.
const FEE_BUMP_PERCENT: u128 = 15;
/// Most gas of a transaction (EIP-7825).
const GAS_MAX: u64 = 1 << 24;
/// Looks for a transaction of ours whose nonce is taken.
const KNOWN_TRIES: u32 = 10;
/// Tries to find a free nonce when other programs use the account.
const NONCE_TRIES: u32 = 5;

/// A call or creation to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    /// What it does, in the user's words: "register the blob".
    pub(crate) name: &'static str,
    /// `None` creates a contract.
    pub(crate) to: Option<Address>,
    pub(crate) data: Bytes,
    pub(crate) value: U256,
    /// Gas limit; estimated when `None`, which needs earlier actions to be mined.
    pub(crate) gas: Option<u64>,
}

impl Action {
    /// A call of a contract function.
    pub(crate) fn call<C: alloy::sol_types::SolCall>(
        name: &'static str,
        to: EvmAddress,
        call: &C,
    ) -> Self {
        let to = Some(crate::abi::to_address(to));
        Self { name, to, data: call.abi_encode().into(), value: U256::ZERO, gas: None }
    }

    /// The same with a fixed gas limit, for batches in which one needs the other.
    pub(crate) fn with_gas(mut self, gas: u64) -> Self {
        self.gas = Some(gas.min(GAS_MAX));
        self
    }

    fn request(&self, from: Address) -> CallRequest {
        CallRequest {
            from: Some(from),
            to: self.to,
            value: self.value,
            data: self.data.clone(),
            gas: self.gas.map(U64::from),
        }
    }
}

/// A transaction in a block, with the asked number of confirmations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub transaction: TransactionHash,
    /// Number of its block.
    pub block_number: u64,
    /// Hash of its block.
    pub block_hash: [u8; 32],
    /// Gas used.
    pub gas_used: u64,
    pub(crate) contract: Option<Address>,
    pub(crate) logs: Vec<Log>,
}

impl From<RawReceipt> for Receipt {
    fn from(raw: RawReceipt) -> Self {
        Self {
            transaction: TransactionHash(raw.transaction_hash.0),
            block_number: raw.block_number.to(),
            block_hash: raw.block_hash.0,
            gas_used: raw.gas_used.to(),
            contract: raw.contract_address,
            logs: raw.logs,
        }
    }
}

/// A transaction on its way. Dropping it leaves it on its way.
#[derive(Debug)]
#[must_use = "a transaction's outcome is known only once it was waited for"]
pub(crate) struct Pending {
    action: Action,
    transaction: TxEip1559,
    /// Hash and bytes of every version sent, the newest last; all have the same nonce.
    versions: Vec<(B256, Bytes)>,
}

/// Sends the transactions of one account, one after the other in nonce order. Clones
/// share the queue: use one sender for an account in a program.
#[derive(Clone, Debug)]
pub struct Sender {
    endpoints: Endpoints,
    wallet: Wallet,
    chain_id: u64,
    config: Arc<SendConfig>,
    /// The next nonce; `None` when the chain must be asked.
    next_nonce: Arc<Mutex<Option<u64>>>,
}

/// What the chain said to signed bytes.
enum Sent {
    /// It has them.
    Accepted,
    /// Another transaction has this nonce: these bytes are without effect for ever.
    NonceTaken,
    /// Another transaction waits with this nonce and offers more.
    Outbid,
    /// No answer: it may have them.
    Unknown,
}

impl Sender {
    /// A sender for the account of `wallet` on the chain with this id.
    pub fn new(endpoints: Endpoints, wallet: Wallet, chain_id: u64, config: SendConfig) -> Self {
        endpoints.require_chain(chain_id);
        Self { endpoints, wallet, chain_id, config: Arc::new(config), next_nonce: Arc::default() }
    }

    /// The account.
    pub fn address(&self) -> EvmAddress {
        self.wallet.address()
    }

    /// The chain's addresses.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Signs a hash of structured data: both halves, and whether the point is odd.
    pub(crate) fn sign_hash(&self, hash: B256) -> ([u8; 32], [u8; 32], bool) {
        self.wallet.sign_hash(hash)
    }

    pub(crate) fn config(&self) -> &SendConfig {
        &self.config
    }

    /// The nonce the next transaction will have, if nobody else uses the account.
    pub(crate) async fn next_nonce(&self) -> Result<u64, RpcError> {
        let mut next = self.next_nonce.lock().await;
        self.nonce_or_ask(&mut next).await
    }

    /// Sends and waits.
    pub(crate) async fn execute(&self, action: Action) -> Result<Receipt, WriteError> {
        let pending = self.submit(action).await?;
        self.confirm(pending).await
    }

    /// Sends without waiting for the block.
    pub(crate) async fn submit(&self, action: Action) -> Result<Pending, WriteError> {
        let name = action.name;
        let rpc = |source| WriteError::Rpc { action: name, source };
        let gas_limit = self.gas(&action).await?;
        let (max_fee_per_gas, max_priority_fee_per_gas) = self.fees().await.map_err(rpc)?;
        let mut next = self.next_nonce.lock().await;
        for _ in 0..NONCE_TRIES {
            let nonce = self.nonce_or_ask(&mut next).await.map_err(rpc)?;
            let transaction = TxEip1559 {
                chain_id: self.chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to: action.to.map_or(TxKind::Create, TxKind::Call),
                value: action.value,
                access_list: Default::default(),
                input: action.data.clone(),
            };
            let version = self.wallet.sign(transaction.clone());
            // If this future is dropped from here on, the next one asks the chain.
            *next = None;
            match self.send(&action, &version, false).await? {
                Sent::Accepted | Sent::Unknown => {
                    *next = Some(nonce + 1);
                    tracing::debug!(name, nonce, hash = %version.0, "transaction sent");
                    return Ok(Pending { action, transaction, versions: vec![version] });
                }
                // Nothing was sent under this nonce by us: take the next free one.
                Sent::NonceTaken | Sent::Outbid => {}
            }
        }
        let reason = format!("the account's nonce changed {NONCE_TRIES} times while sending");
        Err(rpc(RpcError::Unreachable {
            method: "eth_sendRawTransaction",
            attempts: NONCE_TRIES,
            url: String::new(),
            reason,
        }))
    }

    /// Waits until a transaction has the asked number of confirmations.
    pub(crate) async fn confirm(&self, mut pending: Pending) -> Result<Receipt, WriteError> {
        let name = pending.action.name;
        let begun = Instant::now();
        let mut sent_at = begun;
        let mut resends = 0;
        let mut pause = self.config.poll_min;
        loop {
            // A chain out of reach is waited for like a slow one.
            if let Some(receipt) = self.receipt(&pending).await.unwrap_or(None) {
                return self.outcome(&pending, receipt).await;
            }
            if begun.elapsed() >= self.config.give_up_after {
                let transaction = TransactionHash(pending.newest().0.0);
                return Err(WriteError::Unresolved { action: name, transaction });
            }
            if sent_at.elapsed() >= self.config.resend_after {
                sent_at = Instant::now();
                resends += 1;
                self.send_again(&mut pending, resends > 1).await?;
            }
            sleep(pause).await;
            pause = (pause * 2).min(self.config.poll_max);
        }
    }

    /// Sends the newest version again, or one with higher fees.
    async fn send_again(&self, pending: &mut Pending, raise: bool) -> Result<(), WriteError> {
        if raise {
            let raised = |fee: u128| fee + fee * FEE_BUMP_PERCENT / 100 + 1;
            let transaction = &mut pending.transaction;
            transaction.max_fee_per_gas = raised(transaction.max_fee_per_gas);
            transaction.max_priority_fee_per_gas = raised(transaction.max_priority_fee_per_gas);
            pending.versions.push(self.wallet.sign(transaction.clone()));
        }
        let sent = self.send(&pending.action, pending.newest(), true).await;
        match sent {
            Ok(Sent::NonceTaken) => {
                if self.is_known(&pending.versions).await {
                    return Ok(());
                }
                let transaction = TransactionHash(pending.newest().0.0);
                Err(WriteError::Replaced { action: pending.action.name, transaction })
            }
            // A raise that the account cannot pay leaves the earlier version in place.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Whether a nonce that is taken was taken by one of these.
    async fn is_known(&self, versions: &[(B256, Bytes)]) -> bool {
        for _ in 0..KNOWN_TRIES {
            for (hash, _) in versions {
                // Without an answer they may be ours, and must not be made again.
                if self.endpoints.knows_transaction(*hash).await.unwrap_or(true) {
                    return true;
                }
            }
            // The address asked may lag behind the one that knew of the nonce.
            sleep(self.config.poll_max).await;
        }
        false
    }

    /// Hands signed bytes to the chain. With `again`, they may have arrived before.
    async fn send(
        &self,
        action: &Action,
        version: &(B256, Bytes),
        again: bool,
    ) -> Result<Sent, WriteError> {
        let (answer, attempts) = self.endpoints.send_raw(&version.1).await;
        let error = match answer {
            Ok(_) => return Ok(Sent::Accepted),
            Err(error) => error,
        };
        let Some(refusal) = error.refusal() else {
            return match error {
                // Nothing can have arrived at a chain with another id.
                RpcError::WrongChain { .. } => {
                    Err(WriteError::Rpc { action: action.name, source: error })
                }
                _ => Ok(Sent::Unknown),
            };
        };
        match SendRefusal::of(refusal) {
            SendRefusal::Known => Ok(Sent::Accepted),
            SendRefusal::NonceUsed => {
                // If an earlier request of these bytes may have had its effect, this
                // answer may be about that very effect. The caller of a repeated send
                // knows the earlier versions and looks for them.
                let ours =
                    !again && attempts > 1 && self.is_known(std::slice::from_ref(version)).await;
                Ok(if ours { Sent::Accepted } else { Sent::NonceTaken })
            }
            SendRefusal::Outbid => Ok(Sent::Outbid),
            SendRefusal::Funds => Err(WriteError::InsufficientFunds {
                action: action.name,
                account: self.address(),
                reason: refusal.message.clone(),
            }),
            SendRefusal::Other => Err(WriteError::Rpc { action: action.name, source: error }),
        }
    }

    /// The receipt of any version, once it has enough confirmations.
    async fn receipt(&self, pending: &Pending) -> Result<Option<RawReceipt>, RpcError> {
        for (hash, _) in pending.versions.iter().rev() {
            let Some(receipt) = self.endpoints.receipt(*hash).await? else { continue };
            if self.config.confirmations <= 1 {
                return Ok(Some(receipt));
            }
            let newest = self.endpoints.latest().await?.number();
            let standing = newest.saturating_sub(receipt.block_number.to()) + 1;
            // The receipt is asked for anew each time, so a reorganisation shows.
            return Ok((standing >= self.config.confirmations).then_some(receipt));
        }
        Ok(None)
    }

    /// Turns a failed receipt into the contract's words.
    async fn outcome(&self, pending: &Pending, raw: RawReceipt) -> Result<Receipt, WriteError> {
        if raw.status == U64::from(1) {
            return Ok(raw.into());
        }
        // The receipt does not say why, so the call is repeated on the state before, or
        // on the newest state where the chain keeps no others.
        let before = raw.block_number.to::<u64>().saturating_sub(1);
        let request = pending.action.request(self.wallet.account());
        let mut data = None;
        for at in [BlockTag::Number(before), BlockTag::Latest] {
            let replay = self.endpoints.call(&request, at).await;
            data = data.or_else(|| replay.err()?.refusal()?.data.clone());
        }
        let error = match data {
            Some(data) => ContractError::decode(&data),
            None if raw.gas_used.to::<u64>() >= pending.transaction.gas_limit => {
                ContractError::Text("the gas limit was reached".to_owned())
            }
            None => ContractError::Unknown(Vec::new()),
        };
        Err(WriteError::Contract {
            action: pending.action.name,
            error: Box::new(error),
            transaction: Some(TransactionHash(raw.transaction_hash.0)),
        })
    }

    /// Transactions of the account, by what the chain says.
    pub(crate) async fn count(&self, at: BlockTag) -> Result<u64, RpcError> {
        self.endpoints.nonce(self.wallet.account(), at).await
    }

    async fn nonce_or_ask(&self, next: &mut Option<u64>) -> Result<u64, RpcError> {
        if let Some(nonce) = *next {
            return Ok(nonce);
        }
        let nonce = self.count(BlockTag::Pending).await?;
        *next = Some(nonce);
        Ok(nonce)
    }

    /// The gas limit: the given one, or the estimate with a margin.
    async fn gas(&self, action: &Action) -> Result<u64, WriteError> {
        if let Some(gas) = action.gas {
            return Ok(gas);
        }
        let request = action.request(self.wallet.account());
        match self.endpoints.estimate_gas(&request, BlockTag::Latest).await {
            Ok(gas) => Ok((gas + gas * GAS_MARGIN_PERCENT / 100).min(GAS_MAX)),
            Err(error) => Err(self.refused(action.name, error)),
        }
    }

    fn refused(&self, action: &'static str, error: RpcError) -> WriteError {
        let Some(refusal) = error.refusal() else {
            return WriteError::Rpc { action, source: error };
        };
        match (&refusal.data, SendRefusal::of(refusal)) {
            (Some(data), _) if data.len() >= 4 => WriteError::Contract {
                action,
                error: Box::new(ContractError::decode(data)),
                transaction: None,
            },
            (_, SendRefusal::Funds) => WriteError::InsufficientFunds {
                action,
                account: self.address(),
                reason: refusal.message.clone(),
            },
            _ => WriteError::Rpc { action, source: error },
        }
    }

    /// Most wei per gas in all and for priority: twice the present base fee, so that
    /// some full blocks in a row do not stop the transaction.
    async fn fees(&self) -> Result<(u128, u128), RpcError> {
        let base: u128 =
            self.endpoints.latest().await?.base_fee_per_gas.unwrap_or_default().plain();
        let suggested = match self.endpoints.priority_fee().await {
            Ok(fee) => fee,
            // Not every chain has the method.
            Err(RpcError::Refused { .. }) => 0,
            Err(error) => return Err(error),
        };
        let priority = suggested.max(self.config.priority_fee_min);
        Ok((base.saturating_mul(2).saturating_add(priority), priority))
    }
}

impl Pending {
    fn newest(&self) -> &(B256, Bytes) {
        self.versions.last().expect("the first version is never removed")
    }
}

/// Why a chain does not take signed bytes, read from its words: there are no codes.
#[derive(Debug, PartialEq, Eq)]
enum SendRefusal {
    Known,
    NonceUsed,
    Outbid,
    Funds,
    Other,
}

impl SendRefusal {
    fn of(refusal: &Refusal) -> Self {
        const KNOWN: [&str; 4] =
            ["already known", "known transaction", "already imported", "already in mempool"];
        let message = refusal.message.to_ascii_lowercase();
        let says = |text: &str| message.contains(text);
        if KNOWN.into_iter().any(says) {
            Self::Known
        } else if says("nonce too low") || says("nonce is too low") {
            Self::NonceUsed
        } else if says("underpriced") {
            Self::Outbid
        } else if says("insufficient funds") {
            Self::Funds
        } else {
            Self::Other
        }
    }
}
