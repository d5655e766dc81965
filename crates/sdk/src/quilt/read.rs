//! Reading the index of a quilt, and single files of it.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use walrus_node_api::{Meter, NodeError};
use walrus_redstuff::quilt::{
    IndexError, PatchBlock, PatchHead, QuiltIndex, QuiltPatch, QuiltPatchId, QuiltShape,
    index_columns,
};
use walrus_redstuff::{
    BlobId, ConsistencyCheck, ReadAt, Secondary, SliverIndex, SliverType, VerifiedMetadata,
    VerifiedSliver,
};

use super::outcome::{PatchName, QuiltReadOptions, QuiltReport, ReadPatch, ReadQuiltError};
use crate::client::{Client, ReadBlobError, ReadOptions};
use crate::files::{FileBytes, Stop};
use crate::network::CommitteeView;
use crate::progress::{Progress, ProgressSink};
use crate::range::ask::{Source, Sources};
use crate::range::lines::{Lines, OutOfReach};
use crate::read::{Content, FetchError};

/// Bytes of a file that are in memory while it is copied out of a whole quilt.
const PIECE: usize = 256 << 10;

/// A quilt that files are being read from. What was learnt of it serves the next file too.
pub struct QuiltReader {
    client: Client,
    view: Arc<CommitteeView>,
    sources: Sources,
    meter: Meter,
    blob_id: BlobId,
    options: QuiltReadOptions,
    progress: ProgressSink,
    shape: Option<QuiltShape>,
    metadata: Option<VerifiedMetadata>,
    index: Option<QuiltIndex>,
    /// All of the quilt, when it had to be read.
    whole: Option<Arc<dyn ReadAt>>,
    report: QuiltReport,
}

impl Client {
    /// Begins to read from a quilt. Asks for nothing yet.
    ///
    /// # Errors
    /// If the network's state cannot be had.
    pub async fn quilt(
        &self,
        blob_id: &BlobId,
        options: &QuiltReadOptions,
        progress: &ProgressSink,
    ) -> Result<QuiltReader, ReadQuiltError> {
        let view = self.network().await.map_err(ReadBlobError::from)?.committee;
        Ok(QuiltReader::new(self, view, blob_id, options, progress))
    }

    /// Which files are in a quilt: fetches the index and nothing else.
    ///
    /// # Errors
    /// See [`ReadQuiltError`].
    pub async fn quilt_index(
        &self,
        blob_id: &BlobId,
        options: &QuiltReadOptions,
        progress: &ProgressSink,
    ) -> Result<(QuiltIndex, QuiltReport), ReadQuiltError> {
        let mut quilt = self.quilt(blob_id, options, progress).await?;
        let index = quilt.index().await?.clone();
        Ok((index, quilt.report()))
    }

    /// Reads one file of a quilt: fetches its columns, and the index where it is needed.
    ///
    /// # Errors
    /// See [`ReadQuiltError`].
    pub async fn read_patch(
        &self,
        blob_id: &BlobId,
        name: &PatchName,
        options: &QuiltReadOptions,
        progress: &ProgressSink,
    ) -> Result<(ReadPatch, QuiltReport), ReadQuiltError> {
        let mut quilt = self.quilt(blob_id, options, progress).await?;
        let patch = quilt.find(name).await?;
        Ok((patch, quilt.report()))
    }
}

impl QuiltReader {
    pub(super) fn new(
        client: &Client,
        view: Arc<CommitteeView>,
        blob_id: &BlobId,
        options: &QuiltReadOptions,
        progress: &ProgressSink,
    ) -> Self {
        let meter = Meter::default();
        Self {
            sources: Sources::new(&view, &meter, client.config().read.hedge_after),
            client: client.clone(),
            view,
            meter,
            blob_id: *blob_id,
            options: *options,
            progress: progress.clone(),
            shape: None,
            metadata: None,
            index: None,
            whole: None,
            report: QuiltReport::default(),
        }
    }

