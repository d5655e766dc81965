#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc};

use walrus_core::{Epoch, TokenId};
use walrus_env::{Env, real};
use walrus_redstuff::{EncodedBlob, EncodingParams, SliverPairIndex, SliverType};

use super::{
    OpenError, Store,
    blobs::{EventRef, ObjectRecord},
    db::DbError,
    slivers::SliverKey,
};
use crate::test_disk::{TestDisk, Torn};
use crate::test_node::encode;

const SHARDS: u16 = 10;

async fn open(disk: &TestDisk, identity: &str) -> Result<Store, OpenError> {
    let env = Env { disk: Arc::new(disk.clone()), ..real::env() };
    Store::open(env, Path::new("/n"), EncodingParams::new(SHARDS).unwrap(), identity).await
}

fn blob(number: u8) -> EncodedBlob {
    encode(SHARDS, &[number; 50])
}

fn record(end: u32) -> ObjectRecord {
    ObjectRecord {
        registered: Epoch(1),
        certified: None,
        end: Epoch(end),
        deletable: false,
        deleted: false,
        event: EventRef { block_hash: [end as u8; 32], log_index: 2 },
    }
}

/// Registers `blob(number)` as token `number` in block `number`.
async fn register(store: &Store, number: u8) -> Result<(), DbError> {
    let id = *blob(number).metadata().blob_id();
    let change = move |rows: &mut super::BlobRows<'_>| {
        rows.put_object(&id, TokenId(number.into()), &record(9))
    };
    store.apply(number.into(), vec![number], change).await
}

/// If this failed, a crash could leave effects without their cursor or the other way
/// round, or lose metadata that a client was told is stored.
#[tokio::test]
async fn cursor_effects_and_metadata_survive_a_power_cut_at_any_operation() {
    let mut k = 1;
    loop {
        let mut survived = false;
        for torn in [Torn::Nothing, Torn::Half, Torn::Everything, Torn::Killed] {
            let disk = TestDisk::default();
            disk.cut_at(k);
            let (mut registered, mut stored) = (0, 0);
            if let Ok(store) = open(&disk, "me").await {
                for number in 1..=3 {
                    if register(&store, number).await.is_ok() {
                        registered = number;
                    }
                    if store.metadata().put(blob(number).metadata()).await.is_ok() {
                        stored = number;
                    }
                }
                survived = !disk.is_dead();
            }
            let disk = disk.after_power_cut(torn);
            let store =
                open(&disk, "me").await.unwrap_or_else(|e| panic!("cut at {k}, {torn:?}: {e}"));
            let cursor = store.cursor().await.unwrap().map_or(0, |cursor| cursor[0]);
            assert!(cursor >= registered, "cut at {k}, {torn:?}");
            for number in 1..=3 {
                let id = *blob(number).metadata().blob_id();
                let known = store.blob_state(&id).await.unwrap().is_registered(Epoch(1));
                assert_eq!(known, number <= cursor, "cut at {k}, {torn:?}");
                let metadata = store.metadata().get(&id).await.unwrap();
                assert!(metadata.is_some() || number > stored, "cut at {k}, {torn:?}");
            }
        }
        if survived {
            break;
        }
        k += 1;
    }
    assert!(k > 20, "only {k} operations");
}

