//! How far a reader of events has come, in a form to be stored with what it did.

use serde::{Deserialize, Serialize};

/// Blocks remembered for finding the common ancestor after a reorganisation.
const HISTORY_MAX: usize = 64;

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    /// Number.
    pub number: u64,
    /// Hash; in JSON as hex text.
    #[serde(with = "hex_hash")]
    pub hash: [u8; 32],
}

/// The last block whose events were all delivered, and some before it.
///
/// Store it in the same transaction as the effects of the events: then every event
/// takes effect exactly once across crashes. Serialises with serde; JSON by
/// [`Self::to_bytes`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Oldest first; the last is where the reader stands. Never empty.
    blocks: Vec<BlockRef>,
}

/// Why stored bytes are not a cursor.
#[derive(Debug, thiserror::Error)]
#[error("the stored position in the chain's events is damaged: {reason}")]
pub struct CursorError {
    reason: String,
}

impl Cursor {
    /// A cursor after all events of `block`, without memory of earlier blocks.
    pub fn at(block: BlockRef) -> Self {
        Self { blocks: vec![block] }
    }

    /// The block whose events, and all before, were delivered.
    pub fn block(&self) -> BlockRef {
        *self.blocks.last().expect("a cursor is never empty")
    }

    /// The form to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data always serialises")
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`CursorError`] for anything that [`Self::to_bytes`] does not produce.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CursorError> {
        let refuse = |reason: String| CursorError { reason };
        let cursor: Self =
            serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        let ascending = cursor.blocks.windows(2).all(|pair| pair[0].number < pair[1].number);
        if cursor.blocks.is_empty() || cursor.blocks.len() > HISTORY_MAX || !ascending {
            return Err(refuse("its blocks are not in order".to_owned()));
        }
        Ok(cursor)
    }

    /// The blocks before the present one, newest first.
    pub(crate) fn history(&self) -> impl Iterator<Item = BlockRef> {
        self.blocks.iter().rev().skip(1).copied()
    }

    /// Moves on to a later block.
    pub(crate) fn advance(&mut self, block: BlockRef) {
        debug_assert!(block.number > self.block().number, "a cursor only moves forward");
        if self.blocks.len() == HISTORY_MAX {
            self.blocks.remove(0);
        }
        self.blocks.push(block);
    }

    /// The cursor as it was at `block`, which must be part of its history.
    pub(crate) fn rolled_back(&self, block: BlockRef) -> Self {
        let blocks = self.blocks.iter().copied();
        let mut blocks: Vec<_> = blocks.take_while(|kept| kept.number <= block.number).collect();
        if blocks.is_empty() {
            blocks.push(block);
        }
        Self { blocks }
    }
}

mod hex_hash {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        hash: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        let mut hash = [0; 32];
        hex::decode_to_slice(String::deserialize(d)?, &mut hash).map_err(D::Error::custom)?;
        Ok(hash)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn block(number: u64) -> BlockRef {
        BlockRef { number, hash: [number as u8; 32] }
    }

    #[test]
    fn the_stored_form_is_read_back_and_damage_is_refused() {
        // A cursor that is read back wrong skips events or repeats them.
        let mut cursor = Cursor::at(block(3));
        (4..200).for_each(|number| cursor.advance(block(number)));
        assert_eq!(cursor.block(), block(199));
        assert_eq!(cursor.history().count(), HISTORY_MAX - 1);
        assert_eq!(Cursor::from_bytes(&cursor.to_bytes()).unwrap(), cursor);
        let rolled = cursor.rolled_back(block(150));
        assert_eq!(rolled.block(), block(150));
        assert_eq!(rolled.history().next(), Some(block(149)));

        let text = String::from_utf8(cursor.to_bytes()).unwrap();
        for bad in ["", "{}", r#"{"blocks":[]}"#, &text.replace("199", "150"), &text[1..]] {
            assert!(Cursor::from_bytes(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
