//! The bytes of a quilt, put together from its files as they are read (section 8.1).

use std::io;
use std::sync::Arc;

use super::QuiltPlan;
use crate::storage::ReadAt;

/// A quilt as the encoder reads it: nothing of its files is copied until it is asked for.
///
/// A pass over the quilt takes at most `p * s` reads of its files, a symbol each.
#[derive(Clone)]
pub struct QuiltSource {
    plan: QuiltPlan,
    blocks: Vec<Block>,
    /// For each column, which block lies there.
    owners: Vec<Option<u16>>,
}

/// The index, or a file with its head: bytes that start at the top of a column.
#[derive(Clone)]
struct Block {
    first_column: u16,
    head: Vec<u8>,
    content: Arc<dyn ReadAt>,
    length: u64,
}

impl QuiltSource {
    /// A planned quilt with the contents of its files, in the order in which they were planned. A content
    /// must stay readable for the planned length; if it is longer, the rest is not looked at.
    ///
    /// # Panics
    /// If there are not as many contents as files were planned.
    pub fn new(plan: QuiltPlan, contents: Vec<Arc<dyn ReadAt>>) -> Self {
        assert_eq!(contents.len(), plan.index().patches().len(), "a content for every file");
        let index = Block {
            first_column: 0,
            head: plan.index().to_block(),
            content: Arc::new([0_u8; 0]),
            length: 0,
        };
        let mut owners = vec![None; plan.shape().columns().into()];
        owners[..plan.index().columns().into()].fill(Some(0));
        let mut blocks = vec![index];
        for (origin, columns, head, length) in plan.blocks() {
            let place = blocks.len() as u16;
            owners[columns.start.into()..columns.end.into()].fill(Some(place));
            let content = Arc::clone(&contents[origin]);
            blocks.push(Block { first_column: columns.start, head, content, length });
        }
        Self { plan, blocks, owners }
    }

    /// What was planned.
    pub fn plan(&self) -> &QuiltPlan {
        &self.plan
    }

    /// Bytes of the quilt.
    pub fn len(&self) -> u64 {
        self.plan.shape().quilt_bytes()
    }

    /// Never: a quilt has an index.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// All bytes of the quilt.
    ///
    /// # Errors
    /// If a file cannot be read or is shorter than planned.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = vec![0; length];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }
}

impl ReadAt for QuiltSource {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let shape = self.plan.shape();
        let (z, row_bytes) = (shape.symbol_size().bytes() as u64, shape.row_bytes() as u64);
        let (mut at, mut rest) = (offset, buffer);
        while !rest.is_empty() {
            let (row, column, within) = (at / row_bytes, at % row_bytes / z, at % z);
            // What is left of this symbol.
            let (symbol, later) = rest.split_at_mut(rest.len().min((z - within) as usize));
            match self.owners[column as usize] {
                Some(owner) => {
                    let block = &self.blocks[usize::from(owner)];
                    let columns_before = column - u64::from(block.first_column);
                    let start = columns_before * shape.column_bytes() as u64 + row * z + within;
                    block.read(start, symbol)?;
                }
                None => symbol.fill(0),
            }
            at += symbol.len() as u64;
            rest = later;
        }
        Ok(())
    }
}

impl Block {
    /// Bytes from `at` on: the head, then the content, then zeros.
    fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let head_bytes = self.head.len() as u64;
        let from_head = head_bytes.saturating_sub(at).min(buffer.len() as u64) as usize;
        let (head, rest) = buffer.split_at_mut(from_head);
        if !head.is_empty() {
            head.copy_from_slice(&self.head[at as usize..][..from_head]);
        }
        let at = (at + from_head as u64).saturating_sub(head_bytes);
        let from_content = self.length.saturating_sub(at).min(rest.len() as u64) as usize;
        let (content, zeros) = rest.split_at_mut(from_content);
        if !content.is_empty() {
            self.content.read_at(at, content)?;
        }
        zeros.fill(0);
        Ok(())
    }
}
