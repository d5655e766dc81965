//! `walrus gateway`

use std::{path::Path, time::Duration};

use serde_json::json;
use walrus_chain::{ChainWriter, SendConfig};
use walrus_env::Env;
use walrus_gateway::{
    ForwardedBy, GatewayConfig, Limits, Roles, Senders, StartError, TipConfig, TipKind, TokenConfig,
};

use crate::{
    args::{GatewayArgs, Global},
    client,
    config::{ForwardedHeader, GatewaySection, SendersSection, TipSection, TokenSection},
    failure::{Failure, Kind, Outcome},
    output::Output,
    session::{self, Session},
    signals,
};

/// Where a gateway listens when nobody says so, as on the public network.
pub const DEFAULT_PORT: u16 = 31415;
/// How far the time of a tip may lie ahead of this machine's.
const TIP_AHEAD: Duration = Duration::from_secs(30);

/// Runs `walrus gateway`.
pub async fn run(env: &Env, global: &Global, arguments: &GatewayArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let section = session.context.gateway.clone().unwrap_or_default();
    let config = configure(&session, &section, arguments)?;
    let wallets = match config.roles.publisher {
        true => wallets(&session, &section).await?,
        false => Vec::new(),
    };
    let (roles, accounts) = (config.roles, wallets.len());
    let domain = config.sites_domain.as_ref().map(ToString::to_string);
    let client = client::for_gateway(&session);
    let gateway = walrus_gateway::start(env, client, wallets, config).await?;
    let url = format!("http://{}", gateway.address());
    let report = json!({
        "address": gateway.address(),
        "url": url,
        "metrics": gateway.metrics_address(),
        "sites_domain": domain,
        "accounts": accounts,
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

/// The context's account, and those that the gateway's section adds.
async fn wallets(session: &Session, section: &GatewaySection) -> Result<Vec<ChainWriter>, Failure> {
    let writer = |wallet| ChainWriter::new(session.chain.clone(), wallet, SendConfig::default());
    let mut writers = vec![writer(session.wallet().await?)];
    for keystore in &section.keystores {
        let password = session.context.password_file.as_deref();
        writers.push(writer(session::wallet(&session.env, Some(keystore), password).await?));
    }
    Ok(writers)
}

fn configure(
    session: &Session,
    section: &GatewaySection,
    arguments: &GatewayArgs,
) -> Result<GatewayConfig, Failure> {
    let GatewayArgs { aggregator, publisher, relay, page, .. } = *arguments;
    let named = Roles { aggregator, publisher, relay, page };
    let bind = arguments.bind.clone().or_else(|| section.bind.clone());
    let bind = bind.unwrap_or_else(|| format!("127.0.0.1:{DEFAULT_PORT}"));
    let directory = arguments.dir.clone().or_else(|| section.dir.clone());
    let directory = directory.unwrap_or_else(|| client::state_directory(session).join("gateway"));
    let secret = arguments.jwt_secret_file.as_ref().map(|file| TokenSection::of_secret(file));
    let tokens = secret.as_ref().or(section.tokens.as_ref()).map(tokens).transpose()?;
    let mut config = GatewayConfig::new(bind, directory);
    if aggregator || publisher || relay || page {
        config.roles = named;
    }
    config.tokens = tokens;
    config.open_to_pages = arguments.open_to_pages || section.open_to_pages;
    config.tip = section.tip.as_ref().map(tip).transpose()?;
    let domain = arguments.sites_domain.as_ref().or(section.sites_domain.as_ref());
    let domain = domain.map(|domain| domain.parse()).transpose();
    config.sites_domain = domain.map_err(|error| Failure::new(Kind::Usage, error))?;
    config.metrics_bind = arguments.metrics.clone().or_else(|| section.metrics.clone());
    if let Some(allowed) = &section.allowed_headers {
        config.allowed_headers = allowed.iter().map(|name| name.to_ascii_lowercase()).collect();
    }
    if let Some(senders) = &section.senders {
        config.senders = senders.into();
    }
    limits(&mut config.limits, section, arguments);
    Ok(config)
}

fn limits(limits: &mut Limits, section: &GatewaySection, arguments: &GatewayArgs) {
    let set = |limit: &mut u64, value: Option<u64>| *limit = value.unwrap_or(*limit);
    set(&mut limits.max_upload_bytes, arguments.max_upload_bytes.or(section.max_upload_bytes));
    set(&mut limits.max_quilt_bytes, section.max_quilt_bytes);
    set(&mut limits.max_relay_bytes, section.max_relay_bytes);
    set(&mut limits.max_blob_bytes, section.max_blob_bytes);
    set(&mut limits.cache_bytes, arguments.cache_bytes.or(section.cache_bytes));
    set(&mut limits.spool_bytes, section.spool_bytes);
    limits.max_epochs = section.max_epochs.unwrap_or(limits.max_epochs);
}

fn tokens(section: &TokenSection) -> Result<TokenConfig, Failure> {
    let file = &section.key_file;
    let mut key = std::fs::read(file).map_err(|error| {
        Failure::message(Kind::Usage, format!("cannot read {}: {error}", file.display()))
    })?;
    if section.algorithm.starts_with("HS") {
        let text = key.trim_ascii();
        key = match text.strip_prefix(b"0x") {
            Some(digits) => hex::decode(digits).map_err(|error| {
                let text = format!("{} is not hexadecimal: {error}", file.display());
                Failure::message(Kind::Usage, text)
            })?,
            None => text.to_vec(),
        };
    }
    Ok(TokenConfig {
        algorithm: section.algorithm.clone(),
        key,
        expiring: section.expiring_seconds.map(Duration::from_secs),
        verify_upload: section.verify_upload,
    })
}

fn tip(section: &TipSection) -> Result<TipConfig, Failure> {
    let address = section.address.parse().map_err(|error| {
        Failure::message(Kind::Usage, format!("the tip's address is not valid: {error}"))
    })?;
    let kind = match section.per_kib {
        0 => TipKind::Const(section.base),
        per_kib => TipKind::Linear { base: section.base, per_kib },
    };
    let max_age = Duration::from_secs(section.max_age_seconds);
    Ok(TipConfig { address, kind, max_age, max_ahead: TIP_AHEAD })
}

impl From<&SendersSection> for Senders {
    fn from(section: &SendersSection) -> Self {
        let forwarded_by = match section.forwarded_by {
            ForwardedHeader::XForwardedFor => ForwardedBy::XForwardedFor,
            ForwardedHeader::Forwarded => ForwardedBy::Forwarded,
        };
        let part = section.part.unwrap_or(Self::default().part);
        Self { part, proxies: section.proxies.clone(), forwarded_by }
    }
}

impl TokenSection {
    /// Tokens signed with the secret in a file.
    fn of_secret(file: &Path) -> Self {
        Self {
            algorithm: "HS256".to_owned(),
            key_file: file.to_owned(),
            expiring_seconds: None,
            verify_upload: true,
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let hint = match &error {
            StartError::Bind { .. } => "choose another address with --bind",
            StartError::Directory { .. } => {
                "is another gateway running? choose another directory with --dir"
            }
            _ => "see docs/operating/gateway.md",
        };
        Self::new(Kind::Usage, error).hint(hint)
    }
}
