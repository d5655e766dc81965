//! `walrus stake`, `unstake`, `withdraw`, `positions` and `get-wal`

use serde_json::{Value, json};
use walrus_chain::{ContractError, PositionRecord};
use walrus_core::NodeId;
use walrus_env::Env;

use crate::{
    args::{GetWalArgs, Global, PositionArgs, StakeArgs},
    failure::{Failure, Kind, Outcome},
    output::{Output, table, wal},
    session::Session,
};

/// FROST in a WAL.
const FROST: u64 = 1_000_000_000;
/// Wei in a unit of gas money.
const WEI: u128 = 1_000_000_000_000_000_000;

/// Runs `walrus stake`.
pub async fn stake(env: &Env, global: &Global, arguments: &StakeArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let writer = session.writer().await?;
    let frost = arguments.wal.saturating_mul(FROST);
    let position = writer.stake(NodeId(arguments.node), frost).await?;
    let found = session.chain.positions(position, 1).await?;
    let report = json!({
        "position": position, "node_id": arguments.node, "principal": frost,
        "activation_epoch": found.first().map(|found| found.activation_epoch.0),
    });
    output.result(&report, |report| {
        format!(
            "Staked {} with node {}: position {position}, active from epoch {}.",
            wal(frost.into()),
            arguments.node,
            report["activation_epoch"]
        )
    });
    Ok(())
}

/// Runs `walrus unstake`.
pub async fn unstake(
    env: &Env,
    global: &Global,
    arguments: &PositionArgs,
    output: Output,
) -> Outcome {
    let session = Session::open(env, global).await?;
    let writer = session.writer().await?;
    let position = arguments.position;
    let epoch = match writer.request_withdraw(position).await {
        Ok(epoch) => Some(epoch.0),
        Err(error) => match error.contract_error() {
            Some(ContractError::WithdrawAtOnce { .. }) => None,
            _ => return Err(error.into()),
        },
    };
    output.result(&json!({ "position": position, "withdraw_epoch": epoch }), |_| match epoch {
        Some(epoch) => format!(
            "Position {position} leaves its pool in epoch {epoch}; then run `walrus withdraw {position}`."
        ),
        None => format!("Position {position} is free: run `walrus withdraw {position}` now."),
    });
    Ok(())
}

/// Runs `walrus withdraw`.
pub async fn withdraw(
    env: &Env,
    global: &Global,
    arguments: &PositionArgs,
    output: Output,
) -> Outcome {
    let session = Session::open(env, global).await?;
    let amount = session.writer().await?.withdraw(arguments.position).await?;
    let report = json!({ "position": arguments.position, "received": amount });
    output.result(&report, |_| format!("Received {}.", wal(amount.into())));
    Ok(())
}

/// Runs `walrus positions`.
pub async fn positions(env: &Env, global: &Global, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let owner = session.wallet().await?.address();
    let mut rows = Vec::new();
    for position in session.chain.positions_of(owner).await? {
        rows.push(describe(&session, &position).await?);
    }
    let report = json!({ "owner": owner.to_string(), "positions": rows });
    output.result(&report, human);
    Ok(())
}

async fn describe(session: &Session, position: &PositionRecord) -> Result<Value, Failure> {
    Ok(json!({
        "position": position.position_id,
        "node_id": position.node_id.0,
        "principal": position.principal,
        "value": session.chain.position_value(position.position_id).await?,
        "activation_epoch": position.activation_epoch.0,
        "withdraw_epoch": position.withdraw_epoch.map(|epoch| epoch.0),
    }))
}

fn human(report: &Value) -> String {
    let positions = report["positions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if positions.is_empty() {
        return "No stake. `walrus committee` shows nodes to stake with.".to_owned();
    }
    let head = ["position", "node", "put in", "worth", "active from", "free from"];
    let amount = |value: &Value| wal(value.as_u64().unwrap_or_default().into());
    let row = |position: &Value| {
        let free = position["withdraw_epoch"].as_u64();
        vec![
            position["position"].to_string(),
            position["node_id"].to_string(),
            amount(&position["principal"]),
            amount(&position["value"]),
            position["activation_epoch"].to_string(),
            free.map_or_else(|| "staked".to_owned(), |epoch| epoch.to_string()),
        ]
    };
    let head = head.map(str::to_owned).to_vec();
    table(&std::iter::once(head).chain(positions.iter().map(row)).collect::<Vec<_>>())
}

/// Runs `walrus get-wal`.
pub async fn get_wal(
    env: &Env,
    global: &Global,
    arguments: &GetWalArgs,
    output: Output,
) -> Outcome {
    let session = Session::open(env, global).await?;
    let wei = u128::from(arguments.ether).saturating_mul(WEI);
    let got = session.writer().await?.exchange_for_wal(wei).await?.ok_or_else(|| {
        Failure::message(Kind::Usage, "this network has no exchange")
            .hint("only test networks give WAL for gas money")
    })?;
    let report = json!({ "received": got, "paid_wei": wei.to_string() });
    output.result(&report, |_| format!("Received {}.", wal(got.into())));
    Ok(())
}
