//! Typed questions to the contracts of one network.

mod blobs;
mod nodes;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use alloy::{
    primitives::{Address, B256},
    sol_types::SolCall,
};
use walrus_core::{Committee, Domain, Epoch, EvmAddress, Member, NodeId, ProtocolPublicKey, Seat};
use walrus_env::Env;

pub use self::blobs::BLOBS_PER_CALL;
pub(crate) use self::blobs::blob_from;
use crate::{
    abi::{Plain, epochs, lens, to_address, wal},
    deployment::Deployment,
    endpoints::Endpoints,
    error::ReadError,
    rpc::{Log, LogQuery},
    view::{
        ChallengeMode, ChallengeView, EpochPhase, EpochState, NetworkSnapshot, NetworkView,
        NodeRecord, Prices,
    },
};

/// Committees kept in memory: previous, current and next.
const COMMITTEES_KEPT: usize = 3;

/// Reads a network's contracts. Cheap to clone; keeps the last committees in memory.
#[derive(Clone, Debug)]
pub struct ChainClient {
    endpoints: Endpoints,
    deployment: Arc<Deployment>,
    committees: Arc<Mutex<BTreeMap<Epoch, Arc<Committee>>>>,
}

impl ChainClient {
    /// A client for the network of `deployment`. Sends nothing; addresses that belong to
    /// another chain will be refused.
    pub fn new(endpoints: Endpoints, deployment: Deployment) -> Self {
        endpoints.require_chain(deployment.chain_id);
        Self { endpoints, deployment: Arc::new(deployment), committees: Arc::default() }
    }

    /// As [`Self::new`], and checks that the network is there.
    ///
    /// # Errors
    /// [`ReadError::NoContract`] for a deployment file of another chain, and whatever a
    /// read can fail with.
    pub async fn connect(endpoints: Endpoints, deployment: Deployment) -> Result<Self, ReadError> {
        let client = Self::new(endpoints, deployment);
        client.network().await?;
        Ok(client)
    }

    /// The deployment.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What signed messages are bound to.
    pub fn domain(&self) -> Domain {
        self.deployment.domain()
    }

    /// The RPC addresses.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The environment.
    pub fn env(&self) -> &Env {
        self.endpoints.env()
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// When the chain cannot be reached.
    pub async fn block_number(&self) -> Result<u64, ReadError> {
        Ok(self.endpoints.latest().await?.number())
    }

    /// Time of the newest block, Unix seconds: the clock that epochs follow.
    ///
    /// # Errors
    /// When the chain cannot be reached.
    pub async fn block_time(&self) -> Result<u64, ReadError> {
        Ok(self.endpoints.latest().await?.timestamp.to())
    }

    /// Epoch, prices, capacity and counters, as of one block.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn network(&self) -> Result<NetworkView, ReadError> {
        let call = lens::WalrusLens::overviewCall {};
        let o = self.read("the network's overview", self.lens(), call).await?;
        let phase = match o.clock.state {
            0 => EpochPhase::Sync,
            1 => EpochPhase::Done,
            2 => EpochPhase::ParamsSelected,
            other => {
                return Err(malformed("the epoch state", format!("there is no state {other}")));
            }
        };
        let unless_sync = |time: u64| (phase != EpochPhase::Sync).then_some(time);
        let clock = &o.clock;
        let epoch = EpochState {
            epoch: Epoch(clock.epoch),
            phase,
            started_at: clock.startedAt,
            done_at: unless_sync(clock.doneAt),
            synced_weight: clock.syncedWeight,
            selectable_at: unless_sync(clock.selectableAt),
            startable_at: unless_sync(clock.startableAt),
        };
        let domain = Domain(o.domain.0);
        if domain != self.domain() {
            let reason = format!("domain {domain}, expected {}", self.domain());
            return Err(malformed("the network's overview", reason));
        }
        Ok(NetworkView {
            parameters: o.parameters.into(),
            epoch,
            prices: Prices { storage: o.storagePrice, write: o.writePrice },
            total_capacity: o.totalCapacity,
            used_capacity: o.usedCapacity,
            domain,
            blob_count: o.blobCount,
            certified_count: o.certifiedCount,
            node_count: o.nodeCount,
        })
    }

