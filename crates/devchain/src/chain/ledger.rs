//! The chain on disk: one redb database, one durable commit for each block.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | `chain` | RLP of [`Meta`] |
//! | `headers` | number | RLP of the header |
//! | `bodies` | number | RLP of transactions and outcomes |
//! | `changes` | number | RLP of the state before, for the latest blocks |
//! | `numbers` | block hash | number |
//! | `positions` | transaction hash | number, index |
//! | `accounts` | address | RLP of nonce, balance, code hash |
//! | `slots` | address, slot | value, 32 bytes big endian |
//! | `codes` | code hash | code |

use alloy::{
    consensus::{Header, Sealed},
    primitives::{Address, B256, U256},
};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use revm::bytecode::Bytecode;
use walrus_env::BlockingFile;

use super::{
    block::Block,
    state::{Account, Change, State},
};
use crate::ChainError;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const HEADERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("headers");
const BODIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("bodies");
const CHANGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("changes");
const NUMBERS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("numbers");
const POSITIONS: TableDefinition<'_, &[u8], (u64, u64)> = TableDefinition::new("positions");
const ACCOUNTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("accounts");
const SLOTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("slots");
const CODES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("codes");

/// Blocks that can be taken back.
pub(super) const UNDO_MAX: u64 = 256;

/// Memory for database pages; the whole state is in memory besides.
const CACHE_BYTES: usize = 16 << 20;

/// What a chain is, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(super) struct Meta {
    pub(super) chain_id: u64,
    /// Seed of PREVRANDAO.
    pub(super) seed: B256,
    /// Number of the latest block.
    pub(super) head: u64,
    /// Times blocks were taken back; enters PREVRANDAO, so that replacements differ.
    pub(super) branch: u64,
    /// Chain time minus clock time in seconds, two's complement.
    pub(super) time_offset: u64,
}

/// One atomic, durable step.
pub(super) struct Step<'a> {
    pub(super) meta: &'a Meta,
    /// The state after the step.
    pub(super) state: &'a State,
    /// The keys of `state` to write.
    pub(super) touched: &'a Change,
    /// Blocks that leave the chain.
    pub(super) dropped: &'a [Block],
    /// The block that joins it; `touched` is then kept to undo it.
    pub(super) mined: Option<&'a Block>,
}

/// The database.
#[derive(Debug)]
pub(super) struct Ledger {
    database: Database,
}

impl Ledger {
    /// Opens the database in `file`, or an empty one in memory.
    pub(super) fn open(file: Option<Box<dyn BlockingFile>>) -> Result<Self, ChainError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = match file {
            Some(file) => builder.create_with_backend(Backend(file))?,
            None => builder.create_with_backend(redb::backends::InMemoryBackend::new())?,
        };
        let ledger = Self { database };
        ledger.create_tables()?;
        Ok(ledger)
    }

    fn create_tables(&self) -> Result<(), ChainError> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(META)?;
        for table in [HEADERS, BODIES, CHANGES] {
            transaction.open_table(table)?;
        }
        transaction.open_table(NUMBERS)?;
        transaction.open_table(POSITIONS)?;
        for table in [ACCOUNTS, SLOTS, CODES] {
            transaction.open_table(table)?;
        }
        Ok(transaction.commit()?)
    }

    /// What is stored; nothing in a new database.
    pub(super) fn meta(&self) -> Result<Option<Meta>, ChainError> {
        let table = self.database.begin_read()?.open_table(META)?;
        let Some(bytes) = table.get("chain")? else { return Ok(None) };
        let meta = Meta::decode(&mut bytes.value());
        meta.map(Some).map_err(|_| ChainError::Corrupt("the chain's description"))
    }

    /// Reads the whole state.
    pub(super) fn load_state(&self) -> Result<State, ChainError> {
        let read = self.database.begin_read()?;
        let mut state = State::default();
        for entry in read.open_table(ACCOUNTS)?.iter()? {
            let (key, value) = entry?;
            let account = Account::decode(&mut value.value());
            let account = account.map_err(|_| ChainError::Corrupt("an account"))?;
            state.accounts.insert(Address::from_slice(key.value()), account);
        }
        for entry in read.open_table(SLOTS)?.iter()? {
            let (key, value) = entry?;
            let (address, slot) = key.value().split_at(20);
            let key = (Address::from_slice(address), U256::from_be_slice(slot));
            state.slots.insert(key, U256::from_be_slice(value.value()));
        }
        for entry in read.open_table(CODES)?.iter()? {
            let (key, value) = entry?;
            let code = Bytecode::new_raw_checked(value.value().to_vec().into());
            let code = code.map_err(|_| ChainError::Corrupt("a contract's code"))?;
            state.codes.insert(B256::from_slice(key.value()), code);
        }
        Ok(state)
    }

    /// Makes a step durable, wholly or not at all.
    pub(super) fn commit(&self, step: &Step<'_>) -> Result<(), ChainError> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(META)?.insert("chain", &*alloy_rlp::encode(step.meta))?;
        for block in step.dropped {
            drop_block(&transaction, block)?;
        }
        if let Some(block) = step.mined {
            add_block(&transaction, block, step.touched)?;
        }
        write_state(&transaction, step.state, step.touched)?;
        Ok(transaction.commit()?)
    }

    /// The header of a block.
    pub(super) fn header(&self, number: u64) -> Result<Option<Sealed<Header>>, ChainError> {
        let table = self.database.begin_read()?.open_table(HEADERS)?;
        let Some(bytes) = table.get(number)? else { return Ok(None) };
        let header = Header::decode(&mut bytes.value());
        let header = header.map_err(|_| ChainError::Corrupt("a header"))?;
        Ok(Some(Sealed::new(header)))
    }

    /// A block with its transactions.
    pub(super) fn block(&self, number: u64) -> Result<Option<Block>, ChainError> {
        let Some(header) = self.header(number)? else { return Ok(None) };
        let table = self.database.begin_read()?.open_table(BODIES)?;
        let body = table.get(number)?.ok_or(ChainError::Corrupt("a body is missing"))?;
        Block::decode(header, body.value()).map(Some)
    }

    /// What a block changed, while it can be taken back.
    pub(super) fn change(&self, number: u64) -> Result<Option<Change>, ChainError> {
        let table = self.database.begin_read()?.open_table(CHANGES)?;
        let Some(bytes) = table.get(number)? else { return Ok(None) };
        let change = Change::decode(bytes.value());
        change.map(Some).map_err(|_| ChainError::Corrupt("a state change"))
    }

    /// The number of the block with this hash.
    pub(super) fn number(&self, hash: B256) -> Result<Option<u64>, ChainError> {
        let table = self.database.begin_read()?.open_table(NUMBERS)?;
        Ok(table.get(hash.as_slice())?.map(|number| number.value()))
    }

    /// Block number and index of a mined transaction.
    pub(super) fn position(&self, hash: B256) -> Result<Option<(u64, usize)>, ChainError> {
        let table = self.database.begin_read()?.open_table(POSITIONS)?;
        let position = table.get(hash.as_slice())?;
        Ok(position.map(|position| (position.value().0, position.value().1 as usize)))
    }
}

