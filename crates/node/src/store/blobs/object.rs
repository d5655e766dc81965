//! What the node remembers of one on-chain object of a blob.

use walrus_core::Epoch;
use walrus_redstuff::bcs::{BcsError, Reader, Writer};

/// The chain event that a piece of state rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef {
    /// Hash of the block.
    pub block_hash: [u8; 32],
    /// Index of the log within its block.
    pub log_index: u64,
}

impl EventRef {
    pub(super) const BYTES: usize = 40;

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.raw(&self.block_hash);
        writer.u64(self.log_index);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, BcsError> {
        Ok(Self { block_hash: reader.array()?, log_index: reader.u64()? })
    }
}

/// One object (token) that was registered for a blob id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    /// The epoch of the registration.
    pub registered: Epoch,
    /// The epoch of the first certification.
    pub certified: Option<Epoch>,
    /// First epoch in which it is no longer stored.
    pub end: Epoch,
    /// Whether its owner may delete it.
    pub deletable: bool,
    /// Whether its owner did.
    pub deleted: bool,
    /// The latest event about it.
    pub event: EventRef,
}

impl ObjectRecord {
    /// Whether the object asks for the blob to be stored in `epoch`.
    pub fn is_live(&self, epoch: Epoch) -> bool {
        !self.deleted && epoch < self.end
    }

    /// Whether the object is live and its availability certified.
    pub fn is_certified(&self, epoch: Epoch) -> bool {
        self.is_live(epoch) && self.certified.is_some()
    }

    /// The row: registered, end, certified (flag and epoch), deletable, deleted, event.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(15 + EventRef::BYTES);
        writer.u32(self.registered.0);
        writer.u32(self.end.0);
        writer.bool(self.certified.is_some());
        writer.u32(self.certified.unwrap_or_default().0);
        writer.bool(self.deletable);
        writer.bool(self.deleted);
        self.event.write(&mut writer);
        writer.finish()
    }

    pub(super) fn decode(row: &[u8]) -> Result<Self, BcsError> {
        let mut reader = Reader::new(row);
        let registered = Epoch(reader.u32()?);
        let end = Epoch(reader.u32()?);
        let is_certified = reader.bool()?;
        let certified = Some(Epoch(reader.u32()?)).filter(|_| is_certified);
        let (deletable, deleted) = (reader.bool()?, reader.bool()?);
        let event = EventRef::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { registered, certified, end, deletable, deleted, event })
    }
}
