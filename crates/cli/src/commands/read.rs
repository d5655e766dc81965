//! `walrus read`

use std::io::Write;

use anyhow::Context as _;
use serde_json::json;
use walrus_env::Env;
use walrus_redstuff::ConsistencyCheck;
use walrus_sdk::ReadOptions;

use crate::{
    args::{Check, Global, ReadArgs},
    client,
    failure::{Failure, Kind, Outcome},
    node_file::write_file,
    output::{Output, bytes},
    session::Session,
};

/// Runs `walrus read`.
pub async fn run(env: &Env, global: &Global, arguments: &ReadArgs, output: Output) -> Outcome {
    let id = client::blob_id(&arguments.blob_id)?;
    if output.is_json() && arguments.out.is_none() {
        return Err(Failure::message(Kind::Usage, "--json needs --out FILE")
            .hint("the blob and the report cannot both go to standard output"));
    }
    let session = Session::open(env, global).await?;
    let options = ReadOptions {
        max_blob_bytes: arguments.max_bytes,
        consistency: match arguments.check {
            Check::Default => ConsistencyCheck::Default,
            Check::Strict => ConsistencyCheck::Strict,
            Check::Skip => ConsistencyCheck::Skip,
        },
    };
    let read = client::open(&session).read(&id, &options, &client::progress(output)).await;
    let read = read.map_err(|error| client::read_failure(&id, error))?;
    for (node, lie) in &read.report.misbehaved {
        output.remark(format!("node {node} sent wrong data, which was not used: {lie}"));
    }
    let Some(out) = &arguments.out else {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&read.bytes).and_then(|()| stdout.flush()).context("standard output")?;
        return Ok(());
    };
    write_file(out, &read.bytes, false)?;
    let names = |nodes: &std::collections::BTreeMap<walrus_core::NodeId, String>| {
        nodes
            .iter()
            .map(|(node, why)| json!({ "node_id": node.0, "reason": why }))
            .collect::<Vec<_>>()
    };
    let report = json!({
        "blob_id": id.to_string(),
        "out": out,
        "size": read.bytes.len(),
        "slivers": read.report.slivers,
        "misbehaved": names(&read.report.misbehaved),
        "failed": names(&read.report.failed),
        "seconds": {
            "metadata": read.report.metadata_time.as_secs_f64(),
            "slivers": read.report.slivers_time.as_secs_f64(),
            "decode": read.report.decode_time.as_secs_f64(),
        },
    });
    let size = bytes(read.bytes.len() as u64);
    output.result(&report, |_| format!("Read {size} into {}.", out.display()));
    Ok(())
}
