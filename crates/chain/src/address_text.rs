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

/// The same for an address that may be missing.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Error, EvmAddress, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        address: &Option<EvmAddress>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => serializer.collect_str(address),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<EvmAddress>, D::Error> {
        let text = Option::<String>::deserialize(d)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}
