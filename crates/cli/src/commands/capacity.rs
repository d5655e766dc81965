//! `walrus capacity`: storage capacity as something that is owned.

use serde_json::{Value, json};
use walrus_chain::CapacityClass;
use walrus_core::Epoch;
use walrus_env::Env;

use super::chain::parse_address;
use crate::{
    args::{CapacityCommand, Global},
    failure::Outcome,
    output::{Output, bytes, table, wal},
    session::Session,
};

fn class(start: u32, end: u32) -> CapacityClass {
    CapacityClass { start: Epoch(start), end: Epoch(end) }
}

/// Runs `walrus capacity …`.
pub async fn run(env: &Env, global: &Global, command: &CapacityCommand, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    match command {
        CapacityCommand::List => return list(&session, output).await,
        CapacityCommand::Buy { size, epochs } => {
            let writer = session.writer().await?;
            let view = session.chain.network().await?;
            let start = view.epoch.epoch.0;
            let class = class(start, start.saturating_add(*epochs));
            let most = view.prices.cost(*size, *epochs).storage;
            writer.ensure_allowance(most).await?;
            let paid = writer.buy_capacity(*size, class, most).await?;
            let report = json!({
                "size": size, "start": start, "end": class.end.0, "paid": paid,
            });
            output.result(&report, |_| {
                let (size, paid) = (bytes(*size), wal(paid.into()));
                format!("Bought {size} for the epochs {start} to {} for {paid}.", class.end.0 - 1)
            });
        }
        CapacityCommand::Split { start, end, middle, size } => {
            let writer = session.writer().await?;
            writer.split_capacity(class(*start, *end), Epoch(*middle), *size).await?;
            let report = json!({
                "size": size, "left": [start, middle], "right": [middle, end],
            });
            output.result(&report, |_| format!("Split {} at epoch {middle}.", bytes(*size)));
        }
        CapacityCommand::Fuse { start, middle, end, size } => {
            let writer = session.writer().await?;
            let (left, right) = (class(*start, *middle), class(*middle, *end));
            writer.fuse_capacity(left, right, *size).await?;
            let report = json!({ "size": size, "start": start, "end": end });
            output.result(&report, |_| {
                format!("Fused {} to the epochs {start} to {}.", bytes(*size), end - 1)
            });
        }
        CapacityCommand::Transfer { to, start, end, size } => {
            let to = parse_address(to)?;
            let writer = session.writer().await?;
            writer.transfer_capacity(to, class(*start, *end), *size).await?;
            let report = json!({
                "to": to.to_string(), "size": size, "start": start, "end": end,
            });
            output.result(&report, |_| format!("Gave {} to {to}.", bytes(*size)));
        }
    }
    Ok(())
}

async fn list(session: &Session, output: Output) -> Outcome {
    let owner = session.wallet().await?.address();
    let holdings: Vec<Value> = session
        .chain
        .holdings(owner)
        .await?
        .into_iter()
        .map(|h| json!({ "start": h.class.start.0, "end": h.class.end.0, "size": h.amount }))
        .collect();
    output.result(&json!({ "owner": owner.to_string(), "capacity": holdings }), |report| {
        let head = vec!["start".to_owned(), "end".to_owned(), "size".to_owned()];
        let row = |h: &Value| {
            let size = h["size"].as_u64().unwrap_or_default();
            vec![h["start"].to_string(), h["end"].to_string(), bytes(size)]
        };
        let rows = report["capacity"].as_array().into_iter().flatten().map(row);
        table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    });
    Ok(())
}
