//! What a browser needs of the encoding: the blob id of a file, and what the contract asks for at its
//! registration.
//!
//! A page that lets somebody's own wallet pay must know the blob id before a gateway has seen the file,
//! and one that checks a download must compute the id of what arrived. Both run [`compute`] in a worker of
//! their own. The file is read in pieces through the module `source.js`, which has the browser's API; what
//! must be put aside stays in the module's memory. How the artifact is made: `crates/gateway/page/vendor`.
//!
//! [`QuiltFiles`] lays out many files as one blob first.
//!
//! Outside of a browser only [`Window`] and the limits have anything to do.

mod limits;
mod quilt;
mod window;

use std::io;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use walrus_redstuff::{EncodeStreamError, EncodingParams, Memory, StreamEncoder, Workers};
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

pub use limits::{MOST_BYTES, MOST_QUILT_BYTES, TooLarge, put_aside};
pub use quilt::{Quilt, QuiltFiles};
pub use window::Window;

/// Bytes of the file that [`sha256`] has in memory.
const HASHED_AT_ONCE: usize = 1 << 20;

const UNREADABLE: &str = "the file cannot be read; perhaps it changed";

#[wasm_bindgen(raw_module = "../js/source.js")]
extern "C" {
    /// Fills `into` with the bytes of the file from `offset` on.
    #[wasm_bindgen(catch)]
    fn read(offset: f64, into: &mut [u8]) -> Result<(), JsValue>;

    /// Is told how many bytes are done.
    fn progress(done: f64);
}

/// Reads through `source.js`.
fn read_file(offset: u64, into: &mut [u8]) -> io::Result<()> {
    read(offset as f64, into).map_err(|_| io::ErrorKind::UnexpectedEof.into())
}

/// What names a file, and what its registration needs.
#[wasm_bindgen]
#[derive(Debug, Clone)]
pub struct Identity {
    blob_id: String,
    root_hash: Vec<u8>,
    encoding_type: u8,
    size: f64,
    encoded_size: f64,
}

#[wasm_bindgen]
impl Identity {
    /// The blob id in its text form.
    #[wasm_bindgen(getter)]
    pub fn blob_id(&self) -> String {
        self.blob_id.clone()
    }

    /// The root over all slivers: 32 bytes.
    #[wasm_bindgen(getter)]
    pub fn root_hash(&self) -> Vec<u8> {
        self.root_hash.clone()
    }

    /// The encoding type as its byte on the chain.
    #[wasm_bindgen(getter)]
    pub fn encoding_type(&self) -> u8 {
        self.encoding_type
    }

    /// The file's length in bytes.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> f64 {
        self.size
    }

    /// What it takes on all nodes together, in bytes.
    #[wasm_bindgen(getter)]
    pub fn encoded_size(&self) -> f64 {
        self.encoded_size
    }
}

/// What a relay's tip is bound to: SHA-256 of the first `size` bytes that `source.js` reads.
///
/// # Errors
/// As [`compute`].
#[wasm_bindgen]
pub fn sha256(size: f64) -> Result<Vec<u8>, JsError> {
    let length = limits::length(size)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; HASHED_AT_ONCE.min(length as usize)];
    for offset in (0..length).step_by(HASHED_AT_ONCE) {
        let bytes = &mut piece[..HASHED_AT_ONCE.min((length - offset) as usize)];
        read_file(offset, bytes).map_err(|_| JsError::new(UNREADABLE))?;
        hasher.update(bytes);
    }
    Ok(hasher.finalize().to_vec())
}

/// Computes the blob id of the first `size` bytes that `source.js` reads, for a network of `n_shards`.
///
/// Memory: half of `size`, and some 100 MiB.
///
/// # Errors
/// A sentence for the reader, when `size` is no length or above [`MOST_BYTES`], when there are no such
/// networks, or when the file or the memory fails.
#[wasm_bindgen]
pub fn compute(n_shards: u16, size: f64) -> Result<Identity, JsError> {
    let length = limits::length(size)?;
    let params = EncodingParams::new(n_shards)?;
    let encoder = StreamEncoder::new(params, Workers::none());
    let aside = put_aside(&encoder, length)?;
    let spill = Memory::with_capacity(aside).map_err(|_| TooLarge::Memory)?;
    let source = Window::new(params, length, read_file)?;
    let told = |done| progress(done as f64);
    let found = encoder.compute_metadata(Arc::new(source), length, Arc::new(spill), &told);
    let metadata = found.map_err(|error| match error {
        EncodeStreamError::Source(_) => JsError::new(UNREADABLE),
        error => error.into(),
    })?;
    Ok(Identity {
        blob_id: metadata.blob_id().to_string(),
        root_hash: metadata.root_hash().as_bytes().to_vec(),
        encoding_type: metadata.metadata().encoding_type().as_u8(),
        size,
        encoded_size: params.encoded_blob_length(length)? as f64,
    })
}