    /// What reading cost so far.
    pub fn report(&self) -> QuiltReport {
        let mut report = self.report.clone();
        report.bytes_fetched += self.meter.bytes();
        let wrongs = self.sources.wrongs();
        report.misbehaved.extend(wrongs.misbehaved);
        report.failed.extend(wrongs.failed);
        report
    }

    /// Which files are in the quilt. Fetched once.
    ///
    /// # Errors
    /// See [`ReadQuiltError`].
    pub async fn index(&mut self) -> Result<&QuiltIndex, ReadQuiltError> {
        if self.index.is_none() {
            let started = Instant::now();
            let shape = self.shape().await?;
            let mut bytes = self.columns(0..1).await?;
            let columns = index_columns(&shape, &bytes)?;
            bytes.extend(self.columns(1..columns).await?);
            self.index = Some(QuiltIndex::from_columns(&shape, &bytes)?);
            self.report.time += started.elapsed();
        }
        Ok(self.index.as_ref().expect("it was set above"))
    }

    /// Reads the file of this name.
    ///
    /// # Errors
    /// See [`ReadQuiltError`].
    pub async fn find(&mut self, name: &PatchName) -> Result<ReadPatch, ReadQuiltError> {
        let quilt_id = self.blob_id;
        let none = || ReadQuiltError::NoSuchPatch { quilt_id, name: name.clone() };
        let patch = match name {
            PatchName::Id(id) => {
                if *id.quilt_id() != quilt_id || !id.fits(&self.shape().await?) {
                    return Err(none());
                }
                if !self.options.check_index {
                    return self.read_columns_of(id.columns(), None).await;
                }
                self.index().await?.by_columns(&id.columns()).cloned()
            }
            PatchName::Identifier(identifier) => {
                self.index().await?.by_identifier(identifier).cloned()
            }
            PatchName::Tag { key, value } => {
                let found: Vec<&QuiltPatch> = self.index().await?.by_tag(key, value).collect();
                if found.len() > 1 {
                    let identifiers = found.iter().map(|patch| patch.identifier().to_owned());
                    let identifiers = identifiers.collect();
                    return Err(ReadQuiltError::Ambiguous { name: name.clone(), identifiers });
                }
                found.first().copied().cloned()
            }
        };
        self.read(&patch.ok_or_else(none)?).await
    }

    /// Reads a file that the index tells of.
    ///
    /// # Errors
    /// See [`ReadQuiltError`].
    pub async fn read(&mut self, patch: &QuiltPatch) -> Result<ReadPatch, ReadQuiltError> {
        self.read_columns_of(patch.columns(), Some(patch.identifier())).await
    }

