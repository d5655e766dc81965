//! What one store or read took.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::content;

/// Nodes finish work of a store after the client has gone: that long is still counted.
const SETTLE: Duration = Duration::from_secs(1);
const GIB: f64 = (1 << 30) as f64;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    Store,
    Read,
}

/// What one run, or the median of several, took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    /// From the start of the client's process to its end.
    pub(crate) wall_s: f64,
    pub(crate) mib_per_s: f64,
    /// All processes, until a second after the client's end, less what they use when idle.
    pub(crate) cpu_s: f64,
    pub(crate) cpu_s_per_gib: f64,
    pub(crate) client_cpu_s: f64,
    /// Nodes and chain until a second after the client's end, idle use included.
    pub(crate) nodes_cpu_s: f64,
    pub(crate) chain_cpu_s: f64,
    pub(crate) client_peak_mib: f64,
    /// The node that used most.
    pub(crate) node_peak_mib: f64,
    pub(crate) chain_peak_mib: f64,
    /// The sum of the peaks of all processes: never less than their common peak.
    pub(crate) all_peaks_mib: f64,
    /// What the nodes' directories grew by; nothing for a read.
    pub(crate) disk_bytes: f64,
    pub(crate) disk_per_raw_byte: f64,
}

impl Sample {
    /// The median of each figure by itself.
    pub(crate) fn median(samples: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = samples.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            wall_s: of(|sample| sample.wall_s),
            mib_per_s: of(|sample| sample.mib_per_s),
            cpu_s: of(|sample| sample.cpu_s),
            cpu_s_per_gib: of(|sample| sample.cpu_s_per_gib),
            client_cpu_s: of(|sample| sample.client_cpu_s),
            nodes_cpu_s: of(|sample| sample.nodes_cpu_s),
            chain_cpu_s: of(|sample| sample.chain_cpu_s),
            client_peak_mib: of(|sample| sample.client_peak_mib),
            node_peak_mib: of(|sample| sample.node_peak_mib),
            chain_peak_mib: of(|sample| sample.chain_peak_mib),
            all_peaks_mib: of(|sample| sample.all_peaks_mib),
            disk_bytes: of(|sample| sample.disk_bytes),
            disk_per_raw_byte: of(|sample| sample.disk_per_raw_byte),
        }
    }
}

/// A network whose idle use is known.
pub(crate) struct Meter {
    pub(crate) cluster: Cluster,
    /// Processor seconds a second, nodes and chain together.
    pub(crate) idle: f64,
}

impl Meter {
    /// Watches the network doing nothing.
    pub(crate) fn new(cluster: Cluster) -> anyhow::Result<Self> {
        let mut meter = Self { cluster, idle: 0.0 };
        meter.watch_idle()?;
        Ok(meter)
    }

    /// Measures the idle use anew, such as after nodes were stopped.
    pub(crate) fn watch_idle(&mut self) -> anyhow::Result<()> {
        std::thread::sleep(Duration::from_secs(2));
        let (before, start) = (self.cpu()?, Instant::now());
        std::thread::sleep(Duration::from_secs(5));
        let after = self.cpu()?;
        let used = after.0 - before.0 + after.1 - before.1;
        self.idle = used / start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Processor seconds of the nodes and of the chain so far.
    fn cpu(&self) -> anyhow::Result<(f64, f64)> {
        let mut nodes = 0.0;
        for node in &self.cluster.nodes {
            nodes += node.cpu_seconds()?;
        }
        Ok((nodes, self.cluster.chain.cpu_seconds()?))
    }

    /// Stores the blob of a seed; returns its id.
    pub(crate) fn store(&self, seed: u64, bytes: u64) -> anyhow::Result<(String, Sample)> {
        let file = self.cluster.file("blob");
        content::write(&file, seed, bytes)?;
        let (report, sample) = self.run(&["store", "blob"], bytes)?;
        std::fs::remove_file(&file)?;
        let id = report["blob_id"].as_str().context("no blob id in the client's report")?;
        Ok((id.to_owned(), sample))
    }

    /// Reads a blob, and compares it with that of a seed byte for byte.
    pub(crate) fn read(&self, id: &str, seed: u64, bytes: u64) -> anyhow::Result<Sample> {
        let file = self.cluster.file("copy");
        let (_, sample) = self.run(&["read", id, "--out", "copy"], bytes)?;
        content::compare(&file, seed, bytes)?;
        std::fs::remove_file(&file)?;
        Ok(sample)
    }

    fn run(&self, arguments: &[&str], bytes: u64) -> anyhow::Result<(serde_json::Value, Sample)> {
        let Cluster { chain, nodes, .. } = &self.cluster;
        for service in nodes.iter().chain([chain]) {
            service.reset_peak()?;
        }
        let (disk, before) = (self.cluster.disk_bytes()?, self.cpu()?);
        let (report, client) = self.cluster.client(arguments)?;
        std::thread::sleep(SETTLE);
        let after = self.cpu()?;
        let (nodes_cpu_s, chain_cpu_s) = (after.0 - before.0, after.1 - before.1);
        let idle = self.idle * (client.wall_s + SETTLE.as_secs_f64());
        let cpu_s = (client.cpu_s + nodes_cpu_s + chain_cpu_s - idle).max(0.0);
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let (client_peak_mib, chain_peak_mib) = (mib(client.peak_bytes), mib(chain.peak_bytes()?));
        let mut peaks = Vec::new();
        for node in nodes {
            peaks.push(mib(node.peak_bytes()?));
        }
        let disk_bytes = self.cluster.disk_bytes()?.saturating_sub(disk) as f64;
        let sample = Sample {
            wall_s: client.wall_s,
            mib_per_s: mib(bytes) / client.wall_s,
            cpu_s,
            cpu_s_per_gib: cpu_s * GIB / bytes as f64,
            client_cpu_s: client.cpu_s,
            nodes_cpu_s,
            chain_cpu_s,
            client_peak_mib,
            node_peak_mib: peaks.iter().copied().fold(0.0, f64::max),
            chain_peak_mib,
            all_peaks_mib: peaks.iter().sum::<f64>() + client_peak_mib + chain_peak_mib,
            disk_bytes,
            disk_per_raw_byte: disk_bytes / bytes as f64,
        };
        Ok((report, sample))
    }
}
