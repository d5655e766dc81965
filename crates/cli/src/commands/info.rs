//! `walrus info`: the network at a glance.

use serde_json::{Value, json};
use walrus_chain::{ChallengeMode, ChallengeView, EpochPhase, NetworkView, ProposalState};
use walrus_core::{Epoch, NodeId, Threshold};
use walrus_env::Env;
use walrus_redstuff::EncodingParams;

use crate::{
    args::Global,
    failure::{Failure, Outcome},
    output::{Output, bytes, wal},
    session::Session,
    words::{about_wal, bar, span, when},
};

/// Cells of a bar.
const BAR: usize = 24;
/// Sizes for the example of a price, the largest that fits the network first.
const EXAMPLES: [u64; 3] = [1 << 30, 100 << 20, 1 << 20];

/// Runs `walrus info`.
pub async fn info(env: &Env, global: &Global, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let report = report(&session).await?;
    output.result(&report, human);
    Ok(())
}

async fn report(session: &Session) -> Result<Value, Failure> {
    let chain = &session.chain;
    let snapshot = chain.snapshot().await?;
    let view = snapshot.view;
    let nodes = chain.nodes(NodeId(1), NodeId(view.node_count)).await?;
    let stake_of = |id| nodes.iter().find(|node| node.node_id == id).map_or(0, |node| node.stake);
    let committee = snapshot.committee.as_ref();
    let members: Vec<Value> = committee
        .into_iter()
        .flat_map(|committee| committee.members())
        .map(|(seat, member)| {
            json!({
                "seat": seat.0, "node_id": member.node_id.0, "name": member.name,
                "shards": member.weight, "address": member.network_address.as_str(),
                "stake": stake_of(member.node_id),
            })
        })
        .collect();
    let needed = committee.and_then(|committee| {
        (1..=view.parameters.n_shards)
            .find(|weight| committee.reaches(Threshold::Quorum, u32::from(*weight)))
    });
    let prices = view.prices.are_set().then_some(view.prices);
    let deployment = chain.deployment();
    Ok(json!({
        "context": session.name,
        "chain_id": deployment.chain_id,
        "contracts": deployment.contracts,
        "epoch": view.epoch.epoch.0,
        "phase": format!("{:?}", view.epoch.phase),
        "clock": clock(&view, chain.block_time().await?),
        "epoch_seconds": view.parameters.epoch_duration,
        "n_shards": view.parameters.n_shards,
        "max_epochs_ahead": view.parameters.max_epochs_ahead,
        "storage_price": prices.map(|prices| prices.storage),
        "write_price": prices.map(|prices| prices.write),
        "example": example(&view),
        "total_capacity": view.total_capacity,
        "used_capacity": view.used_capacity,
        "blobs_registered": view.blob_count,
        "blobs_certified": view.certified_count,
        "nodes_registered": view.node_count,
        "committee": members,
        "quorum_shards": needed,
        "challenge": challenge(session, &view).await?,
        "governance": governance(session).await?,
        "wallet": wallet(session).await?,
    }))
}

/// Where in the epoch the chain is; Unix seconds of the chain's clock.
fn clock(view: &NetworkView, now: u64) -> Value {
    let epoch = &view.epoch;
    let duration = u64::from(view.parameters.epoch_duration);
    json!({
        "now": now,
        "started_at": epoch.started_at,
        "synced_shards": epoch.synced_weight,
        "done_at": epoch.done_at,
        "selectable_at": epoch.selectable_at,
        "next_epoch_at": epoch.startable_at,
        "earliest_end": epoch.startable_at.unwrap_or(epoch.started_at.max(now) + duration),
    })
}

/// What storing a large file for one epoch costs now.
fn example(view: &NetworkView) -> Value {
    let priced = || {
        let params = EncodingParams::new(view.parameters.n_shards).ok()?;
        let size = EXAMPLES.into_iter().find(|size| *size <= params.max_blob_size())?;
        let encoded = params.encoded_blob_length(size).ok()?;
        let cost = view.prices.are_set().then(|| view.prices.cost(encoded, 1))?;
        Some(json!({
            "size": size, "encoded_size": encoded, "epochs": 1,
            "storage": cost.storage, "write": cost.write, "total": cost.total(),
        }))
    };
    priced().unwrap_or_default()
}

async fn challenge(session: &Session, view: &NetworkView) -> Result<Value, Failure> {
    if view.epoch.epoch == Epoch(0) {
        return Ok(Value::Null);
    }
    let found = session.chain.challenge(view.epoch.epoch).await?;
    // The round of an epoch has its mode only once the next committee is selected.
    let mode = match session.chain.tunable("challengeMode").await? {
        0 => ChallengeMode::Off,
        1 => ChallengeMode::Trial,
        _ => ChallengeMode::Enforced,
    };
    let ChallengeView { opened, log_start, log_end, acked_weight, passed_weight, .. } = found;
    let opens = u64::from(view.parameters.epoch_duration) * 3 / 4;
    let waits = mode != ChallengeMode::Off && !opened && log_end > log_start;
    Ok(json!({
        "mode": mode.to_string(),
        "opened": opened,
        "opens_at": view.epoch.done_at.filter(|_| waits).map(|done| done + opens),
        "log_start": log_start,
        "log_end": log_end,
        "acked_shards": acked_weight,
        "passed_shards": passed_weight,
        "seed_block": found.seed_block,
        "seed": found.seed.map(hex::encode),
        "close_time": found.close_time,
    }))
}

