//! Putting files together and storing them as one blob.

use std::sync::Arc;
use std::time::Duration;

use walrus_chain::ChainWriter;
use walrus_env::Env;
use walrus_redstuff::quilt::{FileOutline, PlanError, QuiltIndex, QuiltPlan, QuiltSource, Tags};
use walrus_redstuff::{EncodingParams, ReadAt};

use crate::cache::NetworkError;
use crate::client::Client;
use crate::files::Stop;
use crate::progress::ProgressSink;
use crate::source::{OpenSource, Source, SourceError};
use crate::store::{Store, StoreError, StoreOptions, Stored};

/// The attribute by which the object of a quilt is known (docs/protocol/encoding.md section 8.6).
const MARK: (&str, &str) = ("_walrusBlobType", "quilt");

/// A file to put into a quilt.
#[derive(Clone, Debug)]
pub struct QuiltFile {
    /// Its name in the quilt.
    pub identifier: String,
    /// Its tags.
    pub tags: Tags,
    /// Its bytes.
    pub content: Source,
}

/// A quilt that was stored.
#[derive(Clone, Debug)]
pub struct StoredQuilt {
    /// The blob that it is.
    pub stored: Stored,
    /// Which file is where.
    pub index: QuiltIndex,
}

/// Why files were not stored as a quilt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreQuiltError {
    /// They cannot be one quilt; nothing was paid.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file could not be read; nothing was paid.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The network's state.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Storing it like any other blob.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Files with a place each in a quilt, ready to be encoded. Its bytes exist only as they are read.
///
/// Files of up to 64 KiB are in memory; larger ones stay open, and must not change until they are stored:
/// a change is noticed and ends the store.
#[derive(Clone, Debug)]
pub struct PreparedQuilt(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    plan: QuiltPlan,
    /// In the order in which they were given.
    files: Vec<OpenSource>,
}

impl PreparedQuilt {
    /// Opens files, looks how long they are and gives them their places.
    ///
    /// # Errors
    /// [`StoreQuiltError::Source`] or [`StoreQuiltError::Plan`].
    pub async fn new(
        env: &Env,
        params: EncodingParams,
        files: Vec<QuiltFile>,
    ) -> Result<Self, StoreQuiltError> {
        let copy = env.clone();
        let open = move || Self::open(&copy, params, files);
        env.compute(Duration::ZERO, open).await
    }

    fn open(
        env: &Env,
        params: EncodingParams,
        files: Vec<QuiltFile>,
    ) -> Result<Self, StoreQuiltError> {
        let max = usize::from(params.secondary_source_symbols()) - 1;
        if files.len() > max {
            // Before so many files are opened.
            let (got, n_shards) = (files.len(), params.n_shards());
            return Err(PlanError::TooManyFiles { max, got, n_shards }.into());
        }
        let (mut outlines, mut opened) = (Vec::new(), Vec::new());
        for QuiltFile { identifier, tags, content } in files {
            let content = content.open(env)?.keep_small()?;
            outlines.push(FileOutline { identifier, tags, length: content.length() });
            opened.push(content);
        }
        let plan = QuiltPlan::new(params, outlines)?;
        Ok(Self(Arc::new(Prepared { plan, files: opened })))
    }

    /// Where each file lies.
    pub fn plan(&self) -> &QuiltPlan {
        &self.0.plan
    }

    /// The quilt's bytes.
    pub fn content(&self) -> QuiltSource {
        self.reader(&Stop::default())
    }

    /// The quilt's bytes until told to stop.
    pub(crate) fn reader(&self, stop: &Stop) -> QuiltSource {
        let files: Vec<Arc<dyn ReadAt>> =
            self.0.files.iter().map(|file| file.reader(stop)).collect();
        QuiltSource::new(self.0.plan.clone(), files)
    }

    /// Fails if somebody changed a file since it was opened. Blocks.
    pub(crate) fn check(&self) -> Result<(), SourceError> {
        self.0.files.iter().try_for_each(OpenSource::check)
    }
}

impl Client {
    /// Stores files as one blob, whose object says that it is a quilt. It is paid for, continued and found again like any other.
    ///
    /// # Errors
    /// See [`StoreQuiltError`].
    pub async fn store_quilt(
        &self,
        writer: &ChainWriter,
        files: Vec<QuiltFile>,
        options: &StoreOptions,
        progress: &ProgressSink,
    ) -> Result<StoredQuilt, StoreQuiltError> {
        let params = self.network().await?.committee.params();
        let quilt = PreparedQuilt::new(self.env(), params, files).await?;
        let index = quilt.plan().index().clone();
        let store = Store { client: self, writer, options, progress, attributes: &[MARK] };
        let stored = store.run(Source::quilt(quilt)).await?;
        Ok(StoredQuilt { stored, index })
    }
}
