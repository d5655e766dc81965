//! Where sliver files are: `slivers/ab/<blob id in hex>`, by the first byte of the id.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use walrus_env::Disk;
use walrus_redstuff::BlobId;

use crate::sync::lock;

/// The folders of a sliver store.
pub(super) struct Directories {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    /// Folders that exist durably.
    created: Mutex<BTreeSet<PathBuf>>,
    /// Folders whose names from before this process are durable.
    synced: Mutex<BTreeSet<PathBuf>>,
}

impl Directories {
    pub(super) fn new(disk: Arc<dyn Disk>, root: PathBuf) -> Self {
        Self { disk, root, created: Mutex::default(), synced: Mutex::default() }
    }

    /// The folder and the file of a blob.
    pub(super) fn place(&self, blob: &BlobId) -> (PathBuf, PathBuf) {
        let mut name = String::with_capacity(64);
        for byte in blob.as_bytes() {
            name.extend(
                [byte >> 4, byte & 15]
                    .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
        }
        let directory = self.root.join(&name[..2]);
        let path = directory.join(name);
        (directory, path)
    }

    /// Makes sure that a folder exists durably.
    pub(super) async fn create(&self, directory: &Path) -> io::Result<()> {
        if !lock(&self.created).contains(directory) {
            self.disk.create_dir_all(directory).await?;
            lock(&self.created).insert(directory.to_owned());
        }
        Ok(())
    }

    /// Makes the names found in a folder durable, once in the life of the process;
    /// names made later are synced by whoever makes them.
    pub(super) async fn sync_once(&self, directory: &Path) -> io::Result<()> {
        if !lock(&self.synced).contains(directory) {
            self.disk.sync_dir(directory).await?;
            lock(&self.synced).insert(directory.to_owned());
        }
        Ok(())
    }

    /// The ids of all blobs that have a file.
    pub(super) async fn blobs(&self) -> io::Result<Vec<BlobId>> {
        let mut blobs = Vec::new();
        for folder in self.names(&self.root).await? {
            for name in self.names(&self.root.join(folder)).await? {
                blobs.extend(parse_name(&name));
            }
        }
        Ok(blobs)
    }

    async fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        match self.disk.list(directory).await {
            Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name).collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The blob id a file name spells; `None` for names that are not ours.
fn parse_name(name: &str) -> Option<BlobId> {
    let digits: Vec<u8> =
        name.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 64).then_some(())?;
    bytes.try_into().ok().map(BlobId::from_bytes)
}
