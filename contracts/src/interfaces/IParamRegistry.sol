// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ParamInfo } from "../types/Param.sol";
import { IWired } from "./IWired.sol";

/// @title Tunables of the network
/// @notice Each has bounds that only an upgrade can change. A new value takes effect at the start of an epoch, the
/// next one at the earliest, so that everybody computes an epoch with the same numbers.
interface IParamRegistry is IWired {
    /// @notice A parameter has a new value from `startEpoch` on. A change still pending for this key is dropped.
    event ParamSet(bytes32 indexed key, uint256 value, uint32 startEpoch);

    /// @notice There is no such parameter.
    error UnknownParam(bytes32 key);
    /// @notice The value is outside the bounds of the parameter.
    error ParamOutOfBounds(bytes32 key, uint256 value, uint256 lowest, uint256 highest);
    /// @notice Changes take effect in the next epoch or later.
    error StartTooEarly(uint32 startEpoch, uint32 earliest);

    /// @notice Sets a parameter from `startEpoch` on. Only the timelock.
    /// @dev A change of the same key that is not in effect yet is replaced. Reverts with `UnknownParam`,
    /// `ParamOutOfBounds`, `StartTooEarly`.
    /// @param startEpoch At least the current epoch plus 1
    function set(bytes32 key, uint256 value, uint32 startEpoch) external;

    /// @notice Value of a parameter in an epoch: any past one, the current one, or a later one as decided so far.
    /// @dev Reverts with `UnknownParam`. Cheapest for recent epochs.
    function valueAt(bytes32 key, uint32 epoch) external view returns (uint256);

    /// @notice Value of a parameter in the current epoch. Reverts with `UnknownParam`.
    function get(bytes32 key) external view returns (uint256);

    /// @notice Bounds and values of one parameter. Reverts with `UnknownParam`.
    function info(bytes32 key) external view returns (ParamInfo memory);

    /// @notice Bounds and values of all parameters.
    function all() external view returns (ParamInfo[] memory);
}