fn add_block(
    transaction: &WriteTransaction,
    block: &Block,
    change: &Change,
) -> Result<(), ChainError> {
    let number = block.number();
    let header = alloy_rlp::encode(block.header.inner());
    transaction.open_table(HEADERS)?.insert(number, &*header)?;
    transaction.open_table(BODIES)?.insert(number, &*block.encode_body())?;
    let mut changes = transaction.open_table(CHANGES)?;
    changes.insert(number, &*change.encode())?;
    if let Some(forgotten) = number.checked_sub(UNDO_MAX) {
        changes.remove(forgotten)?;
    }
    transaction.open_table(NUMBERS)?.insert(block.header.hash().as_slice(), number)?;
    let mut positions = transaction.open_table(POSITIONS)?;
    for (index, mined) in block.transactions.iter().enumerate() {
        positions.insert(mined.hash().as_slice(), (number, index as u64))?;
    }
    Ok(())
}

fn drop_block(transaction: &WriteTransaction, block: &Block) -> Result<(), ChainError> {
    for table in [HEADERS, BODIES, CHANGES] {
        transaction.open_table(table)?.remove(block.number())?;
    }
    transaction.open_table(NUMBERS)?.remove(block.header.hash().as_slice())?;
    let mut positions = transaction.open_table(POSITIONS)?;
    for mined in &block.transactions {
        positions.remove(mined.hash().as_slice())?;
    }
    Ok(())
}

fn write_state(
    transaction: &WriteTransaction,
    state: &State,
    touched: &Change,
) -> Result<(), ChainError> {
    let mut accounts = transaction.open_table(ACCOUNTS)?;
    for address in touched.accounts.keys() {
        match state.accounts.get(address) {
            Some(account) => accounts.insert(address.as_slice(), &*alloy_rlp::encode(account))?,
            None => accounts.remove(address.as_slice())?,
        };
    }
    let mut slots = transaction.open_table(SLOTS)?;
    for (address, slot) in touched.slots.keys() {
        let key = [address.as_slice(), &slot.to_be_bytes::<32>()].concat();
        match state.slots.get(&(*address, *slot)) {
            Some(value) => slots.insert(&*key, value.to_be_bytes::<32>().as_slice())?,
            None => slots.remove(&*key)?,
        };
    }
    let mut codes = transaction.open_table(CODES)?;
    for hash in &touched.codes {
        if let Some(code) = state.codes.get(hash) {
            codes.insert(hash.as_slice(), code.original_byte_slice())?;
        }
    }
    Ok(())
}

/// A file of the environment as redb's storage.
#[derive(Debug)]
struct Backend(Box<dyn BlockingFile>);

impl redb::StorageBackend for Backend {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write_at(offset, data)
    }
}
