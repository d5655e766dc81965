#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::join_all;
use proptest::prelude::*;
use walrus_env::{Env, real};
use walrus_redstuff::{BlobId, SliverPairIndex, SliverType};

use super::{Put, PutError, ReadError, SliverKey, SliverStore};
use crate::{
    sync::lock,
    test_disk::{TestDisk, Torn},
};

const ROOT: &str = "/slivers";

fn store(disk: &TestDisk) -> SliverStore {
    let env = Env { disk: Arc::new(disk.clone()), ..real::env() };
    SliverStore::new(env, PathBuf::from(ROOT))
}

fn blob(number: u8) -> BlobId {
    BlobId::from_bytes([number; 32])
}

fn key(number: u16) -> SliverKey {
    let sliver_type = SliverType::BOTH[usize::from(number % 2)];
    SliverKey { pair: SliverPairIndex(number / 2), axis: sliver_type }
}

/// Content that differs for each sliver and length.
fn content(blob: u8, key: u16, length: usize) -> Bytes {
    (0..length).map(|i| (i as u8).wrapping_mul(31) ^ blob ^ key as u8).collect::<Vec<_>>().into()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn path_of(disk: &TestDisk) -> PathBuf {
    disk.files(Path::new(ROOT))[0].0.clone()
}

#[derive(Clone, Debug)]
enum Step {
    Put { blob: u8, key: u16, length: usize },
    Get { blob: u8, key: u16 },
    Delete { blob: u8 },
    Reopen,
    PowerCut,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![8 => 0..5000_usize, 1 => 250_000..280_000_usize];
    prop_oneof![
        6 => (0..3_u8, 0..8_u16, length).prop_map(|(blob, key, length)| Step::Put { blob, key, length }),
        4 => (0..3_u8, 0..8_u16).prop_map(|(blob, key)| Step::Get { blob, key }),
        1 => (0..3_u8).prop_map(|blob| Step::Delete { blob }),
        1 => Just(Step::Reopen),
        1 => Just(Step::PowerCut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// If this failed, some order of operations would lose, mix up or resurrect slivers.
    #[test]
    fn behaves_as_a_map(steps in prop::collection::vec(step(), 1..60)) {
        run(async {
            let mut disk = TestDisk::default();
            let mut slivers = store(&disk);
            let mut model: BTreeMap<(u8, u16), Bytes> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Put { blob: b, key: k, length } => {
                        let put = slivers.put(&blob(b), key(k), content(b, k, length)).await.unwrap();
                        let expected = match model.contains_key(&(b, k)) {
                            true => Put::AlreadyStored,
                            false => Put::Stored,
                        };
                        prop_assert_eq!(put, expected);
                        model.entry((b, k)).or_insert_with(|| content(b, k, length));
                    }
                    Step::Get { blob: b, key: k } => {
                        let got = slivers.get(&blob(b), key(k)).await.unwrap();
                        prop_assert_eq!(got.as_ref(), model.get(&(b, k)));
                    }
                    Step::Delete { blob: b } => {
                        slivers.delete(&blob(b)).await.unwrap();
                        model.retain(|(other, _), _| *other != b);
                    }
                    Step::Reopen => slivers = store(&disk),
                    Step::PowerCut => {
                        disk = disk.after_power_cut(Torn::Half);
                        slivers = store(&disk);
                        // A removal that was not synced may come undone; the caller repeats it.
                        for b in 0..3 {
                            if !model.keys().any(|(other, _)| *other == b) {
                                slivers.delete(&blob(b)).await.unwrap();
                            }
                        }
                        slivers = store(&disk);
                    }
                }
                for b in 0..3 {
                    let mut keys: Vec<_> =
                        model.keys().filter(|(other, _)| *other == b).map(|(_, k)| key(*k)).collect();
                    keys.sort();
                    prop_assert_eq!(slivers.keys(&blob(b)).await.unwrap(), keys);
                }
            }
            Ok(())
        })?;
    }
}

/// What a scenario had acknowledged when the power went.
type Acknowledged = Arc<Mutex<BTreeMap<(u8, u16), Bytes>>>;

async fn acknowledge(
    slivers: &SliverStore,
    acknowledged: &Acknowledged,
    b: u8,
    k: u16,
    length: usize,
) {
    let data = content(b, k, length);
    if slivers.put(&blob(b), key(k), data.clone()).await.is_ok() {
        lock(acknowledged).insert((b, k), data);
    }
}

/// Single puts, concurrent puts to one file, a large sliver, another file, a reopening.
async fn scenario(disk: &TestDisk, acknowledged: &Acknowledged) {
    let slivers = store(disk);
    acknowledge(&slivers, acknowledged, 0, 0, 100).await;
    join_all((1..5).map(|k| acknowledge(&slivers, acknowledged, 0, k, 700))).await;
    acknowledge(&slivers, acknowledged, 0, 5, 300_000).await;
    acknowledge(&slivers, acknowledged, 1, 0, 50).await;
    drop(slivers);
    let slivers = store(disk);
    acknowledge(&slivers, acknowledged, 0, 6, 10).await;
    acknowledge(&slivers, acknowledged, 1, 1, 10).await;
}

async fn check_all(slivers: &SliverStore, acknowledged: &Acknowledged, context: &str) {
    let acknowledged = lock(acknowledged).clone();
    for ((b, k), data) in &acknowledged {
        let got = slivers.get(&blob(*b), key(*k)).await.unwrap();
        assert_eq!(got.as_ref(), Some(data), "{context}: sliver {b}/{k} was acknowledged");
    }
}

/// If this failed, some moment of a power cut would cost an acknowledged sliver.
#[test]
fn nothing_acknowledged_is_lost_at_any_operation() {
    run(async {
        let mut k = 1;
        loop {
            let mut survived = false;
            for torn in [Torn::Nothing, Torn::Half, Torn::Everything, Torn::Killed] {
                let disk = TestDisk::default();
                let acknowledged = Acknowledged::default();
                disk.cut_at(k);
                scenario(&disk, &acknowledged).await;
                survived = !disk.is_dead();
                let context = format!("cut at operation {k}, {torn:?}");
                let disk = disk.after_power_cut(torn);
                let slivers = store(&disk);
                check_all(&slivers, &acknowledged, &context).await;
                // What is there beyond that is whole, and counts as durable from now on.
                for b in 0..2 {
                    for key in slivers.keys(&blob(b)).await.unwrap() {
                        let data = slivers.get(&blob(b), key).await.unwrap().unwrap();
                        let number = 2 * key.pair.0 + u16::from(key.axis == SliverType::Secondary);
                        assert_eq!(data, content(b, number, data.len()), "{context}");
                        lock(&acknowledged).insert((b, number), data);
                    }
                }
                let disk = disk.after_power_cut(Torn::Nothing);
                check_all(&store(&disk), &acknowledged, &context).await;
                // And the store still works.
                scenario(&disk, &acknowledged).await;
                check_all(&store(&disk), &acknowledged, &context).await;
                assert_eq!(lock(&acknowledged).len(), 9, "{context}");
            }
            if survived {
                break;
            }
            k += 1;
        }
        assert!(k > 30, "the scenario has only {k} operations");
    });
}

/// If this failed, a sliver whose sync failed would be acknowledged, or believed later
/// because the page cache still shows it.
#[test]
fn a_failed_sync_is_neither_acknowledged_nor_believed() {
    run(async {
        let disk = TestDisk::default();
        let slivers = store(&disk);
        slivers.put(&blob(0), key(0), content(0, 0, 100)).await.unwrap();
        for failing in 1..=2 {
            disk.fail_sync(failing);
            // The second round fails while the file is cut back after the first failure.
            let _ = slivers.put(&blob(0), key(1), content(0, 1, 999)).await;
        }
        disk.fail_sync(1);
        let refused = slivers.put(&blob(0), key(2), content(0, 2, 100)).await;
        assert!(matches!(refused, Err(PutError::Io(_))));
        assert!(!slivers.contains(&blob(0), key(2)).await.unwrap());
        assert_eq!(slivers.get(&blob(0), key(2)).await.unwrap(), None);

        assert_eq!(slivers.put(&blob(0), key(2), content(0, 2, 100)).await.unwrap(), Put::Stored);
        let slivers = store(&disk.after_power_cut(Torn::Nothing));
        for k in [0, 2] {
            let got = slivers.get(&blob(0), key(k)).await.unwrap();
            assert_eq!(got, Some(content(0, k, 100)));
        }
    });
}

/// If this failed, a node killed after a failed sync would, when started again, count
/// and vouch for a sliver that only the page cache has.
#[test]
fn what_only_the_cache_holds_is_written_again_before_it_counts() {
    run(async {
        let disk = TestDisk::default();
        let slivers = store(&disk);
        slivers.put(&blob(0), key(0), content(0, 0, 100)).await.unwrap();
        disk.fail_sync(1);
        slivers.put(&blob(0), key(1), content(0, 1, 100)).await.unwrap_err();
        let disk = disk.after_power_cut(Torn::Killed);
        let slivers = store(&disk);
        let counted = slivers.keys(&blob(0)).await.unwrap();
        let slivers = store(&disk.after_power_cut(Torn::Nothing));
        assert_eq!(slivers.keys(&blob(0)).await.unwrap(), counted);
        for key in counted {
            assert!(slivers.get(&blob(0), key).await.unwrap().is_some());
        }
    });
}

/// If this failed, the rest of a group whose sync failed would be found by the next
/// start, behind the records that took its place, though the disk does not have it.
#[test]
fn the_rest_of_a_failed_group_is_cut_off() {
    run(async {
        let disk = TestDisk::default();
        let slivers = store(&disk);
        slivers.put(&blob(0), key(0), content(0, 0, 100)).await.unwrap();
        disk.fail_sync(1);
        let blob = blob(0);
        let group = (1..4).map(|k| slivers.put(&blob, key(k), content(0, k, 100)));
        assert!(join_all(group).await.into_iter().all(|put| put.is_err()));
        slivers.put(&blob, key(4), content(0, 4, 100)).await.unwrap();
        let slivers = store(&disk.after_power_cut(Torn::Killed));
        assert_eq!(slivers.keys(&blob).await.unwrap(), [key(0), key(4)]);
    });
}

/// If this failed, a flipped bit on disk would be served, or would stay for ever.
#[test]
fn bit_rot_is_found_reported_and_replaced() {
    run(async {
        let disk = TestDisk::default();
        let slivers = store(&disk);
        for k in 0..3 {
            slivers.put(&blob(0), key(k), content(0, k, 100)).await.unwrap();
        }
        // In the middle of the second record: its data.
        let second = 20 + 100 + 20;
        disk.flip_bit(&path_of(&disk), second + 20 + 50);
        assert!(matches!(slivers.get(&blob(0), key(1)).await, Err(ReadError::Damaged)));
        assert_eq!(slivers.next_damaged().await, blob(0));
        assert!(!slivers.contains(&blob(0), key(1)).await.unwrap());
        assert_eq!(slivers.get(&blob(0), key(1)).await.unwrap(), None);
        for k in [0, 2] {
            assert_eq!(slivers.get(&blob(0), key(k)).await.unwrap(), Some(content(0, k, 100)));
        }
        // The node remembers, also when healing comes after a restart.
        slivers.put(&blob(0), key(3), content(0, 3, 100)).await.unwrap();
        let slivers = store(&disk.after_power_cut(Torn::Nothing));
        assert!(!slivers.contains(&blob(0), key(1)).await.unwrap());
        assert_eq!(slivers.put(&blob(0), key(1), content(0, 1, 100)).await.unwrap(), Put::Stored);
        assert_eq!(slivers.get(&blob(0), key(1)).await.unwrap(), Some(content(0, 1, 100)));
    });
}

/// If this failed, a damaged header would hide the intact slivers behind it.
#[test]
fn records_behind_a_damaged_header_are_found() {
    run(async {
        let disk = TestDisk::default();
        let slivers = store(&disk);
        for k in 0..3 {
            slivers.put(&blob(0), key(k), content(0, k, 40_000)).await.unwrap();
        }
        disk.flip_bit(&path_of(&disk), 20 + 40_000 + 20 + 9);
        let slivers = store(&disk);
        assert_eq!(slivers.keys(&blob(0)).await.unwrap(), [key(0), key(2)]);
        assert_eq!(slivers.get(&blob(0), key(2)).await.unwrap(), Some(content(0, 2, 40_000)));
        slivers.put(&blob(0), key(1), content(0, 1, 40_000)).await.unwrap();
        assert_eq!(store(&disk).keys(&blob(0)).await.unwrap(), [key(0), key(1), key(2)]);
    });
}

/// If this failed, storing the slivers of all shards of a node would take a sync each.
#[test]
fn concurrent_writers_share_syncs() {
    run(async {
        let disk = TestDisk::default();
        let slivers = store(&disk);
        let before = disk.syncs();
        let blob = blob(0);
        let puts = (0..100).map(|k| slivers.put(&blob, key(k), content(0, k, 64)));
        assert!(join_all(puts).await.into_iter().all(|put| put.unwrap() == Put::Stored));
        assert!(disk.syncs() - before <= 3, "{} syncs", disk.syncs() - before);
    });
}

/// If this failed, a node with many blobs would run out of file handles or mix up files.
#[test]
fn more_blobs_than_open_files() {
    run(async {
        let disk = TestDisk::default();
        let slivers = store(&disk);
        for b in 0..200 {
            slivers.put(&blob(b), key(0), content(b, 0, 10)).await.unwrap();
        }
        for b in 0..200 {
            assert_eq!(slivers.get(&blob(b), key(0)).await.unwrap(), Some(content(b, 0, 10)));
        }
        assert_eq!(slivers.blobs().await.unwrap().len(), 200);
        slivers.delete(&blob(7)).await.unwrap();
        assert_eq!(disk.files(Path::new(ROOT)).len(), 199);
    });
}
