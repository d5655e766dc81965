//! `walrus verify`: how sure one can be, without downloading it, that a blob can be read.
//!
//! What the chain says: that it was certified, which it believes only by signatures of members
//! holding two thirds of the shards. What members say now: they sign again. And what nobody
//! needs to believe: of shards drawn at random one symbol each is asked for, with a proof
//! that leads to the blob id. Only who has the sliver can make it.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_core::{BlobId, Persistence, StorageConfirmation, Threshold};
use walrus_env::Env;
use walrus_node_api::{Meter, client::ExpectedConfirmation, query::ConfirmationQuery};
use walrus_redstuff::{RowRun, ShardIndex, SliverIndex};
use walrus_sdk::{CommitteeView, Node};

use crate::{
    args::{Global, VerifyArgs},
    client,
    dates::Calendar,
    failure::{Failure, Kind, Outcome},
    output::{Output, bytes, table},
    session::Session,
};

/// Longest wait for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// Samples asked for at once.
const SAMPLES_AT_ONCE: usize = 16;

/// Runs `walrus verify`.
pub async fn run(env: &Env, global: &Global, arguments: &VerifyArgs, output: Output) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    let session = Session::open(env, global).await?;
    let client = client::open(&session);
    let snapshot = client.network().await?;
    let view = snapshot.committee.as_ref();
    let calendar = Calendar::new(&snapshot.network);
    let record = on_chain(&session, &id, &calendar).await?;

    let signed = signatures(view, &id, &record).await;
    let quorum = Threshold::Quorum.min_weight(view.params().n_shards());
    let meter = Meter::default();
    let samples = sample(env, view, &meter, &record, arguments.samples).await?;
    let good = samples.iter().filter(|sample| sample.failure.is_none()).count();
    let n = view.params().n_shards();
    let chance = chance(n, view.params().primary_source_symbols(), samples.len(), good);
    // More than one in a million is not sure; whoever wants more takes more samples.
    let available = chance <= 1e-6;
    let failed: Vec<Value> = samples.iter().filter_map(Sample::failed).collect();
    let report = json!({
        "blob_id": id.to_string(),
        "object": record.token_id.0,
        "size": record.size,
        "certified_epoch": record.certified_epoch.map(|epoch| epoch.0),
        "epoch": calendar.now().0,
        "end_epoch": record.end_epoch.0,
        "ends": calendar.text(calendar.begins(record.end_epoch)),
        "signed_weight": signed,
        "quorum": quorum,
        "n_shards": n,
        "samples": samples.len(),
        "proven": good,
        "failed": failed,
        "bytes_fetched": meter.bytes(),
        "chance_if_lost": chance,
        "available": available,
    });
    output.result(&report, human);
    if available {
        return Ok(());
    }
    Err(Failure::message(Kind::Unavailable, format!("it is not sure that blob {id} can be read"))
        .hint("too few nodes proved their part; try again later, with more --samples, or read it"))
}

/// The record that lives longest of those that are certified now.
async fn on_chain(
    session: &Session,
    id: &BlobId,
    calendar: &Calendar,
) -> Result<BlobRecord, Failure> {
    let not = |text: String| Failure::message(Kind::NotFound, text);
    if session.chain.is_invalid(id).await? {
        return Err(not(format!("blob {id} was marked invalid: it has no one content")));
    }
    let mut records = Vec::new();
    for token in session.chain.objects_of(id).await? {
        records.extend(session.chain.blob(token).await?);
    }
    let now = calendar.now();
    let certified = records.iter().filter(|record| record.is_certified_in(now));
    if let Some(record) = certified.max_by_key(|record| record.end_epoch) {
        return Ok(record.clone());
    }
    let last = records.iter().max_by_key(|record| record.end_epoch);
    Err(match last {
        None => not(format!("no blob {id} was ever stored on this network"))
            .hint("check the id and the network (--context)"),
        Some(record) if record.deleted => not(format!("blob {id} was deleted by its owner")),
        Some(record) if record.end_epoch <= now => {
            let ended = calendar.text(calendar.begins(record.end_epoch));
            not(format!("blob {id} was stored until epoch {} ({ended})", record.end_epoch))
        }
        Some(_) => not(format!("blob {id} is registered but not certified"))
            .hint("its upload was not finished; its owner finishes it by storing it again"),
    })
}

/// Shards of the members that sign, now, that they hold their part.
async fn signatures(view: &CommitteeView, id: &BlobId, record: &BlobRecord) -> u32 {
    let persistence = Persistence::of(record.token_id, record.deletable);
    let ask = |node: &Node| {
        let member = view.committee().member_of(node.id());
        let expected = ExpectedConfirmation {
            context: view.context(),
            epoch: view.epoch(),
            body: StorageConfirmation { blob_id: *id, persistence },
            key: &member.expect("a node is a member").public_key,
        };
        let (client, weight) = (node.client.clone(), node.weight());
        async move {
            let Ok(client) = client else { return 0 };
            let query = ConfirmationQuery::default();
            let answer = tokio::time::timeout(ANSWER_LIMIT, client.confirmation(&expected, &query));
            if matches!(answer.await, Ok(Ok(_))) { weight } else { 0 }
        }
    };
    futures::future::join_all(view.nodes().iter().map(ask)).await.into_iter().sum()
}

/// What became of one sample.
struct Sample {
    shard: ShardIndex,
    node: String,
    failure: Option<String>,
}

impl Sample {
    fn failed(&self) -> Option<Value> {
        let reason = self.failure.as_ref()?;
        Some(json!({ "shard": self.shard.get(), "node": self.node, "reason": reason }))
    }
}

