//! The node's store on disks that lose what was not synced.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use rand::{Rng, RngCore};
use tokio::time::{sleep, timeout};
use walrus_env::Env;
use walrus_node::store::{
    Store,
    slivers::{Put, ReadError, SliverKey},
};
use walrus_redstuff::{BlobId, EncodingParams, SliverPairIndex, SliverType};
use walrus_sim::{DiskFaults, DiskOp, Host, Run, World};

/// What the store promised, kept outside of it.
#[derive(Default)]
struct Promises {
    slivers: BTreeMap<(BlobId, SliverKey), Bytes>,
    cursor: u64,
    acknowledged: u64,
}

#[derive(Clone, Default)]
struct Oracle(Arc<Mutex<Promises>>);

impl Oracle {
    fn promises(&self) -> MutexGuard<'_, Promises> {
        self.0.lock().unwrap()
    }
}

/// Opens the store, again while the disk reports errors, as a restarted node would.
async fn open(env: &Env) -> Arc<Store> {
    let params = EncodingParams::new(100).unwrap();
    loop {
        match Store::open(env.clone(), Path::new("/node"), params, "node 1").await {
            Ok(store) => return Arc::new(store),
            Err(error) if error.to_string().contains(DEVICE_ERROR) => {
                sleep(Duration::from_millis(100)).await;
            }
            Err(error) => panic!("the store does not open: {error}"),
        }
    }
}

/// What a failed sync says.
const DEVICE_ERROR: &str = "the device reported an error";

/// The content of a sliver follows from its name, so that a retry writes the same.
fn sliver(world: &World, blob: &BlobId, key: SliverKey) -> Bytes {
    let name = format!("sliver {blob} {key:?}");
    let mut stream = world.stream(&name);
    let mut bytes = vec![0; stream.random_range(40..2_000)];
    stream.fill_bytes(&mut bytes);
    bytes.into()
}

/// Stores slivers for ever, four tasks at once, and moves the cursor along.
fn work(world: &World, host: &Arc<Host>, env: &Env, store: &Arc<Store>, oracle: &Oracle) {
    for _ in 0..4 {
        let (world, host, store) = (world.clone(), host.clone(), store.clone());
        let (oracle, work) = (oracle.clone(), env.clone());
        env.spawn("put slivers", async move {
            loop {
                let blob = BlobId::from_bytes([(work.random_u64("blob") % 6) as u8; 32]);
                let axis = [SliverType::Primary, SliverType::Secondary]
                    [(work.random_u64("axis") % 2) as usize];
                let pair = SliverPairIndex((work.random_u64("pair") % 40) as u16);
                let key = SliverKey { pair, axis };
                let bytes = sliver(&world, &blob, key);
                match store.slivers().put(&blob, key, bytes.clone()).await {
                    // Asked of the disk, not of the store, at the moment of the promise.
                    Ok(Put::Stored) if !host.disk().holds_durably(&bytes) => {
                        world.fail(format!("acknowledged {key:?} of {blob} is not on disk"));
                    }
                    Ok(_) => {}
                    // A disk that reports errors acknowledges nothing.
                    Err(_) => {
                        sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                }
                {
                    let mut promises = oracle.promises();
                    promises.slivers.insert((blob, key), bytes);
                    promises.acknowledged += 1;
                }
                // What is stored already is acknowledged at once: time must pass all the same.
                sleep(Duration::from_millis(1)).await;
            }
        });
    }
    let (oracle, store) = (oracle.clone(), store.clone());
    env.spawn("move the cursor", async move {
        loop {
            let next = oracle.promises().cursor + 1;
            if store.apply(next, next.to_be_bytes().to_vec(), |_| Ok(())).await.is_err() {
                // A failed write ends the database; the node restarts.
                return;
            }
            oracle.promises().cursor = next;
            sleep(Duration::from_millis(3)).await;
        }
    });
}

/// Whether everything promised is there.
async fn check(store: &Store, oracle: &Oracle) -> Result<(), String> {
    let (slivers, cursor) = {
        let promises = oracle.promises();
        (promises.slivers.clone(), promises.cursor)
    };
    for ((blob, key), bytes) in slivers {
        let read = loop {
            match store.slivers().get(&blob, key).await {
                // No answer is not a wrong answer; a failing disk is asked again.
                Err(ReadError::Io(_)) => sleep(Duration::from_millis(100)).await,
                answer => break answer,
            }
        };
        match read {
            Ok(Some(stored)) if stored == bytes => {}
            other => return Err(format!("acknowledged {key:?} of {blob} reads as {other:?}")),
        }
    }
    let stored = match store.cursor().await {
        Ok(bytes) => bytes.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap())),
        // A database whose disk failed is closed: no answer, and no wrong one.
        Err(error) if error.to_string().contains(DEVICE_ERROR) => cursor,
        Err(error) => return Err(format!("acknowledged cursor {cursor} cannot be read: {error}")),
    };
    if stored < cursor {
        return Err(format!("acknowledged cursor {cursor} reads as {stored}"));
    }
    Ok(())
}

