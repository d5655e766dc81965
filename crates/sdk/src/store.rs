//! Storing a blob: encode, buy and register, upload, certify
//! (docs/protocol/node-and-client.md F.1).
//!
//! ```text
//! encode ─ already certified? ─ earlier registration? ─ buy and register
//!                                        │                     │
//!                                        └──── upload ◄────────┘
//!                                    ┌────►     │
//!                new epoch or committee └──── certify ─ done
//! ```
//!
//! What does not depend on the blob id, which is known only when the last byte is encoded,
//! happens meanwhile: [`prepare`].
//!
//! Nothing is paid twice: the [`journal`] notes a registration before it is sent and
//! after, and a store that finds one, there or among the chain's latest, goes on with
//! it. Dropping the future stops the store at any point; the next run continues.

mod journal;
mod prepare;
mod resume;

use std::time::Duration;

use tokio::time::Instant;
use walrus_chain::{
    BlobRegistration, ChainWriter, ContractError, Cost, ReadError, Receipt, TransactionHash,
    WriteError,
};
use walrus_core::{Certificate, Epoch, EvmAddress, NodeId, Persistence, Seat, TokenId};
use walrus_redstuff::{BlobId, DataTooLarge};

pub use journal::JournalError;
use journal::{Entry, Journal, Stage};
use prepare::Account;

use crate::cache::{NetworkError, Snapshot};
use crate::client::Client;
use crate::coding::{EncodeError, Encoded};
use crate::network::CommitteeView;
use crate::progress::{Progress, ProgressSink};
use crate::source::Source;
use crate::upload::{NodeFailure, NotEnoughConfirmations, Upload, UploadError, Uploaded};

/// What is wanted of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Epochs to store for, the current one counted; at least 1.
    pub epochs: u32,
    /// Whether the owner may delete the blob before its end.
    pub deletable: bool,
    /// Register and upload even if the blob is certified already.
    pub force: bool,
    /// The most to be paid, in FROST; whatever it costs when absent.
    pub max_cost: Option<u64>,
    /// Who gets the blob object; the account that pays when absent. It is theirs from the
    /// registration on, so that no failure in between keeps it from them.
    pub owner: Option<EvmAddress>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { epochs: 1, deletable: false, force: false, max_cost: None, owner: None }
    }
}

/// How a store ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreState {
    /// This run certified the blob.
    Certified {
        /// The object that it belongs to.
        token: TokenId,
        /// Whether an earlier, interrupted run had registered it.
        resumed: bool,
        /// The transaction that registered it, if known.
        registration: Option<TransactionHash>,
        /// The transaction that certified it; `None` if another did so in the same moment.
        certification: Option<TransactionHash>,
        /// Who confirmed.
        certificate: Box<CertificateSummary>,
    },
    /// It was certified before, for long enough; nothing was sent or paid.
    AlreadyCertified {
        /// The owner's object, if that is what was found.
        token: Option<TokenId>,
    },
}

/// The confirmations behind a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSummary {
    /// The epoch of the committee.
    pub epoch: Epoch,
    /// The nodes that signed.
    pub signers: Vec<NodeId>,
    /// Their shards.
    pub weight: u32,
    /// Shards that are needed.
    pub needed: u32,
    /// The certificate itself.
    pub certificate: Certificate,
}

/// How long each step took; zero for steps that were not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreTimings {
    /// Encoding.
    pub encode: Duration,
    /// Buying and registering.
    pub register: Duration,
    /// Uploading and collecting confirmations.
    pub upload: Duration,
    /// Certifying on chain.
    pub certify: Duration,
}

/// A stored blob.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its id.
    pub blob_id: BlobId,
    /// How it came to be stored.
    pub state: StoreState,
    /// First epoch in which it is no longer stored.
    pub end_epoch: Epoch,
    /// Its length.
    pub unencoded_bytes: u64,
    /// What it counts for in storage.
    pub encoded_bytes: u64,
    /// What was paid in FROST, in this run or the interrupted one; gas is not in it.
    pub cost: Cost,
    /// Nodes that did not confirm, and why; they recover the blob by themselves.
    pub failures: Vec<NodeFailure>,
    /// Time of each step.
    pub timings: StoreTimings,
}

