//! Addresses as text in JSON and TOML, for `#[serde(with = "...")]`.

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use walrus_core::EvmAddress;

pub(crate) fn serialize<S: Serializer>(
    address: &EvmAddress,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(address)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<EvmAddress, D::Error> {
    String::deserialize(d)?.parse().map_err(D::Error::custom)
}
