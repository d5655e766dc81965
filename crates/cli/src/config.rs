//! The one configuration file: networks by name, and the wallet for each.
//!
//! ```toml
//! default_context = "local"
//!
//! [contexts.local]
//! rpc = ["http://127.0.0.1:8545"]     # tried in this order
//! deployment = "deployment.json"      # relative to this file
//! keystore = "wallet.json"            # or the key in WALRUS_PRIVATE_KEY
//! password_file = "password.txt"      # or the password in WALRUS_PASSWORD
//! state_dir = "state"                 # where interrupted stores are remembered
//! spill_dir = "/var/tmp"              # what does not fit into memory; default: in state_dir
//! threads = 4                         # that encode and decode; default: one a processor
//!
//! [contexts.local.gateway]            # all of it optional; see docs/operating/gateway.md
//! bind = "127.0.0.1:31415"
//! ```

use std::net::IpAddr;
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    args::Global,
    failure::{Failure, Kind},
};

/// The configuration file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The context used when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_context: Option<String>,
    /// Networks by name.
    pub contexts: BTreeMap<String, Context>,
}

/// One network, and who we are on it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// JSON-RPC addresses of the chain, tried in this order.
    pub rpc: Vec<String>,
    /// File that describes the deployed contracts.
    pub deployment: PathBuf,
    /// Encrypted key of the wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystore: Option<PathBuf>,
    /// File with the keystore's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Where interrupted stores are remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<PathBuf>,
    /// Where what does not fit into memory is put aside; it must exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spill_dir: Option<PathBuf>,
    /// Threads that encode and decode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<NonZeroUsize>,
    /// Talk plain HTTP to the nodes; they must be on this machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
    /// Address of a gateway that reads for others, for the links of `walrus share`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_url: Option<String>,
    /// How `walrus gateway` works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewaySection>,
}

/// How `walrus gateway` works; the command line says it again where both do.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GatewaySection {
    /// Address to listen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// Directory for the cache and for what is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Where figures for Prometheus are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// Domain below which each website has a host name of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites_domain: Option<String>,
    /// Key files of more accounts that pay, with the password of the context's: so many
    /// more stores run at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keystores: Vec<PathBuf>,
    /// Longest blob that the publisher takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_upload_bytes: Option<u64>,
    /// Longest form of files that the publisher takes as a quilt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_quilt_bytes: Option<u64>,
    /// Longest blob that the relay takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_relay_bytes: Option<u64>,
    /// Longest blob served as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_blob_bytes: Option<u64>,
    /// Most epochs that the publisher pays for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_epochs: Option<u32>,
    /// Bytes of all cached blobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_bytes: Option<u64>,
    /// Bytes on disk of everything on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spool_bytes: Option<u64>,
    /// Attributes and tags that become headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_headers: Option<Vec<String>>,
    /// Which tokens open the publisher; everybody may use it without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenSection>,
    /// Whether web pages of all origins may store without tokens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_to_pages: bool,
    /// What the relay wants to be paid; nothing without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tip: Option<TipSection>,
    /// What one of many senders may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub senders: Option<SendersSection>,
}

/// What one of many senders may take, and which proxies speak for them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SendersSection {
    /// One sender has at most this part of a role's places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<usize>,
    /// Addresses of proxies that are believed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<IpAddr>,
    /// The header in which they name the sender.
    pub forwarded_by: ForwardedHeader,
}

/// How a proxy names the sender.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded`.
    Forwarded,
}

impl GatewaySection {
    fn files(&mut self) -> Vec<&mut PathBuf> {
        let key = self.tokens.as_mut().map(|tokens| &mut tokens.key_file);
        self.dir.as_mut().into_iter().chain(key).chain(&mut self.keystores).collect()
    }
}