/// Why a blob was not stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No epochs.
    #[error("a blob is stored for at least 1 epoch")]
    NoEpochs,
    /// The blob exceeds what the encoding can hold.
    #[error(transparent)]
    TooLarge(#[from] DataTooLarge),
    /// The blob could not be encoded; nothing was paid.
    #[error(transparent)]
    Encode(EncodeError),
    /// The blob could not be read while it was sent.
    #[error(
        "{source}; it is registered and paid for as blob {blob_id}: store the same bytes again to continue"
    )]
    Interrupted {
        /// The blob that was registered.
        blob_id: BlobId,
        /// What happened to it.
        source: EncodeError,
    },
    /// It costs more than the caller's limit.
    #[error("storing this costs {cost} FROST, above the limit of {max}")]
    TooExpensive {
        /// What it costs.
        cost: u64,
        /// The limit.
        max: u64,
    },
    /// The account holds too little WAL.
    #[error("storing this costs {needed} FROST, account {account} holds {held}: send it WAL")]
    NotEnoughWal {
        /// What it costs.
        needed: u64,
        /// What the account holds.
        held: u64,
        /// The account.
        account: EvmAddress,
    },
    /// Nothing can be bought yet.
    #[error("the network sells no storage yet: its prices are not set")]
    NoPrices,
    /// The blob id was found invalid: content with this id cannot be stored.
    #[error("blob id {0} was marked invalid")]
    Invalid(BlobId),
    /// The contract derived another blob id.
    #[error(
        "the contract registered blob {got} instead of {expected}: this program and the contracts do not fit"
    )]
    OtherBlobId {
        /// The id computed here.
        expected: BlobId,
        /// The contract's.
        got: BlobId,
    },
    /// The blob's registration ended before the blob was certified.
    #[error(
        "the registration of blob object {token} ended with epoch {end_epoch} before it was certified: store it again"
    )]
    Expired {
        /// The object.
        token: TokenId,
        /// Its end.
        end_epoch: Epoch,
    },
    /// An earlier run's payment still waits for its block. A second one would pay again.
    #[error(
        "a payment that was begun earlier is still on its way to the chain: store it again later to continue"
    )]
    Unsettled,
    /// Too few nodes confirmed. The registration stays: run the store again later.
    #[error("{0}; the blob is registered and paid for: store it again later to continue")]
    NotEnoughConfirmations(#[from] NotEnoughConfirmations),
    /// The committee kept changing.
    #[error("the network changed {attempts} times during the upload, last: {reason}")]
    Restless {
        /// How often it was tried.
        attempts: u32,
        /// What happened last.
        reason: String,
    },
    /// The record of the store.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The network's state.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Reading the chain.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A transaction.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<EncodeError> for StoreError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLarge(error) => Self::TooLarge(error),
            error => Self::Encode(error),
        }
    }
}

/// A registration to upload for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Registration {
    token: TokenId,
    end_epoch: Epoch,
    transaction: Option<TransactionHash>,
    cost: Cost,
    resumed: bool,
}

