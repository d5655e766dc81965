//! The rows behind blob state, and how they are changed and changed back.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `objects` | blob id (32), token id (8, big endian) | [`ObjectRecord`] |
//! | `tokens` | token id | blob id |
//! | `invalid` | blob id | the event |
//! | `journal` | block number, sequence number | the row as it was before a change |
//!
//! The journal lets the effects of blocks that turn out not to be on the chain be
//! taken back exactly.

use redb::{ReadTransaction, ReadableTable as _, Table, TableDefinition, WriteTransaction};
use walrus_core::TokenId;
use walrus_redstuff::{
    BlobId,
    bcs::{Reader, Writer},
};

use super::{
    object::{EventRef, ObjectRecord},
    state::BlobState,
};
use crate::store::db::DbError;

type Bytes = &'static [u8];
const OBJECTS: TableDefinition<'_, [u8; 40], Bytes> = TableDefinition::new("objects");
const TOKENS: TableDefinition<'_, u64, [u8; 32]> = TableDefinition::new("tokens");
const INVALID: TableDefinition<'_, [u8; 32], Bytes> = TableDefinition::new("invalid");
const JOURNAL: TableDefinition<'_, (u64, u32), Bytes> = TableDefinition::new("journal");

/// Blocks whose effects can be taken back. Far more than any confirmation depth.
pub const JOURNAL_BLOCKS: u64 = 4096;

/// Longest row, for reading journal entries.
const MAX_ROW_BYTES: usize = 128;

fn object_key(blob: &BlobId, token: TokenId) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(blob.as_bytes());
    key[32..].copy_from_slice(&token.0.to_be_bytes());
    key
}

fn split_object_key(key: &[u8; 40]) -> (BlobId, TokenId) {
    let (blob, token) = key.split_at(32);
    let blob = blob.try_into().expect("the first 32 of 40 bytes");
    let token = token.try_into().expect("the last 8 of 40 bytes");
    (BlobId::from_bytes(blob), TokenId(u64::from_be_bytes(token)))
}

fn bad(what: &'static str) -> DbError {
    DbError::Row { what }
}

fn decode_object(row: &[u8]) -> Result<ObjectRecord, DbError> {
    ObjectRecord::decode(row).map_err(|_| bad("object"))
}

fn decode_event(row: &[u8]) -> Result<EventRef, DbError> {
    EventRef::read(&mut Reader::new(row)).map_err(|_| bad("event"))
}

/// Creates the tables.
pub(crate) fn prepare(transaction: &WriteTransaction) -> Result<(), DbError> {
    BlobRows::open(transaction, 0).map(|_| ())
}

/// All that is known of a blob id.
pub(crate) fn read_state(
    transaction: &ReadTransaction,
    blob: &BlobId,
) -> Result<BlobState, DbError> {
    let invalid = transaction.open_table(INVALID)?.get(blob.as_bytes())?;
    let invalid = invalid.map(|row| decode_event(row.value())).transpose()?;
    let mut state = BlobState { invalid, ..BlobState::default() };
    let objects = transaction.open_table(OBJECTS)?;
    let all = object_key(blob, TokenId(0))..=object_key(blob, TokenId(u64::MAX));
    for row in objects.range(all)? {
        let (key, value) = row?;
        state.objects.insert(split_object_key(&key.value()).1, decode_object(value.value())?);
    }
    Ok(state)
}

/// The next blobs in order after `after` that have objects, with their state; at most `limit`.
pub(crate) fn read_states(
    transaction: &ReadTransaction,
    after: Option<BlobId>,
    limit: usize,
) -> Result<Vec<(BlobId, BlobState)>, DbError> {
    let objects = transaction.open_table(OBJECTS)?;
    let mut states = Vec::new();
    let mut from = match &after {
        None => Some([0; 40]),
        Some(blob) => next_blob_key(blob),
    };
    while let Some(key) = from.filter(|_| states.len() < limit) {
        let Some(row) = objects.range(key..)?.next().transpose()? else { break };
        let (blob, _) = split_object_key(&row.0.value());
        states.push((blob, read_state(transaction, &blob)?));
        from = next_blob_key(&blob);
    }
    Ok(states)
}

/// The least key of the blob id after this one.
fn next_blob_key(blob: &BlobId) -> Option<[u8; 40]> {
    let mut id = *blob.as_bytes();
    for byte in id.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(object_key(&BlobId::from_bytes(id), TokenId(0)));
        }
    }
    None
}

/// The rows opened for a change caused by one block.
pub struct BlobRows<'t> {
    objects: Table<'t, [u8; 40], Bytes>,
    tokens: Table<'t, u64, [u8; 32]>,
    invalid: Table<'t, [u8; 32], Bytes>,
    journal: Table<'t, (u64, u32), Bytes>,
    block: u64,
}

