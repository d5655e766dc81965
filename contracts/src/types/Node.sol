// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an operator registers a storage node with.
/// @param blsKey BLS12-381 public key, uncompressed: `x` then `y`, 48 big-endian bytes each (96 bytes)
/// @param pop Proof of possession: G2 signature in EIP-2537 form (256 bytes) over the type 0 message of the present epoch
/// @param networkKey TLS key: compressed P-256 point, 33 bytes
/// @param name Display name, 1..100 bytes
/// @param networkAddress `host:port`, 1..259 bytes
/// @param metadataURI Further description, at most 512 bytes
/// @param commissionBp Operator's share of rewards in basis points, at most 10,000
/// @param storagePrice Vote: FROST per MiB of encoded size and epoch, at most 2^48
/// @param writePrice Vote: FROST per MiB of encoded size written, at most 2^48
/// @param capacity Vote: bytes this node can store
struct NodeParams {
    bytes blsKey;
    bytes pop;
    bytes networkKey;
    string name;
    string networkAddress;
    string metadataURI;
    uint16 commissionBp;
    uint64 storagePrice;
    uint64 writePrice;
    uint64 capacity;
}

/// @notice Everything the chain knows about one node.
/// @param nodeId Identifier, from 1
/// @param operator Account of day-to-day node operation
/// @param commissionReceiver Account entitled to the commission
/// @param governance Account that approves upgrades for the node
/// @param registeredEpoch Epoch of the registration
/// @param commissionBp Operator's share of rewards in basis points
/// @param inActiveSet Whether the next selection considers the node
/// @param storagePrice Vote: FROST per MiB and epoch
/// @param writePrice Vote: FROST per MiB written
/// @param capacity Vote: bytes
/// @param stake FROST staked with the node
/// @param blsKey Key used at the next committee selection, 96 bytes as in `NodeParams`
/// @param networkKey TLS key, 33 bytes
/// @param name Display name
/// @param networkAddress `host:port`
/// @param metadataURI Further description
struct NodeInfo {
    uint32 nodeId;
    address operator;
    address commissionReceiver;
    address governance;
    uint32 registeredEpoch;
    uint16 commissionBp;
    bool inActiveSet;
    uint64 storagePrice;
    uint64 writePrice;
    uint64 capacity;
    uint64 stake;
    bytes blsKey;
    bytes networkKey;
    string name;
    string networkAddress;
    string metadataURI;
}

/// @notice The accounts a node answers to.
enum Role {
    Operator,
    CommissionReceiver,
    Governance
}

/// @notice One stake position.
/// @param nodeId Node the stake supports
/// @param activationEpoch First epoch in which the stake can count for a committee
/// @param principal FROST put in; also its votes in governance
/// @param withdrawEpoch Epoch from which it can be withdrawn; 0 while it is staked
/// @param shares Pool shares that leave at `withdrawEpoch`. 0 while it is staked, and when withdrawal was requested
/// before activation
struct Position {
    uint32 nodeId;
    uint32 activationEpoch;
    uint64 principal;
    uint32 withdrawEpoch;
    uint96 shares;
}

/// @notice The stake of one node. Amounts in FROST.
/// @param nodeId The node
/// @param settledEpoch Epoch whose start the figures show. Behind the current epoch until the pool is settled
/// @param balance Active stake
/// @param shares Claims on the active stake: one FROST staked at the first rate is one share
/// @param joiningNext Stake that becomes active in `settledEpoch + 1`
/// @param joiningAfter Stake that becomes active in `settledEpoch + 2`
/// @param leavingNext Shares that leave at `settledEpoch + 1`
/// @param leavingAfter Shares that leave at `settledEpoch + 2`
/// @param passing Part of `joiningNext` that leaves again one epoch after it became active
/// @param owed Set aside for positions whose withdraw epoch has come
/// @param commission Commission that was not collected yet
/// @param commissionBp Operator's share of the rewards of `settledEpoch` in basis points
/// @param misses Epochs without a passed challenge since the last passed one
/// @param jailedUntil First epoch whose committee the node may enter again; 0 when it is not jailed
/// @param retired Whether slashing took so much that the pool accepts no stake any more
/// @param expectedStake What a selection counts: active and joining stake without what leaves
struct PoolInfo {
    uint32 nodeId;
    uint32 settledEpoch;
    uint128 balance;
    uint128 shares;
    uint64 joiningNext;
    uint64 joiningAfter;
    uint128 leavingNext;
    uint128 leavingAfter;
    uint64 passing;
    uint64 owed;
    uint64 commission;
    uint16 commissionBp;
    uint8 misses;
    uint32 jailedUntil;
    bool retired;
    uint64 expectedStake;
}

/// @notice Exchange rate of a pool at the start of an epoch in which somebody joined or left: after rewards and slashes,
/// before they did. No WAL and no shares mean 1:1.
/// @param epoch The epoch
/// @param amount FROST in the pool
/// @param shares Shares in the pool
struct Rate {
    uint32 epoch;
    uint96 amount;
    uint128 shares;
}

/// @notice Why a pool was slashed.
/// @dev `Penalty`: the second epoch without a passed challenge in a row. `Strike`: the third or a later one.
enum SlashReason {
    Penalty,
    Strike
}
