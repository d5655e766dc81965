//! Measures durable puts of slivers: the node's store against values in the database.
//!
//! `cargo run --release -p walrus-node --example sliver_store [FOLDER]`
//!
//! The folder decides which disk is measured; a temporary one by default. Each round
//! stores the slivers that one node gets of one blob, 100 pairs of them, all at once as
//! clients do, and waits until every one of them is durable. The figures go into
//! docs/decisions/0003-sliver-store.md.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;

use bytes::Bytes;
use futures::future::join_all;
use redb::TableDefinition;
use tokio::time::Instant;
use walrus_env::{Env, real};
use walrus_node::store::{
    db::Database,
    slivers::{SliverKey, SliverStore},
};
use walrus_redstuff::{BlobId, SliverPairIndex, SliverType};

const TABLE: TableDefinition<'_, [u8; 35], &[u8]> = TableDefinition::new("slivers");
const PAIRS: u16 = 100;

fn blob(round: u32) -> BlobId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&round.wrapping_mul(0x9e37_79b9).to_be_bytes());
    BlobId::from_bytes(bytes)
}

fn keys() -> impl Iterator<Item = SliverKey> {
    let pairs = (0..PAIRS).map(SliverPairIndex);
    pairs.flat_map(|pair| SliverType::BOTH.map(|axis| SliverKey { pair, axis }))
}

fn row(blob: &BlobId, key: SliverKey) -> [u8; 35] {
    let mut row = [0; 35];
    row[..32].copy_from_slice(blob.as_bytes());
    row[32..34].copy_from_slice(&key.pair.0.to_be_bytes());
    row[34] = key.axis as u8;
    row
}

/// One file for each blob, group commit.
async fn files(env: &Env, dir: &Path, rounds: u32, data: &Bytes) -> f64 {
    let store = SliverStore::new(env.clone(), dir.join("slivers"));
    let start = Instant::now();
    for round in 0..rounds {
        let blob = blob(round);
        let puts = keys().map(|key| store.put(&blob, key, data.clone()));
        join_all(puts).await.into_iter().for_each(|put| assert!(put.is_ok()));
    }
    start.elapsed().as_secs_f64()
}

/// Values in the database; concurrent writers share transactions.
async fn database(env: &Env, dir: &Path, rounds: u32, data: &Bytes) -> f64 {
    let prepare = |transaction: &redb::WriteTransaction| {
        transaction.open_table(TABLE)?;
        Ok(())
    };
    let path = dir.join("slivers.redb");
    let database = Database::open(env.clone(), &path, prepare).await.unwrap();
    let start = Instant::now();
    for round in 0..rounds {
        let blob = blob(round);
        let puts = keys().map(|key| {
            let (row, data) = (row(&blob, key), data.clone());
            database.write(move |transaction| {
                transaction.open_table(TABLE)?.insert(row, &data[..])?;
                Ok(())
            })
        });
        join_all(puts).await.into_iter().for_each(|put| assert!(put.is_ok()));
    }
    let seconds = start.elapsed().as_secs_f64();
    database.close().await;
    seconds
}

/// One file for each sliver, each synced by itself, 16 at once.
async fn file_each(env: &Env, dir: &Path, rounds: u32, data: &Bytes) -> f64 {
    let dir = dir.join("each");
    env.disk.create_dir_all(&dir).await.unwrap();
    let permits = tokio::sync::Semaphore::new(16);
    let start = Instant::now();
    for round in 0..rounds {
        let puts = keys().map(|key| {
            let path = dir.join(format!("{round}-{}-{}", key.pair, key.axis));
            let (dir, permits) = (&dir, &permits);
            async move {
                let _permit = permits.acquire().await.unwrap();
                let file = env.disk.open(&path, walrus_env::OpenMode::CreateNew).await.unwrap();
                file.write_at(0, data.clone()).await.unwrap();
                file.sync().await.unwrap();
                env.disk.sync_dir(dir).await.unwrap();
            }
        });
        join_all(puts).await;
    }
    start.elapsed().as_secs_f64()
}

fn disk_bytes(dir: &Path) -> u64 {
    let mut sum = 0;
    for entry in walk(dir) {
        sum += entry;
    }
    sum
}

#[allow(clippy::disallowed_methods)]
fn walk(dir: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| match entry.file_type().unwrap().is_dir() {
            true => walk(&entry.path()),
            false => vec![entry.metadata().unwrap().len()],
        })
        .collect()
}

#[tokio::main]
#[allow(clippy::disallowed_methods)]
async fn main() {
    let env = real::env();
    let base = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    println!(
        "{:>9} {:>24} {:>10} {:>12} {:>14}",
        "bytes", "store", "puts/s", "MiB/s", "space/payload"
    );
    for (bytes, rounds) in [(128, 40), (4 << 10, 40), (64 << 10, 12), (256 << 10, 4)] {
        let data = Bytes::from(vec![0x5a; bytes]);
        for name in ["file for each blob", "values in the database", "file for each sliver"] {
            let dir = tempfile::tempdir_in(&base).unwrap();
            let seconds = match name {
                "file for each blob" => files(&env, dir.path(), rounds, &data).await,
                "values in the database" => database(&env, dir.path(), rounds, &data).await,
                _ => file_each(&env, dir.path(), rounds, &data).await,
            };
            let puts = f64::from(rounds) * f64::from(2 * PAIRS);
            let payload = puts * bytes as f64;
            println!(
                "{bytes:>9} {name:>24} {:>10.0} {:>12.1} {:>14.2}",
                puts / seconds,
                payload / seconds / f64::from(1 << 20),
                disk_bytes(dir.path()) as f64 / payload,
            );
        }
    }
}
