//! `walrus extend`: keeping blobs alive.

use std::io::{IsTerminal as _, Write as _};

use serde_json::{Value, json};
use walrus_chain::BlobRecord;
use walrus_core::{BlobId, Epoch, TokenId};
use walrus_env::Env;

use super::list::Mine;
use crate::{
    args::{ExtendArgs, Global},
    dates,
    failure::{Failure, Kind, Outcome},
    output::{Output, table, wal},
    session::Session,
};

/// One object to be extended.
struct Step {
    record: BlobRecord,
    epochs: u32,
    cost: u64,
}

/// Runs `walrus extend`.
pub async fn run(env: &Env, global: &Global, arguments: &ExtendArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let mine = Mine::load(&session).await?;
    let chosen = choose(env, &session, &mine, arguments).await?;
    let prices = session.chain.network().await?.prices;
    let mut steps = Vec::new();
    for record in chosen {
        let end = match &arguments.until {
            Some(date) => mine.calendar.end_for(dates::parse(date, env.clock.unix().as_secs())?)?,
            None => Epoch(record.end_epoch.0.saturating_add(arguments.epochs.unwrap_or_default())),
        };
        let epochs = end.0.saturating_sub(record.end_epoch.0);
        if epochs > 0 {
            let cost = prices.cost(record.encoded_size, epochs).storage;
            steps.push(Step { record, epochs, cost });
        }
    }
    let total: u64 = steps.iter().map(|step| step.cost).sum();
    let describe = |step: &Step| {
        let end = Epoch(step.record.end_epoch.0 + step.epochs);
        json!({
            "object": step.record.token_id.0,
            "blob_id": step.record.blob_id.to_string(),
            "epochs": step.epochs,
            "end_epoch": end.0,
            "ends": mine.calendar.text(mine.calendar.begins(end)),
            "cost_frost": step.cost,
        })
    };
    let mut report = json!({
        "extended": steps.iter().map(describe).collect::<Vec<_>>(),
        "cost_frost": total,
        "dry_run": arguments.dry_run,
    });
    if arguments.dry_run || steps.is_empty() {
        output.result(&report, human);
        return Ok(());
    }
    let held = session.chain.wal_balance(mine.owner).await?;
    if held < total {
        let text =
            format!("it costs {}, the account holds {}", wal(total.into()), wal(held.into()));
        return Err(
            Failure::message(Kind::Refused, text).hint(format!("send WAL to {}", mine.owner))
        );
    }
    let whole = arguments.all || arguments.ending_before.is_some();
    if whole && !arguments.yes && !confirmed(steps.len(), total) {
        return Err(Failure::message(Kind::Usage, "nothing was paid")
            .hint("look at it with --dry-run, then say --yes"));
    }
    let writer = session.writer().await?;
    for (done, step) in steps.iter().enumerate() {
        let token = step.record.token_id;
        let extended = writer.extend(token, step.epochs, step.cost).await;
        if let Err(error) = extended {
            output.remark(format!("{done} of {} were extended", steps.len()));
            return Err(
                Failure::from(error).hint("the same command with --until goes on with the rest")
            );
        }
        mine.catalog.add_cost(token.0, step.cost)?;
    }
    report["done"] = true.into();
    output.result(&report, human);
    Ok(())
}

/// The objects meant: certified, alive, each once.
async fn choose(
    env: &Env,
    session: &Session,
    mine: &Mine,
    arguments: &ExtendArgs,
) -> Result<Vec<BlobRecord>, Failure> {
    let now = mine.calendar.now();
    let alive = |record: &BlobRecord| record.is_certified_in(now);
    if arguments.all || arguments.ending_before.is_some() {
        let before = match &arguments.ending_before {
            Some(date) => dates::parse(date, env.clock.unix().as_secs())?,
            None => u64::MAX,
        };
        let ends_before = |record: &&BlobRecord| mine.calendar.begins(record.end_epoch) < before;
        return Ok(mine.blobs.iter().filter(|r| alive(r)).filter(ends_before).cloned().collect());
    }
    if arguments.targets.is_empty() {
        return Err(Failure::message(Kind::Usage, "extend what?")
            .hint("name objects or blob ids, or --all or --ending-before DATE"));
    }
    let mut chosen: Vec<BlobRecord> = Vec::new();
    for target in &arguments.targets {
        let found = match target.parse::<u64>() {
            // Anybody may extend any object.
            Ok(object) => session.chain.blob(TokenId(object)).await?,
            Err(_) => {
                let id: BlobId = crate::client::blob_id(target)?;
                // Of several the one that lives longest: it takes the fewest epochs.
                mine.blobs.iter().rfind(|r| r.blob_id == id && alive(r)).cloned()
            }
        };
        let record = found.filter(alive).ok_or_else(|| {
            Failure::message(Kind::Usage, format!("{target} is no blob object that is stored now"))
                .hint("`walrus list` shows yours; what has ended must be stored again")
        })?;
        if !chosen.iter().any(|there| there.token_id == record.token_id) {
            chosen.push(record);
        }
    }
    Ok(chosen)
}

fn confirmed(count: usize, total: u64) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let question = format!("Extend {count} blobs for {}? Type yes: ", wal(total.into()));
    let mut answer = String::new();
    std::io::stderr().write_all(question.as_bytes()).is_ok()
        && std::io::stdin().read_line(&mut answer).is_ok()
        && answer.trim() == "yes"
}

fn human(report: &Value) -> String {
    let steps = report["extended"].as_array().cloned().unwrap_or_default();
    if steps.is_empty() {
        return "Nothing to extend: everything chosen lives that long already.".to_owned();
    }
    let head = ["object", "epochs", "until (UTC)", "cost"].map(str::to_owned).to_vec();
    let row = |step: &Value| {
        vec![
            step["object"].to_string(),
            format!("+{}", step["epochs"]),
            step["ends"].as_str().unwrap_or_default().to_owned(),
            wal(step["cost_frost"].as_u64().unwrap_or_default().into()),
        ]
    };
    let rows: Vec<_> = std::iter::once(head).chain(steps.iter().map(row)).collect();
    let total = wal(report["cost_frost"].as_u64().unwrap_or_default().into());
    let verb = if report["dry_run"] == true { "Would cost" } else { "Paid" };
    format!("{}\n\n{verb} {total}, and gas.", table(&rows))
}
