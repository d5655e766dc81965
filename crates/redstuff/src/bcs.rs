//! The serialised form of everything in this protocol: a bounded, canonical reader and a writer.
//!
//! The rules are those of docs/protocol/encoding.md, "BCS reminders": structures are their fields in
//! order, integers are fixed little-endian, sequences and byte vectors are a ULEB128 count followed by
//! their elements, enums are a ULEB128 variant index followed by the variant's fields, and maps are
//! sorted by their serialised keys.
//!
//! The reader never allocates: it hands out slices of its input, and every count is compared with what
//! the caller allows and with the bytes left before anything is reserved for it.

/// The largest count a sequence may declare.
const MAX_LENGTH: u32 = (1 << 31) - 1;

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BcsError {
    /// The input ended inside a value.
    #[error("input ends early: {needed} more bytes needed, {left} left")]
    UnexpectedEnd {
        /// Bytes the next value needs.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Bytes follow the value.
    #[error("{left} bytes follow the value")]
    TrailingBytes {
        /// How many bytes follow.
        left: usize,
    },
    /// A ULEB128 number was not in its shortest form.
    #[error("a variable-length number is not in its shortest form")]
    NonCanonicalNumber,
    /// A ULEB128 number does not fit 32 bits.
    #[error("a variable-length number is above 2^32 - 1")]
    NumberTooLarge,
    /// A count is above what the format or the caller allows.
    #[error("a count of {got} is above the allowed {max}")]
    CountTooLarge {
        /// The largest count allowed here.
        max: usize,
        /// The declared count.
        got: usize,
    },
    /// A count differs from the only right one.
    #[error("a count of {got} where exactly {expected} are needed")]
    WrongCount {
        /// The count needed.
        expected: usize,
        /// The declared count.
        got: usize,
    },
    /// An enum has no such variant.
    #[error("{what} has no variant {got}")]
    UnknownVariant {
        /// The enum's name.
        what: &'static str,
        /// The variant index found.
        got: u32,
    },
    /// A value is outside its type's range.
    #[error("{got} is not a valid {what}")]
    InvalidValue {
        /// What was being read.
        what: &'static str,
        /// The value found.
        got: u64,
    },
    /// The whole input is longer than any valid value of its type.
    #[error("input of {got} bytes is longer than the allowed {max}")]
    TooLong {
        /// The longest form allowed.
        max: usize,
        /// The input's length.
        got: usize,
    },
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    NotUtf8,
    /// The keys of a map are repeated or out of order.
    #[error("the keys of a map are not in strictly ascending order")]
    MapOrder,
}

/// Reads values from the front of a byte slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Starts at the first byte of `bytes` after checking that there are at most `max` of them.
    ///
    /// # Errors
    /// [`BcsError::TooLong`].
    pub fn bounded(bytes: &'a [u8], max: usize) -> Result<Self, BcsError> {
        if bytes.len() > max {
            return Err(BcsError::TooLong { max, got: bytes.len() });
        }
        Ok(Self::new(bytes))
    }

    /// The number of bytes not yet read.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Ends the reading of a top-level value.
    ///
    /// # Errors
    /// [`BcsError::TrailingBytes`] if anything is left.
    pub fn finish(self) -> Result<(), BcsError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(BcsError::TrailingBytes { left }),
        }
    }

    /// Takes the next `count` bytes as they are.
    ///
    /// # Errors
    /// [`BcsError::UnexpectedEnd`].
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], BcsError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(BcsError::UnexpectedEnd { needed: count, left: self.rest.len() });
        };
        self.rest = rest;
        Ok(taken)
    }

    /// Takes a fixed array, which has no length prefix.
    ///
    /// # Errors
    /// [`BcsError::UnexpectedEnd`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BcsError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`BcsError::UnexpectedEnd`].
    pub fn u8(&mut self) -> Result<u8, BcsError> {
        Ok(self.array::<1>()?[0])
    }

    /// Reads a little-endian `u16`.
    ///
    /// # Errors
    /// [`BcsError::UnexpectedEnd`].
    pub fn u16(&mut self) -> Result<u16, BcsError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Reads a little-endian `u32`.
    ///
    /// # Errors
    /// [`BcsError::UnexpectedEnd`].
    pub fn u32(&mut self) -> Result<u32, BcsError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Reads a little-endian `u64`.
    ///
    /// # Errors
    /// [`BcsError::UnexpectedEnd`].
    pub fn u64(&mut self) -> Result<u64, BcsError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Reads a boolean, which is one byte, 0 or 1.
    ///
    /// # Errors
    /// [`BcsError::InvalidValue`] for any other byte.
    pub fn bool(&mut self) -> Result<bool, BcsError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            got => Err(BcsError::InvalidValue { what: "boolean", got: got.into() }),
        }
    }

    /// Reads an unsigned LEB128 number: at most five bytes, shortest form, at most `2^32 - 1`.
    ///
    /// # Errors
    /// [`BcsError::NonCanonicalNumber`], [`BcsError::NumberTooLarge`] or [`BcsError::UnexpectedEnd`].
    pub fn uleb(&mut self) -> Result<u32, BcsError> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(BcsError::NonCanonicalNumber);
                }
                return u32::try_from(value).map_err(|_| BcsError::NumberTooLarge);
            }
        }
        Err(BcsError::NumberTooLarge)
    }

    /// Reads the count of a sequence of at most `max` elements that each take at least
    /// `element_bytes`, so that the caller may reserve that many.
    ///
    /// # Errors
    /// [`BcsError::CountTooLarge`], [`BcsError::UnexpectedEnd`] or an error of [`Self::uleb`].
    pub fn count(&mut self, max: usize, element_bytes: usize) -> Result<usize, BcsError> {
        let declared = self.uleb()?;
        let count = declared as usize;
        if declared > MAX_LENGTH || count > max {
            let max = max.min(MAX_LENGTH as usize);
            return Err(BcsError::CountTooLarge { max, got: count });
        }
        let needed = count.saturating_mul(element_bytes);
        if needed > self.left() {
            return Err(BcsError::UnexpectedEnd { needed, left: self.left() });
        }
        Ok(count)
    }

    /// Reads the count of a sequence that must have exactly `expected` elements of at least
    /// `element_bytes` each.
    ///
    /// # Errors
    /// [`BcsError::WrongCount`] or an error of [`Self::count`].
    pub fn exact_count(&mut self, expected: usize, element_bytes: usize) -> Result<(), BcsError> {
        let got = self.uleb()? as usize;
        if got != expected {
            return Err(BcsError::WrongCount { expected, got });
        }
        let needed = expected.saturating_mul(element_bytes);
        if needed > self.left() {
            return Err(BcsError::UnexpectedEnd { needed, left: self.left() });
        }
        Ok(())
    }

    /// Reads a byte vector of at most `max` bytes.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], BcsError> {
        let count = self.count(max, 1)?;
        self.take(count)
    }

    /// Reads a string of at most `max` bytes.
    ///
    /// # Errors
    /// [`BcsError::NotUtf8`] or an error of [`Self::count`].
    pub fn string(&mut self, max: usize) -> Result<&'a str, BcsError> {
        std::str::from_utf8(self.bytes(max)?).map_err(|_| BcsError::NotUtf8)
    }
}

