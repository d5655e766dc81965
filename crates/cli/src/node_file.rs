//! `node.toml`: the configuration of one storage node. Its directory also holds
//! the keys, the operator's wallet and the data.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use walrus_core::{NetworkSecretKey, NodeId, ProtocolSecretKey};

use crate::failure::{Failure, Kind};

const FILE: &str = "node.toml";
const PROTOCOL_KEY: &str = "protocol.key";
const NETWORK_KEY: &str = "network.key";
const DATA: &str = "data";

/// The settings of a node. Relative paths are taken from the node's directory.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Name shown to others.
    pub name: String,
    /// Address others reach the node at, host:port.
    pub public_address: String,
    /// Address to listen on, host:port.
    pub bind: String,
    /// JSON-RPC addresses of the chain, tried in this order.
    pub rpc: Vec<String>,
    /// File that describes the deployed contracts.
    pub deployment: PathBuf,
    /// The operator's encrypted key; it pays for registration and epoch calls.
    pub keystore: PathBuf,
    /// File with the keystore's password.
    pub password_file: PathBuf,
    /// Plain HTTP instead of TLS; only possible on a loopback address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
    /// The id the chain gave the node; written by `walrus node register`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<u32>,
}

/// The secret keys of a node.
pub struct NodeKeys {
    /// Signs confirmations.
    pub protocol: ProtocolSecretKey,
    /// Proves the node's identity in TLS.
    pub network: NetworkSecretKey,
}

impl NodeFile {
    /// Reads the settings in a node's directory.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
                .hint("make a node with `walrus node setup`")
        })?;
        let mut file: Self = toml::from_str(&text).map_err(|error| {
            Failure::message(Kind::Usage, format!("{} is not valid: {error}", path.display()))
        })?;
        for path in [&mut file.deployment, &mut file.keystore, &mut file.password_file] {
            *path = dir.join(&*path);
        }
        Ok(file)
    }

    /// Writes the settings; paths inside `dir` become relative to it.
    pub fn write(&self, dir: &Path) -> Result<(), Failure> {
        let mut file = self.clone();
        for path in [&mut file.deployment, &mut file.keystore, &mut file.password_file] {
            if let Ok(relative) = path.strip_prefix(dir) {
                *path = relative.to_owned();
            }
        }
        let text = toml::to_string(&file).map_err(anyhow::Error::from)?;
        write_file(&dir.join(FILE), text.as_bytes(), false)
    }

    /// The node's id, or what to do to get one.
    pub fn node_id(&self) -> Result<NodeId, Failure> {
        self.node_id.map(NodeId).ok_or_else(|| {
            Failure::message(Kind::Usage, "the node is not registered")
                .hint("register it with `walrus node register`")
        })
    }
}

impl NodeKeys {
    /// Makes new keys out of random bytes and writes them to `dir`.
    pub fn create(dir: &Path, randomness: &[[u8; 32]; 2]) -> Result<Self, Failure> {
        let protocol = ProtocolSecretKey::from_randomness(&randomness[0]);
        let network = NetworkSecretKey::from_bytes(&randomness[1]).map_err(anyhow::Error::from)?;
        write_file(&dir.join(PROTOCOL_KEY), protocol.to_tagged_base64().as_bytes(), true)?;
        write_file(&dir.join(NETWORK_KEY), network.to_tagged_base64().as_bytes(), true)?;
        Ok(Self { protocol, network })
    }

    /// Reads the keys in a node's directory.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let text = |name: &str| {
            let path = dir.join(name);
            std::fs::read_to_string(&path).map_err(|error| {
                Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
            })
        };
        let protocol = ProtocolSecretKey::from_tagged_base64(text(PROTOCOL_KEY)?.trim())
            .map_err(anyhow::Error::from)?;
        let network = NetworkSecretKey::from_tagged_base64(text(NETWORK_KEY)?.trim())
            .map_err(anyhow::Error::from)?;
        Ok(Self { protocol, network })
    }
}

/// Where a node keeps slivers and state.
pub fn data_dir(dir: &Path) -> PathBuf {
    dir.join(DATA)
}

/// Writes a file so that a power cut leaves either the old or the new contents;
/// a secret one is readable by its owner only.
pub fn write_file(path: &Path, contents: &[u8], secret: bool) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        // The parent of a bare name is empty, and means here.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(if secret {
                0o600
            } else {
                0o644
            }))
            .tempfile_in(directory)?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        std::fs::File::open(directory)?.sync_all()
    };
    write().map_err(|error| {
        Failure::message(Kind::Failed, format!("cannot write {}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_disk_and_are_private() {
        // A node that loses its key loses its stake; one that shows it loses it sooner.
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let made = NodeKeys::create(directory.path(), &[[1; 32], [2; 32]]).unwrap();
        let read = NodeKeys::read(directory.path()).unwrap();
        assert_eq!(made.protocol.public_key(), read.protocol.public_key());
        assert_eq!(made.network.public_key(), read.network.public_key());
        for name in [PROTOCOL_KEY, NETWORK_KEY] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
