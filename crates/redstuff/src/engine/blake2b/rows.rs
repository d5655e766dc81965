//! Which bytes go into which lane.

/// Equally long messages at equal distances.
#[derive(Clone, Copy)]
pub(super) struct Leaves<'a> {
    message_bytes: usize,
    stride: usize,
    messages: &'a [u8],
}

impl<'a> Leaves<'a> {
    /// Checks that `count` messages are there.
    pub(super) fn new(
        message_bytes: usize,
        stride: usize,
        messages: &'a [u8],
        count: usize,
    ) -> Self {
        assert!(message_bytes > 0, "a leaf has at least one byte");
        assert!(stride >= message_bytes, "leaves do not overlap");
        assert!(
            count == 0 || messages.len() >= (count - 1) * stride + message_bytes,
            "{} bytes are too few for {count} leaves of {message_bytes} bytes every {stride}",
            messages.len(),
        );
        Self { message_bytes, stride, messages }
    }

    /// The length of each message.
    pub(super) fn message_bytes(&self) -> usize {
        self.message_bytes
    }

    /// The messages from index `first` on, one a lane. Lanes beyond message `last` repeat it.
    #[inline(always)]
    pub(super) fn rows<const N: usize>(&self, first: usize, last: usize) -> Rows<'a, N> {
        let mut rows = [&[][..]; N];
        for (lane, row) in rows.iter_mut().enumerate() {
            let start = (first + lane).min(last) * self.stride;
            *row = &self.messages[start..][..self.message_bytes];
        }
        Rows {
            rows,
            #[cfg(target_arch = "x86_64")]
            bytes: self.message_bytes,
        }
    }
}

/// As many bytes for each of `N` lanes. Vector kernels rely on all rows being `bytes` long.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, const N: usize> {
    rows: [&'a [u8]; N],
    #[cfg(target_arch = "x86_64")]
    bytes: usize,
}

impl<'a, const N: usize> Rows<'a, N> {
    /// The length of each row.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes for one lane, all of them equally many.
    #[inline(always)]
    pub(super) fn row(&self, lane: usize) -> &'a [u8] {
        self.rows[lane]
    }

    /// The same part of each row.
    #[inline(always)]
    pub(super) fn part(&self, start: usize, bytes: usize) -> Self {
        let mut rows = self.rows;
        for row in &mut rows {
            *row = &row[start..][..bytes];
        }
        Self {
            rows,
            #[cfg(target_arch = "x86_64")]
            bytes,
        }
    }
}
