//! `walrus site`: static websites, named by a reference on the chain (docs/sites.md).

mod link;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;
use walrus_chain::{ChainWriter, ReferenceRecord};
use walrus_core::{BlobId, TokenId};
use walrus_env::Env;
use walrus_redstuff::quilt::Tags;
use walrus_sdk::{
    Client, PatchName, ProgressSink, QuiltFile, QuiltReadOptions, ReadOptions, Source,
    StoreOptions, StoreQuiltError, Stored,
    site::{Entry, FILES_MAX, Found, Located, MANIFEST_BYTES_MAX, Manifest, check_path},
};

use super::{quilt, store::object};
use crate::{
    args::{Global, SiteCommand, SitePublishArgs},
    catalog::{Catalog, Record},
    client,
    dates::Calendar,
    failure::{Failure, Kind, Outcome},
    node_file::write_file,
    output::{self, Output, bytes, shorten, table, wal},
    session::Session,
    tree::{self, Hidden, Names},
};

/// Larger files are blobs of their own: in a quilt they would make every column longer.
const SHARE_OF_QUILT: u64 = 8;
/// So are files larger than this: gateways hold a file of a quilt in memory, and refuse the largest.
const FILE_IN_QUILT_MAX: u64 = 16 << 20;
/// Bytes of files that become one quilt: a change of one of them pays for all.
const QUILT_FILES_MAX: u64 = 64 << 20;
/// Longest file of a website that `read` keeps in memory.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Runs `walrus site …`.
pub async fn run(env: &Env, global: &Global, command: &SiteCommand, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    match command {
        SiteCommand::Publish(arguments) => {
            let client = client::open_with(&session, &arguments.coding);
            publish(env, &session, &client, arguments, output).await
        }
        SiteCommand::List { reference } => list(&session, *reference, output).await,
        SiteCommand::Read { reference, path, out } => {
            read(&session, *reference, path, out.as_deref(), output).await
        }
    }
}

/// A file of the website before it is stored.
struct SiteFile {
    path: String,
    file: PathBuf,
    size: u64,
    media_type: String,
}

async fn publish(
    env: &Env,
    session: &Session,
    client: &Client,
    arguments: &SitePublishArgs,
    output: Output,
) -> Outcome {
    let (files, left_out) = collect(&arguments.directory, arguments.hidden)?;
    let has = |path: &str| files.iter().any(|file| file.path == path);
    if !has(&arguments.index) {
        let text = format!("{} has no {}", arguments.directory.display(), arguments.index);
        return Err(Failure::message(Kind::Usage, text).hint("name the first page with --index"));
    }
    let default = Some("404.html".to_owned()).filter(|path| has(path));
    let not_found = arguments.not_found.clone().or(default);
    if let Some(path) = not_found.as_deref().filter(|path| !has(path)) {
        return Err(Failure::message(Kind::Usage, format!("there is no {path} to serve instead")));
    }
    let writer = session.writer().await?;
    // Before anything is paid for: whether the reference can be updated.
    let before = match arguments.reference {
        Some(number) => Some(own_reference(session, number, &writer).await?),
        None => None,
    };
    let snapshot = client.network().await?;
    let calendar = Calendar::new(&snapshot.network);
    let epochs = calendar.epochs(env, arguments.until.as_deref(), arguments.epochs)?;
    let options = StoreOptions { epochs, ..StoreOptions::default() };
    let mut publishing = Publishing {
        env,
        catalog: Catalog::new(&client::state_directory(session), session.chain.deployment()),
        directory: &arguments.directory,
        client,
        writer: &writer,
        options,
        output,
        cost: 0,
        blobs: 0,
    };
    let count = files.len();
    let total: u64 = files.iter().map(|file| file.size).sum();
    let params = snapshot.committee.params();
    let most_files = usize::from(params.secondary_source_symbols()).saturating_sub(1).max(1);
    let entries = publishing.store(files, most_files, params.max_blob_size()).await?;
    let manifest = Manifest::new(arguments.index.clone(), not_found, entries);
    let text = serde_json::to_vec(&manifest).map_err(anyhow::Error::from)?;
    if text.len() as u64 > MANIFEST_BYTES_MAX {
        return Err(Failure::message(Kind::Usage, "its paths are too long for one website"));
    }
    let stored = publishing.blob("(list of files)", text.into()).await?;
    let (number, version) = point(&writer, arguments.reference.zip(before), &stored).await?;
    let gateway = arguments.gateway.as_ref().or(session.context.gateway_url.as_ref());
    let link = match gateway {
        Some(url) => Some(link::of(env, url, number).await),
        None => None,
    };
    let report = json!({
        "reference": number,
        "version": version,
        "manifest": stored.blob_id.to_string(),
        "files": count,
        "size": total,
        "blobs": publishing.blobs,
        "end_epoch": stored.end_epoch.0,
        "ends": calendar.text(calendar.begins(stored.end_epoch)),
        "cost_frost": publishing.cost,
        "left_out": left_out,
        "link": link,
    });
    let unpublished = match left_out.count {
        0 => String::new(),
        count => {
            format!("\nLeft out   {count} hidden ({}); --hidden publishes them", left_out.text())
        }
    };
    output.result(&report, |_| {
        format!(
            "Published {count} files, {}, in {} blobs, until {} UTC at least; paid {}.{unpublished}\nReference  {number} (version {version})\n{}\nUpdate it with `walrus site publish {} --reference {number}`.",
            bytes(total),
            publishing.blobs,
            report["ends"].as_str().unwrap_or_default(),
            wal(publishing.cost.into()),
            link.map_or_else(
                || "Any gateway of this network serves it at /v1/sites/REFERENCE/.".to_owned(),
                |link| format!("Link       {link}"),
            ),
            arguments.directory.display(),
        )
    });
    Ok(())
}