impl<'t> BlobRows<'t> {
    /// Opens the rows to record effects of the block numbered `block`.
    pub fn open(transaction: &'t WriteTransaction, block: u64) -> Result<Self, DbError> {
        Ok(Self {
            objects: transaction.open_table(OBJECTS)?,
            tokens: transaction.open_table(TOKENS)?,
            invalid: transaction.open_table(INVALID)?,
            journal: transaction.open_table(JOURNAL)?,
            block,
        })
    }

    /// Further changes are effects of this block.
    pub fn at_block(&mut self, block: u64) {
        self.block = block;
    }

    /// The blob and record of a token.
    pub fn object(&self, token: TokenId) -> Result<Option<(BlobId, ObjectRecord)>, DbError> {
        let Some(blob) = self.tokens.get(token.0)?.map(|row| BlobId::from_bytes(row.value()))
        else {
            return Ok(None);
        };
        let row = self.objects.get(object_key(&blob, token))?.ok_or(bad("token"))?;
        Ok(Some((blob, decode_object(row.value())?)))
    }

    /// Writes the record of a token; nothing if it is there already.
    pub fn put_object(
        &mut self,
        blob: &BlobId,
        token: TokenId,
        record: &ObjectRecord,
    ) -> Result<(), DbError> {
        let key = object_key(blob, token);
        let old = self.objects.get(key)?.map(|row| row.value().to_vec());
        if old.as_ref() == Some(&record.encode()) {
            return Ok(());
        }
        self.remember(0, &key, old)?;
        self.objects.insert(key, record.encode().as_slice())?;
        self.tokens.insert(token.0, blob.as_bytes())?;
        Ok(())
    }

    /// Marks a blob id as invalid for good.
    pub fn put_invalid(&mut self, blob: &BlobId, event: &EventRef) -> Result<(), DbError> {
        let old = self.invalid.get(blob.as_bytes())?.map(|row| row.value().to_vec());
        if old.is_some() {
            return Ok(());
        }
        self.remember(1, blob.as_bytes(), old)?;
        let mut writer = Writer::new();
        event.write(&mut writer);
        self.invalid.insert(blob.as_bytes(), writer.finish().as_slice())?;
        Ok(())
    }

    /// Takes back everything that blocks from `first` on have changed, latest first.
    pub fn undo_from(&mut self, first: u64) -> Result<(), DbError> {
        let entries = self
            .journal
            .range((first, 0)..)?
            .rev()
            .map(|row| row.map(|(key, value)| (key.value(), value.value().to_vec())))
            .collect::<Result<Vec<_>, _>>()?;
        for (key, entry) in entries {
            self.restore(&entry)?;
            self.journal.remove(key)?;
        }
        Ok(())
    }

    /// Forgets everything that the chain said.
    pub fn clear(&mut self) -> Result<(), DbError> {
        self.objects.retain(|_, _| false)?;
        self.tokens.retain(|_, _| false)?;
        self.invalid.retain(|_, _| false)?;
        self.journal.retain(|_, _| false)?;
        Ok(())
    }

    /// Forgets how to take back what lies [`JOURNAL_BLOCKS`] and more behind.
    pub fn prune_journal(&mut self) -> Result<(), DbError> {
        let keep = self.block.saturating_sub(JOURNAL_BLOCKS);
        self.journal.retain_in((0, 0)..(keep, 0), |_, _| false)?;
        Ok(())
    }

    fn remember(&mut self, table: u8, key: &[u8], old: Option<Vec<u8>>) -> Result<(), DbError> {
        let last = self.journal.range((self.block, 0)..=(self.block, u32::MAX))?.next_back();
        let sequence = last.transpose()?.map_or(0, |(key, _)| key.value().1 + 1);
        let mut writer = Writer::new();
        writer.u8(table);
        writer.bytes(key);
        writer.bool(old.is_some());
        writer.bytes(&old.unwrap_or_default());
        self.journal.insert((self.block, sequence), writer.finish().as_slice())?;
        Ok(())
    }

    fn restore(&mut self, entry: &[u8]) -> Result<(), DbError> {
        let parse = || {
            let mut reader = Reader::new(entry);
            let (table, key) = (reader.u8()?, reader.bytes(MAX_ROW_BYTES)?);
            let existed = reader.bool()?;
            let old = reader.bytes(MAX_ROW_BYTES)?;
            Ok::<_, walrus_redstuff::bcs::BcsError>((table, key, existed.then_some(old)))
        };
        let (table, key, old) = parse().map_err(|_| bad("journal"))?;
        match table {
            0 => {
                let key: [u8; 40] = key.try_into().map_err(|_| bad("journal"))?;
                match old {
                    Some(old) => drop(self.objects.insert(key, old)?),
                    None => {
                        self.objects.remove(key)?;
                        self.tokens.remove(split_object_key(&key).1.0)?;
                    }
                }
            }
            _ => {
                let key: [u8; 32] = key.try_into().map_err(|_| bad("journal"))?;
                self.invalid.remove(key)?;
            }
        }
        Ok(())
    }
}
