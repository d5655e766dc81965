//! `node.toml`: the configuration of one storage node. Its directory also holds
//! the keys, the operator's wallet and the data.

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
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
    /// Sign confirmations: the one the node was made with, and one more for each rotation.
    /// The files are never changed or removed, so that a crash loses nothing.
    pub protocol: Vec<ProtocolSecretKey>,
    /// Proves the node's identity in TLS.
    pub network: NetworkSecretKey,
}

impl NodeFile {
    /// Reads the settings in a node's directory.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let unreadable = |path: &Path, error: std::io::Error| {
            Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
                .hint("make a node with `walrus node setup`")
        };
        // The same paths whatever the directory is called.
        let dir = dir.canonicalize().map_err(|error| unreadable(dir, error))?;
        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
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
        let dir = dir.canonicalize().map_err(anyhow::Error::from)?;
        let mut file = self.clone();
        for path in [&mut file.deployment, &mut file.keystore, &mut file.password_file] {
            if let Ok(relative) = path.strip_prefix(&dir) {
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
        Ok(Self { protocol: vec![protocol], network })
    }

    /// The key that the node was made with.
    pub fn first(&self) -> &ProtocolSecretKey {
        &self.protocol[0]
    }

    /// Makes the next protocol key and writes it to `dir`, before anybody hears of it.
    pub fn add_protocol(
        &mut self,
        dir: &Path,
        randomness: &[u8; 32],
    ) -> Result<ProtocolSecretKey, Failure> {
        let key = ProtocolSecretKey::from_randomness(randomness);
        let path = dir.join(protocol_file(self.protocol.len()));
        write_file(&path, key.to_tagged_base64().as_bytes(), true)?;
        self.protocol.push(key.clone());
        Ok(key)
    }

    /// Reads the keys in a node's directory.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let text = |name: &str| {
            let path = dir.join(name);
            std::fs::read_to_string(&path).map_err(|error| {
                Failure::message(Kind::Usage, format!("cannot read {}: {error}", path.display()))
            })
        };
        let mut protocol = Vec::new();
        while protocol.is_empty() || dir.join(protocol_file(protocol.len())).exists() {
            let text = text(&protocol_file(protocol.len()))?;
            let key = ProtocolSecretKey::from_tagged_base64(text.trim());
            protocol.push(key.map_err(anyhow::Error::from)?);
        }
        let network = NetworkSecretKey::from_tagged_base64(text(NETWORK_KEY)?.trim())
            .map_err(anyhow::Error::from)?;
        Ok(Self { protocol, network })
    }
}

/// The file of the protocol key after `rotations`: `protocol.key`, `protocol-2.key`, …
fn protocol_file(rotations: usize) -> String {
    match rotations {
        0 => PROTOCOL_KEY.to_owned(),
        rotations => format!("protocol-{}.key", rotations + 1),
    }
}

/// Where a node keeps slivers and state.
pub fn data_dir(dir: &Path) -> PathBuf {
    dir.join(DATA)
}

/// Writes a file so that a power cut leaves either the old or the new contents. A new file that
/// is secret is readable by its owner only; one that was there keeps its permissions.
pub fn write_file(path: &Path, contents: &[u8], secret: bool) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        // The parent of a bare name is empty, and means here.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new("."));
        let replaced = std::fs::metadata(path).ok().map(|replaced| replaced.mode() & 0o777);
        let first = if secret || replaced.is_some() { 0o600 } else { 0o644 };
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(first))
            .tempfile_in(directory)?;
        if let Some(mode) = replaced {
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
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
    fn a_directory_named_relatively_keeps_its_paths() {
        // Rewriting the file from another directory, or by another name of its directory,
        // made the node look for `node-0/node-0/password.txt`.
        let directory = tempfile::tempdir().unwrap();
        let absolute = directory.path().canonicalize().unwrap();
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let up = here.components().skip(1).map(|_| "..").collect::<PathBuf>();
        let relative = up.join(absolute.strip_prefix("/").unwrap());
        let made = NodeFile {
            name: "node".to_owned(),
            public_address: "127.0.0.1:1".to_owned(),
            bind: "127.0.0.1:1".to_owned(),
            rpc: Vec::new(),
            deployment: "/elsewhere/deployment.json".into(),
            keystore: absolute.join("operator.json"),
            password_file: absolute.join("password.txt"),
            plain_http: false,
            node_id: None,
        };
        made.write(&absolute).unwrap();
        let written = std::fs::read_to_string(absolute.join(FILE)).unwrap();
        assert!(written.contains("\"password.txt\""), "the directory can be moved: {written}");
        for dir in [&relative, &absolute, &relative] {
            let file = NodeFile::read(dir).unwrap();
            assert_eq!(file.password_file, absolute.join("password.txt"));
            assert_eq!(file.deployment, made.deployment);
            file.write(dir).unwrap();
            assert_eq!(std::fs::read_to_string(absolute.join(FILE)).unwrap(), written);
        }
    }

    #[test]
    fn a_file_is_readable_by_no_more_people_than_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mode = || std::fs::metadata(&path).unwrap().mode() & 0o777;
        for (before, secret, after) in [
            (None, true, 0o600),
            (Some(0o640), true, 0o640),
            (Some(0o600), false, 0o600),
            (Some(0o664), false, 0o664),
        ] {
            if let Some(before) = before {
                std::fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
            }
            write_file(&path, b"contents", secret).unwrap();
            assert_eq!(mode(), after, "{before:?} {secret}");
        }
    }

    #[test]
    fn keys_survive_the_disk_and_are_private() {
        // A node that loses its key loses its stake; one that shows it loses it sooner.
        let directory = tempfile::tempdir().unwrap();
        let mut made = NodeKeys::create(directory.path(), &[[1; 32], [2; 32]]).unwrap();
        made.add_protocol(directory.path(), &[3; 32]).unwrap();
        let read = NodeKeys::read(directory.path()).unwrap();
        let public = |keys: &NodeKeys| -> Vec<_> {
            keys.protocol.iter().map(|key| key.public_key().clone()).collect()
        };
        assert_eq!((public(&made).len(), public(&made)), (2, public(&read)));
        assert_eq!(made.network.public_key(), read.network.public_key());
        for name in [PROTOCOL_KEY, "protocol-2.key", NETWORK_KEY] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
