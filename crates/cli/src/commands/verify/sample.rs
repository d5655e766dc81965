//! Asking shards drawn at random to prove that they hold their slivers.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_core::NodeId;
use walrus_env::Env;
use walrus_node_api::{Meter, NodeError};
use walrus_redstuff::{
    BlobId, Primary, RowRun, ShardIndex, SliverIndex, SliverType, VerifiedMetadata,
};
use walrus_sdk::{CommitteeView, Node};

use super::ANSWER_LIMIT;
use crate::failure::Failure;

/// Samples asked for at once.
const SAMPLES_AT_ONCE: usize = 16;
/// Nodes that are asked for the metadata, one after the other.
const METADATA_ATTEMPTS: usize = 8;

/// What became of one sample.
pub(super) struct Sample {
    pub(super) node: NodeId,
    pub(super) failure: Option<String>,
    shard: ShardIndex,
    name: String,
}

impl Sample {
    pub(super) fn failed(&self) -> Option<Value> {
        let reason = self.failure.as_ref()?;
        Some(json!({ "shard": self.shard.get(), "node": self.name, "reason": reason }))
    }
}

/// What became of all of them, by shard: one of each kind for each shard drawn.
pub(super) struct Samples {
    pub(super) primary: Vec<Sample>,
    pub(super) secondary: Vec<Sample>,
}

/// Asks so many shards, drawn at random, for a symbol of each of their slivers.
pub(super) async fn draw(
    env: &Env,
    view: &CommitteeView,
    meter: &Meter,
    record: &BlobRecord,
    count: u16,
) -> Result<Samples, Failure> {
    let params = view.params();
    params.symbol_size(record.size).map_err(anyhow::Error::from)?;
    let owned = view.nodes().iter().flat_map(|node| node.shards.iter().map(move |s| (*s, node)));
    let mut shards: Vec<(ShardIndex, &Node)> = owned.collect();
    env.shuffle("samples", &mut shards);
    shards.truncate(count.into());
    let metadata = metadata(env, view, meter, &record.blob_id).await;
    let metadata = metadata.as_ref();
    let random = |below: u16| (env.random_u64("a sample's symbol") % u64::from(below)) as u16;
    let targets = shards.into_iter().map(|(shard, node)| {
        let column = SliverIndex(random(params.secondary_source_symbols()));
        let row = SliverIndex(random(params.primary_source_symbols()));
        (Target { view, meter, record, shard, node }, column, row)
    });
    let ask = |(target, column, row)| Target::both(target, column, row, metadata);
    let mut samples: Vec<(Sample, Sample)> =
        futures::stream::iter(targets).map(ask).buffer_unordered(SAMPLES_AT_ONCE).collect().await;
    samples.sort_by_key(|(sample, _)| sample.shard.get());
    let (primary, secondary) = samples.into_iter().unzip();
    Ok(Samples { primary, secondary })
}

/// The hashes of all slivers, verified against the blob id, from the first node that has them.
async fn metadata(
    env: &Env,
    view: &CommitteeView,
    meter: &Meter,
    id: &BlobId,
) -> Option<VerifiedMetadata> {
    let mut nodes: Vec<&Node> = view.nodes().iter().collect();
    env.shuffle("who is asked for metadata", &mut nodes);
    for node in nodes.into_iter().take(METADATA_ATTEMPTS) {
        let Ok(client) = node.client.as_ref() else { continue };
        let client = client.metered(meter);
        let answer = tokio::time::timeout(ANSWER_LIMIT, client.metadata(view.params(), id)).await;
        if let Ok(Ok(metadata)) = answer {
            return Some(metadata);
        }
    }
    None
}

/// A shard that is to prove something.
struct Target<'a> {
    view: &'a CommitteeView,
    meter: &'a Meter,
    record: &'a BlobRecord,
    shard: ShardIndex,
    node: &'a Node,
}

impl Target<'_> {
    async fn both(
        self,
        column: SliverIndex,
        row: SliverIndex,
        metadata: Option<&VerifiedMetadata>,
    ) -> (Sample, Sample) {
        let primary = self.primary(column).await;
        let secondary = self.secondary(row, metadata).await;
        (self.sample(primary), self.sample(secondary))
    }

    fn sample(&self, failure: Option<String>) -> Sample {
        let name = self.node.member.name.clone();
        Sample { node: self.node.id(), failure, shard: self.shard, name }
    }

    /// Why the shard does not prove its primary sliver, if it does not. The proof alone leads to the
    /// blob id.
    async fn primary(&self, column: SliverIndex) -> Option<String> {
        let (params, id) = (self.view.params(), &self.record.blob_id);
        let pair = self.shard.to_pair_index(params.n_shards(), id);
        let run = RowRun { row: SliverIndex(pair.get()), first: column, count: 1 };
        let asked = async {
            let symbol_size = params.symbol_size(self.record.size).map_err(|e| e.to_string())?;
            let client = self.node.client.clone()?.metered(self.meter);
            let run = client.symbol_run(params, id, symbol_size, run).await;
            same_length(run.map_err(refused)?.blob_bytes(), self.record.size)
        };
        in_time(asked).await
    }

    /// The same of its secondary sliver. The proof leads to the metadata, which lead to the blob id.
    async fn secondary(
        &self,
        row: SliverIndex,
        metadata: Option<&VerifiedMetadata>,
    ) -> Option<String> {
        let (params, id) = (self.view.params(), &self.record.blob_id);
        let pair = self.shard.to_pair_index(params.n_shards(), id);
        let column = pair.to_sliver_index(SliverType::Secondary, params.n_shards());
        let asked = async {
            let metadata = metadata.ok_or("no node that was asked has the blob's metadata")?;
            same_length(metadata.unencoded_length(), self.record.size)?;
            let client = self.node.client.clone()?.metered(self.meter);
            let symbol = client.symbol_of::<Primary>(metadata, column, row).await;
            symbol.map(|_| ()).map_err(refused)
        };
        in_time(asked).await
    }
}

fn refused(error: NodeError) -> String {
    error.to_string()
}

async fn in_time(asked: impl Future<Output = Result<(), String>>) -> Option<String> {
    let limit: Duration = ANSWER_LIMIT;
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => answer.err(),
        Err(_) => Some("no answer in time".to_owned()),
    }
}

/// What is proven also says how long the blob is: as long as the chain says.
fn same_length(proven: u64, size: u64) -> Result<(), String> {
    let wrong = || format!("the blob has {proven} bytes, the chain says {size}");
    (proven == size).then_some(()).ok_or_else(wrong)
}
