#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use alloy::{
    primitives::{U256, keccak256},
    sol_types::SolError,
};
use walrus_core::TokenId;

use super::{ContractError, KNOWN};
use crate::abi::system::WalrusSystem;

/// Errors of libraries about conditions that no caller of ours can meet; they stay
/// [`ContractError::Unknown`].
const UNNAMED: &[&str] = &[
    "AccessControlBadConfirmation",
    "AccessControlUnauthorizedAccount",
    "AccountBalanceOverflow",
    "AddressEmptyCode",
    // That of `Challenges`, which only nodes meet; the one of `WalrusSystem` has a variant.
    "AlreadyCertified",
    "ArrayLengthsMismatch",
    "BalanceQueryForZeroAddress",
    "CheckpointUnorderedInsertion",
    "DataTooLong",
    "ECDSAInvalidSignature",
    "ECDSAInvalidSignatureLength",
    "ECDSAInvalidSignatureS",
    "ERC1967InvalidImplementation",
    "ERC1967NonPayable",
    "ERC1967ProxyUninitialized",
    "ERC20ExceededSafeSupply",
    "ERC20InvalidApprover",
    "ERC20InvalidSender",
    "ERC20InvalidSpender",
    "ERC5805FutureLookup",
    "ERC6372InconsistentClock",
    "FailedCall",
    "GovernorAlreadyQueuedProposal",
    "GovernorDisabledDeposit",
    "GovernorInvalidProposalLength",
    "GovernorInvalidSignature",
    "GovernorInvalidVoteParams",
    "GovernorInvalidVoteType",
    "GovernorInvalidVotingPeriod",
    "GovernorOnlyExecutor",
    "GovernorProposalQueueingFailed",
    "GovernorProposalQueueingNotRequired",
    "GovernorRestrictedProposer",
    "GovernorUnableToCancel",
    "InvalidAccountNonce",
    "InvalidInitialization",
    "InvalidShortString",
    "NoRate",
    "NotInitializing",
    "SafeCastOverflowedIntDowncast",
    "SafeCastOverflowedIntToUint",
    "SafeCastOverflowedUintDowncast",
    "SafeCastOverflowedUintToInt",
    "StringTooLong",
    "TimelockInsufficientDelay",
    "TimelockInvalidOperationLength",
    "TimelockUnauthorizedCaller",
    "TimelockUnexecutedPredecessor",
    "TokenAlreadyExists",
    "TransferToNonERC1155ReceiverImplementer",
    "TransferToNonERC721ReceiverImplementer",
    "UUPSUnauthorizedCallContext",
    "UUPSUnsupportedProxiableUUID",
    "VotesExpiredSignature",
];

#[test]
fn every_error_of_the_artifacts_has_a_name_or_a_reason() {
    // An error added to a contract and not here would reach users as raw bytes.
    let artifacts = [
        include_str!("../../../../contracts/artifacts/BlobNFT.json"),
        include_str!("../../../../contracts/artifacts/BlobReferences.json"),
        include_str!("../../../../contracts/artifacts/Challenges.json"),
        include_str!("../../../../contracts/artifacts/Committees.json"),
        include_str!("../../../../contracts/artifacts/DevExchange.json"),
        include_str!("../../../../contracts/artifacts/EpochManager.json"),
        include_str!("../../../../contracts/artifacts/ParamRegistry.json"),
        include_str!("../../../../contracts/artifacts/PrevrandaoRandomness.json"),
        include_str!("../../../../contracts/artifacts/Staking.json"),
        include_str!("../../../../contracts/artifacts/StakingNodes.json"),
        include_str!("../../../../contracts/artifacts/StakingPools.json"),
        include_str!("../../../../contracts/artifacts/StorageCapacity.json"),
        include_str!("../../../../contracts/artifacts/TimelockController.json"),
        include_str!("../../../../contracts/artifacts/UpgradeGate.json"),
        include_str!("../../../../contracts/artifacts/WAL.json"),
        include_str!("../../../../contracts/artifacts/WalrusGovernor.json"),
        include_str!("../../../../contracts/artifacts/WalrusLens.json"),
        include_str!("../../../../contracts/artifacts/WalrusSystem.json"),
    ];
    let known: BTreeSet<_> = KNOWN.iter().map(|(_, selector)| *selector).collect();
    assert_eq!(known.len(), KNOWN.len(), "two variants share a selector");
    let mut seen = 0;
    for artifact in artifacts {
        let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
        for item in artifact["abi"].as_array().unwrap() {
            if item["type"] != "error" {
                continue;
            }
            let inputs = item["inputs"].as_array().unwrap();
            let types: Vec<_> = inputs.iter().map(|i| i["type"].as_str().unwrap()).collect();
            let name = item["name"].as_str().unwrap();
            let signature = format!("{name}({})", types.join(","));
            let selector: [u8; 4] = keccak256(signature)[..4].try_into().unwrap();
            assert!(known.contains(&selector) || UNNAMED.contains(&name), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 50);
}

#[test]
fn revert_data_becomes_a_named_error_or_is_kept() {
    // The command line tells users what to do by these names.
    let data = WalrusSystem::BlobExpired { tokenId: U256::from(7), endEpoch: 3, epoch: 9 };
    let error = ContractError::decode(&data.abi_encode());
    let expected =
        ContractError::BlobExpired { token_id: TokenId(7), end_epoch: 3.into(), epoch: 9.into() };
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), "blob object 7 ended with epoch 3; now is epoch 9");

    let text = alloy::sol_types::Revert::from("no").abi_encode();
    assert_eq!(ContractError::decode(&text), ContractError::Text("no".to_owned()));
    // Cut short, unknown, empty: kept as they are, never a panic.
    for odd in [&data.abi_encode()[..40], &[1, 2, 3, 4, 5], &[]] {
        assert_eq!(ContractError::decode(odd), ContractError::Unknown(odd.to_vec()));
    }
}
