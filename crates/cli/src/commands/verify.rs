//! `walrus verify`: how sure one can be, without downloading it, that a blob can be read.
//!
//! What the chain says: that it was certified, which it believes only by signatures of members
//! holding two thirds of the shards. What members say now: they sign again. And what nobody
//! needs to believe: of shards drawn at random one symbol of each of their two slivers is asked
//! for, with a proof that leads to the blob id. Only who has the sliver can make it.

mod sample;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_core::{BlobId, NodeId, Persistence, StorageConfirmation, Threshold};
use walrus_env::Env;
use walrus_node_api::{Meter, client::ExpectedConfirmation, query::ConfirmationQuery};
use walrus_sdk::{CommitteeView, Node};

use self::sample::{Sample, Samples};
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

/// Runs `walrus verify`.
pub async fn run(env: &Env, global: &Global, arguments: &VerifyArgs, output: Output) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    let session = Session::open(env, global).await?;
    let client = client::open(&session);
    let snapshot = client.network().await?;
    let view = snapshot.committee.as_ref();
    let calendar = Calendar::new(&snapshot.network);
    let record = on_chain(&session, &id, &calendar).await?;

    let signers = signatures(view, &id, &record).await;
    let weight = |node: &Node| if signers.contains(&node.id()) { node.weight() } else { 0 };
    let signed: u32 = view.nodes().iter().map(weight).sum();
    let quorum = Threshold::Quorum.min_weight(view.params().n_shards());
    let meter = Meter::default();
    let Samples { primary, secondary } =
        sample::draw(env, view, &meter, &record, arguments.samples).await?;
    let (n, needed) = (view.params().n_shards(), view.params().primary_source_symbols());
    let good = proven(&primary);
    let chance = chance(n, needed, primary.len(), good);
    // More than one in a million is not sure; whoever wants more takes more samples.
    let available = chance <= 1e-6;
    let failed = |samples: &[Sample]| samples.iter().filter_map(Sample::failed).collect::<Vec<_>>();
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
        "samples": primary.len(),
        "proven": good,
        "failed": failed(&primary),
        "needed": needed,
        "secondary": {
            "samples": secondary.len(),
            "proven": proven(&secondary),
            "failed": failed(&secondary),
        },
        "nodes": view.nodes().iter().map(|node| {
            let of = |samples: &[Sample]| {
                let asked = samples.iter().filter(|sample| sample.node == node.id());
                let (all, good) = (asked.clone().count(), asked.filter(|s| s.failure.is_none()).count());
                json!({ "asked": all, "proven": good })
            };
            json!({
                "node_id": node.id().0,
                "name": node.member.name,
                "shards": node.weight(),
                "signed": signers.contains(&node.id()),
                "primary": of(&primary),
                "secondary": of(&secondary),
            })
        }).collect::<Vec<_>>(),
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

/// The members that sign, now, that they hold their part.
async fn signatures(view: &CommitteeView, id: &BlobId, record: &BlobRecord) -> BTreeSet<NodeId> {
    let persistence = Persistence::of(record.token_id, record.deletable);
    let ask = |node: &Node| {
        let member = view.committee().member_of(node.id());
        let expected = ExpectedConfirmation {
            context: view.context(),
            epoch: view.epoch(),
            body: StorageConfirmation { blob_id: *id, persistence },
            key: &member.expect("a node is a member").public_key,
        };
        let (client, id) = (node.client.clone(), node.id());
        async move {
            let query = ConfirmationQuery::default();
            let client = client.ok()?;
            let answer = tokio::time::timeout(ANSWER_LIMIT, client.confirmation(&expected, &query));
            matches!(answer.await, Ok(Ok(_))).then_some(id)
        }
    };
    futures::future::join_all(view.nodes().iter().map(ask)).await.into_iter().flatten().collect()
}

fn proven(samples: &[Sample]) -> usize {
    samples.iter().filter(|sample| sample.failure.is_none()).count()
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
    // An empty sum is a negative zero.
    sum.clamp(0.0, 1.0) + 0.0
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
            "rows",
            format!(
                "{} of {} drawn shards proved their primary sliver; any {} of {} give the blob",
                number("proven"),
                number("samples"),
                number("needed"),
                number("n_shards")
            ),
        ),
        (
            "columns",
            format!(
                "{} of {} proved their secondary sliver; these heal lost rows and give files of quilts",
                report["secondary"]["proven"], report["secondary"]["samples"]
            ),
        ),
        ("fetched", format!("{} for the samples", bytes(number("bytes_fetched")))),
        ("sure", sure),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    let mut text = table(&rows);
    text.push_str("\n\n");
    text.push_str(&table(&nodes(report)));
    for (kind, failed) in [("row", &report["failed"]), ("column", &report["secondary"]["failed"])] {
        for failed in failed.as_array().into_iter().flatten() {
            let name = failed["node"].as_str().unwrap_or_default();
            let reason = failed["reason"].as_str().unwrap_or_default();
            text.push_str(&format!("\n{kind} of shard {} ({name}): {reason}", failed["shard"]));
        }
    }
    text
}

/// Who was asked, and who answered with a proof.
fn nodes(report: &Value) -> Vec<Vec<String>> {
    let head = ["node", "shards", "signed now", "rows proved", "columns proved"];
    let row = |node: &Value| {
        let of = |kind: &str| format!("{} of {} asked", node[kind]["proven"], node[kind]["asked"]);
        vec![
            node["name"].as_str().unwrap_or_default().to_owned(),
            node["shards"].to_string(),
            if node["signed"] == true { "yes" } else { "NO" }.to_owned(),
            of("primary"),
            of("secondary"),
        ]
    };
    let nodes = report["nodes"].as_array().into_iter().flatten().map(row);
    std::iter::once(head.map(str::to_owned).to_vec()).chain(nodes).collect()
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