/// The files of a directory with their paths in the website, in order, and what is not among them.
fn collect(directory: &Path, hidden: bool) -> Result<(Vec<SiteFile>, Names), Failure> {
    let usage = |text: String| Failure::message(Kind::Usage, text);
    if !directory.is_dir() {
        return Err(usage(format!("{} is not a directory", directory.display())));
    }
    let mut files = Vec::new();
    let hidden = if hidden { Hidden::Kept } else { Hidden::LeftOut };
    let tree = tree::find(directory, hidden, FILES_MAX)?;
    for file in tree.files {
        let inner = file.strip_prefix(directory).unwrap_or(&file);
        let path = inner.to_str().map(str::to_owned);
        let path = path.ok_or_else(|| usage(format!("{} is not UTF-8", file.display())))?;
        check_path(&path).map_err(|error| usage(error.to_string()))?;
        let size = std::fs::metadata(&file).map_err(anyhow::Error::from)?.len();
        files.push(SiteFile { media_type: media_type(&path), path, file, size });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok((files, tree.left_out))
}

/// What browsers are told that a file is. Text is UTF-8: nothing else is served.
fn media_type(path: &str) -> String {
    let guessed = mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream");
    let is_text = guessed.starts_with("text/") || guessed == "application/javascript";
    if is_text { format!("{guessed}; charset=utf-8") } else { guessed.to_owned() }
}

/// The reference, if this wallet may update it.
async fn own_reference(
    session: &Session,
    number: u64,
    writer: &ChainWriter,
) -> Result<ReferenceRecord, Failure> {
    let record = session.chain.reference(number).await?;
    let refused = |text: String| Err(Failure::message(Kind::Refused, text));
    if record.frozen {
        return refused(format!("reference {number} is frozen: its target never changes again"));
    }
    if record.owner != writer.address() {
        return refused(format!("reference {number} belongs to {}", record.owner));
    }
    Ok(record)
}

/// Creates the reference or points it at the new list; its number and version.
async fn point(
    writer: &ChainWriter,
    before: Option<(u64, ReferenceRecord)>,
    stored: &Stored,
) -> Result<(u64, u32), Failure> {
    let (id, token): (BlobId, Option<TokenId>) = (stored.blob_id, object(stored));
    match before {
        None => Ok((writer.create_reference(&id, token).await?, 1)),
        // Nothing changed: a transaction would only cost gas.
        Some((number, record)) if record.blob_id == id && record.token_id == token => {
            Ok((number, record.version))
        }
        Some((number, record)) => {
            writer.update_reference(number, &id, token, record.version).await?;
            Ok((number, record.version + 1))
        }
    }
}

/// Stores the parts of a website.
struct Publishing<'a> {
    env: &'a Env,
    catalog: Catalog,
    directory: &'a Path,
    client: &'a Client,
    writer: &'a ChainWriter,
    options: StoreOptions,
    output: Output,
    cost: u64,
    blobs: usize,
}

