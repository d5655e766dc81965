//! The embedded database: everything of a node that is not a sliver.
//!
//! Writers that arrive together share one transaction and so one sync. Every
//! access runs off the async threads. The database is not used again after a failed
//! write: what its file then holds is known only after it was opened anew, so the
//! node stops ([`Database::broken`]) and its next start repairs. What happens when the
//! file is beyond repair is in `damage`.

mod backend;
pub(super) mod damage;

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redb::{ReadTransaction, ReadableDatabase as _, WriteTransaction};
use tokio::sync::oneshot;
use walrus_env::{CancellationToken, Disk, Env, OpenMode};

use self::{
    backend::{Backend, DiskTrouble},
    damage::{diagnose, guarded, set_aside},
};
use crate::sync::lock;

/// Memory for the pages of the database in use.
const CACHE_BYTES: usize = 32 << 20;

/// What a simulation charges for a read, and for the computation of a commit.
const ACCESS_COST: Duration = Duration::from_micros(50);

/// Why the database did not do something.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// The disk failed. After a failed write the node has to be restarted.
    #[error("the database failed: {0}")]
    Failed(Arc<redb::Error>),
    /// The disk works and the file holds what the database did not write.
    #[error("the database is damaged: {what}")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// A row does not have the form this program writes.
    #[error("the database holds a row this program does not understand: {what}")]
    Row {
        /// Which kind of row.
        what: &'static str,
    },
    /// An earlier write failed, or the node is going down.
    #[error("the database is closed")]
    Closed,
}

impl<E: Into<redb::Error>> From<E> for DbError {
    fn from(error: E) -> Self {
        Self::Failed(Arc::new(error.into()))
    }
}

fn open_file(
    disk: &dyn Disk,
    path: &Path,
    trouble: &DiskTrouble,
) -> Result<redb::Database, DbError> {
    let file = trouble.watch(disk.open_blocking(path)).map_err(redb::StorageError::from)?;
    let backend = Backend { file, trouble: trouble.clone() };
    Ok(redb::Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?)
}

/// Creates an empty database under another name and renames it: a crash while it is
/// being created leaves nothing that has to be understood later.
async fn create_if_missing(env: &Env, path: &Path) -> Result<(), DbError> {
    let failed = |error: io::Error| DbError::from(redb::StorageError::from(error));
    let missing = |result: io::Result<()>| match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        result => result.map(|()| false).map_err(failed),
    };
    if !missing(env.disk.open(path, OpenMode::Read).await.map(|_| ()))? {
        return Ok(());
    }
    let unfinished = path.with_extension("new");
    missing(env.disk.remove_file(&unfinished).await)?;
    let (disk, file) = (env.disk.clone(), unfinished.clone());
    // Dropping the database closes it cleanly.
    let create = move || open_file(disk.as_ref(), &file, &DiskTrouble::default()).map(drop);
    env.compute(ACCESS_COST, create).await?;
    let folder = path.parent().unwrap_or(Path::new("."));
    env.disk.rename(&unfinished, path).await.map_err(failed)?;
    env.disk.sync_dir(folder).await.map_err(failed)
}

type Change = Box<dyn FnOnce(&WriteTransaction) -> Result<(), DbError> + Send>;

struct Waiting {
    change: Change,
    answer: oneshot::Sender<Result<(), DbError>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    served: bool,
}

/// An open database; cheap to clone.
#[derive(Clone)]
pub struct Database {
    env: Env,
    inner: Arc<redb::Database>,
    queue: Arc<Mutex<Queue>>,
    broken: CancellationToken,
    path: PathBuf,
    trouble: DiskTrouble,
    /// Damage was found after it was opened.
    condemned: Arc<AtomicBool>,
}

