// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ERC721 } from "solady/tokens/ERC721.sol";
import { LibString } from "solady/utils/LibString.sol";
import { Wired } from "./Wired.sol";
import { WiredUpgradeable } from "./WiredUpgradeable.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { BlsMinPk } from "./libraries/BlsMinPk.sol";
import { NodeInfo, NodeParams, Position } from "./types/Node.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Storage nodes and stake
contract Staking is IStaking, WiredUpgradeable, ReentrancyGuardTransient, ERC721 {
    using SafeERC20 for IERC20;

    /// @notice Highest price vote in FROST, so that no product with it can overflow.
    uint64 public constant MAX_PRICE_VOTE = 1 << 48;
    /// @notice Smallest stake position in FROST: 1 WAL.
    uint256 public constant MIN_STAKE = 1e9;
    /// @notice Highest commission in basis points.
    uint16 public constant MAX_COMMISSION_BP = 10_000;

    uint256 private constant MAX_NAME = 100;
    uint256 private constant MAX_ADDRESS = 259;
    uint256 private constant MAX_URI = 512;
    uint256 private constant NETWORK_KEY_LENGTH = 33;

    /// @dev One node. `activePlace` is its position in the active set plus 1; 0 when it is not in it.
    struct Node {
        // Slot 0
        address operator;
        uint32 registeredEpoch;
        uint16 commissionBp;
        uint16 activePlace;
        // Slot 1
        uint64 storagePrice;
        uint64 writePrice;
        uint64 capacity;
        uint64 stake;
        // Slots 2 to 6
        uint256[3] key;
        address commissionReceiver;
        address governance;
        // Slots 7 and on
        bytes networkKey;
        string name;
        string networkAddress;
        string metadataURI;
    }

    /// @custom:storage-location erc7201:walrus.Staking
    struct Layout {
        uint32 nodeCount;
        uint64 positionCount;
        uint32[] activeIds;
        uint64[] activeStakes;
        mapping(uint32 nodeId => Node) nodes;
        mapping(bytes32 keyHash => uint32 nodeId) nodeOfKey;
        mapping(uint256 positionId => Position) positions;
        mapping(uint32 epoch => uint256 amount) rewards;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("walrus.Staking")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT_SLOT = 0xd3b26ecc95063be71e642d34fbd52fdf7016d6fa116079a0073c8221b108a000;

    modifier onlyOperator(uint32 nodeId) {
        _requireOperator(nodeId);
        _;
    }

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @notice Prepares the proxy; called by the transaction that creates it.
    function initialize() external initializer { }

    /// @inheritdoc IStaking
    function registerNode(NodeParams calldata p) external returns (uint32 nodeId) {
        if (p.commissionBp > MAX_COMMISSION_BP) revert CommissionTooHigh(p.commissionBp, MAX_COMMISSION_BP);
        Layout storage l = _layout();
        nodeId = ++l.nodeCount;
        Node storage n = l.nodes[nodeId];
        n.operator = msg.sender;
        n.commissionReceiver = msg.sender;
        n.governance = msg.sender;
        n.registeredEpoch = IEpochManager(EPOCH_MANAGER).epoch();
        n.commissionBp = p.commissionBp;
        _writeVotes(n, p.storagePrice, p.writePrice, p.capacity);
        _writeInfo(n, p.name, p.networkAddress, p.networkKey, p.metadataURI);
        _writeKey(nodeId, p.blsKey, p.pop);
        emit NodeRegistered(nodeId, msg.sender);
    }

    /// @inheritdoc IStaking
    function stake(uint32 nodeId, uint256 amount, address to) external nonReentrant returns (uint256 positionId) {
        if (amount < MIN_STAKE) revert StakeBelowMinimum(amount, MIN_STAKE);
        _requireThawed();
        Layout storage l = _layout();
        Node storage n = _node(nodeId);
        uint64 principal = SafeCast.toUint64(amount);
        n.stake += principal;
        if (n.activePlace != 0) {
            l.activeStakes[n.activePlace - 1] = n.stake;
        } else if (l.activeIds.length < MAX_COMMITTEE) {
            _appendActive(l, n, nodeId);
        }
        positionId = ++l.positionCount;
        uint32 activation = IEpochManager(EPOCH_MANAGER).nextActivationEpoch();
        l.positions[positionId] = Position(nodeId, activation, principal);
        emit Staked(nodeId, positionId, amount, activation);
        IERC20(WAL_TOKEN).safeTransferFrom(msg.sender, address(this), amount);
        _mint(to, positionId);
    }

    /// @inheritdoc IStaking
    function setVotes(uint32 nodeId, uint64 storagePrice, uint64 writePrice, uint64 capacity)
        external
        onlyOperator(nodeId)
    {
        _writeVotes(_node(nodeId), storagePrice, writePrice, capacity);
        emit NodeUpdated(nodeId);
    }

    /// @inheritdoc IStaking
    function setNextKey(uint32 nodeId, bytes calldata key, bytes calldata pop) external onlyOperator(nodeId) {
        _writeKey(nodeId, key, pop);
        emit NodeUpdated(nodeId);
    }

    /// @inheritdoc IStaking
    function setNodeInfo(
        uint32 nodeId,
        string calldata name_,
        string calldata networkAddress,
        bytes calldata networkKey,
        string calldata metadataURI
    ) external onlyOperator(nodeId) {
        _writeInfo(_node(nodeId), name_, networkAddress, networkKey, metadataURI);
        emit NodeUpdated(nodeId);
    }

    /// @inheritdoc IStaking
    function joinActiveSet(uint32 nodeId, uint256 evictIndexHint) external {
        _requireThawed();
        Layout storage l = _layout();
        Node storage n = _node(nodeId);
        if (n.activePlace != 0) revert AlreadyInActiveSet(nodeId);
        if (n.stake == 0) revert NoStake(nodeId);
        if (l.activeIds.length < MAX_COMMITTEE) {
            _appendActive(l, n, nodeId);
        } else {
            _replaceSmallest(l, n, nodeId, evictIndexHint);
        }
        emit NodeUpdated(nodeId);
    }

    /// @inheritdoc IStaking
    function receiveRewards(uint32 epoch, uint256 amount) external {
        _requireCaller(SYSTEM);
        _layout().rewards[epoch] = amount;
        emit RewardsReceived(epoch, amount);
    }

    /// @inheritdoc IStaking
    function node(uint32 nodeId) external view returns (NodeInfo memory) {
        Node storage n = _node(nodeId);
        return NodeInfo({
            nodeId: nodeId,
            operator: n.operator,
            commissionReceiver: n.commissionReceiver,
            governance: n.governance,
            registeredEpoch: n.registeredEpoch,
            commissionBp: n.commissionBp,
            inActiveSet: n.activePlace != 0,
            storagePrice: n.storagePrice,
            writePrice: n.writePrice,
            capacity: n.capacity,
            stake: n.stake,
            blsKey: abi.encodePacked(n.key[0], n.key[1], n.key[2]),
            networkKey: n.networkKey,
            name: n.name,
            networkAddress: n.networkAddress,
            metadataURI: n.metadataURI
        });
    }

    /// @inheritdoc IStaking
    function nodeCount() external view returns (uint32) {
        return _layout().nodeCount;
    }

    /// @inheritdoc IStaking
    function nodeOfKey(bytes calldata key) external view returns (uint32 nodeId) {
        return _layout().nodeOfKey[keccak256(key)];
    }

    /// @inheritdoc IStaking
    function operatorOf(uint32 nodeId) external view returns (address) {
        return _layout().nodes[nodeId].operator;
    }

    /// @inheritdoc IStaking
    function activeSet() external view returns (uint32[] memory nodeIds, uint64[] memory stakes) {
        Layout storage l = _layout();
        return (l.activeIds, l.activeStakes);
    }

    /// @inheritdoc IStaking
    function activeSetSize() external view returns (uint256) {
        return _layout().activeIds.length;
    }

    /// @inheritdoc IStaking
    function keysOf(uint32[] calldata nodeIds) external view returns (bytes memory keys) {
        Layout storage l = _layout();
        keys = new bytes(nodeIds.length * BlsMinPk.KEY_LENGTH);
        for (uint256 i = 0; i < nodeIds.length; ++i) {
            uint256[3] storage key = l.nodes[nodeIds[i]].key;
            (uint256 a, uint256 b, uint256 c) = (key[0], key[1], key[2]);
            assembly ("memory-safe") {
                let at := add(add(keys, 0x20), mul(i, 96))
                mstore(at, a)
                mstore(add(at, 0x20), b)
                mstore(add(at, 0x40), c)
            }
        }
    }

    /// @inheritdoc IStaking
    function votesOf(uint32[] calldata nodeIds)
        external
        view
        returns (uint64[] memory storagePrices, uint64[] memory writePrices, uint64[] memory capacities)
    {
        Layout storage l = _layout();
        storagePrices = new uint64[](nodeIds.length);
        writePrices = new uint64[](nodeIds.length);
        capacities = new uint64[](nodeIds.length);
        for (uint256 i = 0; i < nodeIds.length; ++i) {
            Node storage n = l.nodes[nodeIds[i]];
            (storagePrices[i], writePrices[i], capacities[i]) = (n.storagePrice, n.writePrice, n.capacity);
        }
    }

    /// @inheritdoc IStaking
    function position(uint256 positionId) external view returns (Position memory) {
        if (!_exists(positionId)) revert UnknownPosition(positionId);
        return _layout().positions[positionId];
    }

    /// @inheritdoc IStaking
    function rewardsOf(uint32 epoch) external view returns (uint256) {
        return _layout().rewards[epoch];
    }

    /// @notice Name of the collection of positions.
    function name() public pure override returns (string memory) {
        return "Staked WAL";
    }

    /// @notice Symbol of the collection of positions.
    function symbol() public pure override returns (string memory) {
        return "StakedWAL";
    }

    /// @notice A small JSON document with node, principal and activation epoch.
    function tokenURI(uint256 positionId) public view override returns (string memory) {
        if (!_exists(positionId)) revert UnknownPosition(positionId);
        Position memory p = _layout().positions[positionId];
        return string.concat(
            'data:application/json;utf8,{"name":"Staked WAL ',
            LibString.toString(positionId),
            '","nodeId":',
            LibString.toString(p.nodeId),
            ',"principalFrost":',
            LibString.toString(p.principal),
            ',"activationEpoch":',
            LibString.toString(p.activationEpoch),
            "}"
        );
    }

    /// @dev Checks and writes a key. A key once used stays with its node, so nobody can take over an old one.
    function _writeKey(uint32 nodeId, bytes calldata key, bytes calldata pop) private {
        ICommittees(COMMITTEES).verifyPossession(msg.sender, key, pop);
        Layout storage l = _layout();
        bytes32 hash = keccak256(key);
        uint32 user = l.nodeOfKey[hash];
        if (user != 0 && user != nodeId) revert KeyInUse(user);
        l.nodeOfKey[hash] = nodeId;
        uint256[3] memory words = abi.decode(key, (uint256[3]));
        l.nodes[nodeId].key = words;
    }

    function _writeVotes(Node storage n, uint64 storagePrice, uint64 writePrice, uint64 capacity) private {
        if (storagePrice > MAX_PRICE_VOTE) revert VoteTooHigh(storagePrice, MAX_PRICE_VOTE);
        if (writePrice > MAX_PRICE_VOTE) revert VoteTooHigh(writePrice, MAX_PRICE_VOTE);
        n.storagePrice = storagePrice;
        n.writePrice = writePrice;
        n.capacity = capacity;
    }

    function _writeInfo(
        Node storage n,
        string calldata name_,
        string calldata networkAddress,
        bytes calldata networkKey,
        string calldata metadataURI
    ) private {
        _requireLength("name", bytes(name_).length, 1, MAX_NAME);
        _requireLength("networkAddress", bytes(networkAddress).length, 1, MAX_ADDRESS);
        _requireLength("networkKey", networkKey.length, NETWORK_KEY_LENGTH, NETWORK_KEY_LENGTH);
        _requireLength("metadataURI", bytes(metadataURI).length, 0, MAX_URI);
        uint8 form = uint8(networkKey[0]);
        if (form != 2 && form != 3) revert BadNetworkKey(form);
        n.name = name_;
        n.networkAddress = networkAddress;
        n.networkKey = networkKey;
        n.metadataURI = metadataURI;
    }

    function _appendActive(Layout storage l, Node storage n, uint32 nodeId) private {
        l.activeIds.push(nodeId);
        l.activeStakes.push(n.stake);
        n.activePlace = uint16(l.activeIds.length);
    }

    /// @dev Puts a node in the place of the smallest entry, which the caller has found.
    function _replaceSmallest(Layout storage l, Node storage n, uint32 nodeId, uint256 index) private {
        uint64[] memory stakes = l.activeStakes;
        if (index >= stakes.length) revert NotSmallest(index);
        for (uint256 i = 0; i < stakes.length; ++i) {
            if (stakes[i] < stakes[index]) revert NotSmallest(index);
        }
        uint32 evicted = l.activeIds[index];
        if (n.stake <= stakes[index]) revert ActiveSetFull(evicted, stakes[index]);
        l.nodes[evicted].activePlace = 0;
        l.activeIds[index] = nodeId;
        l.activeStakes[index] = n.stake;
        n.activePlace = uint16(index + 1);
        emit NodeUpdated(evicted);
    }

    function _node(uint32 nodeId) private view returns (Node storage n) {
        n = _layout().nodes[nodeId];
        if (n.operator == address(0)) revert UnknownNode(nodeId);
    }

    function _requireOperator(uint32 nodeId) private view {
        if (_node(nodeId).operator != msg.sender) revert NotOperator(nodeId, msg.sender);
    }

    function _requireThawed() private view {
        if (IEpochManager(EPOCH_MANAGER).activeSetFrozen()) revert ActiveSetFrozen();
    }

    function _requireLength(bytes32 field, uint256 length, uint256 lowest, uint256 highest) private pure {
        if (length < lowest || length > highest) revert BadFieldLength(field, length, highest);
    }

    function _layout() private pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }
}