/// Five lives of a store, each ended by a power cut at a random moment or operation.
/// Returns the number of acknowledgements.
async fn lives(world: World, faults: DiskFaults) -> Result<u64, String> {
    let mut stream = world.stream("lives");
    let host = world.add_host("node");
    host.disk().set_faults(faults);
    let oracle = Oracle::default();
    for life in 0..5 {
        let env = host.boot();
        let aim = match stream.random_range(0..5) {
            0 => Some((DiskOp::Write, stream.random_range(1..400))),
            1 | 2 => Some((DiskOp::Sync, stream.random_range(1..100))),
            3 => Some((DiskOp::Rename, stream.random_range(1..10))),
            _ => None,
        };
        if let Some((op, count)) = aim {
            world.note(&format!("life {life}: power cut at {op:?} {count}"));
            host.disk().aim(op, count);
        }
        let time = Duration::from_millis(stream.random_range(100..2_000));
        let living = async {
            let store = open(&env).await;
            check(&store, &oracle).await?;
            work(&world, &host, &env, &store, &oracle);
            // The scenario does not die with the host, so it must let go of its store.
            drop(store);
            sleep(time).await;
            Ok::<_, String>(())
        };
        tokio::select! {
            biased;
            () = host.wait_down() => {}
            lived = timeout(Duration::from_secs(600), living) => {
                lived.expect("opening and reading must end")?;
                host.power_cut();
            }
        }
        host.disk().clear_aim();
    }
    let store = open(&host.boot()).await;
    check(&store, &oracle).await?;
    Ok(oracle.promises().acknowledged)
}

#[test]
fn an_acknowledged_sliver_survives_every_power_cut() {
    let seeds = walrus_sim::seeds(100);
    let reports = walrus_sim::for_each_seed(&seeds, |seed| {
        let run = Run::new("an_acknowledged_sliver", seed);
        run.check(|world| async { lives(world, DiskFaults::default()).await.unwrap() })
    });
    let acknowledged: u64 = reports.iter().map(|report| report.value).sum();
    assert!(acknowledged > 50 * seeds.len() as u64, "only {acknowledged} acknowledgements");
}

#[test]
fn an_acknowledged_sliver_survives_disks_that_fail_to_sync() {
    // A failed sync must never be followed by an acknowledgement of what it covered.
    for seed in walrus_sim::seeds(30) {
        let faults = DiskFaults { failed_sync: 0.05, ..DiskFaults::default() };
        let run = Run::new("disks_that_fail_to_sync", seed);
        run.check(|world| async { lives(world, faults.clone()).await.unwrap() });
    }
}

#[test]
fn a_store_run_repeats_exactly() {
    for seed in 1..=5 {
        let run = Run::new("a_store_run_repeats", seed);
        run.check_repeats(|world| async { lives(world, DiskFaults::default()).await.unwrap() });
    }
}

#[test]
fn the_oracle_objects_to_disks_that_lie() {
    // Mutations of the disk stand for code that forgets to sync: the oracle must see them.
    let caught = |faults: DiskFaults| {
        let objects = |seed: &u64| {
            let run = Run::new("the_oracle_objects", *seed);
            let result = run.execute(|world| async { lives(world, faults.clone()).await });
            !matches!(result, Ok(report) if report.value.is_ok())
        };
        (1..=10).filter(objects).count()
    };
    let lying = DiskFaults { lying_sync: true, ..DiskFaults::default() };
    assert_eq!(caught(lying), 10, "a disk that never syncs was not caught");
    let nameless = DiskFaults { lying_sync_dir: true, ..DiskFaults::default() };
    assert_eq!(caught(nameless), 10, "a disk that never syncs names was not caught");
}
