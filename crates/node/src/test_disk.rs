//! A disk in memory that loses what was not synced, for crash tests.
//!
//! Writes and names live twice: as seen now, and as they would be after a power
//! cut. A cut happens at a chosen operation; from then on every call fails.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use walrus_env::{BlockingFile, DirEntry, Disk, DiskLock, File, OpenMode};

use crate::sync::lock;

/// What happens to unsynced bytes in a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    /// All are lost.
    Nothing,
    /// Lengths and the first half of each unsynced write survive; in its second half
    /// stands what stood there before, zeros where the file has grown.
    Half,
    /// All survive although never synced.
    Everything,
    /// No power cut at all: the process was killed. The next one sees everything, and
    /// what was not durable is not durable still.
    Killed,
}

#[derive(Clone, Default)]
struct Node {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Unsynced writes, in order.
    pending: Vec<(usize, Vec<u8>)>,
}

#[derive(Default)]
struct Inner {
    /// Contents by number; names point here.
    nodes: Vec<Node>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    operations: u64,
    cut_at: Option<u64>,
    fail_sync_at: Option<u64>,
    syncs: u64,
    dead: bool,
}

/// The disk; clones share it.
#[derive(Clone, Default)]
pub(crate) struct TestDisk(Arc<Mutex<Inner>>);

impl TestDisk {
    /// Cuts the power at the operation with this number, counted from now on.
    pub(crate) fn cut_at(&self, operation: u64) {
        let mut inner = lock(&self.0);
        inner.operations = 0;
        inner.cut_at = Some(operation);
    }

    /// Lets the `n`th sync from now on fail, and with it lose what was not durable.
    pub(crate) fn fail_sync(&self, n: u64) {
        let mut inner = lock(&self.0);
        inner.syncs = 0;
        inner.fail_sync_at = Some(n);
    }

    /// Whether the power was cut.
    pub(crate) fn is_dead(&self) -> bool {
        lock(&self.0).dead
    }

    pub(crate) fn syncs(&self) -> u64 {
        lock(&self.0).syncs
    }

    /// The disk as a new process finds it after the power is back. Handles opened on
    /// the old disk stay dead.
    pub(crate) fn after_power_cut(&self, torn: Torn) -> Self {
        let mut old = lock(&self.0);
        old.dead = true;
        let nodes = old.nodes.iter().map(|node| node.after_cut(torn)).collect();
        let (names, durable_names) = match torn {
            Torn::Killed => (old.names.clone(), old.durable_names.clone()),
            Torn::Everything => (old.names.clone(), old.names.clone()),
            Torn::Nothing | Torn::Half => (old.durable_names.clone(), old.durable_names.clone()),
        };
        Self(Arc::new(Mutex::new(Inner { nodes, durable_names, names, ..Inner::default() })))
    }

    /// Flips one bit in a file at rest.
    pub(crate) fn flip_bit(&self, path: &Path, byte: usize) {
        let mut inner = lock(&self.0);
        let node = inner.names[path];
        inner.nodes[node].now[byte] ^= 0x10;
        inner.nodes[node].durable[byte] ^= 0x10;
    }

    /// Changes a file at rest.
    pub(crate) fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = lock(&self.0);
        let node = inner.names[path];
        let node = &mut inner.nodes[node];
        change(&mut node.now);
        node.durable = node.now.clone();
        node.pending.clear();
    }

    /// The contents of a file.
    pub(crate) fn read(&self, path: &Path) -> Vec<u8> {
        let inner = lock(&self.0);
        inner.nodes[inner.names[path]].now.clone()
    }

    /// All files under `root`, with their lengths.
    pub(crate) fn files(&self, root: &Path) -> Vec<(PathBuf, usize)> {
        let inner = lock(&self.0);
        let under = inner.names.iter().filter(|(path, _)| path.starts_with(root));
        under.map(|(path, node)| (path.clone(), inner.nodes[*node].now.len())).collect()
    }

    fn operate<T>(&self, run: impl FnOnce(&mut Inner) -> io::Result<T>) -> io::Result<T> {
        let mut inner = lock(&self.0);
        inner.operations += 1;
        if inner.cut_at.is_some_and(|at| inner.operations >= at) {
            inner.dead = true;
        }
        if inner.dead {
            return Err(io::Error::other("the power was cut"));
        }
        run(&mut inner)
    }

    fn open_node(&self, path: &Path, mode: OpenMode) -> io::Result<Handle> {
        let node = self.operate(|inner| match (inner.names.get(path).copied(), mode) {
            (Some(_), OpenMode::CreateNew) => Err(ErrorKind::AlreadyExists.into()),
            (Some(node), _) => Ok(node),
            (None, OpenMode::Create | OpenMode::CreateNew) => {
                inner.nodes.push(Node::default());
                inner.names.insert(path.to_owned(), inner.nodes.len() - 1);
                Ok(inner.nodes.len() - 1)
            }
            (None, _) => Err(ErrorKind::NotFound.into()),
        })?;
        Ok(Handle { disk: self.clone(), node })
    }
}

