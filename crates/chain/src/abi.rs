//! The contracts' interfaces, generated from the committed artifacts
//! (`contracts/artifacts`), and the conversions from their number types to ours.

use alloy::primitives::{Address, FixedBytes, U256};
use walrus_core::EvmAddress;

/// One module per artifact, because several artifacts define the same struct.
macro_rules! artifacts {
    ($($module:ident: $contract:ident, $path:literal $(, using $($shared:ident)*)?;)*) => {
        $(
            #[allow(missing_docs, unreachable_pub, clippy::all, unused_qualifications)]
            pub(crate) mod $module {
                // The generator looks for structs of the file one level above the contract.
                $($(#[allow(unused_imports)] use $contract::$shared;)*)?
                alloy::sol!(
                    #[sol(all_derives)]
                    #[allow(dead_code)]
                    $contract,
                    $path
                );
            }
        )*
    };
}

artifacts! {
    blobs: BlobNFT, "../../contracts/artifacts/BlobNFT.json";
    capacity: StorageCapacity, "../../contracts/artifacts/StorageCapacity.json";
    challenges: Challenges, "../../contracts/artifacts/Challenges.json";
    committees: Committees, "../../contracts/artifacts/Committees.json";
    epochs: EpochManager, "../../contracts/artifacts/EpochManager.json";
    exchange: DevExchange, "../../contracts/artifacts/DevExchange.json";
    gate: UpgradeGate, "../../contracts/artifacts/UpgradeGate.json";
    governor: WalrusGovernor, "../../contracts/artifacts/WalrusGovernor.json";
    lens: WalrusLens, "../../contracts/artifacts/WalrusLens.json", using Wiring Parameters EpochClock;
    params: ParamRegistry, "../../contracts/artifacts/ParamRegistry.json";
    proxy: ERC1967Proxy, "../../contracts/artifacts/ERC1967Proxy.json";
    randomness: PrevrandaoRandomness, "../../contracts/artifacts/PrevrandaoRandomness.json";
    references: BlobReferences, "../../contracts/artifacts/BlobReferences.json";
    staking: Staking, "../../contracts/artifacts/Staking.json";
    staking_nodes: StakingNodes, "../../contracts/artifacts/StakingNodes.json";
    staking_pools: StakingPools, "../../contracts/artifacts/StakingPools.json";
    system: WalrusSystem, "../../contracts/artifacts/WalrusSystem.json";
    timelock: TimelockController, "../../contracts/artifacts/TimelockController.json";
    wal: WAL, "../../contracts/artifacts/WAL.json";
}

pub(crate) fn to_address(address: EvmAddress) -> Address {
    Address::from(address.0)
}

/// A value out of the ABI as this crate's users see it. Amounts above the range are cut
/// to the largest value: the WAL supply and all counters fit.
pub(crate) trait Plain<T> {
    fn plain(self) -> T;
}

macro_rules! same {
    ($($type:ty),*) => { $(impl Plain<$type> for $type { fn plain(self) -> $type { self } })* };
}

same!(u8, u16, u32, u64, String);

impl Plain<u64> for U256 {
    fn plain(self) -> u64 {
        self.saturating_to()
    }
}

impl Plain<u128> for U256 {
    fn plain(self) -> u128 {
        self.saturating_to()
    }
}

impl Plain<EvmAddress> for Address {
    fn plain(self) -> EvmAddress {
        EvmAddress(self.into())
    }
}

impl Plain<[u8; 32]> for FixedBytes<32> {
    fn plain(self) -> [u8; 32] {
        self.0
    }
}

impl Plain<[u8; 32]> for U256 {
    fn plain(self) -> [u8; 32] {
        self.to_be_bytes()
    }
}

impl Plain<walrus_redstuff::BlobId> for FixedBytes<32> {
    fn plain(self) -> walrus_redstuff::BlobId {
        walrus_redstuff::BlobId::from_bytes(self.0)
    }
}

impl Plain<walrus_core::Epoch> for u32 {
    fn plain(self) -> walrus_core::Epoch {
        walrus_core::Epoch(self)
    }
}

impl Plain<walrus_core::NodeId> for u32 {
    fn plain(self) -> walrus_core::NodeId {
        walrus_core::NodeId(self)
    }
}

impl Plain<walrus_core::TokenId> for U256 {
    fn plain(self) -> walrus_core::TokenId {
        walrus_core::TokenId(self.saturating_to())
    }
}
