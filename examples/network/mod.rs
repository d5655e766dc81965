//! How every example reaches its network: an RPC address, a deployment file, a key.

use std::error::Error;

use walrus_chain::{
    ChainClient, ChainWriter, Deployment, Endpoints, EndpointsConfig, SendConfig, Wallet,
};
use walrus_sdk::{Client, ClientConfig};

/// Connects to the network that the environment names:
///
/// - `WALRUS_RPC`: JSON-RPC address of the chain, such as `http://127.0.0.1:8545`,
/// - `WALRUS_DEPLOYMENT`: file that describes the contracts, as `walrus chain deploy` and
///   `walrus local` write it,
/// - `WALRUS_PRIVATE_KEY`: key of the account that pays, 64 hex digits.
///
/// The first value reads and stores, the second signs what costs money.
pub(crate) async fn connect() -> Result<(Client, ChainWriter), Box<dyn Error>> {
    // The only door to network, disk, clock and randomness. A simulation has another one.
    let env = walrus_env::real::env();
    let rpc = std::env::var("WALRUS_RPC").map_err(|_| "WALRUS_RPC is not set")?;
    let file = std::env::var("WALRUS_DEPLOYMENT").map_err(|_| "WALRUS_DEPLOYMENT is not set")?;
    let key = std::env::var("WALRUS_PRIVATE_KEY").map_err(|_| "WALRUS_PRIVATE_KEY is not set")?;

    let deployment: Deployment = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let endpoints = Endpoints::new(&env, &[rpc], EndpointsConfig::default())?;
    let chain = ChainClient::connect(endpoints, deployment).await?;
    let writer = ChainWriter::new(chain.clone(), Wallet::from_hex(&key)?, SendConfig::default());
    Ok((Client::new(chain, ClientConfig::default()), writer))
}
