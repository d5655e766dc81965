//! Work memory.

use std::fmt;

use super::kernel::Block;

/// Work memory that grows on demand and is used again; one for each thread.
#[derive(Default)]
pub(crate) struct Scratch {
    blocks: Vec<Block>,
}

impl Scratch {
    /// That many blocks with any contents.
    pub(super) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.blocks.len() < count {
            self.blocks.resize(count, Block([0; 64]));
        }
        &mut self.blocks[..count]
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("blocks", &self.blocks.len()).finish()
    }
}
