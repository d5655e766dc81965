use std::collections::BTreeMap;

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol_types::SolEvent,
};

use super::*;

/// Events that are of no concern: of tokens and libraries, or said by others better.
const UNREAD: [&str; 15] = [
    "Approval",
    "ApprovalForAll",
    "DelegateChanged",
    "DelegateVotesChanged",
    "EIP712DomainChanged",
    "Initialized",
    "MetadataUpdate",
    "RoleProposed",
    "TimelockChange",
    "Transfer",
    "TransferBatch",
    "TransferSingle",
    "URI",
    // That of the proxies; the gate reports every upgrade.
    "Upgraded",
    // Of the governor, which takes votes without parameters.
    "VoteCastWithParams",
];

fn read(topics: &[B256], data: &[u8]) -> Result<Option<ChainEvent>, EventError> {
    let log = serde_json::json!({
        "address": Address::ZERO, "topics": topics, "data": format!("0x{}", hex::encode(data)),
        "blockNumber": "0x1", "blockHash": B256::ZERO, "transactionHash": B256::ZERO,
        "logIndex": "0x0",
    });
    ChainEvent::decode(&serde_json::from_value(log).unwrap())
}

fn read_back<E: SolEvent>(event: &E) -> Option<ChainEvent> {
    let data = event.encode_log_data();
    read(data.topics(), &data.data).unwrap()
}

#[test]
fn every_event_of_the_artifacts_is_read_or_of_no_concern() {
    // An event added to a contract and not here would be missed by everybody.
    let artifacts = [
        include_str!("../../../../contracts/artifacts/BlobReferences.json"),
        include_str!("../../../../contracts/artifacts/Challenges.json"),
        include_str!("../../../../contracts/artifacts/Committees.json"),
        include_str!("../../../../contracts/artifacts/EpochManager.json"),
        include_str!("../../../../contracts/artifacts/ParamRegistry.json"),
        include_str!("../../../../contracts/artifacts/Staking.json"),
        include_str!("../../../../contracts/artifacts/StorageCapacity.json"),
        include_str!("../../../../contracts/artifacts/UpgradeGate.json"),
        include_str!("../../../../contracts/artifacts/WalrusGovernor.json"),
        include_str!("../../../../contracts/artifacts/WalrusSystem.json"),
    ];
    let mut seen = BTreeMap::new();
    for artifact in artifacts {
        let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
        let events = artifact["abi"].as_array().unwrap().iter();
        for item in events.filter(|item| item["type"] == "event") {
            let inputs = item["inputs"].as_array().unwrap();
            let types: Vec<_> = inputs.iter().map(|i| i["type"].as_str().unwrap()).collect();
            let name = item["name"].as_str().unwrap();
            let topic = keccak256(format!("{name}({})", types.join(",")));
            // Without its data it is malformed, which only a known one can be.
            let known = read(&[topic], &[]).is_err()
                || matches!(read(&[topic], &[]), Ok(Some(ChainEvent::Governance(_))));
            assert!(known || UNREAD.contains(&name), "{name}");
            seen.insert(topic, name.to_owned());
        }
    }
    assert!(seen.len() > 60, "{} events", seen.len());
}

#[test]
fn slashing_and_its_kin_are_read() {
    // What a test on a chain would take many failing epochs for.
    let (node_id, epoch, amount) = (NodeId(7), Epoch(9), 11u64);
    let big = U256::from(amount);
    let staking = |event| Some(ChainEvent::Staking(event));
    for (reason, expected) in [(0, SlashReason::Penalty), (1, SlashReason::Strike)] {
        let event = stake::Staking::NodeSlashed { nodeId: 7, epoch: 9, amount: big, reason };
        let slashed = StakingEvent::NodeSlashed { node_id, epoch, amount, reason: expected };
        assert_eq!(read_back(&event), staking(slashed));
    }
    let event = stake::Staking::NodeJailed { nodeId: 7, untilEpoch: 9 };
    assert_eq!(read_back(&event), staking(StakingEvent::NodeJailed { node_id, until: epoch }));
    let event = stake::Staking::PoolRetired { nodeId: 7 };
    assert_eq!(read_back(&event), staking(StakingEvent::PoolRetired { node_id }));
    let event = stake::Staking::RewardForfeited { nodeId: 7, epoch: 9, amount: big };
    let forfeited = StakingEvent::RewardForfeited { node_id, epoch, amount };
    assert_eq!(read_back(&event), staking(forfeited));
    let account = EvmAddress([5; 20]);
    let event =
        stake::Staking::RoleAccepted { nodeId: 7, role: 2, account: Address::from([5; 20]) };
    assert_eq!(
        read_back(&event),
        staking(StakingEvent::RoleAccepted { node_id, role: 2, account })
    );

    use crate::abi::challenges::Challenges as C;
    let challenge = |event| Some(ChainEvent::Challenge(event));
    let event = C::ChallengePassed { epoch: 9, nodeId: 7 };
    assert_eq!(read_back(&event), challenge(ChallengeEvent::Passed { epoch, node_id }));
    let event = C::ChallengeCertified { epoch: 9, nodeId: 7 };
    assert_eq!(read_back(&event), challenge(ChallengeEvent::Certified { epoch, node_id }));
    let event = C::ChallengeRescued { epoch: 9, nodeId: 7 };
    assert_eq!(read_back(&event), challenge(ChallengeEvent::Rescued { epoch, node_id }));
    let event = C::ChallengeProved { epoch: 9, nodeId: 7, samples: U256::from(3) };
    let mut samples = [0; 32];
    samples[31] = 3;
    assert_eq!(read_back(&event), challenge(ChallengeEvent::Proved { epoch, node_id, samples }));
    assert_eq!(
        read_back(&C::ChallengeVoid { epoch: 9 }),
        challenge(ChallengeEvent::Void { epoch })
    );

    let event = system::WalrusSystem::RewardsCarried { epoch: 9, amount: big };
    let carried = ChainEvent::Asset(AssetEvent::RewardsCarried { epoch, amount });
    assert_eq!(read_back(&event), Some(carried));
    // A reason that this program does not know is malformed, not something else.
    let event = stake::Staking::NodeSlashed { nodeId: 7, epoch: 9, amount: big, reason: 2 };
    let data = event.encode_log_data();
    assert!(read(data.topics(), &data.data).is_err());
}
