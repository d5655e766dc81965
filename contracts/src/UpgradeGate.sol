// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { Wired } from "./Wired.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IForceSynced } from "./interfaces/IForceSynced.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IUpgradeGate } from "./interfaces/IUpgradeGate.sol";
import { RedStuffMath } from "./libraries/RedStuffMath.sol";
import { Approval, Upgrade } from "./types/Upgrade.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Upgrade gate
contract UpgradeGate is IUpgradeGate, Wired {
    /// @notice For how long the approval of the nodes holds: a token vote alone takes 8 days.
    uint64 public constant APPROVAL_TIME = 14 days;
    /// @notice Length of a pause.
    uint64 public constant PAUSE_TIME = 14 days;
    /// @notice Shortest time between the beginnings of two pauses.
    uint64 public constant PAUSE_INTERVAL = 90 days;

    address private immutable GUARDIAN;
    uint64 private immutable GUARDIAN_EXPIRY;

    bool private _renounced;
    uint64 private _pausedUntil;
    uint64 private _nextPauseAt;
    mapping(bytes32 actionId => Approval) private _approvals;
    mapping(bytes32 actionId => mapping(uint32 epoch => uint256 seats)) private _seats;
    mapping(address proxy => uint256) private _nonces;

    /// @param guardian_ Account that may pause, and act with the nodes in place of the timelock; may be zero
    /// @param guardianExpiry Unix time at which its office ends, whatever the epochs do
    constructor(Wiring memory w, Parameters memory p, address guardian_, uint64 guardianExpiry) Wired(w, p) {
        GUARDIAN = guardian_;
        GUARDIAN_EXPIRY = guardianExpiry;
    }

    /// @inheritdoc IUpgradeGate
    function approve(uint32 nodeId, bytes32 actionId) external {
        if (IStaking(STAKING).governanceOf(nodeId) != msg.sender) revert NotNodeGovernance(nodeId, msg.sender);
        uint32 epoch = IEpochManager(EPOCH_MANAGER).epoch();
        if (epoch == 0) revert NotMember(nodeId);
        (bool member, uint8 seat, uint16 weight) = ICommittees(COMMITTEES).standing(epoch, nodeId);
        if (!member) revert NotMember(nodeId);
        uint256 seats = _seats[actionId][epoch];
        if (seats & (1 << seat) != 0) revert AlreadyApproved(actionId, nodeId);
        _seats[actionId][epoch] = seats | (1 << seat);

        Approval memory a = _approvals[actionId];
        if (a.epoch != epoch) (a.epoch, a.weight) = (epoch, 0);
        bool before = RedStuffMath.isQuorum(a.weight, N_SHARDS);
        a.weight += weight;
        bool reached = !before && RedStuffMath.isQuorum(a.weight, N_SHARDS);
        if (reached) a.approvedUntil = uint64(block.timestamp) + APPROVAL_TIME;
        _approvals[actionId] = a;
        emit ActionApproved(actionId, nodeId, epoch, a.weight);
        if (reached) emit QuorumReached(actionId, a.approvedUntil);
    }

    /// @inheritdoc IUpgradeGate
    function execute(Upgrade calldata u) external {
        if (msg.sender != TIMELOCK && !_isGuardian(msg.sender)) revert NotTimelockOrGuardian(msg.sender);
        uint256 nonce = _nonces[u.proxy];
        if (u.nonce != nonce) revert WrongNonce(u.nonce, nonce);
        bytes32 actionId = upgradeId(u);
        _requireApproved(actionId);
        _nonces[u.proxy] = nonce + 1;
        emit Upgraded(u.proxy, u.implementation, actionId);
        UUPSUpgradeable(u.proxy).upgradeToAndCall(u.implementation, u.data);
    }

    /// @inheritdoc IUpgradeGate
    function forceSynced() external {
        _requireGuardian();
        _requireApproved(forceSyncedId(IEpochManager(EPOCH_MANAGER).epoch()));
        IForceSynced(EPOCH_MANAGER).forceSynced();
    }

    /// @inheritdoc IUpgradeGate
    function pause() external {
        _requireGuardian();
        if (block.timestamp < _nextPauseAt) revert PausedRecently(_nextPauseAt);
        _pausedUntil = uint64(block.timestamp) + PAUSE_TIME;
        _nextPauseAt = uint64(block.timestamp) + PAUSE_INTERVAL;
        emit Paused(_pausedUntil);
    }

    /// @inheritdoc IUpgradeGate
    function unpause() external {
        if (msg.sender != TIMELOCK && !_isGuardian(msg.sender)) revert NotTimelockOrGuardian(msg.sender);
        _pausedUntil = 0;
        emit Unpaused();
    }

    /// @inheritdoc IUpgradeGate
    function renounceGuardian() external {
        _requireGuardian();
        _renounced = true;
        emit GuardianRenounced();
    }

    /// @inheritdoc IUpgradeGate
    function upgradeId(Upgrade calldata u) public view returns (bytes32) {
        return keccak256(abi.encode(u.proxy, u.implementation, u.implementation.codehash, keccak256(u.data), u.nonce));
    }

    /// @inheritdoc IUpgradeGate
    function forceSyncedId(uint32 epoch) public pure returns (bytes32) {
        return keccak256(abi.encode("forceSynced", epoch));
    }

    /// @inheritdoc IUpgradeGate
    function approval(bytes32 actionId) external view returns (Approval memory) {
        return _approvals[actionId];
    }

    /// @inheritdoc IUpgradeGate
    function isApproved(bytes32 actionId) public view returns (bool) {
        return block.timestamp < _approvals[actionId].approvedUntil;
    }

    /// @inheritdoc IUpgradeGate
    function nonceOf(address proxy) external view returns (uint256) {
        return _nonces[proxy];
    }

    /// @inheritdoc IUpgradeGate
    function isPaused() external view returns (bool) {
        return block.timestamp < _pausedUntil;
    }

    /// @inheritdoc IUpgradeGate
    function pausedUntil() external view returns (uint64 until, uint64 nextPauseAt) {
        return (_pausedUntil, _nextPauseAt);
    }

    /// @inheritdoc IUpgradeGate
    function guardian() external view returns (address account, uint64 expiry) {
        return (_isGuardian(GUARDIAN) ? GUARDIAN : address(0), GUARDIAN_EXPIRY);
    }

    function _isGuardian(address account) private view returns (bool) {
        return account == GUARDIAN && !_renounced && block.timestamp < GUARDIAN_EXPIRY;
    }

    function _requireGuardian() private view {
        if (!_isGuardian(msg.sender)) revert NotGuardian(msg.sender);
    }

    function _requireApproved(bytes32 actionId) private view {
        if (!isApproved(actionId)) revert NotApprovedByNodes(actionId);
    }
}