    /// Writes a file that the index tells of, and gives back what it was written to. Once the whole quilt
    /// was fetched, only a piece of the file is in memory at a time.
    ///
    /// # Errors
    /// See [`ReadQuiltError`]; some of the file may have been written by then.
    pub async fn copy<W: io::Write + Send + 'static>(
        &mut self,
        patch: &QuiltPatch,
        mut output: W,
    ) -> Result<W, ReadQuiltError> {
        let Some(whole) = self.whole.clone() else {
            let read = self.read(patch).await?;
            let write = move || output.write_all(&read.bytes).map(|()| output);
            return self
                .client
                .env()
                .compute(Duration::ZERO, write)
                .await
                .map_err(ReadQuiltError::Output);
        };
        let (shape, patch) = (self.shape().await?, patch.clone());
        let copy =
            move || copy_pieces(&shape, whole.as_ref(), &patch, &mut output).map(|()| output);
        self.client.env().compute(Duration::ZERO, copy).await
    }

    /// Fetches the whole quilt, with the strict check, so that everything is read from it: cheaper for
    /// those who want most files.
    ///
    /// # Errors
    /// See [`ReadQuiltError`].
    pub async fn fetch_whole(&mut self) -> Result<(), ReadQuiltError> {
        if self.whole.is_some() {
            return Ok(());
        }
        let started = Instant::now();
        let options = ReadOptions {
            max_blob_bytes: self.options.max_quilt_bytes,
            consistency: ConsistencyCheck::Strict,
        };
        let read = self.client.read_aside(&self.blob_id, &options, &self.progress).await;
        let read = read.map_err(|error| self.explain(error))?;
        self.report.whole_quilt = true;
        // At least: what wrong answers took is not known.
        self.report.bytes_fetched += read.report.blob_bytes;
        self.report.misbehaved.extend(read.report.misbehaved);
        self.report.failed.extend(read.report.failed);
        self.learn(read.report.blob_bytes)?;
        self.whole = Some(match read.content {
            Content::Memory(bytes) => Arc::new(bytes),
            Content::File(file) => Arc::new(FileBytes::new(file, Stop::default())),
        });
        self.report.time += started.elapsed();
        Ok(())
    }

    /// That a quilt is too long to be read as a whole says nothing to those who want one file.
    fn explain(&self, error: ReadBlobError) -> ReadQuiltError {
        let wrongs = self.sources.wrongs();
        match error {
            ReadBlobError::Fetch(FetchError::TooLarge { .. })
                if !(wrongs.misbehaved.is_empty() && wrongs.failed.is_empty()) =>
            {
                let (misbehaved, failed) = (wrongs.misbehaved, wrongs.failed);
                ReadQuiltError::OutOfReach { misbehaved, failed }
            }
            error => error.into(),
        }
    }

    fn learn(&mut self, length: u64) -> Result<QuiltShape, ReadQuiltError> {
        self.report.quilt_bytes = length;
        let shape = QuiltShape::of_blob(self.view.params(), length).map_err(IndexError::from)?;
        self.shape = Some(shape);
        Ok(shape)
    }

    /// The shape of the quilt's matrix, on the word of the blob id.
    async fn shape(&mut self) -> Result<QuiltShape, ReadQuiltError> {
        if let Some(shape) = self.shape {
            return Ok(shape);
        }
        let started = Instant::now();
        self.progress.report(Progress::FetchingMetadata);
        let metadata = self.lines().metadata().await;
        self.report.time += started.elapsed();
        match metadata {
            Ok(metadata) => {
                let bytes = metadata.unencoded_length();
                self.progress.report(Progress::MetadataFetched { bytes });
                self.metadata = Some(metadata);
                self.learn(bytes)
            }
            Err(OutOfReach) => {
                self.fetch_whole().await?;
                Ok(self.shape.expect("it is known of a quilt that was read"))
            }
        }
    }

    async fn read_columns_of(
        &mut self,
        columns: Range<u16>,
        identifier: Option<&str>,
    ) -> Result<ReadPatch, ReadQuiltError> {
        let started = Instant::now();
        let mut bytes = self.columns(columns.clone()).await?;
        let block = PatchBlock::parse(&bytes, identifier)?;
        let (identifier, tags) = (block.identifier().to_owned(), block.tags().clone());
        // The file is the end of its block: it is moved, not copied.
        let place = block.data_place();
        bytes.truncate(place.end);
        bytes.drain(..place.start);
        let id = QuiltPatchId::new(self.blob_id, columns).expect("a file has a column");
        self.report.time += started.elapsed();
        self.progress.report(Progress::Read { bytes: bytes.len() as u64 });
        Ok(ReadPatch { id, identifier, tags, bytes })
    }

    /// The bytes of these columns, one column after the other.
    async fn columns(&mut self, columns: Range<u16>) -> Result<Vec<u8>, ReadQuiltError> {
        let shape = self.shape().await?;
        let length = columns.len() as u64 * shape.column_bytes() as u64;
        let max = self.options.max_patch_bytes;
        if length > max {
            return Err(ReadQuiltError::TooLong { length, max });
        }
        if self.whole.is_none() {
            match self.fetch(columns.clone()).await {
                Ok(bytes) => return Ok(bytes),
                Err(OutOfReach) => self.fetch_whole().await?,
            }
        }
        let whole = Arc::clone(self.whole.as_ref().expect("it was fetched"));
        let read = move || shape.read_columns(whole.as_ref(), columns);
        self.client.env().compute(Duration::ZERO, read).await.map_err(ReadQuiltError::Aside)
    }

    /// The same from those who hold them, or recovered.
    async fn fetch(&mut self, columns: Range<u16>) -> Result<Vec<u8>, OutOfReach> {
        let metadata = self.metadata.as_ref().ok_or(OutOfReach)?;
        let (lines, needed) = (self.lines(), columns.len() as u16);
        let wanted: Vec<SliverIndex> = columns.map(SliverIndex).collect();
        let watch = |done| {
            let done = u16::try_from(done).unwrap_or(needed);
            self.progress.report(Progress::FetchingSlivers { done, needed });
        };
        let ask = |source, index| direct(&lines, metadata, source, index);
        let recover = async |lost: Vec<SliverIndex>| {
            let slivers = lines.recover::<Secondary>(metadata, &lost).await?;
            Ok(slivers.into_iter().map(|sliver| (sliver.index(), (sliver, true))).collect())
        };
        let slivers = lines.collect::<Secondary, _, _, _>(wanted, ask, recover, watch).await?;
        let recovered = slivers.values().filter(|(_, recovered)| *recovered).count() as u32;
        let mut bytes = Vec::with_capacity(slivers.values().map(|(s, _)| s.data().len()).sum());
        // Each goes as soon as it is copied: two copies of a large file would be in memory otherwise.
        slivers.into_values().for_each(|(sliver, _)| bytes.extend_from_slice(sliver.data()));
        self.report.columns += u32::from(needed) - recovered;
        self.report.columns_recovered += recovered;
        Ok(bytes)
    }

    fn lines(&self) -> Lines<'_> {
        Lines {
            env: self.client.env(),
            params: self.view.params(),
            sources: &self.sources,
            budget: self.client.budget(),
            blob_id: &self.blob_id,
        }
    }
}