/// Asks for a symbol of each of so many shards, drawn at random.
async fn sample(
    env: &Env,
    view: &CommitteeView,
    meter: &Meter,
    record: &BlobRecord,
    count: u16,
) -> Result<Vec<Sample>, Failure> {
    let (params, id) = (view.params(), &record.blob_id);
    let symbol_size = params.symbol_size(record.size).map_err(anyhow::Error::from)?;
    let owned = view.nodes().iter().flat_map(|node| node.shards.iter().map(move |s| (*s, node)));
    let mut shards: Vec<(ShardIndex, &Node)> = owned.collect();
    env.shuffle("samples", &mut shards);
    shards.truncate(count.into());
    let columns = u64::from(params.secondary_source_symbols());
    let ask = |(shard, node): (ShardIndex, &Node)| {
        let pair = shard.to_pair_index(params.n_shards(), id);
        let column = (env.random_u64("a sample's symbol") % columns) as u16;
        let run = RowRun { row: SliverIndex(pair.get()), first: SliverIndex(column), count: 1 };
        let client = node.client.as_ref().map(|client| client.metered(meter)).map_err(Clone::clone);
        let node = node.member.name.clone();
        async move {
            let asked = async {
                let run = client?.symbol_run(params, id, symbol_size, run).await;
                run.map_err(|error| error.to_string())
            };
            let answer = tokio::time::timeout(ANSWER_LIMIT, asked).await;
            let failure = match answer {
                Ok(Ok(proven)) => wrong_length(&proven, record.size),
                Ok(Err(error)) => Some(error),
                Err(_) => Some("no answer in time".to_owned()),
            };
            Sample { shard, node, failure }
        }
    };
    let mut samples: Vec<Sample> =
        futures::stream::iter(shards).map(ask).buffer_unordered(SAMPLES_AT_ONCE).collect().await;
    samples.sort_by_key(|sample| sample.shard.get());
    Ok(samples)
}

/// The proof also says how long the blob is: as long as the chain says.
fn wrong_length(proven: &walrus_redstuff::VerifiedRun, size: u64) -> Option<String> {
    let proven = proven.blob_bytes();
    (proven != size).then(|| format!("the blob has {proven} bytes, the chain says {size}"))
}

/// How likely it is that `good` or more of `drawn` samples are proven although the blob cannot
/// be read: that is, although fewer than `needed` of `n` shards have their primary sliver. The
/// worst case is that one is missing; samples are drawn without putting them back.
fn chance(n: u16, needed: u16, drawn: usize, good: usize) -> f64 {
    let (n, held) = (usize::from(n), usize::from(needed.saturating_sub(1)));
    let ln_choose = |n: usize, k: usize| -> f64 {
        (0..k).map(|i| ((n - i) as f64 / (i + 1) as f64).ln()).sum()
    };
    let possible = |hits: usize| hits <= held && drawn - hits <= n - held;
    let of = |hits: usize| {
        (ln_choose(held, hits) + ln_choose(n - held, drawn - hits) - ln_choose(n, drawn)).exp()
    };
    let sum: f64 = (good..=drawn).filter(|hits| possible(*hits)).map(of).sum();
    sum.min(1.0)
}

fn human(report: &Value) -> String {
    let number = |name: &str| report[name].as_u64().unwrap_or_default();
    let chance = report["chance_if_lost"].as_f64().unwrap_or(1.0);
    let sure = match report["available"] == true {
        true if chance == 0.0 => {
            "certain: more shards proved their part than are needed".to_owned()
        }
        true => format!("a lost blob would pass with a chance of {chance:.0e}"),
        false => format!("NOT sure: a lost blob would pass with a chance of {chance:.1e}"),
    };
    let rows = [
        ("blob", report["blob_id"].as_str().unwrap_or_default().to_owned()),
        ("size", bytes(number("size"))),
        ("certified", format!("in epoch {} (now {})", number("certified_epoch"), number("epoch"))),
        (
            "until",
            format!(
                "epoch {}, {} UTC at least",
                number("end_epoch"),
                report["ends"].as_str().unwrap_or("?")
            ),
        ),
        (
            "signed now",
            format!(
                "{} of {} shards; a certificate needs {}",
                number("signed_weight"),
                number("n_shards"),
                number("quorum")
            ),
        ),
        (
            "sampled",
            format!("{} of {} shards proved their part", number("proven"), number("samples")),
        ),
        ("fetched", format!("{} for the samples", bytes(number("bytes_fetched")))),
        ("sure", sure),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    let mut text = table(&rows);
    for failed in report["failed"].as_array().into_iter().flatten() {
        let name = failed["node"].as_str().unwrap_or_default();
        let reason = failed["reason"].as_str().unwrap_or_default();
        text.push_str(&format!("\nshard {} ({name}): {reason}", failed["shard"]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_sure_is_not_exaggerated() {
        // A number that is too small would have people delete their last copy.
        // Drawing everything leaves nothing to chance.
        assert_eq!(chance(10, 4, 10, 10), 0.0);
        assert_eq!(chance(10, 4, 4, 4), 0.0);
        // Three of ten hold theirs, three are drawn: 1 / C(10, 3).
        assert!((chance(10, 4, 3, 3) - 1.0 / 120.0).abs() < 1e-12);
        // At least two of three: (C(3,2) C(7,1) + 1) / 120.
        assert!((chance(10, 4, 3, 2) - 22.0 / 120.0).abs() < 1e-12);
        assert!((chance(10, 4, 3, 0) - 1.0).abs() < 1e-12);
        // A third of a thousand shards, twenty samples: a little below 3^-20.
        let twenty = chance(1000, 334, 20, 20);
        assert!(twenty < 3.0_f64.powi(-20) && twenty > 1e-10, "{twenty}");
        assert!(chance(1000, 334, 20, 19) > 10.0 * twenty);
        assert!(chance(1000, 334, 20, 10) > 1e-3);
    }
}