impl Database {
    /// Opens the database in the file `path` of an existing folder, creating and, after
    /// a crash, repairing it; `prepare` creates the tables.
    ///
    /// # Errors
    /// When the disk refuses; [`DbError::Damaged`] when the file is not a database or
    /// cannot be repaired.
    pub async fn open(
        env: Env,
        path: &Path,
        prepare: impl FnOnce(&WriteTransaction) -> Result<(), DbError> + Send + 'static,
    ) -> Result<Self, DbError> {
        create_if_missing(&env, path).await?;
        let disk = env.disk.clone();
        let (file, trouble) = (path.to_owned(), DiskTrouble::default());
        let watched = trouble.clone();
        let open = move || {
            guarded(&watched, || {
                let database = open_file(disk.as_ref(), &file, &watched)?;
                let transaction = database.begin_write()?;
                prepare(&transaction)?;
                transaction.commit()?;
                Ok(database)
            })
        };
        let inner = env.compute(ACCESS_COST, open).await?;
        Ok(Self {
            env,
            inner: Arc::new(inner),
            queue: Arc::default(),
            broken: CancellationToken::new(),
            path: path.to_owned(),
            trouble,
            condemned: Arc::default(),
        })
    }

    /// Reads a consistent state.
    ///
    /// # Errors
    /// [`DbError`] of the disk or of `read`.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let inner = self.inner.clone();
        let run = move || read(&inner.begin_read()?);
        match self.env.compute(ACCESS_COST, run).await {
            Err(error) => Err(self.examine(error).await),
            result => result,
        }
    }

    /// Sees to it that a database found damaged while in use is not used any more, and
    /// not opened again.
    async fn examine(&self, error: DbError) -> DbError {
        let error = diagnose(error, &self.trouble);
        // Several readers may find the damage, and by then the name may be a new database's.
        if error.is_damage() && !self.condemned.swap(true, Ordering::Relaxed) {
            if let Err(refused) = set_aside(&self.env, &self.path, &error).await {
                tracing::error!(%error, %refused, "a damaged database could not be set aside");
            }
            self.broken.cancel();
        }
        error
    }

    /// Makes a change; resolves when it is durable. Changes are made one after the
    /// other in the order of the calls; several may share a transaction, so all of
    /// them are made or none.
    ///
    /// # Errors
    /// [`DbError`]; then nothing was changed, or the change is seen after a restart.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, answered) = oneshot::channel();
        let (value, valued) = oneshot::channel();
        let change: Change = Box::new(move |transaction| {
            let _ = value.send(change(transaction)?);
            Ok(())
        });
        let start = {
            let mut queue = lock(&self.queue);
            queue.waiting.push(Waiting { change, answer });
            !std::mem::replace(&mut queue.served, true)
        };
        if start {
            // A task of its own: a caller that goes away must not hold up the others.
            let this = self.clone();
            self.env.spawn("database commit", async move { this.serve_queue().await });
        }
        answered.await.map_err(|_| DbError::Closed)??;
        valued.await.map_err(|_| DbError::Closed)
    }

    /// Cancelled when a write has failed and the node has to stop.
    pub fn broken(&self) -> &CancellationToken {
        &self.broken
    }

    /// Closes the database. Requests still running keep it open until they end.
    pub async fn close(self) {
        let Self { env, inner, .. } = self;
        env.compute(ACCESS_COST, move || drop(inner)).await;
    }

    async fn serve_queue(&self) {
        loop {
            let group = {
                let mut queue = lock(&self.queue);
                if queue.waiting.is_empty() {
                    queue.served = false;
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            let (changes, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|waiting| (waiting.change, waiting.answer)).unzip();
            let mut result = self.commit(changes).await;
            if let Err(error) = result {
                result = Err(self.examine(error).await);
            }
            if let Err(error) = &result {
                tracing::error!(%error, "writing to the database failed");
                self.broken.cancel();
            }
            for answer in answers {
                let _ = answer.send(result.clone());
            }
        }
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), DbError> {
        if self.broken.is_cancelled() {
            return Err(DbError::Closed);
        }
        // The environment holds the folder's lock as long as this runs, whoever gave up waiting.
        let (inner, env) = (self.inner.clone(), self.env.clone());
        let run = move || {
            let _env = env;
            let transaction = inner.begin_write()?;
            for change in changes {
                change(&transaction)?;
            }
            Ok(transaction.commit()?)
        };
        self.env.compute(ACCESS_COST, run).await
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}