/// If this failed, a node would follow a chain that does not exist.
#[tokio::test]
async fn what_the_chain_took_back_is_taken_back() {
    let store = open(&TestDisk::default(), "me").await.unwrap();
    for number in 1..=3 {
        register(&store, number).await.unwrap();
    }
    let first = *blob(1).metadata().blob_id();
    let change = move |rows: &mut super::BlobRows<'_>| {
        let extended = ObjectRecord { end: Epoch(20), ..record(9) };
        rows.put_object(&first, TokenId(1), &extended)?;
        rows.put_invalid(&first, &extended.event)
    };
    store.apply(4, vec![4], change).await.unwrap();
    let state = |number| {
        let id = *blob(number).metadata().blob_id();
        let store = &store;
        async move { store.blob_state(&id).await.unwrap() }
    };
    assert!(state(1).await.invalid.is_some());
    store.apply(1, vec![1], |rows| rows.undo_from(2)).await.unwrap();
    assert_eq!(state(1).await.objects[&TokenId(1)], record(9));
    assert!(state(1).await.invalid.is_none());
    assert!(state(2).await.objects.is_empty() && state(3).await.objects.is_empty());
    // The other branch of the chain may give the same number to another blob.
    register(&store, 3).await.unwrap();
    assert_eq!(state(3).await.objects.len(), 1);
    let pages = store.blob_states(None, 1).await.unwrap();
    let rest = store.blob_states(Some(pages[0].0), 10).await.unwrap();
    assert_eq!((pages.len(), rest.len()), (1, 1));
    store.forget_chain().await.unwrap();
    assert!(store.blob_states(None, 10).await.unwrap().is_empty());
    assert_eq!(store.cursor().await.unwrap(), None);
}

/// If this failed, a wrong path in a configuration would destroy another node's data.
#[tokio::test]
async fn the_folder_of_another_node_is_refused() {
    let disk = TestDisk::default();
    open(&disk, "node 1 of network a").await.unwrap().close().await;
    for other in ["node 2 of network a", "node 1 of network b"] {
        let refused = open(&disk, other).await;
        assert!(matches!(refused, Err(OpenError::OtherNode { .. })), "{other}");
    }
    open(&disk, "node 1 of network a").await.unwrap();
}

/// If this failed, a node would go on after its database lost a write.
#[tokio::test]
async fn a_failed_sync_breaks_the_database_until_it_is_opened_again() {
    let disk = TestDisk::default();
    let store = open(&disk, "me").await.unwrap();
    register(&store, 1).await.unwrap();
    disk.fail_sync(1);
    assert!(register(&store, 2).await.is_err());
    assert!(store.database().broken().is_cancelled());
    assert!(matches!(register(&store, 3).await, Err(DbError::Closed)));
    let store = open(&disk.after_power_cut(Torn::Nothing), "me").await.unwrap();
    assert_eq!(store.cursor().await.unwrap(), Some(vec![1]));
}

/// If this failed, damaged metadata would be served or make every sliver look wrong.
#[tokio::test]
async fn damaged_metadata_counts_as_missing() {
    let disk = TestDisk::default();
    let store = open(&disk, "me").await.unwrap();
    let blob = blob(1);
    let id = *blob.metadata().blob_id();
    store.metadata().put(blob.metadata()).await.unwrap();
    store.close().await;
    let image = disk.read(Path::new("/n/node.redb"));
    let bytes = blob.metadata().to_bcs();
    let places = image.windows(bytes.len()).enumerate().filter(|(_, window)| **window == bytes);
    let places: Vec<usize> = places.map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        disk.flip_bit(Path::new("/n/node.redb"), at + 100);
    }
    let store = open(&disk, "me").await.unwrap();
    assert!(store.metadata().get(&id).await.unwrap().is_none());
    // The row was refused, not the whole database set aside.
    assert!(!names(&disk).iter().any(|name| name.contains("damaged")));
    store.metadata().put(blob.metadata()).await.unwrap();
    assert!(store.metadata().get(&id).await.unwrap().is_some());
}

type Damage = (&'static str, fn(&mut Vec<u8>));

/// Kinds of damage that no repair undoes.
const DAMAGES: [Damage; 6] = [
    ("garbage", |bytes| bytes.fill(0xa5)),
    ("zeroed", |bytes| bytes.fill(0)),
    ("the header zeroed", |bytes| bytes[..4096].fill(0)),
    ("cut to less than a header", |bytes| bytes.truncate(100)),
    ("cut in the middle", |bytes| bytes.truncate(bytes.len() / 2)),
    ("every page behind the header zeroed", |bytes| bytes[4096..].fill(0)),
];

fn names(disk: &TestDisk) -> Vec<String> {
    let files = disk.files(Path::new("/n"));
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|(path, _)| name(path)).collect()
}

