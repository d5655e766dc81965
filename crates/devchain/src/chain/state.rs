//! Accounts, storage and code at the head, and what a block changed in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use alloy::primitives::{Address, B256, KECCAK256_EMPTY, Keccak256, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use revm::{
    Database,
    bytecode::Bytecode,
    state::{AccountInfo, EvmState},
};

/// An account without its storage.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(super) struct Account {
    pub(super) nonce: u64,
    pub(super) balance: U256,
    pub(super) code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code_hash: KECCAK256_EMPTY }
    }
}

/// The state at the head, all in memory.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<Address, Account>,
    pub(super) slots: BTreeMap<(Address, U256), U256>,
    pub(super) codes: BTreeMap<B256, Bytecode>,
}

/// What a block changed: for each touched key the value *before* it. It undoes
/// the block, and names the keys to write to disk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) accounts: BTreeMap<Address, Option<Account>>,
    pub(super) slots: BTreeMap<(Address, U256), U256>,
    /// Codes that appeared. Undoing leaves them: code is found by its hash only.
    pub(super) codes: BTreeSet<B256>,
}

impl State {
    /// The account, empty when there is none.
    pub(super) fn account(&self, address: Address) -> Account {
        self.accounts.get(&address).cloned().unwrap_or_default()
    }

    /// A storage slot; zero when never written.
    pub(super) fn slot(&self, address: Address, slot: U256) -> U256 {
        self.slots.get(&(address, slot)).copied().unwrap_or_default()
    }

    /// The code of an account; empty when it has none.
    pub(super) fn code(&self, address: Address) -> Bytecode {
        self.codes.get(&self.account(address).code_hash).cloned().unwrap_or_default()
    }

    /// Writes an account, remembering in `change` what it was.
    pub(super) fn set_account(
        &mut self,
        address: Address,
        account: Option<Account>,
        change: &mut Change,
    ) {
        let before = match account {
            Some(account) => self.accounts.insert(address, account),
            None => self.accounts.remove(&address),
        };
        change.accounts.entry(address).or_insert(before);
    }

    /// Writes a slot, remembering in `change` what it was.
    pub(super) fn set_slot(
        &mut self,
        address: Address,
        slot: U256,
        value: U256,
        change: &mut Change,
    ) {
        let key = (address, slot);
        let before = match value.is_zero() {
            true => self.slots.remove(&key),
            false => self.slots.insert(key, value),
        };
        change.slots.entry(key).or_insert(before.unwrap_or_default());
    }

    /// Adds a code, answering its hash.
    pub(super) fn add_code(&mut self, code: Bytecode, change: &mut Change) -> B256 {
        let hash = code.hash_slow();
        if !code.is_empty() && self.codes.insert(hash, code).is_none() {
            change.codes.insert(hash);
        }
        hash
    }

    /// Writes the outcome of a transaction.
    ///
    /// Since Cancun only an account created in the same transaction is ever
    /// destroyed, so no stored slot has to be swept; empty accounts do not stay.
    pub(super) fn apply(&mut self, outcome: EvmState, change: &mut Change) {
        let ordered: BTreeMap<_, _> = outcome.into_iter().collect();
        for (address, account) in ordered {
            if !account.is_touched() {
                continue;
            }
            if account.is_selfdestructed() || account.is_empty() {
                self.set_account(address, None, change);
                continue;
            }
            let info = account.info;
            if let Some(code) = info.code {
                self.add_code(code, change);
            }
            let (nonce, balance, code_hash) = (info.nonce, info.balance, info.code_hash);
            self.set_account(address, Some(Account { nonce, balance, code_hash }), change);
            for (slot, value) in account.storage.into_iter().collect::<BTreeMap<_, _>>() {
                if value.is_changed() {
                    self.set_slot(address, slot, value.present_value, change);
                }
            }
        }
    }

    /// Puts back what was before `change`.
    pub(super) fn undo(&mut self, change: &Change) {
        let mut ignored = Change::default();
        for (address, before) in &change.accounts {
            self.set_account(*address, before.clone(), &mut ignored);
        }
        for ((address, slot), before) in &change.slots {
            self.set_slot(*address, *slot, *before, &mut ignored);
        }
    }

    /// The header's `stateRoot`: a commitment to the parent's and to every value
    /// that `change` left behind. Equal histories give equal values.
    pub(super) fn commitment(&self, parent: B256, change: &Change) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(parent);
        for address in change.accounts.keys() {
            hasher.update(address);
            hasher.update(alloy_rlp::encode(self.account(*address)));
        }
        for (address, slot) in change.slots.keys() {
            hasher.update(address);
            hasher.update(slot.to_be_bytes::<32>());
            hasher.update(self.slot(*address, *slot).to_be_bytes::<32>());
        }
        hasher.finalize()
    }
}

impl Change {
    /// Takes in what an *earlier* block changed.
    pub(super) fn merge_earlier(&mut self, earlier: Change) {
        self.accounts.extend(earlier.accounts);
        self.slots.extend(earlier.slots);
        self.codes.extend(earlier.codes);
    }

    /// Its stored form.
    pub(super) fn encode(&self) -> Vec<u8> {
        let accounts = self.accounts.iter().map(|(address, before)| AccountBefore {
            address: *address,
            existed: before.is_some(),
            account: before.clone().unwrap_or_default(),
        });
        let slots = self.slots.iter().map(|((address, slot), before)| SlotBefore {
            address: *address,
            slot: *slot,
            value: *before,
        });
        alloy_rlp::encode(ChangeRecord { accounts: accounts.collect(), slots: slots.collect() })
    }

    /// Reads the stored form; without codes, which need no undoing.
    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, alloy_rlp::Error> {
        let record = <ChangeRecord as alloy_rlp::Decodable>::decode(&mut bytes)?;
        let accounts = record.accounts.into_iter();
        let slots = record.slots.into_iter();
        Ok(Self {
            accounts: accounts.map(|a| (a.address, a.existed.then_some(a.account))).collect(),
            slots: slots.map(|s| ((s.address, s.slot), s.value)).collect(),
            codes: BTreeSet::new(),
        })
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct ChangeRecord {
    accounts: Vec<AccountBefore>,
    slots: Vec<SlotBefore>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct AccountBefore {
    address: Address,
    existed: bool,
    account: Account,
}

#[derive(RlpEncodable, RlpDecodable)]
struct SlotBefore {
    address: Address,
    slot: U256,
    value: U256,
}

/// The state as the EVM reads it.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    /// Hashes of the latest 256 blocks, for BLOCKHASH.
    pub(super) hashes: &'a BTreeMap<u64, B256>,
}

impl Database for View<'_> {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.state.accounts.get(&address).map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            code: self.state.codes.get(&account.code_hash).cloned(),
            ..AccountInfo::default()
        }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.codes.get(&hash).cloned().unwrap_or_default())
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.state.slot(address, slot))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        Ok(self.hashes.get(&number).copied().unwrap_or_default())
    }
}
