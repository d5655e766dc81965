#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::testing::{FullDisk, blob, env, names, streaming};

#[tokio::test]
async fn streaming_gives_the_same_slivers() {
    // Another sliver would be another blob, or none.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("blob");
    let coder = Coder::new(&env(), streaming(directory.path()));
    let quiet = ProgressSink::none();
    for length in [0, 1, 57, 1024, 100_000] {
        let (bytes, expected) = blob(10, length, 1);
        let params = expected.metadata().params();
        std::fs::write(&path, &bytes).unwrap();
        for source in [Source::file(&path), bytes.into()] {
            let metadata = coder.metadata(params, source.clone(), &quiet).await.unwrap();
            assert_eq!(metadata.to_bcs_with_id(), expected.metadata().to_bcs_with_id());
            let encoded = coder.encode(params, source, &quiet).await.unwrap();
            assert!(matches!(encoded.0, Kind::Streamed(_)));
            assert_eq!(encoded.metadata().to_bcs_with_id(), metadata.to_bcs_with_id());
            for (kind, index) in
                SliverType::BOTH.into_iter().flat_map(|kind| (0..10).map(move |i| (kind, i)))
            {
                let index = SliverIndex(index);
                let sliver = encoded.sliver(kind, index).unwrap().unwrap();
                assert_eq!(sliver, expected.any_sliver(kind, index).unwrap().into_sliver());
            }
        }
    }
    assert_eq!(names(directory.path()), ["blob"]);
}

/// A file that shrinks, or is written to, when it is first read.
#[derive(Debug)]
struct Fickle {
    reads: AtomicU64,
    shrinks: bool,
}

impl BlockingFile for Fickle {
    fn len(&self) -> io::Result<u64> {
        let shrunk = self.shrinks && self.reads.load(Ordering::Relaxed) > 0;
        Ok(if shrunk { 5_000 } else { 10_000 })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if offset + buffer.len() as u64 > self.len()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.fill(1);
        Ok(())
    }

    fn modified(&self) -> io::Result<Duration> {
        Ok(Duration::from_secs(self.reads.load(Ordering::Relaxed)))
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_file_that_changes_gives_no_blob() {
    // The id of a blob that never was in the file would be paid for.
    let directory = tempfile::tempdir().unwrap();
    let params = EncodingParams::new(10).unwrap();
    for config in [CodingConfig::default(), streaming(directory.path())] {
        for shrinks in [true, false] {
            let file = Arc::new(Fickle { reads: AtomicU64::new(0), shrinks });
            let source = Source::open_file(file, "fickle");
            let coder = Coder::new(&env(), config.clone());
            let error = coder.encode(params, source, &ProgressSink::none()).await.unwrap_err();
            let changed = matches!(error, EncodeError::Source(SourceError::Changed { .. }));
            assert!(changed && error.to_string().contains("fickle changed"), "{error}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_put_aside_is_said_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let params = EncodingParams::new(10).unwrap();
    let encode = async |env: &Env, directory: PathBuf| {
        let coder = Coder::new(env, streaming(&directory));
        coder.encode(params, vec![1; 10_000], &ProgressSink::none()).await
    };
    let missing = directory.path().join("missing");
    let error = encode(&env(), missing.clone()).await.unwrap_err();
    assert!(matches!(error, EncodeError::NoSpill(RoomError::Unusable { .. })), "{error}");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    let mut full = env();
    full.disk = Arc::new(FullDisk(full.disk.clone()));
    let unwritable = encode(&full, directory.path().to_owned()).await;
    let Err(error) = unwritable else { panic!("nothing had to be put aside") };
    assert!(matches!(error, EncodeError::Spill { .. }), "{error}");
    assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    assert!(names(directory.path()).is_empty());
}
