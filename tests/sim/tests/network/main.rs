//! A whole network under one seed: development chain, storage nodes, client, with links
//! that lose, hosts that lose power, and an oracle that knows what was promised.
#![allow(clippy::unwrap_used)]

mod cluster;
mod oracle;

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use rand::{Rng, RngCore};
use tokio::time::{Instant, sleep, timeout};
use walrus_redstuff::BlobId;
use walrus_sdk::{CommitteeView, ProgressSink, ReadOptions, StoreOptions, StoreState};
use walrus_sim::{DiskFaults, Failure, FaultPlan, Run, World};

use cluster::Cluster;
use oracle::{Expected, Oracle};

/// How long things go wrong.
const FAULTS: Duration = Duration::from_secs(40);
/// After the faults: how long until every store has ended well ...
const STORES_END: Duration = Duration::from_secs(300);
/// ... until a certified blob is read ...
const READ_ENDS: Duration = Duration::from_secs(60);
/// ... and until every node holds all slivers of every certified blob.
const HEALED: Duration = Duration::from_secs(600);

/// What a run did, for statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    certified: usize,
    reads_during_faults: usize,
    power_cuts: u64,
}

/// Stores blobs while things go wrong, then demands that all of them can be read.
async fn scenario(world: World, tls: bool, disks: DiskFaults) -> Outcome {
    let cluster = Cluster::deploy(&world, tls).await;
    let mut rng = world.stream("scenario");
    let hosts = cluster.hosts();
    let mut plan = FaultPlan::draw(&mut rng, hosts.len(), cluster.nodes.len(), FAULTS);
    plan.disks.lying_sync |= disks.lying_sync;
    plan.disks.lying_sync_dir |= disks.lying_sync_dir;

    let view = cluster.sdk.network().await.unwrap().committee;
    let blobs: Vec<_> = (0..rng.random_range(2..5))
        .map(|_| {
            let mut bytes = vec![0; rng.random_range(100..20_000)];
            rng.fill_bytes(&mut bytes);
            let start = Duration::from_millis(rng.random_range(0..FAULTS.as_millis() as u64 / 2));
            (start, Expected::new(&view, bytes.into()))
        })
        .collect();
    let faults = plan.carry_out(&world, &hosts, |position, host| cluster.boot(position, host));
    let stores = join_all(blobs.into_iter().map(|(start, blob)| {
        let (world, cluster, view) = (&world, &cluster, &view);
        async move {
            sleep(start).await;
            let reads = store(world, cluster, view, &blob).await;
            (blob, reads)
        }
    }));
    let (stored, ()) = tokio::join!(timeout(FAULTS + STORES_END, stores), faults);
    let stored = stored.unwrap_or_else(|_| panic!("not stored {STORES_END:?} after the faults"));

    let mut oracle = Oracle::default();
    let reads_during_faults = stored.iter().map(|(_, reads)| reads).sum();
    oracle.certified = stored.into_iter().map(|(blob, _)| (blob.blob_id(), blob)).collect();
    check_readable(&world, &cluster, &oracle).await;
    check_healed(&world, &cluster, &oracle, &view).await;
    check_readable_with_silent_nodes(&world, &cluster, &oracle, &view).await;
    let power_cuts = cluster.nodes.iter().map(|host| host.power_cuts()).sum();
    Outcome { certified: oracle.certified.len(), reads_during_faults, power_cuts }
}

