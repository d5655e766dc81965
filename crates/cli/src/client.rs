//! The SDK's client for the chosen context, what it reports on the way, and what its
//! errors mean at the command line.

use std::sync::Mutex;

use indicatif::ProgressBar;
use walrus_core::BlobId;
use walrus_env::Env;
use walrus_sdk::{
    BlobStatusError, Client, ClientConfig, Coder, CodingConfig, EncodeError, FetchError,
    NetworkError, NodeAccess, OutputError, Progress, ProgressSink, ReadBlobError, ReadRangeError,
    SourceError, StoreError,
};

use crate::{
    args::CodingArgs,
    failure::{Failure, Kind},
    output::{Output, bytes},
    session::Session,
};

/// Bytes of memory in which a gateway encodes or decodes one blob; larger ones are streamed.
const GATEWAY_MEMORY: u64 = 64 << 20;

/// The client of a session's network.
pub fn open(session: &Session) -> Client {
    open_with(session, &CodingArgs::default())
}

/// The same with what the command line says about encoding and decoding.
pub fn open_with(session: &Session, arguments: &CodingArgs) -> Client {
    let context = &session.context;
    let coding = CodingConfig {
        spill_directory: arguments.spill_dir.clone().or_else(|| context.spill_dir.clone()),
        threads: arguments.threads.or(context.threads),
        ..CodingConfig::default()
    };
    Client::new(session.chain.clone(), settings(session, coding))
}

/// The client of a gateway, where many blobs are on their way at once: each may take less
/// memory.
pub fn for_gateway(session: &Session) -> Client {
    let context = &session.context;
    let coding = CodingConfig {
        max_memory: GATEWAY_MEMORY,
        spill_directory: context.spill_dir.clone(),
        threads: context.threads,
    };
    Client::new(session.chain.clone(), settings(session, coding))
}

fn settings(session: &Session, coding: CodingConfig) -> ClientConfig {
    let context = &session.context;
    ClientConfig {
        coding,
        nodes: NodeAccess { plain_loopback: context.plain_http, ..NodeAccess::default() },
        state_directory: Some(state_directory(session)),
        ..ClientConfig::default()
    }
}

/// For commands that need no network.
pub fn coder(env: &Env, arguments: &CodingArgs) -> Coder {
    let config = CodingConfig {
        spill_directory: arguments.spill_dir.clone(),
        threads: arguments.threads,
        ..CodingConfig::default()
    };
    Coder::new(env, config)
}

/// Where a context's interrupted stores are remembered.
pub fn state_directory(session: &Session) -> std::path::PathBuf {
    session.context.state_dir.clone().unwrap_or_else(|| state_dir(&session.name))
}

/// Where interrupted stores are remembered when the configuration names no place.
fn state_dir(context: &str) -> std::path::PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = variable("XDG_STATE_HOME").map(std::path::PathBuf::from).or_else(|| {
        variable("HOME").map(|home| std::path::PathBuf::from(home).join(".local/state"))
    });
    base.unwrap_or_default().join("walrus").join(context)
}

/// Parses a blob id, explaining what it looks like when it is something else.
pub fn blob_id(text: &str) -> Result<BlobId, Failure> {
    text.parse().map_err(|error| {
        let hint = match BlobId::from_u256_decimal(text) {
            Ok(id) => format!("the number stands for the blob id {id}"),
            Err(_) => "a blob id has 43 characters, as `walrus store` prints it".to_owned(),
        };
        Failure::message(Kind::Usage, format!("{text} is not a blob id: {error}")).hint(hint)
    })
}