impl Node {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.now, offset, bytes);
        self.pending.push((offset, bytes.to_vec()));
    }

    fn set_len(&mut self, length: usize) {
        self.now.resize(length, 0);
        // A cut is modelled as durable at once: the harder case for bytes cut off.
        self.durable.truncate(length);
        for (offset, bytes) in &mut self.pending {
            bytes.truncate(length.saturating_sub(*offset));
        }
    }

    /// Makes unsynced writes durable, and nothing else: bytes whose sync failed earlier
    /// count as clean, so no later sync writes them.
    fn sync(&mut self) {
        for (offset, bytes) in std::mem::take(&mut self.pending) {
            put(&mut self.durable, offset, &bytes);
        }
        self.durable.resize(self.now.len(), 0);
    }

    fn after_cut(&self, torn: Torn) -> Self {
        let bytes = match torn {
            Torn::Killed => return self.clone(),
            Torn::Nothing => self.durable.clone(),
            Torn::Everything => self.now.clone(),
            Torn::Half => {
                let mut bytes = self.durable.clone();
                for (offset, written) in &self.pending {
                    put(&mut bytes, *offset, &written[..written.len() / 2]);
                    bytes.resize(bytes.len().max(offset + written.len()), 0);
                }
                bytes
            }
        };
        Self { now: bytes.clone(), durable: bytes, pending: Vec::new() }
    }
}

fn put(target: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if target.len() < offset + bytes.len() {
        target.resize(offset + bytes.len(), 0);
    }
    target[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// An open file.
#[derive(Clone)]
struct Handle {
    disk: TestDisk,
    node: usize,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handle({})", self.node)
    }
}

impl Handle {
    fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.disk.operate(|inner| {
            let now = &inner.nodes[self.node].now;
            let from = offset as usize;
            let bytes = now.get(from..from + length).ok_or(ErrorKind::UnexpectedEof)?;
            Ok(bytes.to_vec())
        })
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.operate(|inner| {
            inner.nodes[self.node].write(offset as usize, bytes);
            Ok(())
        })
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.disk.operate(|inner| {
            inner.nodes[self.node].set_len(length as usize);
            Ok(())
        })
    }

    fn make_durable(&self) -> io::Result<()> {
        self.disk.operate(|inner| {
            inner.syncs += 1;
            let fails = inner.fail_sync_at == Some(inner.syncs);
            let node = &mut inner.nodes[self.node];
            if fails {
                node.pending.clear();
                // As Linux does: the pages count as clean although they never got to the
                // disk; reads go on to show them.
                return Err(io::Error::other("injected"));
            }
            node.sync();
            Ok(())
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.disk.operate(|inner| Ok(inner.nodes[self.node].now.len() as u64))
    }
}

impl File for Handle {
    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        async move { self.read(offset, length).map(Bytes::from) }.boxed()
    }

    fn write_at(&self, offset: u64, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        async move { self.write(offset, &bytes) }.boxed()
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        async {
            // Lets writers queue up meanwhile, as a real sync does.
            tokio::task::yield_now().await;
            self.make_durable()
        }
        .boxed()
    }

    fn len(&self) -> BoxFuture<'_, io::Result<u64>> {
        async { self.length() }.boxed()
    }

    fn set_len(&self, length: u64) -> BoxFuture<'_, io::Result<()>> {
        async move { self.cut(length) }.boxed()
    }
}

impl BlockingFile for Handle {
    fn len(&self) -> io::Result<u64> {
        self.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        buffer.copy_from_slice(&self.read(offset, buffer.len())?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write(offset, bytes)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.cut(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.make_durable()
    }
}

struct NoLock;

impl DiskLock for NoLock {}

impl Disk for TestDisk {
    fn open<'a>(
        &'a self,
        path: &'a Path,
        mode: OpenMode,
    ) -> BoxFuture<'a, io::Result<Arc<dyn File>>> {
        async move { Ok(Arc::new(self.open_node(path, mode)?) as Arc<dyn File>) }.boxed()
    }

    fn open_blocking(&self, path: &Path) -> io::Result<Box<dyn BlockingFile>> {
        Ok(Box::new(self.open_node(path, OpenMode::Create)?))
    }

    fn lock<'a>(&'a self, _: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn DiskLock>>> {
        async { Ok(Box::new(NoLock) as Box<dyn DiskLock>) }.boxed()
    }

    fn create_dir_all<'a>(&'a self, _: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        async { self.operate(|_| Ok(())) }.boxed()
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        async move {
            self.operate(|inner| {
                let node = inner.names.remove(from).ok_or(ErrorKind::NotFound)?;
                inner.names.insert(to.to_owned(), node);
                Ok(())
            })
        }
        .boxed()
    }

    fn remove_file<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        async move {
            self.operate(|inner| {
                inner.names.remove(path).map(|_| ()).ok_or(ErrorKind::NotFound.into())
            })
        }
        .boxed()
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<DirEntry>>> {
        async move {
            self.operate(|inner| {
                let below = inner.names.keys().filter_map(|name| name.strip_prefix(path).ok());
                let mut entries: Vec<DirEntry> = below
                    .filter_map(|rest| {
                        let mut parts = rest.components();
                        let name = parts.next()?.as_os_str().to_str()?.to_owned();
                        Some(DirEntry { name, is_dir: parts.next().is_some() })
                    })
                    .collect();
                entries.sort();
                entries.dedup();
                Ok(entries)
            })
        }
        .boxed()
    }

    fn sync_dir<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        async move {
            self.operate(|inner| {
                let inside = |name: &PathBuf| name.parent() == Some(path);
                inner.durable_names.retain(|name, _| !inside(name));
                let names = inner.names.iter().filter(|(name, _)| inside(name));
                let names: Vec<_> = names.map(|(name, node)| (name.clone(), *node)).collect();
                inner.durable_names.extend(names);
                Ok(())
            })
        }
        .boxed()
    }
}
