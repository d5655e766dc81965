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
/// @param principal FROST put in
struct Position {
    uint32 nodeId;
    uint32 activationEpoch;
    uint64 principal;
}
