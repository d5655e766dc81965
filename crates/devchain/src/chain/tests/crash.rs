//! The chain on a file that forgets what was not synced.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::*;

/// A file whose unsynced writes a power cut loses, and which can be told to
/// fail from its n-th operation on.
#[derive(Clone, Debug, Default)]
struct FragileFile(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    durable: Vec<u8>,
    unsynced: Vec<Write>,
    now: Vec<u8>,
    operations: usize,
    fails_from: Option<usize>,
}

#[derive(Clone, Debug)]
enum Write {
    At(usize, Vec<u8>),
    Length(usize),
}

impl Write {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::At(offset, data) => {
                let end = offset + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }
}

impl FragileFile {
    /// The file after a power cut that kept the first `kept` unsynced writes.
    fn after_power_cut(&self, kept: impl Fn(usize) -> usize) -> Self {
        let contents = self.0.lock().unwrap();
        let mut durable = contents.durable.clone();
        let kept = kept(contents.unsynced.len());
        contents.unsynced.iter().take(kept).for_each(|write| write.apply(&mut durable));
        Self(Arc::new(Mutex::new(Contents { now: durable.clone(), durable, ..Default::default() })))
    }

    fn fail_from(&self, operation: usize) {
        self.0.lock().unwrap().fails_from = Some(operation);
    }

    fn operations(&self) -> usize {
        self.0.lock().unwrap().operations
    }

    fn boxed(&self) -> Option<Box<dyn BlockingFile>> {
        Some(Box::new(self.clone()))
    }

    /// Counts an operation that changes the file.
    fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> io::Result<T> {
        let mut contents = self.0.lock().unwrap();
        contents.operations += 1;
        if contents.fails_from.is_some_and(|from| contents.operations >= from) {
            return Err(io::Error::other("the power is out"));
        }
        Ok(change(&mut contents))
    }

    fn write(&self, write: Write) -> io::Result<()> {
        self.change(|contents| {
            write.apply(&mut contents.now);
            contents.unsynced.push(write);
        })
    }
}

impl BlockingFile for FragileFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().now.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let contents = self.0.lock().unwrap();
        let bytes = contents.now.get(offset as usize..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write(Write::At(offset as usize, bytes.to_vec()))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.write(Write::Length(length as usize))
    }

    fn sync(&self) -> io::Result<()> {
        self.change(|contents| {
            contents.durable = contents.now.clone();
            contents.unsynced.clear();
        })
    }
}

/// Everything a client can see of blocks 0 to the head, and of the accounts.
fn visible(bench: &mut Bench) -> Vec<Value> {
    let mut seen: Vec<_> =
        (0..=bench.chain.head_number()).map(|number| bench.block(number)).collect();
    seen.push(bench.ok("eth_getBalance", json!([bench.payer.address])));
    seen.push(bench.ok("eth_getLogs", json!([{ "fromBlock": "0x0" }])));
    seen
}

#[test]
fn a_restart_keeps_everything() {
    // A local network is stopped and started again every day.
    let file = FragileFile::default();
    let mut bench = Bench::over(Chain::open(config(), file.boxed()).unwrap());
    let counter = bench.deploy(&COUNTER);
    let hash = bench.count(counter);
    bench.ok("evm_increaseTime", json!([100]));
    bench.ok("evm_mine", json!([]));
    let (seen, receipt) = (visible(&mut bench), bench.receipt(&hash));
    let hashes = bench.chain.hashes.clone();
    drop(bench);

    let mut bench = Bench::over(Chain::open(config(), file.boxed()).unwrap());
    assert_eq!(visible(&mut bench), seen);
    assert_eq!(bench.receipt(&hash), receipt);
    assert_eq!(bench.chain.hashes, hashes);
    assert_eq!(bench.ok("eth_getStorageAt", json!([counter, 0])), json!(B256::with_last_byte(1)));
    bench.count(counter);
    assert_eq!(bench.ok("eth_getStorageAt", json!([counter, 0])), json!(B256::with_last_byte(2)));
    bench.now += 50;
    bench.ok("evm_mine", json!([]));
    assert_eq!(bench.block(5)["timestamp"], json!(format!("{:#x}", bench.now + 100)));
    bench.chain.reorg(bench.now, 4, true).unwrap();
    drop(bench);

    let other = ChainConfig { chain_id: 1, ..config() };
    let error = Chain::open(other, file.boxed()).unwrap_err();
    assert!(matches!(error, ChainError::OtherChain { stored: 31_337, asked: 1 }), "{error}");
}

/// Sends and mines until the file fails; answers what was acknowledged.
fn scenario(file: &FragileFile) -> Vec<String> {
    let Ok(chain) = Chain::open(config(), file.boxed()) else { return Vec::new() };
    let mut bench = Bench::over(chain);
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        match bench.send(bench.transfer()) {
            Ok(hash) => acknowledged.push(hash),
            Err(error) => {
                assert_eq!(error.code, -32603, "{error}");
                let stopped = bench.rpc("eth_blockNumber", json!([])).unwrap_err();
                assert!(stopped.message.contains("restart"), "{stopped}");
                break;
            }
        }
    }
    acknowledged
}

#[test]
fn a_power_cut_at_any_write_loses_nothing_acknowledged() {
    // A client that was told "mined" builds on it; a lost block would fork it off.
    // Creation is not part of it: `DevChain` makes a new database under another name.
    let created = FragileFile::default();
    drop(Chain::open(config(), created.boxed()).unwrap());
    let undisturbed = created.after_power_cut(|_| 0);
    assert_eq!(scenario(&undisturbed).len(), 3);
    let operations = undisturbed.operations();
    assert!(operations > 20, "the census sees the writes");
    let mut cut_short = 0;
    for operation in 1..=operations {
        let file = created.after_power_cut(|_| 0);
        file.fail_from(operation);
        let acknowledged = scenario(&file);
        cut_short += usize::from(acknowledged.len() < 3);
        for kept in [|_| 0, |unsynced| unsynced / 2, |unsynced| unsynced] {
            let file = file.after_power_cut(kept);
            let chain = Chain::open(config(), file.boxed())
                .unwrap_or_else(|error| panic!("after operation {operation}: {error}"));
            let mut bench = Bench::over(chain);
            for hash in &acknowledged {
                assert_eq!(bench.receipt(hash)["status"], "0x1", "after operation {operation}");
            }
            let nonce = bench.chain.state.account(bench.payer.address).nonce;
            assert_eq!(nonce, bench.chain.head_number(), "state and blocks agree");
            assert!(nonce >= acknowledged.len() as u64);
            bench.send(bench.transfer()).unwrap();
        }
    }
    assert!(cut_short > operations / 2);
}
