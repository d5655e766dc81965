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
        CapacityCommand::Normalise { start, end, size } => {
            let writer = session.writer().await?;
            writer.normalise_capacity(class(*start, *end), *size).await?;
            let now = session.chain.epoch_state().await?.epoch.0;
            let report = json!({ "size": size, "start": now, "end": end });
            output.result(&report, |_| {
                format!("{} now cover the epochs {now} to {}.", bytes(*size), end - 1)
            });
        }
        CapacityCommand::Destroy { start, end, size } => {
            let writer = session.writer().await?;
            writer.destroy_capacity(class(*start, *end), *size).await?;
            let report = json!({ "size": size, "start": start, "end": end });
            output.result(&report, |_| format!("Gave {} up.", bytes(*size)));
        }
    }
    Ok(())
}

async fn list(session: &Session, output: Output) -> Outcome {
    let owner = session.wallet().await?.address();
    let now = session.chain.epoch_state().await?.epoch.0;
    let holdings = session.chain.holdings(owner).await?.into_iter().map(|h| {
        let (start, end) = (h.class.start.0, h.class.end.0);
        json!({
            "start": start, "end": end, "size": h.amount, "usable": (start..end).contains(&now),
        })
    });
    let holdings: Vec<Value> = holdings.collect();
    let report = json!({ "owner": owner.to_string(), "epoch": now, "capacity": holdings });
    output.result(&report, |report| {
        if holdings.is_empty() {
            return "No capacity. `walrus capacity buy` buys some.".to_owned();
        }
        let head = ["size", "epochs", "", "normalised"].map(str::to_owned).to_vec();
        let row = |h: &Value| {
            let number = |name: &str| h[name].as_u64().unwrap_or_default();
            let (start, last) = (number("start"), number("end").saturating_sub(1));
            let left = number("end").saturating_sub(start.max(now.into()));
            let when = if start > now.into() {
                format!("from epoch {start} on, for {left}")
            } else {
                format!("usable now, {left} left")
            };
            let stale = if start < now.into() { "no" } else { "yes" };
            vec![bytes(number("size")), format!("{start} to {last}"), when, stale.to_owned()]
        };
        let rows = std::iter::once(head).chain(holdings.iter().map(row)).collect::<Vec<_>>();
        format!("Epoch {}\n\n{}", report["epoch"], table(&rows))
    });
    Ok(())
}
