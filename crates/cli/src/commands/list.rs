//! `walrus list`: what is mine, until when, and what it cost.

use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_core::{Epoch, EvmAddress};
use walrus_env::Env;

use crate::{
    args::{Global, ListArgs},
    catalog::Catalog,
    client,
    dates::Calendar,
    failure::{Failure, Outcome},
    output::{Output, bytes, shorten, table, wal},
    session::Session,
};

/// Widest name in a table of 80 columns.
const NAME_WIDTH: usize = 16;

/// The wallet's blobs, and what else is known of them.
pub struct Mine {
    /// The owner.
    pub owner: EvmAddress,
    /// When epochs begin.
    pub calendar: Calendar,
    /// What is remembered.
    pub catalog: Catalog,
    /// The objects, the one that ends first in front.
    pub blobs: Vec<BlobRecord>,
}

impl Mine {
    /// Looks them up.
    pub async fn load(session: &Session) -> Result<Self, Failure> {
        let owner = session.wallet().await?.address();
        let (view, blobs) =
            futures::future::join(session.chain.network(), session.chain.blobs_of(owner)).await;
        let mut blobs = blobs?;
        blobs.sort_by_key(|blob| (blob.end_epoch, blob.token_id));
        let catalog = Catalog::new(&client::state_directory(session), session.chain.deployment());
        Ok(Self { owner, calendar: Calendar::new(&view?), catalog, blobs })
    }

    /// Where a blob stands.
    pub fn state(&self, blob: &BlobRecord) -> &'static str {
        let now = self.calendar.now();
        match blob.certified_epoch {
            _ if blob.end_epoch <= now => "ended",
            Some(_) => "stored",
            None => "unfinished",
        }
    }

    /// A blob for programs.
    pub fn describe(&self, blob: &BlobRecord) -> Value {
        let known = self.catalog.get(blob.token_id.0);
        let ends = self.calendar.begins(blob.end_epoch);
        json!({
            "object": blob.token_id.0,
            "blob_id": blob.blob_id.to_string(),
            "name": known.as_ref().map(|known| known.name.clone()),
            "size": blob.size,
            "encoded_size": blob.encoded_size,
            "state": self.state(blob),
            "deletable": blob.deletable,
            "encrypted": known.as_ref().map(|known| known.encrypted),
            "end_epoch": blob.end_epoch.0,
            "ends_at": ends,
            "ends": self.calendar.text(ends),
            "cost_frost": known.as_ref().map(|known| known.cost_frost),
        })
    }
}

/// Runs `walrus list`.
pub async fn run(env: &Env, global: &Global, arguments: &ListArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let mine = Mine::load(&session).await?;
    let Epoch(now) = mine.calendar.now();
    let shown = mine.blobs.iter().filter(|blob| arguments.all || blob.end_epoch.0 > now);
    let blobs: Vec<Value> = shown.map(|blob| mine.describe(blob)).collect();
    let report = json!({ "owner": mine.owner.to_string(), "epoch": now, "blobs": blobs });
    output.result(&report, human);
    Ok(())
}

fn human(report: &Value) -> String {
    let blobs = report["blobs"].as_array().cloned().unwrap_or_default();
    if blobs.is_empty() {
        return "Nothing is stored for this wallet. `walrus store FILE` changes that.".to_owned();
    }
    let head = ["object", "name", "size", "ends (UTC)", "state", "paid"].map(str::to_owned);
    let row = |blob: &Value| {
        let text = |name: &str| blob[name].as_str().unwrap_or_default().to_owned();
        let name = blob["name"].as_str().map_or_else(|| text("blob_id"), str::to_owned);
        vec![
            blob["object"].to_string(),
            shorten(&name, NAME_WIDTH),
            bytes(blob["size"].as_u64().unwrap_or_default()),
            text("ends"),
            text("state"),
            blob["cost_frost"].as_u64().map_or("?".to_owned(), |frost| wal(frost.into())),
        ]
    };
    let rows = std::iter::once(head.to_vec()).chain(blobs.iter().map(row));
    table(&rows.collect::<Vec<_>>())
}
