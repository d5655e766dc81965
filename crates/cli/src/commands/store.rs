//! `walrus store`

use std::{path::Path, sync::Arc};

use serde_json::json;
use walrus_chain::{ChainWriter, Cost};
use walrus_core::TokenId;
use walrus_env::Env;
use walrus_sdk::{Client, ProgressSink, Source, StoreOptions, StoreState, StoreTimings, Stored};

use crate::{
    args::{Global, StoreArgs},
    catalog::{Catalog, Record},
    client,
    commands::store_many,
    dates::Calendar,
    failure::{Failure, Outcome},
    input::Input,
    outbox::{Note, Outbox, Prepared},
    output::{Output, bytes, duration, wal},
    privacy,
    session::Session,
};

/// Runs `walrus store`.
pub async fn run(env: &Env, global: &Global, arguments: &StoreArgs, output: Output) -> Outcome {
    let encryption = privacy::encryption(&arguments.encryption)?;
    let session = Session::open(env, global).await?;
    let client = client::open_with(&session, &arguments.coding);
    let state = client.config().state_directory.clone().unwrap_or_default();
    let outbox = encryption.map(|encryption| Outbox {
        env: env.clone(),
        coder: client.coder().clone(),
        directory: state.join("outbox"),
        encryption: Arc::new(encryption),
        key_file: arguments.encryption.key_file.clone(),
    });
    let snapshot = client.network().await?;
    let calendar = Calendar::new(&snapshot.network);
    let epochs = calendar.epochs(env, arguments.until.as_deref(), arguments.epochs)?;
    let storing = Storing {
        env,
        limit: snapshot.committee.params().max_blob_size(),
        catalog: Catalog::new(&state, session.chain.deployment()),
        writer: session.writer().await?,
        client,
        options: StoreOptions {
            epochs,
            deletable: arguments.deletable,
            force: arguments.force,
            ..StoreOptions::default()
        },
        outbox,
    };
    match arguments.files.as_slice() {
        [file] if !file.is_dir() => {
            let stored = storing.store(file, &client::progress(output)).await?;
            if !stored.failures.is_empty() {
                output.remark(format!(
                    "{} nodes did not confirm; they heal by themselves",
                    stored.failures.len()
                ));
            }
            output.result(&report(&stored), |_| human(&stored, &storing));
            Ok(())
        }
        files => store_many::run(&storing, files, arguments.parallel, output).await,
    }
}

/// How files are stored: for whom, for how long, paid by whom.
pub struct Storing<'a> {
    /// The door to the outside.
    pub env: &'a Env,
    /// Stores blobs.
    pub client: Client,
    /// Pays for them.
    pub writer: ChainWriter,
    /// For how long.
    pub options: StoreOptions,
    /// Encrypts them, if wanted.
    pub outbox: Option<Outbox>,
    /// Longest blob of the network.
    pub limit: u64,
    /// Remembers them.
    pub catalog: Catalog,
}

impl Storing<'_> {
    /// Stores one file, or standard input.
    pub async fn store(&self, file: &Path, progress: &ProgressSink) -> Result<Stored, Failure> {
        let input = Input::new(file);
        let Some(outbox) = &self.outbox else {
            let source = input.source(self.env, self.client.coder(), self.limit).await?;
            return self.send(file, source, progress).await;
        };
        if let Some(reader) = input.stream(u64::MAX)? {
            let sealed = outbox.prepare_stream(reader, &input.name()).await?;
            return self.send(file, sealed, progress).await;
        }
        // Until it is noted what became of it.
        let claim = outbox.claim(file).await?;
        let mut prepared = outbox.prepare(&claim, self.options.force).await?;
        if let Prepared::Stored(note) = &prepared {
            if let Some(stored) = self.still_stored(note).await? {
                return Ok(stored);
            }
            prepared = outbox.prepare(&claim, true).await?;
        }
        let Prepared::Store(sealed) = prepared else { unreachable!("it was to be made anew") };
        let stored = self.send(file, sealed.source, progress).await?;
        let (blob_id, object) = (stored.blob_id.to_string(), object(&stored).map(|t| t.0));
        outbox.stored(sealed.done, &blob_id, object)?;
        Ok(stored)
    }

    async fn send(
        &self,
        file: &Path,
        source: Source,
        progress: &ProgressSink,
    ) -> Result<Stored, Failure> {
        let record = self.record(file);
        let watch = self.catalog.watch(record.clone(), progress);
        let stored = self.client.store(&self.writer, source, &self.options, &watch).await?;
        self.catalog.remember(&stored, record)?;
        Ok(stored)
    }

    /// What an earlier run stored, if it lives for as long as is wanted now.
    async fn still_stored(&self, note: &Note) -> Result<Option<Stored>, Failure> {
        let now = self.client.network().await?.network.epoch.epoch;
        let Some(record) = self.client.chain().blob(TokenId(note.object)).await? else {
            return Ok(None);
        };
        let long_enough = record.end_epoch.0 >= now.0.saturating_add(self.options.epochs);
        let same = record.blob_id.to_string() == note.blob_id;
        // What was given away, its new owner may delete.
        let owner = self.client.chain().owner_of(record.token_id).await?;
        let own = owner == Some(self.writer.address());
        Ok((same && own && long_enough && record.is_certified_in(now)).then(|| Stored {
            blob_id: record.blob_id,
            state: StoreState::AlreadyCertified { token: Some(record.token_id) },
            end_epoch: record.end_epoch,
            unencoded_bytes: record.size,
            encoded_bytes: record.encoded_size,
            cost: Cost { storage: 0, write: 0 },
            failures: Vec::new(),
            timings: StoreTimings::default(),
        }))
    }

    /// What is known of a file before it is stored.
    fn record(&self, file: &Path) -> Record {
        let key_file = self.outbox.as_ref().and_then(|outbox| outbox.key_file.as_deref());
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Record {
            encrypted: self.outbox.is_some(),
            key_file: key_file.map(absolute),
            ..Record::begun(self.env, file.display().to_string())
        }
    }
}

