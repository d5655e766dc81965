//! What an event changes in the node's rows, and what has to be done about it.

use std::collections::BTreeSet;

use walrus_chain::{ChainEvent, PositionedEvent};
use walrus_redstuff::BlobId;

use crate::store::{
    blobs::{BlobRows, EventRef, ObjectRecord},
    db::DbError,
};

/// What follows from some events, once their effects are durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// Blobs that may have to be recovered.
    pub certified: BTreeSet<BlobId>,
    /// Blobs whose data may not be needed any more.
    pub released: BTreeSet<BlobId>,
    /// Epoch, committee or addresses changed.
    pub committee: bool,
    /// A new epoch began, so blobs may have ended.
    pub epoch_started: bool,
}

impl Consequences {
    /// What follows from `events`.
    pub fn of(events: &[PositionedEvent]) -> Self {
        let mut all = Self::default();
        for positioned in events {
            match &positioned.event {
                ChainEvent::BlobCertified { blob_id, .. } => drop(all.certified.insert(*blob_id)),
                ChainEvent::BlobDeleted { blob_id, .. }
                | ChainEvent::BlobIdInvalidated { blob_id, .. } => {
                    all.released.insert(*blob_id);
                }
                ChainEvent::EpochStarted { .. } => {
                    all.committee = true;
                    all.epoch_started = true;
                }
                ChainEvent::CommitteeSelected { .. }
                | ChainEvent::EpochSynced { .. }
                | ChainEvent::NodeUpdated { .. } => all.committee = true,
                _ => {}
            }
        }
        all
    }
}

/// Records the effect of one event. Applying an event twice changes nothing.
pub fn apply(rows: &mut BlobRows<'_>, positioned: &PositionedEvent) -> Result<(), DbError> {
    let position = &positioned.position;
    let event = EventRef { block_hash: position.block_hash, log_index: position.log_index };
    rows.at_block(position.block_number);
    let (blob_id, token_id, record) = match positioned.event {
        ChainEvent::BlobRegistered { epoch, blob_id, end_epoch, deletable, token_id, .. } => {
            let known = rows.object(token_id)?.map(|(_, record)| record);
            let (certified, deleted) = (None, false);
            let new = ObjectRecord {
                registered: epoch,
                certified,
                end: end_epoch,
                deletable,
                deleted,
                event,
            };
            (blob_id, token_id, known.unwrap_or(new))
        }
        ChainEvent::BlobCertified { epoch, blob_id, end_epoch, deletable, token_id, .. } => {
            let known = rows.object(token_id)?.map(|(_, record)| record);
            let record = ObjectRecord {
                registered: known.map_or(epoch, |record| record.registered),
                certified: Some(known.and_then(|record| record.certified).unwrap_or(epoch)),
                end: end_epoch,
                deletable,
                deleted: known.is_some_and(|record| record.deleted),
                event,
            };
            (blob_id, token_id, record)
        }
        ChainEvent::BlobDeleted { token_id, .. } => match rows.object(token_id)? {
            Some((blob_id, record)) => {
                (blob_id, token_id, ObjectRecord { deleted: true, event, ..record })
            }
            None => return Ok(()),
        },
        ChainEvent::BlobIdInvalidated { blob_id, .. } => return rows.put_invalid(&blob_id, &event),
        _ => return Ok(()),
    };
    rows.put_object(&blob_id, token_id, &record)
}
