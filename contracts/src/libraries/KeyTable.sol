// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibBit } from "solady/utils/LibBit.sol";
import { BLS } from "solady/utils/ext/ithaca/BLS.sol";

/// @title Sums over a table of public keys
/// @notice The table is a data contract: a zero byte, then 96 bytes per seat (`x` then `y`).
library KeyTable {
    /// @notice The addition precompile refused a point. Cannot happen with keys whose possession was proved.
    error KeySumFailed();

    /// @notice Sum of the keys of all seats whose bit is set; infinity for none.
    /// @dev In assembly because a certificate pays for it per absent member: about 0.8k gas instead of 2.5k. The plain
    /// version is in the tests, and both are compared on random sets.
    function sum(address table, uint256 seats) internal view returns (BLS.G1Point memory total) {
        // Input of the precompile: the running sum (0x80), then the next key (0x80), each coordinate padded in front.
        bytes memory input = new bytes(0x100);
        bool ok = true;
        while (seats != 0) {
            uint256 seat = LibBit.ffs(seats);
            assembly ("memory-safe") {
                let source := add(1, mul(seat, 96))
                extcodecopy(table, add(input, 0xb0), source, 48)
                extcodecopy(table, add(input, 0xf0), add(source, 48), 48)
                let running := add(input, 0x20)
                ok := and(ok, staticcall(gas(), 0x0b, running, 0x100, running, 0x80))
            }
            // Clears the lowest bit that is set; there is one.
            unchecked {
                seats &= seats - 1;
            }
        }
        if (!ok) revert KeySumFailed();
        assembly ("memory-safe") {
            mcopy(total, add(input, 0x20), 0x80)
        }
    }
}
