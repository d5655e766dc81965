//! `walrus gateway`

use serde_json::json;
use walrus_chain::{ChainWriter, SendConfig};
use walrus_env::Env;
use walrus_gateway::{GatewayConfig, Limits, Roles, StartError};

use crate::{
    args::{GatewayArgs, Global},
    client,
    config::GatewaySection,
    failure::{Failure, Kind, Outcome},
    output::Output,
    session::Session,
    signals,
};

/// Where a gateway listens when nobody says so, as on the public network.
pub const DEFAULT_PORT: u16 = 31415;

/// Runs `walrus gateway`.
pub async fn run(env: &Env, global: &Global, arguments: &GatewayArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let section = session.context.gateway.clone().unwrap_or_default();
    let config = configure(&session, &section, arguments);
    let wallets = match config.roles.publisher {
        true => {
            let wallet = session.wallet().await?;
            vec![ChainWriter::new(session.chain.clone(), wallet, SendConfig::default())]
        }
        false => Vec::new(),
    };
    let roles = config.roles;
    let gateway = walrus_gateway::start(env, client::open(&session), wallets, config).await?;
    let url = format!("http://{}", gateway.address());
    let report = json!({
        "address": gateway.address(),
        "url": url,
        "roles": {
            "aggregator": roles.aggregator, "publisher": roles.publisher,
            "relay": roles.relay, "page": roles.page,
        },
    });
    output.result(&report, |_| format!("The gateway listens on {url}; Ctrl-C stops it."));
    signals::wait_for_stop().await;
    output.remark("stopping …");
    gateway.shutdown().await;
    Ok(())
}

fn configure(
    session: &Session,
    section: &GatewaySection,
    arguments: &GatewayArgs,
) -> GatewayConfig {
    let GatewayArgs { aggregator, publisher, relay, page, .. } = *arguments;
    let named = Roles { aggregator, publisher, relay, page };
    let roles = if aggregator || publisher || relay || page { named } else { Roles::ALL };
    let bind = arguments.bind.clone().or_else(|| section.bind.clone());
    let mut limits = Limits::default();
    if let Some(bytes) = arguments.max_upload_bytes.or(section.max_upload_bytes) {
        limits.max_upload_bytes = bytes;
    }
    let directory = arguments.dir.clone().or_else(|| section.dir.clone());
    GatewayConfig {
        bind: bind.unwrap_or_else(|| format!("127.0.0.1:{DEFAULT_PORT}")),
        roles,
        directory: directory.unwrap_or_else(|| client::state_directory(session).join("gateway")),
        development_key: None,
        limits,
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let failure = Self::new(Kind::Usage, error);
        match failure.cause.downcast_ref() {
            Some(StartError::Bind { .. }) => failure.hint("choose another address with --bind"),
            _ => failure,
        }
    }
}
