//! Memory for whole sets of slivers.

use std::fmt;
use std::ops::{Deref, DerefMut};

use memmap2::{MmapMut, MmapOptions};

/// From this size on a buffer is mapped by itself: the system then has it in a few large pages
/// instead of many small ones, and the first touch of each page is what fresh memory costs.
const MAPPED_FROM: usize = 4 << 20;

/// Bytes that are zero at first.
pub(crate) struct Buffer(Kind);

enum Kind {
    Vec(Vec<u8>),
    Mapped(MmapMut),
}

impl Buffer {
    /// `length` zeros.
    pub(crate) fn zeroed(length: usize) -> Self {
        if length >= MAPPED_FROM
            && let Ok(mapped) = MmapOptions::new().len(length).populate().map_anon()
        {
            return Self(Kind::Mapped(mapped));
        }
        Self(Kind::Vec(vec![0; length]))
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Kind::Vec(bytes))
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Vec(bytes) => bytes,
            Kind::Mapped(bytes) => bytes,
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Kind::Vec(bytes) => bytes,
            Kind::Mapped(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}
