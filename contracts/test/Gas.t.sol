// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Cert } from "src/types/Cert.sol";
import { Base } from "./Base.t.sol";

/// @dev What users and nodes pay on a network of 100 nodes and 1000 shards. The figures land in `snapshots/`; whole
/// transactions add 21,000 gas and the calldata (16 gas a non-zero byte, 4 a zero one) to what the call itself uses.
contract GasTest is Base {
    uint256 private constant BASE_GAS = 21_000;
    /// @dev For an entry that opens a slot of the certified log; every second one costs 19,000 less.
    uint256 private constant CERTIFY_LIMIT = 315_000;
    uint256 private constant BUY_AND_REGISTER_LIMIT = 350_000;

    uint256 private _tokenId;

    function setUp() public {
        _launch(1000, 100);
        _fund(ALICE);
        _fund(BOB);
        // Somebody has bought before, so that the slots of the present epoch are in use.
        _registerBlob(BOB, keccak256("before"), false, 53);
        _tokenId = _registerBlob(ALICE, keccak256("blob"), false, 10);
    }

    function test_certify_staysBelowLimit_allSign() public {
        assertLt(_certify("certify, 100 of 100 sign", (1 << 100) - 1), CERTIFY_LIMIT);
    }

    function test_certify_staysBelowLimit_tenAbsent() public {
        assertLt(_certify("certify, 90 of 100 sign", (1 << 90) - 1), CERTIFY_LIMIT);
    }

    function test_certify_staysBelowLimit_thirtyThreeAbsent() public {
        assertLt(_certify("certify, 67 of 100 sign", (1 << 67) - 1), CERTIFY_LIMIT);
    }

    /// The dearest set: absent members in every word of the weights.
    function test_certify_staysBelowLimit_everyThirdAbsent() public {
        uint256 signers = (1 << 100) - 1;
        for (uint256 i = 0; i < 99; i += 3) {
            signers ^= 1 << i;
        }
        assertLt(_certify("certify, 67 of 100 sign, spread", signers), CERTIFY_LIMIT);
    }

    function test_buyAndRegister_staysBelowLimit_oneEpoch() public {
        assertLt(_buyAndRegister("buyAndRegister, 1 epoch", 1), BUY_AND_REGISTER_LIMIT);
    }

    function test_buyAndRegister_staysBelowLimit_allEpochs() public {
        assertLt(_buyAndRegister("buyAndRegister, 53 epochs", 53), BUY_AND_REGISTER_LIMIT);
    }

    function test_selectCommittee_fitsOneTransaction() public {
        uint16[] memory seats = _equalSeats(1000, 100);
        vm.warp(epochManager.clock().selectableAt);
        bytes memory data = abi.encodeCall(epochManager.selectCommittee, (seats));
        assertLt(_measure("selectCommittee, nothing changed", address(epochManager), address(this), data), 1 << 24);
    }

    /// Nodes mostly vote alike. That must not be the dearest case of the percentile.
    function test_updatePrices_whenAllAgree() public {
        bytes memory data = abi.encodeCall(system.updatePrices, ());
        assertLt(_measure("updatePrices, 100 nodes that agree", address(system), address(this), data), 330_000);
    }

    function _certify(string memory name, uint256 signers) private returns (uint256) {
        Cert memory c = _certificate(_confirmation(_tokenId), signers);
        return _measure(name, address(system), ALICE, abi.encodeCall(system.certify, (_tokenId, c)));
    }

    function _buyAndRegister(string memory name, uint32 epochs) private returns (uint256) {
        bytes memory data = abi.encodeCall(
            system.buyAndRegister, (_args(keccak256("blob"), 1 << 20, false, ALICE), epochs, type(uint256).max)
        );
        return _measure(name, address(system), ALICE, data);
    }

    /// @dev Gas of the whole transaction, from a cold state, without refunds.
    function _measure(string memory name, address to, address from, bytes memory data) private returns (uint256 total) {
        address[7] memory touched = [
            address(system),
            address(committees),
            address(staking),
            address(epochManager),
            address(blobs),
            address(capacity),
            address(wal)
        ];
        for (uint256 i = 0; i < touched.length; ++i) {
            vm.cool(touched[i]);
        }
        vm.prank(from);
        (bool ok,) = to.call(data);
        assertTrue(ok, "the call itself succeeds");
        total = vm.lastCallGas().gasTotalUsed + BASE_GAS + _calldataGas(data);
        vm.snapshotValue("gas", name, total);
    }

    function _calldataGas(bytes memory data) private pure returns (uint256 gas_) {
        for (uint256 i = 0; i < data.length; ++i) {
            gas_ += data[i] == 0 ? 4 : 16;
        }
    }
}
