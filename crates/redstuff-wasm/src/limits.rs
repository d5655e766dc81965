//! How large a file may be.

use walrus_redstuff::{DataTooLarge, StreamEncoder};

/// The largest file: half of it must fit into a browser's memory.
pub const MOST_BYTES: u64 = 2 << 30;

/// The most that files of a quilt have together: all of them are in memory at once.
pub const MOST_QUILT_BYTES: u64 = 256 << 20;

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// Above [`MOST_BYTES`].
    #[error(
        "a browser computes blob ids of files up to 2 GiB; use the walrus command for this one"
    )]
    Browser,
    /// Above [`MOST_QUILT_BYTES`].
    #[error(
        "a browser lays out quilts of files up to 256 MiB together; use the walrus command for these"
    )]
    Quilt,
    /// What must be put aside does not fit into memory.
    #[error("this browser has not enough memory for a file of this size; use the walrus command")]
    Memory,
    /// The network has no room for a blob of this size.
    #[error(transparent)]
    Network(#[from] DataTooLarge),
    /// Not a number of bytes.
    #[error("the size is not a number of bytes")]
    NotASize,
}

/// A length as JavaScript says it.
pub(crate) fn length(size: f64) -> Result<u64, TooLarge> {
    if !(size >= 0.0 && size.fract() == 0.0) {
        return Err(TooLarge::NotASize);
    }
    if size > MOST_BYTES as f64 { Err(TooLarge::Browser) } else { Ok(size as u64) }
}

/// Whether files of so many bytes can become a quilt.
pub(crate) fn of_quilt(bytes: u64) -> Result<(), TooLarge> {
    if bytes > MOST_QUILT_BYTES { Err(TooLarge::Quilt) } else { Ok(()) }
}

/// How many bytes are put aside for a file of `length` bytes.
///
/// # Errors
/// [`TooLarge`] when the network or the memory has no room for so many.
pub fn put_aside(encoder: &StreamEncoder, length: u64) -> Result<usize, TooLarge> {
    let bytes = encoder.metadata_spill_bytes(length)?;
    usize::try_from(bytes).map_err(|_| TooLarge::Memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_are_none_or_too_large_are_refused_before_memory_is_taken() {
        // A tab that is killed for its memory loses what was typed into it.
        assert_eq!(length(0.0), Ok(0));
        assert_eq!(length(MOST_BYTES as f64), Ok(MOST_BYTES));
        assert_eq!(length(MOST_BYTES as f64 + 1.0), Err(TooLarge::Browser));
        assert_eq!(length(f64::INFINITY), Err(TooLarge::NotASize));
        assert_eq!(of_quilt(MOST_QUILT_BYTES), Ok(()));
        assert_eq!(of_quilt(MOST_QUILT_BYTES + 1), Err(TooLarge::Quilt));
        for bad in [-1.0, 0.5, f64::NAN] {
            assert_eq!(length(bad), Err(TooLarge::NotASize));
        }
    }
}
