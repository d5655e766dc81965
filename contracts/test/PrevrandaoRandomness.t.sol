// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { PrevrandaoRandomness } from "src/PrevrandaoRandomness.sol";
import { IRandomness } from "src/interfaces/IRandomness.sol";
import { HeaderRlp } from "src/libraries/HeaderRlp.sol";
import { TestHeader } from "./utils/TestHeader.sol";

contract PrevrandaoRandomnessTest is Test {
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    // The history contract of EIP-2935.
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    PrevrandaoRandomness private _source;

    function setUp() public {
        _source = new PrevrandaoRandomness();
        vm.roll(20_000);
    }

    function testFuzz_reveal_readsNumberTimeAndMixHash(uint64 number, uint64 timestamp, bytes32 mixHash) public {
        number = uint64(bound(number, 1, type(uint64).max - 1));
        vm.roll(uint256(number) + 1);
        (bytes32 value, uint64 time) = _source.reveal(number, _known(number, timestamp, mixHash));
        assertEq(value, mixHash);
        assertEq(time, timestamp);
    }

    function test_reveal_seesBlocksThroughTheHistoryContract() public {
        vm.etch(HISTORY, HISTORY_CODE);
        bytes memory header = TestHeader.encode(19_000, 1_900_000_000, "mix");
        vm.prank(0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE);
        vm.roll(19_001);
        (bool ok,) = HISTORY.call(abi.encode(keccak256(header)));
        assertTrue(ok);
        vm.roll(19_001 + 300);
        (bytes32 value,) = _source.reveal(19_000, header);
        assertEq(value, "mix");
        vm.roll(19_000 + 8191);
        (value,) = _source.reveal(19_000, header);
        assertEq(value, "mix");
        vm.roll(19_000 + 8192);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.BlockUnavailable.selector, 19_000));
        _source.reveal(19_000, header);
    }

    function test_reveal_refusesBlocksToCome() public {
        vm.expectRevert(abi.encodeWithSelector(IRandomness.BlockUnavailable.selector, 20_000));
        _source.reveal(20_000, "");
        vm.expectRevert(abi.encodeWithSelector(IRandomness.BlockUnavailable.selector, 20_001));
        _source.reveal(20_001, "");
    }

    function test_reveal_refusesAnotherHeader() public {
        bytes memory header = _known(19_999, 1, "mix");
        bytes memory other = TestHeader.encode(19_999, 1, "other");
        vm.expectRevert(IRandomness.BadRandomnessProof.selector);
        _source.reveal(19_999, other);
        // The genuine header of another block.
        vm.setBlockhash(19_998, keccak256(header));
        vm.expectRevert(IRandomness.BadRandomnessProof.selector);
        _source.reveal(19_998, header);
    }

    /// Headers before the merge, of an unknown shape, with something behind or missing: all of them with the right hash.
    function test_reveal_refusesMalformedHeaders() public {
        _refused(TestHeader.encode(19_999, 1, "mix", 1, 21));
        _refused(TestHeader.encode(19_999, 1, "mix", 0, 15));
        _refused("");
        _refused(hex"c0");
        _refused(hex"80");
        // A list as the last item; a mixHash that is no word; a number that is longer than one.
        _refused(hex"c1c0");
        _refused(hex"d080808080808080808080808080808080");
        _refused(hex"d98080808080808080890102030405060708098080808080808080");
        bytes memory header = TestHeader.encode(19_999, 1, "mix");
        _refused(abi.encodePacked(header, uint8(0x80)));
        bytes memory cut = new bytes(header.length - 1);
        for (uint256 i = 0; i < cut.length; ++i) {
            cut[i] = header[i];
        }
        _refused(cut);
        // A list where a string belongs.
        header[3] = 0xc0;
        _refused(header);
    }

    function test_reveal_acceptsOlderAndLaterForks() public {
        for (uint256 fields = 16; fields < 25; ++fields) {
            bytes memory header = TestHeader.encode(19_999, 5, "mix", 0, fields);
            vm.setBlockhash(19_999, keccak256(header));
            (bytes32 value, uint64 timestamp) = _source.reveal(19_999, header);
            assertEq(value, "mix");
            assertEq(timestamp, 5);
        }
    }

    /// Whatever bytes come: a revert with a reason or a value, never a panic.
    function testFuzz_reveal_neverPanics(bytes calldata junk) public {
        vm.setBlockhash(19_999, keccak256(junk));
        try _source.reveal(19_999, junk) returns (bytes32, uint64) { }
        catch (bytes memory reason) {
            bool known = bytes4(reason) == HeaderRlp.BadHeader.selector
                || bytes4(reason) == IRandomness.BadRandomnessProof.selector;
            assertTrue(known);
        }
    }

    function _known(uint64 number, uint64 timestamp, bytes32 mixHash) private returns (bytes memory header) {
        header = TestHeader.encode(number, timestamp, mixHash);
        vm.setBlockhash(number, keccak256(header));
    }

    function _refused(bytes memory header) private {
        vm.setBlockhash(19_999, keccak256(header));
        vm.expectRevert(HeaderRlp.BadHeader.selector);
        _source.reveal(19_999, header);
    }
}