/// Stores one blob, again and again until it is certified, checks what its signers
/// promised, and reads it back while faults go on. Returns how many reads succeeded.
async fn store(world: &World, cluster: &Cluster, view: &CommitteeView, blob: &Expected) -> usize {
    let options = StoreOptions { epochs: 3, ..StoreOptions::default() };
    loop {
        let stored = cluster
            .sdk
            .store(&cluster.writer, blob.bytes.clone(), &options, &ProgressSink::none())
            .await;
        match stored {
            Ok(stored) => {
                assert_eq!(stored.blob_id, blob.blob_id());
                if let StoreState::Certified { certificate, .. } = stored.state {
                    blob.check_signers(world, cluster, view, &certificate.signers);
                }
                break;
            }
            Err(error) => {
                world.note(&format!("store of {}: {error}", blob.blob_id()));
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
    world.note(&format!("certified {}", blob.blob_id()));
    // Again to every node, one call at a time: what the store's own uploads do not tell.
    for node in view.nodes() {
        let accepted = timeout(READ_ENDS, blob.check_puts(cluster, view, node)).await;
        world.event(0, "puts", &[u64::from(node.id().0), accepted.unwrap_or(0)]);
    }
    let mut reads = 0;
    for _ in 0..3 {
        sleep(Duration::from_secs(2)).await;
        let reading = timeout(READ_ENDS, read(cluster, blob.blob_id()));
        if let Ok(Ok(bytes)) = reading.await {
            assert_eq!(bytes, blob.bytes, "wrong bytes were accepted");
            reads += 1;
        }
    }
    reads
}

async fn read(cluster: &Cluster, blob: BlobId) -> Result<Bytes, String> {
    let read = cluster.sdk.read(&blob, &ReadOptions::default(), &ProgressSink::none()).await;
    read.map(|read| read.bytes.into()).map_err(|error| error.to_string())
}

/// Certified stays readable, byte for byte.
async fn check_readable(world: &World, cluster: &Cluster, oracle: &Oracle) {
    for (id, blob) in &oracle.certified {
        let started = Instant::now();
        let read_until_success = async {
            loop {
                match read(cluster, *id).await {
                    Ok(bytes) => break bytes,
                    Err(error) => {
                        world.note(&format!("read of {id}: {error}"));
                        sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        };
        let Ok(bytes) = timeout(READ_ENDS, read_until_success).await else {
            panic!("certified blob {id} is not readable within {READ_ENDS:?}");
        };
        assert_eq!(bytes, blob.bytes, "wrong bytes were accepted");
        world.event(0, "read", &[started.elapsed().as_millis() as u64]);
    }
}

/// Every node gets back what it lacks, whatever it missed.
async fn check_healed(world: &World, cluster: &Cluster, oracle: &Oracle, view: &CommitteeView) {
    let missing = || {
        let nodes = view.nodes().iter();
        let pairs = nodes.flat_map(|node| oracle.certified.values().map(move |blob| (node, blob)));
        pairs.map(|(node, blob)| blob.missing(cluster, view, node.id())).sum::<usize>()
    };
    let started = Instant::now();
    while missing() > 0 {
        let slivers = missing();
        world.event(0, "heal", &[slivers as u64]);
        assert!(started.elapsed() < HEALED, "{slivers} slivers are missing after {HEALED:?}");
        sleep(Duration::from_secs(5)).await;
    }
}

/// The same with up to f shards' worth of nodes silent.
async fn check_readable_with_silent_nodes(
    world: &World,
    cluster: &Cluster,
    oracle: &Oracle,
    view: &CommitteeView,
) {
    let mut weight = u32::from(view.committee().max_faulty());
    for node in view.nodes() {
        if node.weight() <= weight {
            weight -= node.weight();
            let silent = cluster.host_of(node.id());
            world.network().cut(silent.index(), cluster.client.index());
        }
    }
    check_readable(world, cluster, oracle).await;
}

/// Every eighth seed speaks TLS.
fn run(seed: u64) -> (Run, bool) {
    let tls = seed.is_multiple_of(8);
    let run = Run { opaque_bodies: tls, ..Run::new("the_network_keeps_its_promises", seed) };
    (run, tls)
}

#[test]
fn the_network_keeps_its_promises() {
    // Acknowledged stays stored, certified stays readable, nothing wrong is accepted.
    let seeds = walrus_sim::seeds(100);
    let mut total = Outcome { certified: 0, reads_during_faults: 0, power_cuts: 0 };
    let mut failures: Vec<Failure> = Vec::new();
    let results = walrus_sim::for_each_seed(&seeds, |seed| {
        let (run, tls) = run(seed);
        run.execute(|world| scenario(world, tls, DiskFaults::default()))
    });
    for result in results {
        match result {
            Ok(report) => {
                total.certified += report.value.certified;
                total.reads_during_faults += report.value.reads_during_faults;
                total.power_cuts += report.value.power_cuts;
            }
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(first) = failures.first() {
        let all: Vec<_> = failures.iter().map(|f| format!("{}: {}", f.seed, f.message)).collect();
        panic!("{} of {} seeds failed\n{}\n\n{first}", all.len(), seeds.len(), all.join("\n"));
    }
    // A run in which nothing happens proves nothing.
    if seeds.len() >= 20 {
        let count = seeds.len();
        assert!(total.certified >= 2 * count && total.reads_during_faults > count, "{total:?}");
        assert!(total.power_cuts as usize > count / 2, "{total:?}");
    }
}

#[test]
fn a_network_run_repeats_exactly() {
    // Without this a failing seed cannot be studied.
    for seed in [1, 2, 8] {
        let (run, tls) = run(seed);
        run.check_repeats(|world| scenario(world, tls, DiskFaults::default()));
    }
}

#[test]
fn the_oracle_objects_to_disks_that_lie() {
    // Disks that ignore fsync stand for nodes that forget it.
    let lying = DiskFaults { lying_sync: true, ..DiskFaults::default() };
    for seed in 1..=5 {
        let (run, tls) = run(seed);
        let caught = run.execute(|world| scenario(world, tls, lying.clone()));
        let message = caught.expect_err("a disk that never syncs was not caught").message;
        assert!(message.contains("not on disk"), "caught for another reason: {message}");
    }
}
