//! What was measured, as text and as JSON.

use serde::Serialize;

use crate::measure::{Operation, Sample};

/// Everything that one run of the command found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) nodes: u16,
    pub(crate) n_shards: u16,
    /// None: a block at every transaction, so that nobody waits for one.
    pub(crate) block_interval_ms: Option<u64>,
    /// Processor seconds a second that nodes and chain use together when nothing happens.
    pub(crate) idle_cpu: f64,
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
}

/// One line: an operation, a size, and how many nodes were there.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) op: Operation,
    pub(crate) nodes_up: u16,
    pub(crate) blob_bytes: u64,
    /// How often it was done; the rest are medians.
    pub(crate) runs: usize,
    #[serde(flatten)]
    pub(crate) sample: Sample,
}

/// Where it was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
}

impl Machine {
    pub(crate) fn this() -> anyhow::Result<Self> {
        let processors = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
        let memory = std::fs::read_to_string("/proc/meminfo")?;
        let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = total.and_then(|total| total.trim().strip_suffix("kB")?.trim().parse().ok());
        Ok(Self {
            processor: model.unwrap_or("unknown").trim_start_matches([' ', '\t', ':']).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_mib: kib.unwrap_or(0u64) >> 10,
        })
    }
}

impl Report {
    pub(crate) fn print(&self) {
        let Machine { processor, cores, memory_mib } = &self.machine;
        println!(
            "{} nodes, {} shards, {cores} cores of {processor}, {memory_mib} MiB of memory",
            self.nodes, self.n_shards
        );
        let blocks =
            self.block_interval_ms.map_or("a block at every transaction".to_owned(), |interval| {
                format!("a block every {interval} ms")
            });
        println!("{blocks}; idle, nodes and chain use {:.4} CPU s a second", self.idle_cpu);
        println!();
        println!(
            "{:<5} {:>5} {:>8} {:>4} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7}",
            "op",
            "nodes",
            "blob",
            "runs",
            "wall s",
            "MiB/s",
            "CPU s",
            "/GiB",
            "client",
            "nodes",
            "client",
            "node",
            "all",
            "disk"
        );
        println!(
            "{:<5} {:>5} {:>8} {:>4} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7}",
            "", "up", "", "", "", "", "", "", "CPU s", "CPU s", "MiB", "MiB", "MiB", "/byte"
        );
        self.rows.iter().for_each(Row::print);
        println!();
        println!(
            "Wall is the client's process from start to end. CPU s counts all processes until a"
        );
        println!(
            "second after the client's end, less idle use; the two columns for client and nodes"
        );
        println!(
            "are not reduced. Memory is the peak of the client, of the largest node, and the sum"
        );
        println!("of all processes' peaks. Reads find the slivers in the system's page cache.");
    }
}

impl Row {
    fn print(&self) {
        let Self { op, nodes_up, blob_bytes, runs, sample } = self;
        let op = if *op == Operation::Store { "store" } else { "read" };
        // Of a small blob it says nothing.
        let per_gib = if *blob_bytes < 1 << 20 {
            "-".to_owned()
        } else {
            format!("{:.1}", sample.cpu_s_per_gib)
        };
        println!(
            "{op:<5} {nodes_up:>5} {:>8} {runs:>4} {:>9.3} {:>8.1} {:>8.2} {per_gib:>8} {:>8.2} {:>8.2} {:>7.0} {:>7.0} {:>7.0} {:>7.2}",
            size_text(*blob_bytes),
            sample.wall_s,
            sample.mib_per_s,
            sample.cpu_s,
            sample.client_cpu_s,
            sample.nodes_cpu_s,
            sample.client_peak_mib,
            sample.node_peak_mib,
            sample.all_peaks_mib,
            sample.disk_per_raw_byte,
        );
    }
}

/// A size in the largest unit that divides it.
pub(crate) fn size_text(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, shift)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    unit.map_or(format!("{bytes} B"), |(unit, shift)| format!("{} {unit}", bytes >> shift))
}