    /// The epoch machine.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn epoch_state(&self) -> Result<EpochState, ReadError> {
        Ok(self.network().await?.epoch)
    }

    /// The network at a glance and the committee that belongs to it.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn snapshot(&self) -> Result<NetworkSnapshot, ReadError> {
        let view = self.network().await?;
        let committee = match view.epoch.epoch {
            Epoch(0) => None,
            // Stays readable for one more epoch if a change slips in between.
            epoch => Some(self.committee(epoch).await?),
        };
        Ok(NetworkSnapshot { view, committee })
    }

    /// The committee of the previous, current or (once selected) next epoch, with the
    /// members' addresses and TLS keys as of the first time it was asked for.
    ///
    /// # Errors
    /// [`ContractError::UnknownCommittee`](crate::ContractError::UnknownCommittee) for other epochs; see [`ReadError`].
    pub async fn committee(&self, epoch: Epoch) -> Result<Arc<Committee>, ReadError> {
        let kept = self.kept().get(&epoch).cloned();
        match kept {
            Some(committee) => Ok(committee),
            None => self.refresh_committee(epoch).await,
        }
    }

    /// As [`Self::committee`], with addresses and TLS keys as they are now.
    ///
    /// # Errors
    /// As [`Self::committee`].
    pub async fn refresh_committee(&self, epoch: Epoch) -> Result<Arc<Committee>, ReadError> {
        let call = lens::WalrusLens::committeeCall { epoch: epoch.0 };
        let info = self.read("a committee", self.lens(), call).await?;
        let ids: Vec<_> = info.nodeIds.iter().copied().filter(|id| *id != 0).collect();
        let nodes = match (ids.iter().min(), ids.iter().max()) {
            (Some(first), Some(last)) => self.nodes(NodeId(*first), NodeId(*last)).await?,
            _ => Vec::new(),
        };
        let nodes: BTreeMap<_, _> = nodes.into_iter().map(|node| (node.node_id, node)).collect();
        let committee = Arc::new(committee_from(epoch, &info, &nodes)?);
        let mut kept = self.kept();
        kept.insert(epoch, committee.clone());
        while kept.len() > COMMITTEES_KEPT {
            kept.pop_first();
        }
        Ok(committee)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<Epoch, Arc<Committee>>> {
        // A map of finished committees is valid whatever panicked while holding it.
        self.committees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prices by the votes of the current committee, which an update would set.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn voted_prices(&self) -> Result<Prices, ReadError> {
        let manager = to_address(self.deployment.contracts.epoch_manager);
        let call = epochs::EpochManager::votedPricesCall {};
        let voted = self.read("the voted prices", manager, call).await?;
        Ok(Prices { storage: voted.storagePrice, write: voted.writePrice })
    }

    /// The storage challenge of an epoch.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn challenge(&self, epoch: Epoch) -> Result<ChallengeView, ReadError> {
        let call = lens::WalrusLens::challengeCall { epoch: epoch.0 };
        let c = self.read("a challenge", self.lens(), call).await?;
        let mode = match c.mode {
            0 => ChallengeMode::Off,
            1 => ChallengeMode::Trial,
            2 => ChallengeMode::Enforced,
            other => {
                return Err(malformed("a challenge", format!("there is no mode {other}")));
            }
        };
        Ok(ChallengeView {
            is_on: mode != ChallengeMode::Off,
            mode,
            opened: c.opened,
            log_start: c.logStart,
            log_end: c.logLength,
            acked_weight: c.ackedWeight,
            passed_weight: c.passedWeight,
            seed_block: (c.seedBlock != 0).then_some(c.seedBlock),
            seed: (!c.seed.is_zero()).then_some(c.seed.0),
            close_time: (c.closeTime != 0).then_some(c.closeTime),
        })
    }

    /// WAL of an account, in FROST.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn wal_balance(&self, account: EvmAddress) -> Result<u64, ReadError> {
        let call = wal::WAL::balanceOfCall { account: to_address(account) };
        let wal = to_address(self.deployment.contracts.wal);
        Ok(self.read("a WAL balance", wal, call).await?.plain())
    }

    /// FROST that `spender` may take from `owner`; cut to the largest number.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn wal_allowance(
        &self,
        owner: EvmAddress,
        spender: EvmAddress,
    ) -> Result<u64, ReadError> {
        let call =
            wal::WAL::allowanceCall { owner: to_address(owner), spender: to_address(spender) };
        let wal = to_address(self.deployment.contracts.wal);
        Ok(self.read("a WAL allowance", wal, call).await?.plain())
    }

    /// Ether of an account, in wei.
    ///
    /// # Errors
    /// When the chain cannot be reached.
    pub async fn ether_balance(&self, account: EvmAddress) -> Result<u128, ReadError> {
        Ok(self.endpoints.balance(to_address(account)).await?.plain())
    }

    /// Asks the contracts whether they agree with each other.
    ///
    /// # Errors
    /// [`ContractError::WiringBroken`](crate::ContractError::WiringBroken); see [`ReadError`].
    pub async fn check_wiring(&self) -> Result<(), ReadError> {
        let call = lens::WalrusLens::checkWiringCall {};
        self.read("the wiring of the contracts", self.lens(), call).await.map(|_| ())
    }

    fn lens(&self) -> Address {
        to_address(self.deployment.lens)
    }

    /// All logs of one contract since the deployment whose first topics are these, oldest
    /// first.
    pub(crate) async fn logs_of(
        &self,
        address: Address,
        topics: &[B256],
    ) -> Result<Vec<Log>, ReadError> {
        let newest = self.endpoints.latest().await?.number();
        let mut from = self.deployment.deploy_block;
        // Many addresses give logs of few blocks at a time only.
        let mut range = u64::MAX;
        let mut found = Vec::new();
        while from <= newest {
            let to = newest.min(from.saturating_add(range - 1));
            match self.endpoints.logs(&LogQuery::Topics { from, to, address, topics }).await {
                Ok(logs) => {
                    found.extend(logs);
                    from = to + 1;
                }
                Err(error) if error.refusal().is_some() && to > from => {
                    range = (to - from).div_ceil(4);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Calls a view function at the newest block.
    pub(crate) async fn read<C: SolCall>(
        &self,
        what: &'static str,
        to: Address,
        call: C,
    ) -> Result<C::Return, ReadError> {
        let answer = self.call(to.plain(), call.abi_encode()).await?;
        C::abi_decode_returns_validate(&answer).map_err(|error| malformed(what, error.to_string()))
    }
}

pub(crate) fn malformed(what: &'static str, reason: String) -> ReadError {
    ReadError::Malformed { what, reason }
}

fn protocol_key(bytes: &[u8]) -> Result<ProtocolPublicKey, ReadError> {
    let what = "a node's protocol key";
    let bytes: &[u8; 96] =
        bytes.try_into().map_err(|_| malformed(what, format!("{} bytes", bytes.len())))?;
    ProtocolPublicKey::from_uncompressed(bytes).map_err(|error| malformed(what, error.to_string()))
}

/// Puts a committee together from its own record and those of its members.
fn committee_from(
    epoch: Epoch,
    info: &lens::WalrusLens::CommitteeInfo,
    nodes: &BTreeMap<NodeId, NodeRecord>,
) -> Result<Committee, ReadError> {
    let what = "a committee";
    let seats = info.nodeIds.len();
    if info.epoch != epoch.0 || info.weights.len() != seats || info.keys.len() != 96 * seats {
        let reason = format!("epoch {} with {seats} seats, asked for {epoch}", info.epoch);
        return Err(malformed(what, reason));
    }
    let member = |seat: usize| -> Result<Option<Member>, ReadError> {
        let node_id = NodeId(info.nodeIds[seat]);
        if node_id == NodeId(0) {
            return Ok(None);
        }
        let node = nodes
            .get(&node_id)
            .ok_or_else(|| malformed(what, format!("its member {node_id} is not registered")))?;
        Ok(Some(Member {
            node_id,
            public_key: protocol_key(&info.keys[96 * seat..][..96])?,
            weight: info.weights[seat],
            network_address: node.network_address.clone(),
            network_key: node.network_key,
            name: node.name.clone(),
        }))
    };
    let seats = (0..seats).map(member).collect::<Result<Vec<_>, _>>()?;
    let shard_map = info.shardMap.iter().copied().map(Seat).collect();
    Ok(Committee::new(epoch, seats, shard_map)?)
}