async fn governance(session: &Session) -> Result<Value, Failure> {
    let found = session.chain.governance().await?;
    // An address that keeps no old logs knows of no proposals; the rest is still true.
    let mut open = Value::Null;
    if let Ok(proposals) = session.chain.proposals().await {
        let mut count = 0u64;
        for proposal in proposals {
            let state = session.chain.proposal_status(proposal.id).await?.state;
            use ProposalState::*;
            count += u64::from(matches!(state, Pending | Active | Succeeded | Queued));
        }
        open = count.into();
    }
    Ok(json!({
        "open_proposals": open,
        "paused_until": (found.paused_until != 0).then_some(found.paused_until),
        "guardian": found.guardian.map(|guardian| guardian.to_string()),
        "guardian_expiry": found.guardian.map(|_| found.guardian_expiry),
        "proposal_threshold": found.proposal_threshold.to_string(),
        "quorum": found.quorum.to_string(),
    }))
}

/// Looking at a network needs no wallet.
async fn wallet(session: &Session) -> Result<Value, Failure> {
    let Ok(wallet) = session.wallet().await else { return Ok(Value::Null) };
    let address = wallet.address();
    Ok(json!({
        "address": address.to_string(),
        "wal": session.chain.wal_balance(address).await?,
        "ether_wei": session.chain.ether_balance(address).await?.to_string(),
    }))
}

/// Everything above in some twenty lines of at most 80 columns.
fn human(report: &Value) -> String {
    let number = |name: &str| report[name].as_u64().unwrap_or_default();
    let mut page = Page::default();
    page.line(
        "Network",
        &format!(
            "{}, chain {}, {} shards",
            report["context"].as_str().unwrap_or_default(),
            report["chain_id"],
            number("n_shards")
        ),
    );
    page.gap();
    epoch(&mut page, report);
    page.gap();
    prices(&mut page, report);
    page.gap();
    let (used, total) = (number("used_capacity"), number("total_capacity"));
    page.line(
        "Capacity",
        &format!("{} {} of {}", bar(used, total, BAR), bytes(used), bytes(total)),
    );
    page.line(
        "Blobs",
        &format!(
            "{} registered, {} certified",
            number("blobs_registered"),
            number("blobs_certified")
        ),
    );
    page.gap();
    people(&mut page, report);
    page.text
}

/// Lines with a name in front; a nameless one goes on with the line before.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, name: &str, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(format!("{name:<12}{text}").trim_end());
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }
}

fn epoch(page: &mut Page, report: &Value) {
    let clock = &report["clock"];
    let time = |name: &str| clock[name].as_u64();
    let (now, number) = (time("now").unwrap_or_default(), report["epoch"].to_string());
    let due = |time: u64| {
        if time > now { when(now, time) } else { "due: `walrus chain crank` does it".to_owned() }
    };
    if report["epoch"] == 0 {
        page.line("Epoch", "0: the network has not started");
        if let Some(at) = time("selectable_at") {
            page.line("", &format!("first committee   {}", due(at)));
        }
        return;
    }
    let (start, end) =
        (time("started_at").unwrap_or_default(), time("earliest_end").unwrap_or(now));
    let (passed, length) = (now.saturating_sub(start), end.saturating_sub(start));
    if report["phase"] == format!("{:?}", EpochPhase::Sync) {
        let synced = clock["synced_shards"].as_u64().unwrap_or_default();
        let shards = report["n_shards"].as_u64().unwrap_or_default();
        page.line("Epoch", &format!("{number}, begun {}", when(now, start)));
        page.line(
            "",
            &format!(
                "{} {synced} of {shards} in place, {} needed",
                bar(synced, shards, BAR),
                report["quorum_shards"]
            ),
        );
        return;
    }
    let number = format!("{number}  ");
    page.line(
        "Epoch",
        &format!("{number}{} {} of {}", bar(passed, length, BAR), span(passed), span(length)),
    );
    let selected = report["phase"] == format!("{:?}", EpochPhase::ParamsSelected);
    match time("selectable_at") {
        _ if selected => page.line("", "next committee    selected"),
        Some(at) => page.line("", &format!("next committee    {}", due(at))),
        None => {}
    }
    if let Some(at) = report["challenge"]["opens_at"].as_u64() {
        page.line("", &format!("challenge opens   {}", when(now, at.max(now))));
    }
    if let Some(at) = time("next_epoch_at") {
        page.line("", &format!("next epoch        {}", due(at)));
    }
}

