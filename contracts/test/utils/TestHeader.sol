// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibRLP } from "solady/utils/LibRLP.sol";

/// @dev Block headers with the 21 fields of Prague.
library TestHeader {
    using LibRLP for LibRLP.List;

    function encode(uint64 number, uint64 timestamp, bytes32 mixHash) internal pure returns (bytes memory) {
        return encode(number, timestamp, mixHash, 0, 21);
    }

    /// @dev With another difficulty, or cut after so many fields.
    function encode(uint64 number, uint64 timestamp, bytes32 mixHash, uint256 difficulty, uint256 fields)
        internal
        pure
        returns (bytes memory)
    {
        LibRLP.List memory list;
        for (uint256 i = 0; i < fields; ++i) {
            if (i == 2) list.p(address(0xc0ffee));
            else if (i == 6) list.p(new bytes(256));
            else if (i == 7) list.p(difficulty);
            else if (i == 8) list.p(uint256(number));
            else if (i == 9) list.p(uint256(30_000_000));
            else if (i == 10) list.p(uint256(0));
            else if (i == 11) list.p(uint256(timestamp));
            else if (i == 12) list.p(bytes("walrus"));
            else if (i == 13) list.p(abi.encodePacked(mixHash));
            else if (i == 14) list.p(new bytes(8));
            else if (i == 15) list.p(uint256(7));
            else if (i == 17 || i == 18) list.p(uint256(0));
            else list.p(abi.encodePacked(keccak256(abi.encode(i))));
        }
        return list.encode();
    }
}
