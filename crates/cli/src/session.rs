//! A command's way to its network: the chosen context, the chain, the wallet.

use std::path::Path;

use walrus_chain::{
    ChainClient, ChainWriter, DeployError, Deployment, Endpoints, EndpointsConfig, EndpointsError,
    ProbeError, ReadError, RpcError, SendConfig, Wallet, WriteError,
};
use walrus_env::Env;
use zeroize::Zeroizing;

use crate::{
    args::Global,
    config::{self, Context},
    failure::{Failure, Kind},
};

/// An open connection to the network of one context.
pub struct Session {
    /// The door to the outside.
    pub env: Env,
    /// The context's name.
    pub name: String,
    /// The context.
    pub context: Context,
    /// The network's contracts.
    pub chain: ChainClient,
}

impl Session {
    /// Opens the context the user chose and checks that its network is there.
    pub async fn open(env: &Env, global: &Global) -> Result<Self, Failure> {
        let (name, context) = config::context(global)?;
        let deployment = read_deployment(&context.deployment)?;
        let chain = connect(env, &context.rpc, deployment).await?;
        Ok(Self { env: env.clone(), name, context, chain })
    }

    /// The wallet of the context.
    pub async fn wallet(&self) -> Result<Wallet, Failure> {
        let Context { keystore, password_file, .. } = &self.context;
        wallet(&self.env, keystore.as_deref(), password_file.as_deref()).await
    }

    /// The writing side of the chain, with the context's wallet.
    pub async fn writer(&self) -> Result<ChainWriter, Failure> {
        Ok(ChainWriter::new(self.chain.clone(), self.wallet().await?, SendConfig::default()))
    }
}

/// Connects to a network's contracts.
pub async fn connect(
    env: &Env,
    rpc: &[String],
    deployment: Deployment,
) -> Result<ChainClient, Failure> {
    let endpoints = Endpoints::new(env, rpc, EndpointsConfig::default())?;
    Ok(ChainClient::connect(endpoints, deployment).await?)
}

/// Reads the description of a deployment.
pub fn read_deployment(path: &Path) -> Result<Deployment, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
            .hint("`walrus chain deploy` writes this file; operators publish it for their network")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::message(Kind::Usage, format!("{} is not valid: {error}", path.display()))
    })
}

/// A wallet from an encrypted keystore, or from the environment.
pub async fn wallet(
    env: &Env,
    keystore: Option<&Path>,
    password_file: Option<&Path>,
) -> Result<Wallet, Failure> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(keystore) = keystore else {
        let key = variable("WALRUS_PRIVATE_KEY").map(Zeroizing::new).ok_or_else(|| {
            Failure::message(Kind::Usage, "no wallet").hint(
                "name an encrypted keystore in the configuration, or put a key in WALRUS_PRIVATE_KEY",
            )
        })?;
        return Wallet::from_hex(&key).map_err(|error| Failure::new(Kind::Usage, error));
    };
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| {
            Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
        })
    };
    let password = match password_file {
        Some(path) => Zeroizing::new(String::from_utf8_lossy(&read(path)?).trim_end().to_owned()),
        None => variable("WALRUS_PASSWORD").map(Zeroizing::new).ok_or_else(|| {
            Failure::message(Kind::Usage, "no password for the keystore")
                .hint("name a password_file in the configuration, or set WALRUS_PASSWORD")
        })?,
    };
    Wallet::from_keystore(env, read(keystore)?, password).await.map_err(|error| {
        Failure::new(Kind::Usage, error).hint(format!("the keystore is {}", keystore.display()))
    })
}

impl From<EndpointsError> for Failure {
    fn from(error: EndpointsError) -> Self {
        Self::new(Kind::Usage, error)
    }
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        if let RpcError::WrongChain { .. } = error {
            return Self::new(Kind::Usage, error)
                .hint("the RPC address and the deployment file belong to different networks");
        }
        let hint = "check that the chain's RPC address is right and running, then try again";
        Self::new(Kind::Unavailable, error).hint(hint)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Rpc(error) => error.into(),
            ReadError::Contract(_) => Self::new(Kind::Refused, error),
            ReadError::NoContract { .. } => Self::new(Kind::Usage, error)
                .hint("use the deployment file that belongs to this chain"),
            other => Self::new(Kind::Failed, other),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        match &error {
            WriteError::Rpc { source, .. } => {
                let inner = Self::from(source.clone());
                Self { cause: error.into(), ..inner }
            }
            WriteError::Read { source, .. } => {
                let inner = Self::from(source.clone());
                Self { cause: error.into(), ..inner }
            }
            WriteError::InsufficientFunds { account, .. } => {
                let hint = format!(
                    "send gas money to {account}; on a network of your own: `walrus chain fund {account}`"
                );
                Self::new(Kind::Refused, error).hint(hint)
            }
            WriteError::Contract { .. } => Self::new(Kind::Refused, error),
            _ => Self::new(Kind::Unavailable, error),
        }
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        Self::new(Kind::Refused, error)
            .hint("use a chain with the Prague precompiles and the EIP-2935 history contract")
    }
}

impl From<DeployError> for Failure {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Rpc(error) => error.into(),
            DeployError::Probe(error) => error.into(),
            DeployError::Write(error) => error.into(),
            DeployError::Wiring(error) => error.into(),
            other => Self::new(Kind::Failed, other),
        }
    }
}
