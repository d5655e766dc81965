//! `walrus demo`: a network, a file, a third of the network gone, the file back.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::time::Instant;
use walrus_chain::{ChainWriter, SendConfig};
use walrus_env::Env;
use walrus_redstuff::EncodingParams;
use walrus_sdk::{
    Client, ClientConfig, ProgressSink, ReadBlob, ReadOptions, StoreOptions, StoreState, Stored,
};

use crate::{
    args::DemoArgs,
    client,
    failure::{Failure, Kind, Outcome},
    input::Input,
    network::{EPOCH_SECONDS, LocalNetwork, Shape},
    output::{Output, bytes, duration, table},
};

/// What is stored when no file is named.
const SAMPLE: &str = "\
A walrus keeps its treasures in a thousand places at once.
Take away a third of them, and it still has everything.
";

/// Steps and how long each took.
struct Steps {
    output: Output,
    done: Vec<(&'static str, Duration)>,
    since: Instant,
}

impl Steps {
    fn finish(&mut self, name: &'static str) {
        let took = self.since.elapsed();
        self.output.remark(format!("{name}: {}", duration(took)));
        self.done.push((name, took));
        self.since = Instant::now();
    }
}

/// Runs `walrus demo`.
pub async fn run(env: &Env, arguments: &DemoArgs, output: Output) -> Outcome {
    let (nodes, shards) = (arguments.nodes, arguments.shards);
    let shape = Shape { nodes, shards, epoch_seconds: EPOCH_SECONDS };
    let params = EncodingParams::new(shape.shards).map_err(anyhow::Error::from)?;
    let data = match &arguments.file {
        Some(file) => Input::new(file).read(params.max_blob_size())?,
        None => SAMPLE.as_bytes().to_vec(),
    };
    let dir = tempfile::tempdir().context("cannot make a temporary directory")?;
    let mut steps = Steps { output, done: Vec::new(), since: Instant::now() };
    let mut network = LocalNetwork::start(env, dir.path(), shape, 0, &|_| {}).await?;
    steps.finish("start chain and nodes");

    let client = Client::new(network.client.clone(), ClientConfig::default());
    let wallet = network.wallet(env).await?;
    let writer = ChainWriter::new(network.client.clone(), wallet, SendConfig::default());
    let options = StoreOptions { epochs: 2, ..StoreOptions::default() };
    let progress = client::progress(output);
    let stored = client.store(&writer, data.clone(), &options, &progress).await?;
    steps.finish("store the file");

    let stopped = stop_a_third(&mut network, params.f()).await;
    steps.finish("stop a third of the shards");

    let read = read_back(&client, &stored).await?;
    if read.bytes != data {
        return Err(Failure::message(Kind::Failed, "the blob that was read differs from the file"));
    }
    steps.finish("read it back and compare");
    let report = report(&data, &stored, &read, &stopped, &steps);
    output.result(&report, |_| human(&data, &stored, &stopped, &steps));
    network.shutdown().await;
    Ok(())
}

/// Stops as many nodes as hold at most `f` shards; their names.
async fn stop_a_third(network: &mut LocalNetwork, f: u16) -> Vec<String> {
    let mut left = f;
    let mut stopped = Vec::new();
    for index in 0..network.nodes.len() {
        let Some(node) = &network.nodes[index] else { continue };
        let shards = node.node.status().shard_summary.owned;
        if let Ok(shards) = u16::try_from(shards)
            && shards <= left
        {
            left -= shards;
            stopped.extend(network.stop_node(index).await);
        }
    }
    stopped
}

async fn read_back(client: &Client, stored: &Stored) -> Result<ReadBlob, Failure> {
    let options = ReadOptions { max_blob_bytes: u64::MAX, ..ReadOptions::default() };
    let read = client.read(&stored.blob_id, &options, &ProgressSink::none()).await;
    read.map_err(|error| client::read_failure(&stored.blob_id, error))
}

fn report(
    data: &[u8],
    stored: &Stored,
    read: &ReadBlob,
    stopped: &[String],
    steps: &Steps,
) -> Value {
    let mut report = super::store::report(stored);
    report["recovered"] = (read.bytes == data).into();
    report["stopped_nodes"] = stopped.into();
    report["slivers_used"] = read.report.slivers.into();
    let step =
        |(name, took): &(&str, Duration)| json!({ "step": name, "seconds": took.as_secs_f64() });
    report["steps"] = steps.done.iter().map(step).collect::<Vec<_>>().into();
    report
}

fn human(data: &[u8], stored: &Stored, stopped: &[String], steps: &Steps) -> String {
    let mut rows = vec![
        vec!["file".to_owned(), bytes(data.len() as u64)],
        vec!["blob id".to_owned(), stored.blob_id.to_string()],
    ];
    if let StoreState::Certified { token, certificate, .. } = &stored.state {
        rows.push(vec!["object".to_owned(), token.to_string()]);
        let signers: Vec<_> = certificate.signers.iter().map(ToString::to_string).collect();
        rows.push(vec![
            "certificate".to_owned(),
            format!(
                "epoch {}, {} of {} needed shards, nodes {}",
                certificate.epoch,
                certificate.weight,
                certificate.needed,
                signers.join(" ")
            ),
        ]);
    }
    rows.push(vec!["stopped".to_owned(), stopped.join(" ")]);
    for (name, took) in &steps.done {
        rows.push(vec![(*name).to_owned(), duration(*took)]);
    }
    let without = stopped.len();
    format!("{}\n\nThe file came back byte for byte without {without} of the nodes.", table(&rows))
}
