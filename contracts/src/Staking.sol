// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { VotesUpgradeable } from "@openzeppelin/contracts-upgradeable/governance/utils/VotesUpgradeable.sol";
import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Time } from "@openzeppelin/contracts/utils/types/Time.sol";
import { ERC721 } from "solady/tokens/ERC721.sol";
import { LibString } from "solady/utils/LibString.sol";
import { Wired } from "./Wired.sol";
import { WiredUpgradeable } from "./WiredUpgradeable.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IWired } from "./interfaces/IWired.sol";
import { StakingState } from "./libraries/StakingState.sol";
import { ChallengeResult, Settlement } from "./types/Epoch.sol";
import { NodeInfo, NodeParams, PoolInfo, Position, Rate, Role } from "./types/Node.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Storage nodes and stake
/// @dev The code is too long for one contract. This one holds the tokens and moves the money; `StakingNodes` has what
/// operators say about their nodes, and the longer reads; `StakingPools` the pools and their settlement. Calls are
/// delegated to these two, so there is one address, one storage (`StakingState`) and one interface.
contract Staking is IStaking, WiredUpgradeable, ReentrancyGuardTransient, ERC721, VotesUpgradeable {
    using Address for address;
    using SafeERC20 for IERC20;

    /// @notice Smallest stake position in FROST: 1 WAL.
    uint256 public constant MIN_STAKE = 1e9;

    /// @dev The rest of the code.
    address private immutable NODES;
    address private immutable POOLS;

    /// @param nodes `StakingNodes` with the same wiring and parameters
    /// @param pools `StakingPools` with the same wiring and parameters
    constructor(Wiring memory w, Parameters memory p, address nodes, address pools) Wired(w, p) {
        NODES = nodes;
        POOLS = pools;
        bytes32 mine = keccak256(abi.encode(w, p));
        _checkHalf(nodes, mine);
        _checkHalf(pools, mine);
    }

    /// @notice Prepares the proxy; called by the transaction that creates it.
    function initialize() external initializer {
        __EIP712_init("Staked WAL", "1");
    }

    // ----- Nodes: the code is in `StakingNodes`

    /// @inheritdoc IStaking
    function registerNode(NodeParams calldata) external returns (uint32) {
        _forward(NODES);
    }

    /// @inheritdoc IStaking
    function setVotes(uint32, uint64, uint64, uint64) external {
        _forward(NODES);
    }

    /// @inheritdoc IStaking
    function setNextKey(uint32, bytes calldata, bytes calldata) external {
        _forward(NODES);
    }

    /// @inheritdoc IStaking
    function setNodeInfo(uint32, string calldata, string calldata, bytes calldata, string calldata) external {
        _forward(NODES);
    }

    /// @inheritdoc IStaking
    function proposeRole(uint32, Role, address) external {
        _forward(NODES);
    }

    /// @inheritdoc IStaking
    function acceptRole(uint32, Role) external {
        _forward(NODES);
    }

    // ----- Positions

    /// @inheritdoc IStaking
    function stake(uint32, uint256 amount, address to) external nonReentrant returns (uint256 positionId) {
        positionId = abi.decode(POOLS.functionDelegateCall(msg.data), (uint256));
        IERC20(WAL_TOKEN).safeTransferFrom(msg.sender, address(this), amount);
        _mint(to, positionId);
        _moveUnits(address(0), to, amount);
    }

    /// @inheritdoc IStaking
    function requestWithdraw(uint256 positionId) external {
        _authorise(positionId);
        _forward(POOLS);
    }

    /// @inheritdoc IStaking
    function withdraw(uint256 positionId, address to) external nonReentrant returns (uint256 amount) {
        address owner = _authorise(positionId);
        uint64 principal = StakingState.get().positions[positionId].principal;
        amount = abi.decode(POOLS.functionDelegateCall(msg.data), (uint256));
        _burn(positionId);
        _moveUnits(owner, address(0), principal);
        IERC20(WAL_TOKEN).safeTransfer(to, amount);
    }

    /// @inheritdoc IStaking
    function splitPosition(uint256 positionId, uint256) external returns (uint256 newPositionId) {
        address owner = _authorise(positionId);
        newPositionId = abi.decode(POOLS.functionDelegateCall(msg.data), (uint256));
        _mint(owner, newPositionId);
    }

    /// @inheritdoc IStaking
    function joinPositions(uint256 into, uint256 from) external {
        if (_authorise(into) != _authorise(from)) revert PositionsDiffer(into, from);
        POOLS.functionDelegateCall(msg.data);
        _burn(from);
    }

    // ----- Settlement and commission: the code is in `StakingPools`

    /// @inheritdoc IStaking
    function settle(uint32[] calldata) external {
        _forward(POOLS);
    }

    /// @inheritdoc IStaking
    function setNextCommission(uint32, uint16) external {
        _forward(POOLS);
    }

    /// @inheritdoc IStaking
    function collectCommission(uint32, address) external returns (uint256) {
        _forward(POOLS);
    }

    /// @inheritdoc IStaking
    function joinActiveSet(uint32, uint256) external {
        _forward(POOLS);
    }

    /// @inheritdoc IStaking
    function recordChallengeResult(uint32, ChallengeResult calldata) external {
        _forward(POOLS);
    }

    /// @inheritdoc IStaking
    function receiveRewards(uint32, uint256) external {
        _forward(POOLS);
    }

    // ----- Views

    /// @inheritdoc IStaking
    function node(uint32) external view returns (NodeInfo memory) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function pool(uint32) external view returns (PoolInfo memory) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function rateAt(uint32, uint32) external view returns (Rate memory) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function nodeCount() external view returns (uint32) {
        return StakingState.get().nodeCount;
    }

    /// @inheritdoc IStaking
    function nodeOfKey(bytes calldata key) external view returns (uint32 nodeId) {
        return StakingState.get().nodeOfKey[keccak256(key)];
    }

    /// @inheritdoc IStaking
    function operatorOf(uint32 nodeId) external view returns (address) {
        return StakingState.get().nodes[nodeId].operator;
    }

    /// @inheritdoc IStaking
    function positionCount() external view returns (uint64) {
        return StakingState.get().positionCount;
    }

    /// @inheritdoc IStaking
    function governanceOf(uint32 nodeId) external view returns (address) {
        return StakingState.get().nodes[nodeId].governance;
    }

    /// @inheritdoc IStaking
    function keysVersion() external view returns (uint64) {
        return StakingState.get().keysVersion;
    }

    /// @inheritdoc IStaking
    function activeSet() external view returns (uint32[] memory nodeIds, uint64[] memory stakes) {
        StakingState.Layout storage l = StakingState.get();
        return (l.activeIds, l.activeStakes);
    }

    /// @inheritdoc IStaking
    function candidates() external view returns (uint32[] memory, uint64[] memory, uint256) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function isSettled() external view returns (bool) {
        Settlement storage s = StakingState.get().settlement;
        return s.settled == s.members;
    }

    /// @inheritdoc IStaking
    function settlement() external view returns (Settlement memory) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function activeSetSize() external view returns (uint256) {
        return StakingState.get().activeIds.length;
    }

    /// @inheritdoc IStaking
    function keysOf(uint32[] calldata) external view returns (bytes memory) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function priceVotesOf(bytes calldata) external view returns (bytes memory) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function capacityVotesOf(uint32[] calldata) external view returns (uint256[] memory) {
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function position(uint256 positionId) external view returns (Position memory) {
        if (!_exists(positionId)) revert UnknownPosition(positionId);
        return StakingState.get().positions[positionId];
    }

    /// @inheritdoc IStaking
    function valueOf(uint256 positionId) external view returns (uint256, uint32) {
        if (!_exists(positionId)) revert UnknownPosition(positionId);
        _read(NODES);
    }

    /// @inheritdoc IStaking
    function rewardsOf(uint32 epoch) external view returns (uint256) {
        return StakingState.get().rewards[epoch];
    }

    /// @notice Name of the collection of positions.
    function name() public pure override returns (string memory) {
        return "Staked WAL";
    }

    /// @notice Symbol of the collection of positions.
    function symbol() public pure override returns (string memory) {
        return "StakedWAL";
    }

    /// @notice A small JSON document with node, principal and epochs.
    function tokenURI(uint256 positionId) public view override returns (string memory) {
        if (!_exists(positionId)) revert UnknownPosition(positionId);
        Position memory p = StakingState.get().positions[positionId];
        return string.concat(
            'data:application/json;utf8,{"name":"Staked WAL ',
            LibString.toString(positionId),
            '","nodeId":',
            LibString.toString(p.nodeId),
            ',"principalFrost":',
            LibString.toString(p.principal),
            ',"activationEpoch":',
            LibString.toString(p.activationEpoch),
            ',"withdrawEpoch":',
            LibString.toString(p.withdrawEpoch),
            "}"
        );
    }

    /// @notice Votes are counted by timestamp, as those of WAL.
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    /// @notice Machine-readable description of the clock (ERC-6372).
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    // ----- Internals

    /// @dev Runs the same call on the code of `half` and ends it with what that returns.
    function _forward(address half) private {
        // Leaves Solidity for good, so memory may be overwritten.
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), half, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
        // Not reached; it tells the compiler that no caller goes on.
        revert();
    }

    /// @dev The same for reads: within a static call the EVM lets delegated code change as little as any other. Only the
    /// type of `_forward` stands in the way.
    function _read(address half) private view {
        function(address) internal forward = _forward;
        function(address) internal view read;
        assembly ("memory-safe") {
            read := forward
        }
        read(half);
        revert();
    }

    /// @dev Reverts unless a part of the code was built for this place.
    function _checkHalf(address half, bytes32 expected) private view {
        bytes32 found = keccak256(abi.encode(IWired(half).wiring(), IWired(half).parameters()));
        if (found != expected) revert HalfMiswired(half);
    }

    /// @dev Reverts unless the caller may dispose of the position.
    function _authorise(uint256 positionId) private view returns (address owner) {
        if (!_exists(positionId)) revert UnknownPosition(positionId);
        if (!_isApprovedOrOwner(msg.sender, positionId)) revert NotPositionOwner(positionId, msg.sender);
        return ownerOf(positionId);
    }

    /// @dev A transferred position takes its votes along. Minting and burning are booked where the money moves.
    function _afterTokenTransfer(address from, address to, uint256 id) internal override {
        if (from == address(0) || to == address(0)) return;
        _moveUnits(from, to, StakingState.get().positions[id].principal);
    }

    /// @dev An account's votes are kept in the slot of its token count.
    function _moveUnits(address from, address to, uint256 amount) private {
        // Below the supply of WAL, so 224 bits are enough.
        if (from != address(0)) _setAux(from, uint224(_getAux(from) - amount));
        if (to != address(0)) _setAux(to, uint224(_getAux(to) + amount));
        _transferVotingUnits(from, to, amount);
    }

    function _getVotingUnits(address account) internal view override returns (uint256) {
        return account == address(0) ? 0 : _getAux(account);
    }
}
