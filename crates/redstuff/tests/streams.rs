//! What goes wrong with stored blobs: sources, outputs and temporary files that fail.

#![allow(clippy::unwrap_used)]

mod support;

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use support::{choose, encoded, params};
use walrus_redstuff::{
    Axis, BlobMetadata, ConsistencyCheck, DecodeError, DecodeStreamError, EncodeStreamError,
    EncodedBlob, Inconsistency, Memory, Primary, ReadAt, ReadWriteAt, Secondary, SliverIndex,
    StreamDecoder, StreamEncoder, Workers,
};

const N: u16 = 31;
const LENGTH: usize = 90_001;

/// Storage that fails after some operations.
struct Failing {
    inner: Memory,
    left: AtomicU64,
    kind: io::ErrorKind,
}

impl Failing {
    fn after(operations: u64, kind: io::ErrorKind) -> Arc<Self> {
        Arc::new(Self { inner: Memory::new(), left: AtomicU64::new(operations), kind })
    }

    fn spend(&self) -> io::Result<()> {
        let spend = |left: u64| left.checked_sub(1);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.kind.into()),
        }
    }
}

impl ReadAt for Failing {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.spend()?;
        self.inner.read_at(offset, buffer)
    }
}

impl ReadWriteAt for Failing {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.spend()?;
        self.inner.write_at(offset, bytes)
    }
}

fn workers() -> [Workers; 2] {
    [Workers::none(), Workers::start(NonZeroUsize::new(3).unwrap()).unwrap()]
}

