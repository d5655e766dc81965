//! What a unit of gas costs now.

use crate::{abi::Plain, client::ChainClient, endpoints::RpcError, error::ReadError};

impl ChainClient {
    /// Wei for a unit of gas: the newest block's base fee and the suggested priority fee. What
    /// a transaction pays in the end depends on the block it gets into.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn gas_price(&self) -> Result<u128, ReadError> {
        let base: u128 =
            self.endpoints().latest().await?.base_fee_per_gas.unwrap_or_default().plain();
        let priority = match self.endpoints().priority_fee().await {
            Ok(fee) => fee,
            // Not every chain has the method.
            Err(RpcError::Refused { .. }) => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(base.saturating_add(priority))
    }
}
