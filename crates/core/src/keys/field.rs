//! Coordinates in the chain's form: 64 bytes, of which the first 16 are zero and the
//! other 48 the number below the field's modulus, big endian (EIP-2537).

/// Bytes of one coordinate in the compact (ZCash) serialisation.
pub(crate) const COMPACT: usize = 48;
/// Bytes of one coordinate in the chain's form.
pub(crate) const WIDE: usize = 64;

/// The modulus of the BLS12-381 base field, big endian.
const MODULUS: [u8; COMPACT] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7,
    0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24,
    0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// Why a coordinate in the chain's form was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The 16 bytes before the number are not all zero.
    #[error("coordinate {index} is not padded with 16 zero bytes")]
    Padding {
        /// Position of the coordinate in the point, from 0.
        index: usize,
    },
    /// The number is not below the field's modulus, so a second encoding of a smaller
    /// number.
    #[error("coordinate {index} is not below the field's modulus")]
    TooLarge {
        /// Position of the coordinate in the point, from 0.
        index: usize,
    },
}

/// Copies coordinates from compact to wide form, taking them from `compact` in the
/// given order.
pub(crate) fn widen<const N: usize>(compact: &[u8], order: &[usize]) -> [u8; N] {
    let mut wide = [0; N];
    for (to, from) in wide.chunks_exact_mut(WIDE).zip(order) {
        to[WIDE - COMPACT..].copy_from_slice(&compact[from * COMPACT..][..COMPACT]);
    }
    wide
}

/// The inverse of [`widen`] for untrusted bytes.
///
/// # Errors
/// A coordinate with non-zero padding, or not below the modulus.
pub(crate) fn narrow<const N: usize>(wide: &[u8], order: &[usize]) -> Result<[u8; N], FieldError> {
    let mut compact = [0; N];
    for (index, (from, to)) in wide.chunks_exact(WIDE).zip(order).enumerate() {
        let (padding, number) = from.split_at(WIDE - COMPACT);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(FieldError::Padding { index });
        }
        if number >= MODULUS.as_slice() {
            return Err(FieldError::TooLarge { index });
        }
        compact[to * COMPACT..][..COMPACT].copy_from_slice(number);
    }
    Ok(compact)
}
