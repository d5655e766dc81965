// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { CertifiedLog } from "src/libraries/CertifiedLog.sol";

contract CertifiedLogTest is Test {
    using CertifiedLog for CertifiedLog.Log;

    CertifiedLog.Log private _log;

    function read(uint256 index, uint256 length) external view returns (uint64, uint64) {
        return _log.read(index, length);
    }

    function testFuzz_append_readsBack(uint64[20] memory tokens, uint32[20] memory units) public {
        uint64 sum = 0;
        for (uint256 i = 0; i < 20; ++i) {
            _log.append(i, tokens[i], units[i]);
        }
        for (uint256 i = 0; i < 20; ++i) {
            sum += units[i];
            (uint64 token, uint64 cumulative) = _log.read(i, 20);
            assertEq(token, tokens[i]);
            assertEq(cumulative, sum);
        }
    }

    function test_read_revertsPastTheEnd() public {
        _log.append(0, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(CertifiedLog.UnknownLogEntry.selector, 1, 1));
        this.read(1, 1);
    }
}