/// The object of a stored blob, if it belongs to this account.
pub fn object(stored: &Stored) -> Option<TokenId> {
    match &stored.state {
        StoreState::Certified { token, .. } => Some(*token),
        StoreState::AlreadyCertified { token } => *token,
    }
}

/// The result as programs see it.
pub fn report(stored: &Stored) -> serde_json::Value {
    let mut report = json!({
        "blob_id": stored.blob_id.to_string(),
        "end_epoch": stored.end_epoch.0,
        "size": stored.unencoded_bytes,
        "encoded_size": stored.encoded_bytes,
        "newly_created": false,
        "resumed": false,
        "object_id": null,
        "cost_frost": stored.cost.total(),
        "failures": stored.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "seconds": {
            "encode": stored.timings.encode.as_secs_f64(),
            "register": stored.timings.register.as_secs_f64(),
            "upload": stored.timings.upload.as_secs_f64(),
            "certify": stored.timings.certify.as_secs_f64(),
        },
    });
    match &stored.state {
        StoreState::Certified { token, resumed, registration, certification, certificate } => {
            report["newly_created"] = (!resumed).into();
            report["resumed"] = (*resumed).into();
            report["object_id"] = token.0.into();
            report["registration"] = registration.map(|hash| hash.to_string()).into();
            report["certification"] = certification.map(|hash| hash.to_string()).into();
            report["certificate"] = json!({
                "epoch": certificate.epoch.0,
                "signers": certificate.signers.iter().map(|node| node.0).collect::<Vec<_>>(),
                "weight": certificate.weight,
                "needed": certificate.needed,
            });
        }
        StoreState::AlreadyCertified { token } => {
            report["object_id"] = token.map(|token| token.0).into();
        }
    }
    report
}

fn human(stored: &Stored, storing: &Storing<'_>) -> String {
    let size = bytes(stored.unencoded_bytes);
    let id = stored.blob_id;
    let how = match &storing.outbox {
        Some(outbox) if outbox.encryption.passphrase.is_some() => " --passphrase",
        Some(outbox) if outbox.key_file.is_some() => " --identity KEY --key-file KEYFILE",
        Some(_) => " --identity KEY",
        None => "",
    };
    match &stored.state {
        StoreState::Certified { token, resumed, certificate, .. } => {
            let t = &stored.timings;
            let continued = if *resumed { ", continuing an interrupted store" } else { "" };
            format!(
                "Stored {size} until epoch {}{continued}.\nBlob id      {id}\nObject       {token}\nCertificate  {} nodes, {} of {} needed shards\nPaid         {}\nTook         encode {}, register {}, upload {}, certify {}\nRead it back:\n  walrus read {id} --out FILE{how}",
                stored.end_epoch,
                certificate.signers.len(),
                certificate.weight,
                certificate.needed,
                wal(stored.cost.total().into()),
                duration(t.encode),
                duration(t.register),
                duration(t.upload),
                duration(t.certify),
            )
        }
        StoreState::AlreadyCertified { .. } => format!(
            "Already stored until epoch {}; nothing was sent or paid.\nBlob id  {id}",
            stored.end_epoch
        ),
    }
}