/// Tokens that open the publisher.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSection {
    /// How they are signed.
    #[serde(default = "algorithm_default")]
    pub algorithm: String,
    /// File with the secret, as text or as hexadecimal digits after `0x`, or with the public
    /// key in DER form.
    pub key_file: PathBuf,
    /// The lifetime that every token must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiring_seconds: Option<u64>,
    /// Whether what a token says about epochs and receiver must hold.
    #[serde(default = "verify_default")]
    pub verify_upload: bool,
}

fn algorithm_default() -> String {
    "HS256".to_owned()
}

fn verify_default() -> bool {
    true
}

/// What the relay wants to be paid, in the chain's smallest unit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TipSection {
    /// Who is paid.
    pub address: String,
    /// For every blob.
    pub base: u64,
    /// For each started KiB of its encoded length.
    #[serde(default)]
    pub per_kib: u64,
    /// Age at which a payment no longer counts.
    #[serde(default = "tip_age_default")]
    pub max_age_seconds: u64,
}

fn tip_age_default() -> u64 {
    3600
}

impl Config {
    /// Reads a configuration file; relative paths in it are taken from its directory.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
                .hint("name an existing file with --config, or start a network with `walrus local`")
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            Failure::message(Kind::Usage, format!("{} is not valid: {error}", path.display()))
        })?;
        let base = path.parent().unwrap_or(Path::new("."));
        for context in config.contexts.values_mut() {
            context.deployment = base.join(&context.deployment);
            let files = [
                &mut context.keystore,
                &mut context.password_file,
                &mut context.state_dir,
                &mut context.spill_dir,
            ];
            let gateway = context.gateway.as_mut().map(GatewaySection::files);
            for file in files.into_iter().flatten().chain(gateway.into_iter().flatten()) {
                *file = base.join(&*file);
            }
        }
        Ok(config)
    }
}

/// The context the user chose, and its name.
pub fn context(global: &Global) -> Result<(String, Context), Failure> {
    let path = find(global)?;
    let mut config = Config::read(&path)?;
    let name = global
        .context
        .clone()
        .or(config.default_context)
        .or_else(|| (config.contexts.len() == 1).then(|| config.contexts.keys().next().cloned())?)
        .ok_or_else(|| {
            Failure::message(Kind::Usage, "the configuration names several networks")
                .hint("choose one with --context, or set `default_context`")
        })?;
    let context = config.contexts.remove(&name).ok_or_else(|| {
        let known: Vec<_> = config.contexts.keys().map(String::as_str).collect();
        Failure::message(Kind::Usage, format!("{} has no context `{name}`", path.display()))
            .hint(format!("it has: {}", known.join(", ")))
    })?;
    Ok((name, context))
}

fn find(global: &Global) -> Result<PathBuf, Failure> {
    if let Some(path) = &global.config {
        return Ok(path.clone());
    }
    let candidates = candidates();
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let tried: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        Failure::message(Kind::Usage, format!("no configuration file: tried {}", tried.join(", ")))
            .hint(
                "start a network with `walrus local`, which writes one, or name one with --config",
            )
    })
}

fn candidates() -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::from("walrus.toml"), PathBuf::from("walrus-local/walrus.toml")];
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    paths.extend(base.map(|base| base.join("walrus/config.toml")));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_from_the_files_directory() {
        // Otherwise the command would work only when started in one place.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("walrus.toml");
        let text = "[contexts.a]\nrpc = [\"http://127.0.0.1:1\"]\ndeployment = \"d.json\"\nkeystore = \"/k.json\"\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path).unwrap();
        let context = &config.contexts["a"];
        assert_eq!(context.deployment, directory.path().join("d.json"));
        assert_eq!(context.keystore.as_deref(), Some(Path::new("/k.json")));
    }

    #[test]
    fn unknown_settings_are_refused() {
        // A misspelt setting that is silently ignored is a setting the user believes in.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("walrus.toml");
        std::fs::write(&path, "[contexts.a]\nrpc = []\ndeployment = \"d\"\nkeystor = \"k\"\n")
            .unwrap();
        let failure = Config::read(&path).unwrap_err();
        assert!(failure.to_json().contains("keystor"), "{}", failure.to_json());
    }
}
