// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { WalrusSystem } from "src/WalrusSystem.sol";
import { Parameters, Wiring } from "src/types/Wiring.sol";

/// @dev A later version of `WalrusSystem` as an upgrade would bring it: the same state, one more namespace.
contract WalrusSystemNext is WalrusSystem {
    /// @custom:storage-location erc7201:walrus.WalrusSystem.Next
    struct NextLayout {
        uint256 migrations;
    }

    bytes32 private constant NEXT_SLOT =
        keccak256(abi.encode(uint256(keccak256("walrus.WalrusSystem.Next")) - 1)) & ~bytes32(uint256(0xff));

    constructor(Wiring memory w, Parameters memory p) WalrusSystem(w, p) { }

    /// @notice What an upgrade calls in its transaction.
    function migrate(uint256 value) external reinitializer(2) {
        _next().migrations = value;
    }

    /// @notice Something the present version does not have.
    function migrations() external view returns (uint256) {
        return _next().migrations;
    }

    function _next() private pure returns (NextLayout storage l) {
        bytes32 slot = NEXT_SLOT;
        assembly ("memory-safe") {
            l.slot := slot
        }
    }
}