/// If this failed, a file that was cut while it was read would be encoded as something else, or end
/// the program.
#[test]
fn a_source_that_is_too_short_is_an_error_of_the_source() {
    let (data, _) = encoded(N, LENGTH);
    for workers in workers() {
        for kept in [0, 1, LENGTH / 2, LENGTH - 1] {
            let encoder = StreamEncoder::new(params(N), workers.clone());
            let source: Arc<dyn ReadAt> = Arc::new(data[..kept].to_vec());
            let result = encoder.encode(source, LENGTH as u64, Arc::new(Memory::new()), &|_| ());
            let Err(EncodeStreamError::Source(error)) = result else {
                panic!("{kept} of {LENGTH}")
            };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}

/// If this failed, a full disk would go unnoticed at some write or read, and slivers of it be sent.
#[test]
fn a_failing_spill_is_an_error_of_the_spill_wherever_it_fails() {
    let (data, blob) = encoded(N, LENGTH);
    for workers in workers() {
        let encoder = StreamEncoder::new(params(N), workers);
        let mut operations = 0;
        loop {
            let spill = Failing::after(operations, io::ErrorKind::StorageFull);
            let source: Arc<dyn ReadAt> = Arc::new(data.clone());
            match encoder.encode(source, LENGTH as u64, spill, &|_| ()) {
                Ok(stored) => {
                    assert_eq!(stored.metadata().blob_id(), blob.metadata().blob_id());
                    break;
                }
                Err(EncodeStreamError::Spill(error)) => {
                    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
                }
                Err(other) => panic!("after {operations}: {other:?}"),
            }
            operations = operations * 9 / 8 + 1;
        }
        assert!(operations > 100, "the spill is used that often");
    }
}

fn feed<A: Axis>(
    blob: &EncodedBlob,
    check: ConsistencyCheck,
    output: Arc<dyn ReadWriteAt>,
    spill: Arc<dyn ReadWriteAt>,
) -> Result<(), DecodeStreamError> {
    let metadata = blob.metadata();
    let mut decoder =
        StreamDecoder::<A>::new(metadata.clone(), check, Workers::none(), output, spill);
    let needed = usize::from(metadata.params().source_symbols(A::TYPE));
    for index in choose(N, needed, 7) {
        decoder.add(blob.sliver(SliverIndex(index)).unwrap())?;
    }
    decoder.finish()
}

fn fails_everywhere<A: Axis>() {
    let (data, blob) = encoded(N, LENGTH);
    for check in [ConsistencyCheck::Default, ConsistencyCheck::Strict] {
        for broken_output in [false, true] {
            let mut operations = 0;
            loop {
                let broken = Failing::after(operations, io::ErrorKind::StorageFull);
                let good = Arc::new(Memory::new());
                let result = if broken_output {
                    feed::<A>(&blob, check, broken.clone(), good.clone())
                } else {
                    feed::<A>(&blob, check, good.clone(), broken.clone())
                };
                match result {
                    Ok(()) => {
                        let output = if broken_output { broken.inner.take() } else { good.take() };
                        assert!(output == data);
                        break;
                    }
                    // What was put into the output is read back, too.
                    Err(DecodeStreamError::Output(_) | DecodeStreamError::Spill(_)) => {}
                    Err(other) => panic!("after {operations}: {other:?}"),
                }
                operations = operations * 5 / 4 + 1;
            }
            assert!(operations > 10, "{} {check:?}: it is used that often", A::TYPE);
        }
    }
}

/// If this failed, a blob of which some part was never written would pass for the blob.
#[test]
fn failing_storage_never_gives_a_blob() {
    fails_everywhere::<Primary>();
    fails_everywhere::<Secondary>();
}

/// If this failed, a blob would be said to be whole before it is.
#[test]
fn too_few_slivers_are_counted() {
    let (_, blob) = encoded(N, LENGTH);
    let metadata = blob.metadata().clone();
    let (output, spill) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
    let mut decoder = StreamDecoder::<Secondary>::new(
        metadata,
        ConsistencyCheck::Default,
        Workers::none(),
        output,
        spill,
    );
    for index in (0..20).chain(0..20) {
        decoder.add(blob.sliver(SliverIndex(index)).unwrap()).unwrap();
    }
    let (_, other) = encoded(N, LENGTH - 1);
    decoder.add(other.sliver(SliverIndex(25)).unwrap()).unwrap();
    assert_eq!(decoder.missing(), 1);
    match decoder.finish() {
        Err(DecodeStreamError::Decode(DecodeError::TooFewSlivers { needed, got, .. })) => {
            assert_eq!((needed, got), (21, 20));
        }
        other => panic!("{other:?}"),
    }
}

/// A blob whose metadata claims one byte less than was encoded, the last of which is not zero.
fn badly_padded() -> EncodedBlob {
    let layout = params(N);
    // A whole matrix, so that the last byte lies in the last row.
    let length = usize::from(layout.primary_source_symbols())
        * usize::from(layout.secondary_source_symbols())
        * 60;
    let (_, blob) = encoded(N, length);
    blob
}

/// If this failed, readers who stream would accept padding that others refuse.
#[test]
fn padding_that_is_not_zero_is_refused() {
    let blob = badly_padded();
    let honest = blob.metadata();
    let claim = BlobMetadata::new(honest.unencoded_length() - 1, honest.hashes().to_vec());
    let id = claim.compute_blob_id();
    let metadata = claim.verify(params(N), &id).unwrap();
    let refused = |result: Result<(), DecodeStreamError>| {
        assert!(matches!(
            result,
            Err(DecodeStreamError::Decode(DecodeError::InvalidBlob(Inconsistency::Padding)))
        ));
    };
    for first in [0, N - params(N).primary_source_symbols()] {
        let (output, spill) = (Arc::new(Memory::new()), Arc::new(Memory::new()));
        let check = ConsistencyCheck::Default;
        let mut decoder =
            StreamDecoder::<Primary>::new(metadata.clone(), check, Workers::none(), output, spill);
        let given = (first..N).take(params(N).primary_source_symbols().into());
        let result = given
            .map(SliverIndex)
            .map(|index| (index, blob.sliver::<Primary>(index).unwrap().into_sliver()))
            .map(|(index, sliver)| metadata.verify_sliver(sliver, index).unwrap())
            .try_for_each(|sliver| decoder.add(sliver));
        refused(result.and_then(|()| decoder.finish()));
    }
}