impl Publishing<'_> {
    /// What a part is called in `walrus list`.
    fn record(&self, part: &str) -> Record {
        Record::begun(self.env, self.directory.join(part).display().to_string())
    }

    fn note(&mut self, stored: &Stored, record: Record) -> Outcome {
        self.cost = self.cost.saturating_add(stored.cost.total());
        self.blobs += 1;
        self.catalog.remember(stored, record)
    }

    /// Stores one blob. One that is stored already for long enough costs nothing.
    async fn blob(&mut self, part: &str, source: Source) -> Result<Stored, Failure> {
        let record = self.record(part);
        let progress = self.catalog.watch(record.clone(), &client::progress(self.output));
        let stored = self.client.store(self.writer, source, &self.options, &progress).await?;
        self.note(&stored, record)?;
        Ok(stored)
    }

    /// Stores all files: large ones alone, the others as quilts of neighbours, so that a change
    /// stores and pays for its quilt again and for no other.
    async fn store(
        &mut self,
        files: Vec<SiteFile>,
        most_files: usize,
        max_bytes: u64,
    ) -> Result<BTreeMap<String, Entry>, Failure> {
        let mut entries = BTreeMap::new();
        let mut open = groups(files, most_files, max_bytes);
        while let Some(group) = open.pop() {
            if let [file] = group.as_slice() {
                let stored = self.blob(&file.path, Source::file(&file.file)).await?;
                entries.insert(file.path.clone(), entry(file, &Located::Blob(stored.blob_id)));
                continue;
            }
            if !self.quilt(&group, &mut entries).await? {
                // Together they are too long for a quilt.
                let mut group = group;
                let second = group.split_off(group.len() / 2);
                open.extend([second, group]);
            }
        }
        Ok(entries)
    }

    /// Stores files as a quilt, unless they do not fit into one.
    async fn quilt(
        &mut self,
        group: &[SiteFile],
        entries: &mut BTreeMap<String, Entry>,
    ) -> Result<bool, Failure> {
        let quilt_file = |file: &SiteFile| {
            let tags = Tags::new([("content-type", file.media_type.as_str())]);
            let tags = tags.map_err(|error| Failure::new(Kind::Usage, error))?;
            let content = Source::file(&file.file);
            Ok(QuiltFile { identifier: file.path.clone(), tags, content })
        };
        let files = group.iter().map(quilt_file).collect::<Result<Vec<_>, Failure>>()?;
        let record = self.record(&match group {
            [first, .., last] => format!("{} … {}", first.path, last.path),
            few => few.iter().map(|file| file.path.as_str()).collect(),
        });
        let progress = self.catalog.watch(record.clone(), &client::progress(self.output));
        let stored = self.client.store_quilt(self.writer, files, &self.options, &progress).await;
        let stored = match stored {
            Err(StoreQuiltError::Plan(_)) => return Ok(false),
            Err(error) => return Err(quilt::store_failure(error)),
            Ok(stored) => stored,
        };
        self.note(&stored.stored, record)?;
        for file in group {
            let patch = stored.index.by_identifier(&file.path);
            let patch =
                patch.ok_or_else(|| anyhow::anyhow!("{} is not in its quilt", file.path))?;
            let located = Located::Patch(patch.id(stored.stored.blob_id));
            entries.insert(file.path.clone(), entry(file, &located));
        }
        Ok(true)
    }
}

