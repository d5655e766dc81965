//! Stake positions and what operators decide: the calls around `Staking`
//! (docs/protocol/onchain.md section 2.8).

use alloy::{
    primitives::U256,
    sol_types::{SolCall, SolEvent},
};
use walrus_core::{Epoch, EvmAddress, NodeId, ProtocolSecretKey};

use crate::{
    abi::{Plain, exchange, lens, staking, staking_nodes, staking_pools, to_address},
    client::ChainClient,
    error::{ReadError, WriteError},
    sender::{Action, Receipt},
    view::{EpochPhase, Prices},
    writer::{ChainWriter, find_event},
};

/// Most positions given by one call.
const POSITIONS_PER_CALL: u64 = 500;

/// One stake position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionRecord {
    /// The position.
    pub position_id: u64,
    /// Present owner; `None` once it was withdrawn or joined into another.
    pub owner: Option<EvmAddress>,
    /// The node it supports.
    pub node_id: NodeId,
    /// FROST put in.
    pub principal: u64,
    /// First epoch in which the stake can count for a committee.
    pub activation_epoch: Epoch,
    /// Epoch from which it can be withdrawn; `None` while it is staked.
    pub withdraw_epoch: Option<Epoch>,
}

impl ChainClient {
    /// Up to `count` positions from `first` on, in order; fewer at the end.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn positions(
        &self,
        first: u64,
        count: u64,
    ) -> Result<Vec<PositionRecord>, ReadError> {
        let call = lens::WalrusLens::positionsCall {
            fromPositionId: U256::from(first.max(1)),
            count: U256::from(count.min(POSITIONS_PER_CALL)),
        };
        let lens = to_address(self.deployment().lens);
        let page = self.read("stake positions", lens, call).await?;
        Ok(page.into_iter().map(position_from).collect())
    }

    /// All positions of one account, oldest first: looks through all there are.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn positions_of(&self, owner: EvmAddress) -> Result<Vec<PositionRecord>, ReadError> {
        let mut found = Vec::new();
        let mut first = 1;
        loop {
            let page = self.positions(first, POSITIONS_PER_CALL).await?;
            let Some(last) = page.last().map(|position| position.position_id) else {
                return Ok(found);
            };
            found.extend(page.into_iter().filter(|position| position.owner == Some(owner)));
            first = last.saturating_add(1);
        }
    }

    /// FROST a position is worth as of the last settlement of its pool.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn position_value(&self, position: u64) -> Result<u64, ReadError> {
        let staking = to_address(self.deployment().contracts.staking);
        // The two answers have no names in the generated code; only the first is asked for.
        let call = staking::Staking::valueOfCall { positionId: U256::from(position) };
        Ok(self.read("the value of a position", staking, call).await?._0.plain())
    }
}

/// Each of these sends one transaction and waits for it; see [`WriteError`] for what can
/// go wrong.
#[allow(clippy::missing_errors_doc, reason = "said once for all")]
impl ChainWriter {
    /// Asks for a position to leave its pool. [`ContractError::WithdrawAtOnce`] says that
    /// it needs no asking.
    ///
    /// [`ContractError::WithdrawAtOnce`]: crate::ContractError::WithdrawAtOnce
    pub async fn request_withdraw(&self, position: u64) -> Result<Epoch, WriteError> {
        let name = "request the withdrawal";
        let call =
            staking_pools::StakingPools::requestWithdrawCall { positionId: U256::from(position) };
        let receipt = self.staking_call(name, &call).await?;
        let event: staking::Staking::WithdrawRequested = self.staking_event(name, &receipt)?;
        Ok(Epoch(event.withdrawEpoch))
    }

    /// Pays a position out to this account; the FROST received.
    pub async fn withdraw(&self, position: u64) -> Result<u64, WriteError> {
        let name = "withdraw the stake";
        let call = staking_pools::StakingPools::withdrawCall {
            positionId: U256::from(position),
            to: to_address(self.address()),
        };
        let receipt = self.staking_call(name, &call).await?;
        let event: staking::Staking::Withdrawn = self.staking_event(name, &receipt)?;
        Ok(event.amount.plain())
    }

    /// Moves `frost` of the principal of a position to a new one; the new one.
    pub async fn split_position(&self, position: u64, frost: u64) -> Result<u64, WriteError> {
        let name = "split the position";
        let call = staking_pools::StakingPools::splitPositionCall {
            positionId: U256::from(position),
            amount: U256::from(frost),
        };
        let receipt = self.staking_call(name, &call).await?;
        let event: staking::Staking::PositionSplit = self.staking_event(name, &receipt)?;
        Ok(event.newPositionId.plain())
    }