/// Appends values to a byte vector.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Starts empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts empty with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// Hands out what was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends bytes as they are: fixed arrays and values already serialised.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Appends a little-endian `u16`.
    pub fn u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    /// Appends a little-endian `u32`.
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    /// Appends a little-endian `u64`.
    pub fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    /// Appends a boolean as one byte.
    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Appends an unsigned LEB128 number in its shortest form.
    pub fn uleb(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// Appends the count of a sequence.
    ///
    /// # Panics
    /// If `count` is above `2^31 - 1`, which no reader accepts.
    pub fn count(&mut self, count: usize) {
        let count = u32::try_from(count).ok().filter(|count| *count <= MAX_LENGTH);
        self.uleb(count.expect("sequences of this protocol have fewer than 2^31 elements"));
    }

    /// Appends a byte vector with its length.
    ///
    /// # Panics
    /// As [`Self::count`].
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }
}

/// The number of bytes that [`Writer::uleb`] writes for `value`.
pub const fn uleb_len(value: usize) -> usize {
    let bits = usize::BITS - value.leading_zeros();
    if bits == 0 { 1 } else { bits.div_ceil(7) as usize }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// If this failed, a number would have two forms or the wrong one.
    #[test]
    fn numbers_have_one_form() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 1 << 21, u32::MAX] {
            let mut writer = Writer::new();
            writer.uleb(value);
            let bytes = writer.finish();
            assert_eq!(bytes.len(), uleb_len(value as usize));
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.uleb().unwrap(), value);
            reader.finish().unwrap();
        }
        let refused: [(&[u8], BcsError); 5] = [
            (&[0x80, 0x00], BcsError::NonCanonicalNumber),
            (&[0xff, 0x80, 0x00], BcsError::NonCanonicalNumber),
            (&[0xff, 0xff, 0xff, 0xff, 0x10], BcsError::NumberTooLarge),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01], BcsError::NumberTooLarge),
            (&[0x80], BcsError::UnexpectedEnd { needed: 1, left: 0 }),
        ];
        for (bytes, error) in refused {
            assert_eq!(Reader::new(bytes).uleb(), Err(error), "{bytes:02x?}");
        }
    }

    /// If this failed, a declared count could make the caller reserve memory nobody sent.
    #[test]
    fn counts_are_bounded_by_limit_and_input() {
        let mut reader = Reader::new(&[5, 0, 0]);
        assert_eq!(reader.count(4, 0), Err(BcsError::CountTooLarge { max: 4, got: 5 }));
        let mut reader = Reader::new(&[5, 0, 0]);
        assert_eq!(reader.bytes(9), Err(BcsError::UnexpectedEnd { needed: 5, left: 2 }));
        let mut reader = Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x08]);
        assert!(matches!(reader.count(usize::MAX, 0), Err(BcsError::CountTooLarge { .. })));
        let mut reader = Reader::new(&[2]);
        assert_eq!(reader.exact_count(3, 1), Err(BcsError::WrongCount { expected: 3, got: 2 }));
    }
}