/// Which files are stored together.
fn groups(files: Vec<SiteFile>, most_files: usize, max_bytes: u64) -> Vec<Vec<SiteFile>> {
    let most_bytes = FILE_IN_QUILT_MAX.min(max_bytes / SHARE_OF_QUILT);
    let (large, small): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.size > most_bytes);
    let mut groups: Vec<Vec<SiteFile>> = large.into_iter().map(|file| vec![file]).collect();
    let (mut group, mut bytes) = (Vec::new(), 0);
    for file in small {
        if group.len() == most_files || bytes + file.size > QUILT_FILES_MAX {
            groups.push(std::mem::take(&mut group));
            bytes = 0;
        }
        bytes += file.size;
        group.push(file);
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

fn entry(file: &SiteFile, located: &Located) -> Entry {
    Entry::new(file.media_type.clone(), file.size, located)
}

/// The list that a reference points at.
async fn load(session: &Session, client: &Client, reference: u64) -> Result<Manifest, Failure> {
    let record = session.chain.reference(reference).await?;
    let options = ReadOptions { max_blob_bytes: MANIFEST_BYTES_MAX, ..ReadOptions::default() };
    let read = client.read(&record.blob_id, &options, &ProgressSink::none()).await;
    let read = read.map_err(|error| client::read_failure(&record.blob_id, error))?;
    Manifest::parse(&read.bytes).map_err(|reason| {
        let text = format!("reference {reference} names no website: {reason}");
        Failure::message(Kind::Usage, text).hint("`walrus site publish` makes one")
    })
}

async fn list(session: &Session, reference: u64, output: Output) -> Outcome {
    let manifest = load(session, &client::open(session), reference).await?;
    output.result(&manifest, |manifest| {
        let head = ["path", "size", "type"].map(str::to_owned).to_vec();
        let row = |(path, entry): (&String, &Entry)| {
            vec![shorten(path, 40), bytes(entry.size), entry.media_type.clone()]
        };
        table(&std::iter::once(head).chain(manifest.files.iter().map(row)).collect::<Vec<_>>())
    });
    Ok(())
}

async fn read(
    session: &Session,
    reference: u64,
    path: &str,
    out: Option<&Path>,
    output: Output,
) -> Outcome {
    let client = client::open(session);
    let manifest = load(session, &client, reference).await?;
    let none = |hint: String| {
        let text = format!("the website has no {path}");
        Err(Failure::message(Kind::NotFound, text).hint(hint))
    };
    let (path, entry) = match manifest.find(path) {
        Found::File(path, entry) => (path, entry),
        Found::Directory(directory) => return none(format!("{directory} is a directory")),
        Found::Missing(_) => return none("`walrus site list` shows what it has".to_owned()),
    };
    let content = match entry.located().map_err(anyhow::Error::from)? {
        Located::Blob(id) => {
            let options = ReadOptions { max_blob_bytes: FILE_BYTES_MAX, ..ReadOptions::default() };
            let read = client.read(&id, &options, &ProgressSink::none()).await;
            read.map_err(|error| client::read_failure(&id, error))?.bytes
        }
        Located::Patch(id) => {
            let options = QuiltReadOptions::default();
            let (quilt, name) = (*id.quilt_id(), PatchName::Id(id));
            let read = client.read_patch(&quilt, &name, &options, &ProgressSink::none()).await;
            let (patch, _) = read.map_err(|error| Failure::new(Kind::Unavailable, error))?;
            patch.bytes.to_vec()
        }
    };
    match out {
        Some(out) => {
            write_file(out, &content, false)?;
            let report = json!({ "path": path, "type": entry.media_type, "size": content.len(), "out": out });
            output.result(&report, |_| format!("Read {path} into {}.", out.display()));
        }
        None => output::write_content(&content)?,
    }
    Ok(())
}
