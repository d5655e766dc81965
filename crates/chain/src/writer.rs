//! Changing a network's state: buying, registering, certifying, staking, cranking.

use std::sync::Arc;

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall as _, SolEvent},
};
use tokio::sync::Mutex;
use walrus_core::{
    BlobId, Certificate, Epoch, EvmAddress, Message, NodeId, ProofOfPossession, ProtocolSecretKey,
    SignedMessage, TokenId, apportion,
};
use walrus_core::{NetworkAddress, NetworkPublicKey};
use walrus_redstuff::Digest;

use crate::{
    abi::{Plain, epochs, staking, staking_nodes, system, to_address, wal},
    client::ChainClient,
    error::{ReadError, WriteError},
    rpc::BlockTag,
    sender::{Action, Receipt, SendConfig, Sender},
    view::Prices,
    wallet::Wallet,
};

/// A blob to be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRegistration {
    /// Merkle root over the sliver pairs.
    pub root_hash: Digest,
    /// Unencoded length in bytes.
    pub size: u64,
    /// Encoding type: 1.
    pub encoding_type: u8,
    /// Whether the owner may delete the blob before its end.
    pub deletable: bool,
    /// Receiver of the blob object.
    pub owner: EvmAddress,
    /// Highest write fee accepted, in FROST.
    pub max_write_fee: u64,
}

/// A registered blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The new object.
    pub token_id: TokenId,
    /// The blob id, as the contract derived it.
    pub blob_id: BlobId,
    /// First epoch in which the blob is no longer stored.
    pub end_epoch: Epoch,
    /// The transaction.
    pub receipt: Receipt,
}

/// What a storage node registers with.
#[derive(Clone, Debug)]
pub struct NodeRegistration {
    /// Its protocol key, which signs the proof of possession.
    pub protocol_key: ProtocolSecretKey,
    /// Its TLS key.
    pub network_key: NetworkPublicKey,
    /// Display name, 1 to 100 bytes.
    pub name: String,
    /// Where it answers.
    pub network_address: NetworkAddress,
    /// Address of further description; may be empty.
    pub metadata_uri: String,
    /// The operator's share of rewards in basis points.
    pub commission_bp: u16,
    /// Price votes in FROST per MiB.
    pub price_votes: Prices,
    /// Capacity vote in bytes.
    pub capacity_vote: u64,
}

/// Sends one account's transactions to a network's contracts. Cheap to clone; clones
/// share the queue of transactions. Every call resolves when its transaction is in a
/// block with the asked confirmations.
///
/// Each method's errors are those of [`WriteError`]; a contract's refusal is found
/// before anything is sent where possible.
#[derive(Clone, Debug)]
pub struct ChainWriter {
    client: ChainClient,
    sender: Sender,
    payments: Arc<Mutex<()>>,
}

impl ChainWriter {
    /// A writer for the account of `wallet`.
    pub fn new(client: ChainClient, wallet: Wallet, config: SendConfig) -> Self {
        let chain_id = client.deployment().chain_id;
        let sender = Sender::new(client.endpoints().clone(), wallet, chain_id, config);
        Self { client, sender, payments: Arc::default() }
    }

    /// The account.
    pub fn address(&self) -> EvmAddress {
        self.sender.address()
    }