/// Shows the steps of a store or read as one bar after the other.
pub fn progress(output: Output) -> ProgressSink {
    let current = Mutex::new(None::<(&'static str, ProgressBar)>);
    ProgressSink::new(move |step| {
        let Ok(mut current) = current.lock() else { return };
        let mut show = |name: &'static str, done: u64, total: u64| {
            if current.as_ref().is_none_or(|(shown, _)| *shown != name) {
                if let Some((_, bar)) = current.take() {
                    bar.finish_and_clear();
                }
                let bar = if total > 0 { output.bar(total, name) } else { output.spinner(name) };
                *current = Some((name, bar));
            }
            if let Some((_, bar)) = current.as_ref() {
                bar.set_position(done);
            }
        };
        match step {
            Progress::Encoding { .. } => show("encoding", 0, 0),
            Progress::EncodingBytes { done, total } => show("encoding bytes", done, total),
            Progress::Registering => show("registering", 0, 0),
            Progress::Uploading { slivers_done, slivers_total } => {
                show("uploading slivers", slivers_done, slivers_total);
            }
            Progress::Confirmations { weight, needed } => {
                show("confirmations (shards)", weight.into(), needed.into());
            }
            Progress::Certifying => show("certifying", 0, 0),
            Progress::FetchingMetadata => show("looking for the blob", 0, 0),
            Progress::FetchingSlivers { done, needed } => {
                show("fetching slivers", done.into(), needed.into());
            }
            Progress::Decoding { .. } => show("decoding", 0, 0),
            Progress::Retrying { reason, after } => {
                output.remark(format!("trying again in {after:?}: {reason}"));
            }
            Progress::Certified { .. } | Progress::Read { .. } => {
                if let Some((_, bar)) = current.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    })
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::Chain(error) => error.into(),
            other => Self::new(Kind::Unavailable, other)
                .hint("its operators start it with `walrus chain genesis`"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Network(error) => error.into(),
            StoreError::Read(error) => error.into(),
            StoreError::Write(error) => error.into(),
            StoreError::NoEpochs | StoreError::TooLarge(_) => Self::new(Kind::Usage, error),
            StoreError::Encode(error) => error.into(),
            StoreError::Interrupted { .. } => Self::new(Kind::Failed, error)
                .hint("store the same bytes again: it continues and does not pay twice"),
            StoreError::NotEnoughWal { account, .. } => {
                Self::new(Kind::Refused, error).hint(format!(
                    "send WAL to {account}; on a network of your own: `walrus chain fund {account}`"
                ))
            }
            StoreError::TooExpensive { .. } | StoreError::Invalid(_) => {
                Self::new(Kind::Refused, error)
            }
            StoreError::NotEnoughConfirmations(_) | StoreError::Restless { .. } => {
                Self::new(Kind::Unavailable, error)
                    .hint("run the same command again: it continues and does not pay twice")
            }
            StoreError::NoPrices => Self::new(Kind::Unavailable, error),
            other => Self::new(Kind::Failed, other),
        }
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLarge(_) => {
                Self::new(Kind::Usage, error).hint("split it, or use a network with more shards")
            }
            EncodeError::Source(SourceError::Unreadable { .. }) => Self::new(Kind::Usage, error),
            EncodeError::NoSpill(_) | EncodeError::Spill { .. } => {
                Self::new(Kind::Failed, error).hint("choose another directory with --spill-dir")
            }
            error => Self::new(Kind::Failed, error),
        }
    }
}

/// A failed read of a range of `id`, in the user's words.
pub fn range_failure(id: &BlobId, error: ReadRangeError) -> Failure {
    match error {
        ReadRangeError::Read(error) => read_failure(id, error),
        error @ ReadRangeError::TooLong { .. } => {
            Failure::new(Kind::Usage, error).hint("raise the limit with --max-bytes")
        }
        error => Failure::new(Kind::Usage, error),
    }
}

/// A failed read of `id`, in the user's words.
pub fn read_failure(id: &BlobId, error: ReadBlobError) -> Failure {
    match error {
        ReadBlobError::Network(error) => error.into(),
        ReadBlobError::Expired { end_epoch, .. } => Failure::message(
            Kind::NotFound,
            format!("blob {id} has expired: it was stored until epoch {end_epoch}"),
        )
        .hint("store it again to get it back"),
        ReadBlobError::Fetch(FetchError::NotFound) => {
            Failure::message(Kind::NotFound, format!("no blob {id} is stored on this network"))
                .hint("check the id and the network (--context)")
        }
        ReadBlobError::Fetch(FetchError::TooLarge { length, max }) => Failure::message(
            Kind::Usage,
            format!("blob {id} has {} and the limit is {}", bytes(length), bytes(max)),
        )
        .hint("raise the limit with --max-bytes"),
        ReadBlobError::Fetch(FetchError::Output(error)) => {
            let hint = match error.as_ref() {
                OutputError::Spill { .. } => "choose another directory with --spill-dir",
                _ => "write it somewhere else with --out",
            };
            Failure::new(Kind::Failed, error).hint(hint)
        }
        error @ (ReadBlobError::Deleted { .. } | ReadBlobError::Invalid { .. }) => {
            Failure::new(Kind::NotFound, error)
        }
        error @ ReadBlobError::NotCertified { .. } => Failure::new(Kind::NotFound, error)
            .hint("if it is yours, run the same `walrus store` again: it continues"),
        error => Failure::new(Kind::Unavailable, error)
            .hint("too many nodes are away or lying; try again later, and see `walrus health`"),
    }
}

impl From<BlobStatusError> for Failure {
    fn from(error: BlobStatusError) -> Self {
        match error {
            BlobStatusError::Network(error) => error.into(),
            other => Self::new(Kind::Unavailable, other).hint("see `walrus health`"),
        }
    }
}
