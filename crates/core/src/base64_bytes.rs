//! Message bytes in JSON: standard base64 with padding, bounded.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

use crate::MAX_MESSAGE_LEN;

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
    let text = Cow::<'de, str>::deserialize(input)?;
    if text.len() > MAX_MESSAGE_LEN.div_ceil(3) * 4 {
        return Err(D::Error::custom(format!("a message has at most {MAX_MESSAGE_LEN} bytes")));
    }
    let bytes = STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)?;
    if bytes.len() > MAX_MESSAGE_LEN {
        return Err(D::Error::custom(format!("a message has at most {MAX_MESSAGE_LEN} bytes")));
    }
    Ok(bytes)
}