    /// The reading side.
    pub fn client(&self) -> &ChainClient {
        &self.client
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Whose turn it is to pay.
    pub(crate) fn payments(&self) -> &Mutex<()> {
        &self.payments
    }

    // ----- The account

    /// How many transactions of this account are in blocks.
    pub async fn transactions_mined(&self) -> Result<u64, ReadError> {
        Ok(self.sender.count(BlockTag::Latest).await?)
    }

    /// The same, with those counted that are known to wait for a block.
    pub async fn transactions_sent(&self) -> Result<u64, ReadError> {
        Ok(self.sender.count(BlockTag::Pending).await?)
    }

    // ----- Money

    /// Sends `wei` of ether.
    pub async fn transfer_ether(&self, to: EvmAddress, wei: u128) -> Result<Receipt, WriteError> {
        self.sender.execute(transfer_ether(to, wei)).await
    }

    /// Sends `frost` of WAL.
    pub async fn transfer_wal(&self, to: EvmAddress, frost: u64) -> Result<Receipt, WriteError> {
        self.sender.execute(self.wal_transfer(to, frost)).await
    }

    /// Lets `spender` take up to `frost` of the account's WAL.
    pub async fn approve_wal(
        &self,
        spender: EvmAddress,
        frost: u64,
    ) -> Result<Receipt, WriteError> {
        self.sender.execute(self.approval(spender, frost)).await
    }

    /// Makes sure that the storage market may take `frost` of the account's WAL. When it
    /// may not, it is allowed to take any amount, so that this is one transaction in an
    /// account's life. Payments need none of this: each brings its own permission. It is for
    /// programs that pay often, since payments with permissions go one after the other.
    pub async fn ensure_allowance(&self, frost: u64) -> Result<Option<Receipt>, WriteError> {
        let spender = self.client.deployment().contracts.system;
        let action = "look up the WAL allowance";
        let allowed = self.client.wal_allowance(self.address(), spender).await;
        if allowed.map_err(|source| WriteError::Read { action, source })? >= frost {
            return Ok(None);
        }
        self.approve_wal(spender, u64::MAX).await.map(Some)
    }

    // ----- Blobs

    /// Registers a blob, spending capacity of the class `start..end` that the account
    /// holds already.
    pub async fn register(
        &self,
        blob: &BlobRegistration,
        start: Epoch,
        end: Epoch,
    ) -> Result<Registered, WriteError> {
        let class = U256::from(u64::from(start.0) << 32 | u64::from(end.0));
        let call = system::WalrusSystem::registerCall { a: register_args(blob, class) };
        let system = self.client.deployment().contracts.system;
        let name = "register the blob";
        let receipt = self.sender.execute(Action::call(name, system, &call)).await?;
        self.registration(name, receipt)
    }

    pub(crate) fn registration(
        &self,
        name: &'static str,
        receipt: Receipt,
    ) -> Result<Registered, WriteError> {
        let system = self.client.deployment().contracts.system;
        let event: system::WalrusSystem::BlobRegistered = find_event(name, &receipt, system)?;
        Ok(Registered {
            token_id: event.tokenId.plain(),
            blob_id: event.blobId.plain(),
            end_epoch: Epoch(event.endEpoch),
            receipt,
        })
    }

    /// Certifies a registered blob with a quorum certificate of the current committee.
    pub async fn certify(
        &self,
        token: TokenId,
        certificate: &Certificate,
    ) -> Result<Receipt, WriteError> {
        self.certify_with(token, certificate, &[]).await
    }

    /// The same, and sets attributes of the blob object in the same transaction; this account must own it.
    pub async fn certify_with(
        &self,
        token: TokenId,
        certificate: &Certificate,
        attributes: &[(&str, &str)],
    ) -> Result<Receipt, WriteError> {
        let name = "certify the blob";
        let token_id = U256::from(token.0);
        let certify =
            system::WalrusSystem::certifyCall { tokenId: token_id, c: cert(name, certificate)? };
        if attributes.is_empty() {
            return self.system_call(name, &certify).await;
        }
        let set = |(key, value): &(&str, &str)| {
            let (k, v) = ((*key).to_owned(), (*value).to_owned());
            system::WalrusSystem::setAttributeCall { tokenId: token_id, k, v }.abi_encode().into()
        };
        let certify = std::iter::once(certify.abi_encode().into());
        let data = certify.chain(attributes.iter().map(set)).collect();
        self.system_call(name, &system::WalrusSystem::multicallCall { data }).await
    }

    /// Marks a blob id as invalid, with attestations of more than a third of the shards.
    pub async fn invalidate(
        &self,
        blob: &BlobId,
        certificate: &Certificate,
    ) -> Result<Receipt, WriteError> {
        let call = system::WalrusSystem::invalidateBlobIdCall {
            blobId: blob.as_bytes().into(),
            c: cert("invalidate the blob id", certificate)?,
        };
        self.system_call("invalidate the blob id", &call).await
    }

    /// Deletes a deletable blob; the rest of its capacity goes to the account.
    pub async fn delete(&self, token: TokenId) -> Result<Receipt, WriteError> {
        let capacity_to = to_address(self.address());
        let token = U256::from(token.0);
        let call = system::WalrusSystem::deleteBlobCall { tokenId: token, capacityTo: capacity_to };
        self.system_call("delete the blob", &call).await
    }

    /// Drops a blob's token; the data stays stored until its end.
    pub async fn burn(&self, token: TokenId) -> Result<Receipt, WriteError> {
        let call = system::WalrusSystem::burnCall { tokenId: U256::from(token.0) };
        self.system_call("burn the blob's token", &call).await
    }

    async fn system_call<C: alloy::sol_types::SolCall>(
        &self,
        name: &'static str,
        call: &C,
    ) -> Result<Receipt, WriteError> {
        let system = self.client.deployment().contracts.system;
        self.sender.execute(Action::call(name, system, call)).await
    }

    // ----- Nodes and stake

    /// Registers a storage node with this account as its operator; signs the proof of
    /// possession for the present epoch.
    pub async fn register_node(&self, node: &NodeRegistration) -> Result<NodeId, WriteError> {
        let name = "register the storage node";
        let view = self.client.network().await;
        let view = view.map_err(|source| WriteError::Read { action: name, source })?;
        let action = self.node_registration(node, view.epoch.epoch);
        let receipt = self.sender.execute(action).await?;
        let staking = self.client.deployment().contracts.staking;
        let event: staking::Staking::NodeRegistered = find_event(name, &receipt, staking)?;
        Ok(NodeId(event.nodeId))
    }

    /// Stakes `frost` with a node, after allowing the staking contract to take it.
    /// Returns the position's token id.
    pub async fn stake(&self, node: NodeId, frost: u64) -> Result<u64, WriteError> {
        let staking = self.client.deployment().contracts.staking;
        self.approve_wal(staking, frost).await?;
        let action = self.staking(node, frost);
        let name = action.name;
        let receipt = self.sender.execute(action).await?;
        let event: staking::Staking::Staked = find_event(name, &receipt, staking)?;
        Ok(event.positionId.plain())
    }

    /// Changes how a node is reached and described.
    pub async fn set_node_info(
        &self,
        node: NodeId,
        name: &str,
        address: &NetworkAddress,
        network_key: NetworkPublicKey,
        metadata_uri: &str,
    ) -> Result<Receipt, WriteError> {
        let call = staking_nodes::StakingNodes::setNodeInfoCall {
            nodeId: node.0,
            name_: name.to_owned(),
            networkAddress: address.as_str().to_owned(),
            networkKey: network_key.0.to_vec().into(),
            metadataURI: metadata_uri.to_owned(),
        };
        let staking = self.client.deployment().contracts.staking;
        self.sender.execute(Action::call("change the node's description", staking, &call)).await
    }

    // ----- Epochs

    /// Selects the committee of the next epoch by apportioning the shards to the active
    /// set (docs/protocol/onchain.md section 2.7).
    pub async fn select_committee(&self) -> Result<Receipt, WriteError> {
        let action = self.selection().await?;
        self.sender.execute(action).await
    }

    /// Starts the next epoch.
    pub async fn start_epoch(&self) -> Result<Receipt, WriteError> {
        self.sender.execute(self.epoch_start()).await
    }

    /// Reports that a node, which this account operates, holds all its shards.
    pub async fn sync_done(&self, node: NodeId, epoch: Epoch) -> Result<Receipt, WriteError> {
        self.sender.execute(self.sync_report(node, epoch)).await
    }

    /// Recomputes prices from the committee's votes.
    pub async fn update_prices(&self) -> Result<Receipt, WriteError> {
        self.sender.execute(self.price_update()).await
    }

    // ----- The actions, for batches

    pub(crate) fn wal_transfer(&self, to: EvmAddress, frost: u64) -> Action {
        let call = wal::WAL::transferCall { to: to_address(to), value: U256::from(frost) };
        Action::call("send WAL", self.client.deployment().contracts.wal, &call)
    }

    pub(crate) fn approval(&self, spender: EvmAddress, frost: u64) -> Action {
        // The largest number stands for "any amount", which the token never reduces.
        let value = if frost == u64::MAX { U256::MAX } else { U256::from(frost) };
        let call = wal::WAL::approveCall { spender: to_address(spender), value };
        Action::call("allow WAL to be spent", self.client.deployment().contracts.wal, &call)
    }

    pub(crate) fn node_registration(&self, node: &NodeRegistration, epoch: Epoch) -> Action {
        let deployment = self.client.deployment();
        let key = node.protocol_key.public_key();
        let call = staking_nodes::StakingNodes::registerNodeCall {
            p: staking_nodes::StakingNodes::NodeParams {
                blsKey: key.to_uncompressed().to_vec().into(),
                pop: self.possession(&node.protocol_key, epoch).into(),
                networkKey: node.network_key.0.to_vec().into(),
                name: node.name.clone(),
                networkAddress: node.network_address.as_str().to_owned(),
                metadataURI: node.metadata_uri.clone(),
                commissionBp: node.commission_bp,
                storagePrice: node.price_votes.storage,
                writePrice: node.price_votes.write,
                capacity: node.capacity_vote,
            },
        };
        Action::call("register the storage node", deployment.contracts.staking, &call)
    }

    /// Proof in the contract's form that this account's node has a key.
    pub(crate) fn possession(&self, key: &ProtocolSecretKey, epoch: Epoch) -> Vec<u8> {
        let (account, public_key) = (self.address().into(), key.public_key().clone());
        let message = Message::new(epoch, ProofOfPossession { account, public_key });
        let context = self.client.deployment().signing_context();
        SignedMessage::sign(key, &context, &message).signature().to_evm().to_vec()
    }

    pub(crate) fn staking(&self, node: NodeId, frost: u64) -> Action {
        let (amount, to) = (U256::from(frost), to_address(self.address()));
        let call = staking::Staking::stakeCall { _0: node.0, amount, to };
        Action::call("stake WAL", self.client.deployment().contracts.staking, &call)
    }

    pub(crate) async fn selection(&self) -> Result<Action, WriteError> {
        let name = "select the committee";
        let read = |source| WriteError::Read { action: name, source };
        let view = self.client.network().await.map_err(read)?;
        let set = self.client.candidates().await.map_err(read)?;
        let stakes: Vec<u64> = set.iter().map(|(_, stake)| *stake).collect();
        // With too few nodes the contract keeps the present committee, or says why not.
        let staked = stakes.iter().filter(|stake| **stake > 0).count();
        let seats = if staked < usize::from(view.parameters.min_nodes) {
            Vec::new()
        } else {
            apportion(view.parameters.n_shards, &stakes).map_err(|error| {
                let reason = error.to_string();
                read(ReadError::Malformed { what: "the active set", reason })
            })?
        };
        let call = epochs::EpochManager::selectCommitteeCall { seats };
        Ok(Action::call(name, self.client.deployment().contracts.epoch_manager, &call))
    }

    pub(crate) fn epoch_start(&self) -> Action {
        let call = epochs::EpochManager::startEpochCall {};
        let manager = self.client.deployment().contracts.epoch_manager;
        Action::call("start the epoch", manager, &call)
    }

    pub(crate) fn sync_report(&self, node: NodeId, epoch: Epoch) -> Action {
        let call = epochs::EpochManager::syncDoneCall { nodeId: node.0, epoch_: epoch.0 };
        let manager = self.client.deployment().contracts.epoch_manager;
        Action::call("report that the node is in sync", manager, &call)
    }

    pub(crate) fn price_update(&self) -> Action {
        let call = system::WalrusSystem::updatePricesCall {};
        Action::call("update the prices", self.client.deployment().contracts.system, &call)
    }
}

pub(crate) fn transfer_ether(to: EvmAddress, wei: u128) -> Action {
    Action {
        name: "send ether",
        to: Some(to_address(to)),
        data: Default::default(),
        value: U256::from(wei),
        gas: None,
    }
}

pub(crate) fn register_args(
    blob: &BlobRegistration,
    capacity_id: U256,
) -> system::WalrusSystem::RegisterArgs {
    system::WalrusSystem::RegisterArgs {
        rootHash: blob.root_hash.as_bytes().into(),
        size: blob.size,
        encodingType: blob.encoding_type,
        deletable: blob.deletable,
        capacityId: capacity_id,
        to: to_address(blob.owner),
        maxWriteFee: U256::from(blob.max_write_fee),
    }
}

fn cert(
    action: &'static str,
    certificate: &Certificate,
) -> Result<system::WalrusSystem::Cert, WriteError> {
    let (signature, signers) = evm_certificate(action, certificate)?;
    Ok(system::WalrusSystem::Cert { signature, signers })
}

/// Signature and signers of a certificate in the contracts' form.
pub(crate) fn evm_certificate(
    action: &'static str,
    certificate: &Certificate,
) -> Result<(Bytes, U256), WriteError> {
    let certificate = certificate
        .to_evm()
        .map_err(|error| WriteError::Certificate { action, reason: error.to_string() })?;
    let signers = U256::from_be_bytes(certificate.signers);
    Ok((certificate.signature.to_vec().into(), signers))
}

/// The first event of type `E` that `contract` reported in a transaction.
pub(crate) fn find_event<E: SolEvent>(
    action: &'static str,
    receipt: &Receipt,
    contract: EvmAddress,
) -> Result<E, WriteError> {
    let contract: Address = to_address(contract);
    let mut logs = receipt.logs.iter().filter(|log| log.address == contract);
    logs.find_map(|log| E::decode_raw_log_validate(log.topics.iter().copied(), &log.data).ok())
        .ok_or(WriteError::MissingEvent {
            action,
            transaction: receipt.transaction,
            event: E::SIGNATURE,
        })
}
