// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Wired } from "./Wired.sol";
import { WiredUpgradeable } from "./WiredUpgradeable.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IParamRegistry } from "./interfaces/IParamRegistry.sol";
import { ParamBounds } from "./libraries/ParamBounds.sol";
import { ParamInfo, ParamValue } from "./types/Param.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Tunables of the network
contract ParamRegistry is IParamRegistry, WiredUpgradeable {
    /// @dev One slot. `from` rises strictly within a history, and at most the last entry lies in the future.
    struct Change {
        uint32 from;
        uint224 value;
    }

    /// @custom:storage-location erc7201:walrus.ParamRegistry
    /// @dev A key without history has its default.
    struct Layout {
        mapping(bytes32 key => Change[]) histories;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("walrus.ParamRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT_SLOT = 0x53f056ece3d456fe593a501eb89eb6620643d6fd9fc8ebca28e16df00621b400;

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @notice Writes the values that differ from the defaults; called by the transaction that creates the proxy.
    function initialize(ParamValue[] calldata values) external initializer {
        for (uint256 i = 0; i < values.length; ++i) {
            _write(values[i].key, values[i].value, 0);
        }
    }

    /// @inheritdoc IParamRegistry
    function set(bytes32 key, uint256 value, uint32 startEpoch) external {
        _requireCaller(TIMELOCK);
        uint32 epoch = _epoch();
        if (startEpoch <= epoch) revert StartTooEarly(startEpoch, epoch + 1);
        Change[] storage history = _layout().histories[key];
        if (history.length != 0 && history[history.length - 1].from > epoch) history.pop();
        _write(key, value, startEpoch);
    }

    /// @inheritdoc IParamRegistry
    function valueAt(bytes32 key, uint32 epoch) public view returns (uint256) {
        (, uint256 highest, uint256 initial) = ParamBounds.bounds(key);
        if (highest == 0) revert UnknownParam(key);
        Change[] storage history = _layout().histories[key];
        // From the newest back: what is asked for is the epoch before, the present or the next one.
        for (uint256 i = history.length; i > 0; --i) {
            Change memory change = history[i - 1];
            if (change.from <= epoch) return change.value;
        }
        return initial;
    }

    /// @inheritdoc IParamRegistry
    function get(bytes32 key) external view returns (uint256) {
        return valueAt(key, _epoch());
    }

    /// @inheritdoc IParamRegistry
    function info(bytes32 key) public view returns (ParamInfo memory i) {
        uint32 epoch = _epoch();
        i.key = key;
        (i.lowest, i.highest,) = ParamBounds.bounds(key);
        i.current = valueAt(key, epoch);
        i.next = i.current;
        Change[] storage history = _layout().histories[key];
        if (history.length == 0) return i;
        Change memory last = history[history.length - 1];
        if (last.from > epoch) (i.next, i.nextFrom) = (last.value, last.from);
    }

    /// @inheritdoc IParamRegistry
    function all() external view returns (ParamInfo[] memory infos) {
        bytes32[20] memory keys = ParamBounds.keys();
        infos = new ParamInfo[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            infos[i] = info(keys[i]);
        }
    }

    function _write(bytes32 key, uint256 value, uint32 from) private {
        (uint256 lowest, uint256 highest,) = ParamBounds.bounds(key);
        if (highest == 0) revert UnknownParam(key);
        if (value < lowest || value > highest) revert ParamOutOfBounds(key, value, lowest, highest);
        _layout().histories[key].push(Change(from, SafeCast.toUint224(value)));
        emit ParamSet(key, value, from);
    }

    function _epoch() private view returns (uint32) {
        return IEpochManager(EPOCH_MANAGER).epoch();
    }

    function _layout() private pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }
}
