//! Many files laid out as one blob, for a page whose user pays: what the relay is sent must be the quilt.

use std::sync::Arc;

use walrus_redstuff::quilt::{FileOutline, QuiltPlan, QuiltSource, Tags};
use walrus_redstuff::{EncodingParams, ReadAt};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use crate::limits::{self, TooLarge};
use crate::{UNREADABLE, read_file};

/// Files that are to lie together.
#[wasm_bindgen]
#[derive(Debug)]
pub struct QuiltFiles {
    params: EncodingParams,
    files: Vec<FileOutline>,
}

#[wasm_bindgen]
impl QuiltFiles {
    /// None yet, for a network of `n_shards`.
    ///
    /// # Errors
    /// When there are no such networks.
    #[wasm_bindgen(constructor)]
    pub fn new(n_shards: u16) -> Result<Self, JsError> {
        Ok(Self { params: EncodingParams::new(n_shards)?, files: Vec::new() })
    }

    /// One more, of `size` bytes, with a value for each key.
    ///
    /// # Errors
    /// When `size` is no length, or the tags are not unique or too long.
    pub fn add(
        &mut self,
        identifier: String,
        keys: Vec<String>,
        values: Vec<String>,
        size: f64,
    ) -> Result<(), JsError> {
        let (tags, length) = (Tags::new(keys.iter().zip(&values))?, limits::length(size)?);
        self.files.push(FileOutline { identifier, tags, length });
        Ok(())
    }

    /// Lays them out. `source.js` reads them one after the other, in the order in which they were added; they
    /// stay in memory.
    ///
    /// # Errors
    /// A sentence for the reader, when they are too many or too large, two have the same name, a name cannot
    /// be one, or a file cannot be read.
    pub fn lay_out(self) -> Result<Quilt, JsError> {
        let lengths: Vec<u64> = self.files.iter().map(|file| file.length).collect();
        limits::of_quilt(lengths.iter().sum())?;
        let plan = QuiltPlan::new(self.params, self.files)?;
        let mut contents: Vec<Arc<dyn ReadAt>> = Vec::with_capacity(lengths.len());
        let mut offset = 0;
        for length in lengths {
            let mut content = Vec::new();
            content.try_reserve_exact(length as usize).map_err(|_| TooLarge::Memory)?;
            content.resize(length as usize, 0);
            if length > 0 {
                read_file(offset, &mut content).map_err(|_| JsError::new(UNREADABLE))?;
            }
            contents.push(Arc::new(content));
            offset += length;
        }
        Ok(Quilt { source: QuiltSource::new(plan, contents) })
    }
}

/// A quilt, read a piece at a time.
#[wasm_bindgen]
pub struct Quilt {
    source: QuiltSource,
}

#[wasm_bindgen]
impl Quilt {
    /// Its length in bytes.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> f64 {
        self.source.len() as f64
    }

    /// `length` of its bytes from `offset` on.
    ///
    /// # Errors
    /// When there are not so many.
    pub fn read(&self, offset: f64, length: u32) -> Result<Vec<u8>, JsError> {
        let mut bytes = vec![0; length as usize];
        self.source.read_at(limits::length(offset)?, &mut bytes)?;
        Ok(bytes)
    }
}

impl std::fmt::Debug for Quilt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quilt").field("size", &self.source.len()).finish_non_exhaustive()
    }
}
