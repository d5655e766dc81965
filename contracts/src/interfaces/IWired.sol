// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Parameters, Wiring } from "../types/Wiring.sol";

/// @title A contract that knows its siblings
/// @notice Siblings and parameters are part of the code: changing one is an upgrade.
interface IWired {
    /// @notice The caller is not the sibling that alone may make this call.
    error NotAuthorised(address caller, address expected);
    /// @notice A deployment parameter is outside its bounds.
    error ParameterOutOfBounds(bytes32 name, uint256 value, uint256 lowest, uint256 highest);

    /// @notice The addresses this contract was built with.
    function wiring() external view returns (Wiring memory);

    /// @notice The parameters this contract was built with.
    function parameters() external view returns (Parameters memory);
}
