//! Blobs of any size in bounded memory: [`StreamEncoder`] and [`StreamDecoder`].

mod decode;
mod encode;

pub use decode::{DecodeStreamError, StreamDecoder};
pub use encode::{EncodeStreamError, StreamEncoder, StreamedBlob};