fn prices(page: &mut Page, report: &Value) {
    let price = |name: &str| report[name].as_u64().map(u128::from);
    let (Some(storage), Some(write)) = (price("storage_price"), price("write_price")) else {
        page.line("Prices", "not voted on yet");
        return;
    };
    page.line("Prices", &format!("{} a GiB and epoch, as encoded", wal(storage * 1024)));
    page.line("", &format!("{} a GiB written", wal(write * 1024)));
    let example = &report["example"];
    let number = |name: &str| example[name].as_u64().unwrap_or_default();
    if !example.is_null() {
        page.line(
            "",
            &format!(
                "{} for one epoch: {} ({} encoded)",
                bytes(number("size")),
                wal(number("total").into()),
                bytes(number("encoded_size"))
            ),
        );
    }
}

fn people(page: &mut Page, report: &Value) {
    let now = report["clock"]["now"].as_u64().unwrap_or_default();
    let members = report["committee"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stake = members.iter().filter_map(|member| member["stake"].as_u64());
    let stake: u128 = stake.map(u128::from).sum();
    page.line(
        "Committee",
        &format!(
            "{} of {} nodes, {} staked, quorum {} shards",
            members.len(),
            report["nodes_registered"],
            about_wal(stake),
            report["quorum_shards"]
        ),
    );
    let shown: Vec<_> = members
        .iter()
        .take(6)
        .map(|m| format!("{} {}", m["name"].as_str().unwrap_or_default(), m["shards"]))
        .collect();
    let more = members.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let line: String = format!("{}{more}", shown.join(", "));
    page.line("", &cut(&line, 68));
    let challenge = &report["challenge"];
    if let Some(mode) = challenge["mode"].as_str() {
        let state = match (mode, challenge["opened"] == true) {
            ("off", _) => String::new(),
            (_, false) => ", not open yet".to_owned(),
            (_, true) => format!(
                ", open: {} shards ready, {} passed",
                challenge["acked_shards"], challenge["passed_shards"]
            ),
        };
        page.line("Challenges", &format!("{mode}{state}"));
    }
    let governance = &report["governance"];
    let state = match governance["open_proposals"].as_u64() {
        Some(0) => "no open proposals".to_owned(),
        Some(1) => "1 open proposal: `walrus governance list`".to_owned(),
        Some(count) => format!("{count} open proposals: `walrus governance list`"),
        None => "`walrus governance list` needs an RPC address with old logs".to_owned(),
    };
    page.line("Governance", &state);
    if let Some(until) = governance["paused_until"].as_u64().filter(|until| *until > now) {
        page.line("", &format!("sales are paused, ends {}", when(now, until)));
    }
    if let Some(balance) = report["wallet"]["wal"].as_u64() {
        page.line("Wallet", report["wallet"]["address"].as_str().unwrap_or_default());
        let wei = report["wallet"]["ether_wei"].as_str().and_then(|wei| wei.parse::<u128>().ok());
        let ether = wei.unwrap_or_default() as f64 / 1e18;
        page.line("", &format!("{}, {ether:.3} gas money", wal(balance.into())));
    }
}

/// At most `width` characters of a line.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_fits_a_terminal() {
        // A wrapped line reads like two.
        let member = json!({ "name": "a node of a long name", "shards": 1000, "stake": u64::MAX });
        let report = json!({
            "context": "mainnet", "chain_id": u64::MAX, "n_shards": 1000, "epoch": u32::MAX,
            "phase": "Done", "epoch_seconds": 1_209_600, "nodes_registered": 4_000_000_000u64,
            "clock": {
                "now": 1_800_000_000, "started_at": 1_799_000_000, "done_at": 1_799_000_100,
                "selectable_at": 1_800_500_000, "next_epoch_at": 1_801_209_700,
                "earliest_end": 1_801_209_700, "synced_shards": 1000,
            },
            "storage_price": 1u64 << 48, "write_price": 1u64 << 48,
            "example": {
                "size": 1u64 << 30, "encoded_size": 5u64 << 30, "storage": u64::MAX,
                "total": u64::MAX,
            },
            "total_capacity": u64::MAX, "used_capacity": u64::MAX / 3,
            "blobs_registered": u64::MAX, "blobs_certified": u32::MAX,
            "committee": vec![member; 150], "quorum_shards": 667,
            "challenge": {
                "mode": "enforced", "opened": true, "opens_at": 1_800_900_000,
                "acked_shards": 1000, "passed_shards": 1000,
            },
            "governance": { "open_proposals": 12, "paused_until": 1_801_000_000 },
            "wallet": {
                "address": "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1", "wal": u64::MAX,
                "ether_wei": "123456789012345678901234567890",
            },
        });
        for phase in ["Sync", "Done", "ParamsSelected"] {
            let mut report = report.clone();
            report["phase"] = phase.into();
            let page = human(&report);
            for line in page.lines() {
                assert!(line.chars().count() <= 80, "{line:?}");
            }
        }
        let mut before = report;
        before["epoch"] = 0.into();
        before["storage_price"] = Value::Null;
        assert!(human(&before).contains("not started"));
    }
}
