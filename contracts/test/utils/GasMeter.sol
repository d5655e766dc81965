// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";

/// @dev Gas of whole transactions from a cold state.
abstract contract GasMeter is Base {
    uint256 private constant BASE_GAS = 21_000;

    /// @dev Measures one call, notes it under `snapshots/<group>.json` and checks the limit. Without refunds.
    function _measure(
        string memory group,
        string memory name,
        uint256 limit,
        address to,
        address from,
        bytes memory data
    ) internal {
        address[12] memory touched = [
            address(system),
            address(committees),
            address(staking),
            address(epochManager),
            address(blobs),
            address(capacity),
            address(wal),
            address(references),
            address(params),
            address(gate),
            address(governor),
            address(timelock)
        ];
        for (uint256 i = 0; i < touched.length; ++i) {
            vm.cool(touched[i]);
        }
        vm.prank(from);
        (bool ok,) = to.call(data);
        assertTrue(ok, "the call itself succeeds");
        uint256 total = vm.lastCallGas().gasTotalUsed + BASE_GAS + _calldataGas(data);
        vm.snapshotValue(group, name, total);
        assertLe(total, limit, name);
    }

    function _calldataGas(bytes memory data) private pure returns (uint256 gas_) {
        for (uint256 i = 0; i < data.length; ++i) {
            gas_ += data[i] == 0 ? 4 : 16;
        }
    }
}