impl Client {
    /// Whether a store of this blob for this owner runs now, in any process that uses the same
    /// state directory.
    ///
    /// # Errors
    /// If the disk fails.
    pub async fn is_storing(
        &self,
        owner: EvmAddress,
        blob_id: &BlobId,
        deletable: bool,
    ) -> Result<bool, JournalError> {
        let Some(state) = &self.config().state_directory else { return Ok(false) };
        let deployment = self.chain().deployment();
        match Journal::open(self.env(), state, deployment, owner, blob_id, deletable).await {
            Ok(_) => Ok(false),
            Err(JournalError::Busy { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// One run of a store.
pub(crate) struct Store<'a> {
    pub(crate) client: &'a Client,
    pub(crate) writer: &'a ChainWriter,
    pub(crate) options: &'a StoreOptions,
    pub(crate) progress: &'a ProgressSink,
    /// What the blob object is to say of the blob.
    pub(crate) attributes: &'a [(&'a str, &'a str)],
}

impl Store<'_> {
    pub(crate) async fn run(&self, source: Source) -> Result<Stored, StoreError> {
        if self.options.epochs == 0 {
            return Err(StoreError::NoEpochs);
        }
        let snapshot = self.client.cache().get().await?;
        let mut timings = StoreTimings::default();
        let started = Instant::now();
        let _connecting = prepare::connect(self.client.env(), &snapshot.committee);
        let (encoded, account) =
            futures::future::join(self.encode(&snapshot, source), self.account()).await;
        let encoded = encoded?;
        timings.encode = started.elapsed();
        let params = encoded.metadata().params();
        let unencoded_bytes = encoded.metadata().unencoded_length();
        let encoded_bytes = params.encoded_blob_length(unencoded_bytes)?;
        let blob_id = *encoded.metadata().blob_id();
        let finished = |state, end_epoch, cost, failures, timings| Stored {
            blob_id,
            state,
            end_epoch,
            unencoded_bytes,
            encoded_bytes,
            cost,
            failures,
            timings,
        };

        let journal = self.journal(&blob_id).await?;
        if let Some((token, end_epoch)) = self.already_certified(&journal, &blob_id).await? {
            self.describe(token).await;
            self.progress.report(Progress::Certified { blob_id });
            let state = StoreState::AlreadyCertified { token };
            let nothing = Cost { storage: 0, write: 0 };
            return Ok(finished(state, end_epoch, nothing, Vec::new(), timings));
        }

        let started = Instant::now();
        let registration = self.registration(&journal, &encoded, encoded_bytes, account).await?;
        timings.register = started.elapsed();
        let Registration { token, end_epoch, resumed, .. } = registration;
        self.progress.report(Progress::Registered { token, end_epoch, resumed });

        let (certificate, certification, failures) =
            self.upload_and_certify(&encoded, &registration, &mut timings).await?;
        if certification.is_none() {
            self.describe(Some(token)).await;
        }
        if let Some(journal) = &journal {
            let stage = Stage::Certified { token };
            journal.write(&Entry::new(blob_id, self.options.epochs, stage)).await?;
        }
        self.progress.report(Progress::Certified { blob_id });
        let registration_tx = registration.transaction;
        let state = StoreState::Certified {
            token,
            resumed,
            registration: registration_tx,
            certification,
            certificate,
        };
        Ok(finished(state, end_epoch, registration.cost, failures, timings))
    }

    async fn encode(&self, snapshot: &Snapshot, source: Source) -> Result<Encoded, StoreError> {
        let params = snapshot.committee.params();
        let encoded = self.client.coder().encode(params, source, self.progress).await?;
        let metadata = encoded.metadata();
        let encoded_bytes = params.encoded_slivers_length(metadata.unencoded_length())?;
        let blob_id = *metadata.blob_id();
        self.progress.report(Progress::Encoded { blob_id, encoded_bytes });
        Ok(encoded)
    }

    /// Whose the blob object is to be.
    fn owner(&self) -> EvmAddress {
        self.options.owner.unwrap_or(self.writer.address())
    }

    /// What this account may say on the object: nothing, when it is another's.
    fn attributes(&self) -> &[(&str, &str)] {
        if self.owner() == self.writer.address() { self.attributes } else { &[] }
    }

    async fn journal(&self, blob_id: &BlobId) -> Result<Option<Journal>, StoreError> {
        let Some(state) = &self.client.config().state_directory else { return Ok(None) };
        let deployment = self.client.chain().deployment();
        let (owner, deletable) = (self.owner(), self.options.deletable);
        let env = self.client.env();
        Ok(Some(Journal::open(env, state, deployment, owner, blob_id, deletable).await?))
    }

    /// Finds an earlier registration, or buys one.
    async fn registration(
        &self,
        journal: &Option<Journal>,
        encoded: &Encoded,
        encoded_bytes: u64,
        account: Option<Account>,
    ) -> Result<Registration, StoreError> {
        let blob_id = *encoded.metadata().blob_id();
        if let Some(found) = self.earlier_registration(journal, &blob_id).await? {
            return Ok(found);
        }
        let cost = self.affordable(encoded_bytes, account).await?;
        self.progress.report(Progress::Registering);
        let epochs = self.options.epochs;
        if let Some(journal) = journal {
            let stage = Stage::Registering {
                tokens_before: self.client.chain().network().await?.blob_count,
                at: self.client.env().clock.unix().as_secs(),
            };
            journal.write(&Entry::new(blob_id, epochs, stage)).await?;
        }
        let request = BlobRegistration {
            root_hash: *encoded.metadata().root_hash(),
            size: encoded.metadata().unencoded_length(),
            encoding_type: encoded.metadata().metadata().encoding_type().as_u8(),
            deletable: self.options.deletable,
            owner: self.owner(),
            max_write_fee: cost.write,
        };
        let bought = self.writer.buy_and_register(&request, epochs, cost.storage).await;
        let registered = bought.map_err(|error| self.refused(&blob_id, error))?;
        if registered.blob_id != blob_id {
            let got = registered.blob_id;
            return Err(StoreError::OtherBlobId { expected: blob_id, got });
        }
        let registration = Registration {
            token: registered.token_id,
            end_epoch: registered.end_epoch,
            transaction: Some(registered.receipt.transaction),
            cost,
            resumed: false,
        };
        if let Some(journal) = journal {
            journal.write(&registration.entry(blob_id, epochs)).await?;
        }
        Ok(registration)
    }

    fn refused(&self, blob_id: &BlobId, error: WriteError) -> StoreError {
        match error.contract_error() {
            Some(ContractError::BlobIdIsInvalid { .. }) => StoreError::Invalid(*blob_id),
            _ => error.into(),
        }
    }

    /// Uploads to the present committee and certifies; again with the next committee if
    /// it changed meanwhile.
    async fn upload_and_certify(
        &self,
        encoded: &Encoded,
        registration: &Registration,
        timings: &mut StoreTimings,
    ) -> Result<(Box<CertificateSummary>, Option<TransactionHash>, Vec<NodeFailure>), StoreError>
    {
        let Registration { token, end_epoch, .. } = *registration;
        let config = self.client.config();
        let mut view = self.client.cache().get().await?.committee;
        let attempts = config.restarts.retries + 1;
        let mut reason = String::new();
        for attempt in 0..attempts {
            if view.epoch() >= end_epoch {
                return Err(StoreError::Expired { token, end_epoch });
            }
            let started = Instant::now();
            let uploaded = self.upload(&view, encoded, token).await;
            timings.upload += started.elapsed();
            reason = match uploaded {
                Ok(uploaded) => {
                    let started = Instant::now();
                    self.progress.report(Progress::Certifying);
                    let certified = self.certify(token, &uploaded.certificate).await;
                    timings.certify += started.elapsed();
                    match Certification::of(certified, token, end_epoch) {
                        Certification::Done(transaction) => {
                            let summary = summarise(&view, &uploaded);
                            return Ok((summary, transaction, uploaded.failures));
                        }
                        Certification::Outdated(reason) => reason,
                        Certification::Failed(error) => return Err(error),
                    }
                }
                Err(UploadError::Blob(source)) => {
                    let blob_id = *encoded.metadata().blob_id();
                    return Err(StoreError::Interrupted { blob_id, source });
                }
                Err(UploadError::Nodes(error)) => {
                    let fresh = self.client.cache().refresh().await?.committee;
                    if fresh.epoch() == view.epoch() && !error.hints_at_new_committee() {
                        return Err(error.into());
                    }
                    if attempt + 1 == attempts {
                        return Err(error.into());
                    }
                    error.to_string()
                }
            };
            let after = config.restarts.wait(self.client.env(), attempt);
            self.progress.report(Progress::Retrying { reason: reason.clone(), after });
            tokio::time::sleep(after).await;
            view = self.client.cache().refresh().await?.committee;
        }
        Err(StoreError::Restless { attempts, reason })
    }

    async fn certify(
        &self,
        token: TokenId,
        certificate: &Certificate,
    ) -> Result<Receipt, WriteError> {
        self.writer.certify_with(token, certificate, self.attributes()).await
    }

    /// Gives an object that this run did not certify the attributes that it lacks. The blob is stored
    /// without them too: what goes wrong is left to the next store.
    async fn describe(&self, token: Option<TokenId>) {
        let attributes = self.attributes();
        let Some(token) = token.filter(|_| !attributes.is_empty()) else { return };
        let set = async {
            let there = self.client.chain().attributes(token).await?;
            for (key, value) in attributes {
                if !there.iter().any(|(k, v)| k == key && v == value) {
                    self.writer.set_attribute(token, key, value).await?;
                }
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = set.await {
            tracing::warn!(%error, %token, "a blob object was not given its attributes");
        }
    }

    async fn upload(
        &self,
        view: &CommitteeView,
        blob: &Encoded,
        token: TokenId,
    ) -> Result<Uploaded, UploadError> {
        let upload = Upload {
            env: self.client.env(),
            view,
            blob,
            persistence: Persistence::of(token, self.options.deletable),
            config: &self.client.config().upload,
            budget: self.client.budget(),
            progress: self.progress,
        };
        upload.run().await
    }
}

/// What the answer to a certification means.
enum Certification {
    /// The blob is certified, by this transaction unless another was quicker.
    Done(Option<TransactionHash>),
    /// The committee is another by now: try with that one.
    Outdated(String),
    /// Trying again does not mend it.
    Failed(StoreError),
}

impl Certification {
    fn of(answer: Result<Receipt, WriteError>, token: TokenId, end_epoch: Epoch) -> Self {
        let error = match answer {
            Ok(receipt) => return Self::Done(Some(receipt.transaction)),
            Err(error) => error,
        };
        match error.contract_error() {
            Some(ContractError::AlreadyCertified { .. }) => Self::Done(None),
            Some(ContractError::BlobExpired { .. }) => {
                Self::Failed(StoreError::Expired { token, end_epoch })
            }
            Some(
                ContractError::UnknownCommittee { .. }
                | ContractError::NotEnoughWeight { .. }
                | ContractError::UnknownSigners { .. }
                | ContractError::BadSignature {},
            ) => Self::Outdated(error.to_string()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl Registration {
    fn entry(&self, blob_id: BlobId, epochs: u32) -> Entry {
        let stage = Stage::Registered {
            token: self.token,
            end_epoch: self.end_epoch,
            transaction: self.transaction.map(|hash| hash.to_string()).unwrap_or_default(),
            storage_cost: self.cost.storage,
            write_cost: self.cost.write,
        };
        Entry::new(blob_id, epochs, stage)
    }
}

pub(crate) fn summarise(view: &CommitteeView, uploaded: &Uploaded) -> Box<CertificateSummary> {
    let committee = view.committee();
    let signer = |seat: &u16| {
        let seat = u8::try_from(*seat).ok().map(Seat)?;
        Some(committee.member(seat)?.node_id)
    };
    Box::new(CertificateSummary {
        epoch: view.epoch(),
        signers: uploaded.certificate.signers().iter().filter_map(signer).collect(),
        weight: uploaded.weight,
        needed: walrus_core::Threshold::Quorum.min_weight(committee.n_shards()),
        certificate: uploaded.certificate.clone(),
    })
}

#[cfg(test)]
mod tests;