    /// Merges the position `from` into `into`, which has the same node and epochs.
    pub async fn join_positions(&self, into: u64, from: u64) -> Result<Receipt, WriteError> {
        let (into, from) = (U256::from(into), U256::from(from));
        let call = staking_pools::StakingPools::joinPositionsCall { into, from };
        self.staking_call("join the positions", &call).await
    }

    /// Changes the standing votes of a node that this account operates.
    pub async fn set_votes(
        &self,
        node: NodeId,
        prices: Prices,
        capacity: u64,
    ) -> Result<Receipt, WriteError> {
        let call = staking_nodes::StakingNodes::setVotesCall {
            nodeId: node.0,
            storagePrice: prices.storage,
            writePrice: prices.write,
            capacity,
        };
        self.staking_call("change the node's votes", &call).await
    }

    /// Gives a node another protocol key, for the committees selected from now on: the
    /// present one, and one that is selected already, know it by the old key. Returns the
    /// first epoch of which the new one can count.
    pub async fn set_next_key(
        &self,
        node: NodeId,
        key: &ProtocolSecretKey,
    ) -> Result<Epoch, WriteError> {
        let name = "change the node's key";
        let state = self.client().epoch_state().await;
        let state = state.map_err(|source| WriteError::Read { action: name, source })?;
        let call = staking_nodes::StakingNodes::setNextKeyCall {
            nodeId: node.0,
            key: key.public_key().to_uncompressed().to_vec().into(),
            pop: self.possession(key, state.epoch).into(),
        };
        self.staking_call(name, &call).await?;
        let ahead = if state.phase == EpochPhase::ParamsSelected { 2 } else { 1 };
        Ok(Epoch(state.epoch.0.saturating_add(ahead)))
    }

    /// Changes the commission from the rewards of the epoch after the next one on.
    pub async fn set_commission(
        &self,
        node: NodeId,
        commission_bp: u16,
    ) -> Result<Receipt, WriteError> {
        let call = staking_pools::StakingPools::setNextCommissionCall {
            nodeId: node.0,
            commissionBp: commission_bp,
        };
        self.staking_call("change the commission", &call).await
    }

    /// Pays the commission of a node out to this account, its commission receiver; the
    /// FROST received.
    pub async fn collect_commission(&self, node: NodeId) -> Result<u64, WriteError> {
        let name = "collect the commission";
        let call = staking_pools::StakingPools::collectCommissionCall {
            nodeId: node.0,
            to: to_address(self.address()),
        };
        let receipt = self.staking_call(name, &call).await?;
        let event: staking::Staking::CommissionCollected = self.staking_event(name, &receipt)?;
        Ok(event.amount.plain())
    }

    /// Gives `wei` of gas money to the exchange of a test network for WAL; the FROST
    /// received. `None` when the network has no exchange.
    pub async fn exchange_for_wal(&self, wei: u128) -> Result<Option<u64>, WriteError> {
        let name = "get WAL";
        let Some(exchange) = self.client().deployment().dev_exchange else { return Ok(None) };
        let call = exchange::DevExchange::buyCall { to: to_address(self.address()) };
        let action = Action { value: U256::from(wei), ..Action::call(name, exchange, &call) };
        let receipt = self.sender().execute(action).await?;
        let event: exchange::DevExchange::WalBought = find_event(name, &receipt, exchange)?;
        Ok(Some(event.amount.plain()))
    }

    async fn staking_call<C: SolCall>(
        &self,
        name: &'static str,
        call: &C,
    ) -> Result<Receipt, WriteError> {
        let staking = self.client().deployment().contracts.staking;
        self.sender().execute(Action::call(name, staking, call)).await
    }

    fn staking_event<E: SolEvent>(
        &self,
        name: &'static str,
        receipt: &Receipt,
    ) -> Result<E, WriteError> {
        find_event(name, receipt, self.client().deployment().contracts.staking)
    }
}

fn position_from(view: lens::WalrusLens::PositionView) -> PositionRecord {
    let position = view.position;
    PositionRecord {
        position_id: view.positionId,
        owner: (!view.owner.is_zero()).then(|| view.owner.plain()),
        node_id: NodeId(position.nodeId),
        principal: position.principal,
        activation_epoch: Epoch(position.activationEpoch),
        withdraw_epoch: (position.withdrawEpoch != 0).then_some(Epoch(position.withdrawEpoch)),
    }
}