/// Writes a file out of a whole quilt, piece by piece.
fn copy_pieces(
    shape: &QuiltShape,
    quilt: &dyn ReadAt,
    patch: &QuiltPatch,
    output: &mut impl io::Write,
) -> Result<(), ReadQuiltError> {
    let columns = shape.column_stream(quilt, patch.columns()).map_err(ReadQuiltError::Aside)?;
    let mut piece = vec![0; columns.len().min(PIECE as u64) as usize];
    let start = piece.len().min(PatchHead::MAX_BYTES);
    columns.read_at(0, &mut piece[..start]).map_err(ReadQuiltError::Aside)?;
    let head = PatchHead::parse(&piece[..start], columns.len(), Some(patch.identifier()))?;
    let Range { start: mut at, end } = head.data();
    while at < end {
        let length = (end - at).min(PIECE as u64) as usize;
        columns.read_at(at, &mut piece[..length]).map_err(ReadQuiltError::Aside)?;
        output.write_all(&piece[..length]).map_err(ReadQuiltError::Output)?;
        at += length as u64;
    }
    Ok(())
}

/// A column from the node that holds it, and that it need not be recovered.
async fn direct(
    lines: &Lines<'_>,
    metadata: &VerifiedMetadata,
    source: &Source,
    index: SliverIndex,
) -> Result<(VerifiedSliver<Secondary>, bool), NodeError> {
    let client = source.client()?;
    let bytes = lines.params.sliver_bcs_len(SliverType::Secondary, metadata.symbol_size());
    let _reserved = lines.budget.reserve(bytes).await;
    let pair = index.to_pair_index(SliverType::Secondary, lines.params.n_shards());
    Ok((client.sliver::<Secondary>(metadata, pair).await?, false))
}