/// If this failed, one failed sync followed by a power cut would end a node for good,
/// although everything in its database can be had again.
#[tokio::test]
async fn a_damaged_database_is_set_aside_and_begun_anew() {
    for (name, damage) in DAMAGES {
        let mut disk = TestDisk::default();
        for time in 1..=2 {
            let store = open(&disk, "me").await.unwrap();
            register(&store, 1).await.unwrap();
            let blob = blob(1);
            let (id, pair) = (*blob.metadata().blob_id(), SliverPairIndex(0));
            let key = SliverKey { pair, axis: SliverType::Primary };
            store.metadata().put(blob.metadata()).await.unwrap();
            store.slivers().put(&id, key, vec![7; 100].into()).await.unwrap();
            // Not closed: the process ends, and the next one finds the damage.
            disk = disk.after_power_cut(Torn::Nothing);
            drop(store);
            disk.damage(Path::new("/n/node.redb"), damage);
            let damaged = disk.read(Path::new("/n/node.redb"));

            let store = open(&disk, "me").await.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(store.cursor().await.unwrap(), None, "{name}");
            assert!(store.blob_states(None, 9).await.unwrap().is_empty(), "{name}");
            assert!(store.metadata().get(&id).await.unwrap().is_none(), "{name}");
            assert_eq!(store.slivers().keys(&id).await.unwrap(), [key], "{name}");
            let aside = format!("/n/node.redb.damaged-{time}");
            assert!(disk.read(Path::new(&aside)) == damaged, "{name}: not kept as it was");
            register(&store, 2).await.unwrap();
            // Durable at once, and whole.
            disk = disk.after_power_cut(Torn::Nothing);
            let store = open(&disk, "me").await.unwrap();
            assert_eq!(store.cursor().await.unwrap(), Some(vec![2]), "{name}");
            store.close().await;
            assert_eq!(names(&disk).iter().filter(|name| name.contains("damaged")).count(), time);
        }
    }
}

/// If this failed, a node could not open its data for ever after a power cut at the
/// wrong moment of setting its database aside.
#[tokio::test]
async fn setting_a_database_aside_survives_a_power_cut_at_any_operation() {
    let mut k = 1;
    loop {
        let mut survived = false;
        for torn in [Torn::Nothing, Torn::Half, Torn::Everything, Torn::Killed] {
            let disk = TestDisk::default();
            open(&disk, "me").await.unwrap().close().await;
            disk.damage(Path::new("/n/node.redb"), |bytes| bytes.fill(0xa5));
            disk.cut_at(k);
            survived = open(&disk, "me").await.is_ok() && !disk.is_dead();
            let disk = disk.after_power_cut(torn);
            let store = open(&disk, "me").await;
            store.unwrap_or_else(|e| panic!("cut at {k}, {torn:?}: {e}"));
            let kept = names(&disk).iter().filter(|name| name.contains("damaged")).count();
            assert_eq!(kept, 1, "cut at {k}, {torn:?}");
        }
        if survived {
            break;
        }
        k += 1;
    }
    assert!(k > 10, "only {k} operations");
}

/// If this failed, a cable that came loose would cost a node its database.
#[tokio::test]
async fn a_disk_that_refuses_does_not_make_a_database_damaged() {
    let mut k = 1;
    loop {
        let disk = TestDisk::default();
        let store = open(&disk, "me").await.unwrap();
        register(&store, 1).await.unwrap();
        let disk = disk.after_power_cut(Torn::Nothing);
        disk.cut_at(k);
        let opened = open(&disk, "me").await;
        if let Err(error) = &opened {
            assert!(!matches!(error, OpenError::Database(e) if e.is_damage()), "{k}: {error}");
        }
        let disk = disk.after_power_cut(Torn::Killed);
        let store = open(&disk, "me").await.unwrap();
        assert_eq!(store.cursor().await.unwrap(), Some(vec![1]), "refused at {k}");
        assert!(names(&disk).iter().all(|name| !name.contains("damaged")), "refused at {k}");
        if opened.is_ok() {
            break;
        }
        k += 1;
    }
    assert!(k > 5, "only {k} operations");
}
