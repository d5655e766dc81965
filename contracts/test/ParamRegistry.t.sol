// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import { ParamRegistry } from "src/ParamRegistry.sol";
import { IParamRegistry } from "src/interfaces/IParamRegistry.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { ParamInfo, ParamKeys, ParamValue } from "src/types/Param.sol";
import { Base } from "./Base.t.sol";

contract ParamRegistryTest is Base {
    bytes32 private constant MODE = ParamKeys.CHALLENGE_MODE;

    function setUp() public {
        _launch(10, 10);
    }

    function test_defaults_areInsideTheBounds() public view {
        ParamInfo[] memory all = params.all();
        assertEq(all.length, 20);
        for (uint256 i = 0; i < all.length; ++i) {
            assertGe(all[i].current, all[i].lowest);
            assertLe(all[i].current, all[i].highest);
            assertEq(all[i].next, all[i].current);
            assertEq(all[i].nextFrom, 0);
            for (uint256 k = 0; k < i; ++k) {
                assertTrue(all[i].key != all[k].key, "every key once");
            }
        }
        assertEq(params.get(ParamKeys.MAX_SLASH_BP), 3000);
        assertEq(params.get(MODE), 0, "challenges are off at the start");
    }

    function test_set_takesEffectAtTheNamedEpoch() public {
        vm.expectEmit(address(params));
        emit IParamRegistry.ParamSet(MODE, 2, 3);
        _set(MODE, 2, 3);
        ParamInfo memory info = params.info(MODE);
        assertEq(info.current, 0);
        assertEq(info.next, 2);
        assertEq(info.nextFrom, 3);
        assertEq(params.valueAt(MODE, 2), 0);
        assertEq(params.valueAt(MODE, 3), 2);
        _nextEpoch(_equalSeats(10, 10));
        assertEq(params.get(MODE), 0);
        _nextEpoch(_equalSeats(10, 10));
        assertEq(params.get(MODE), 2);
        assertEq(params.valueAt(MODE, 2), 0, "the epoch before keeps its value");
        assertEq(params.info(MODE).nextFrom, 0);
    }

    /// A later decision replaces one that is still pending, also by an earlier start, and never the past.
    function test_set_replacesWhatIsPending() public {
        _set(MODE, 2, 9);
        _set(MODE, 1, 2);
        assertEq(params.valueAt(MODE, 1), 0);
        assertEq(params.valueAt(MODE, 9), 1, "the change for epoch 9 is gone");
        _nextEpoch(_equalSeats(10, 10));
        _set(MODE, 2, 3);
        assertEq(params.valueAt(MODE, 2), 1, "what is in effect stays");
        assertEq(params.valueAt(MODE, 3), 2);
    }

    /// Any sequence of decisions and epochs gives what a plain table gives.
    function testFuzz_set_matchesATable(uint256 seed) public {
        uint256[16] memory table;
        uint32 epoch = 1;
        for (uint256 step = 0; step < 12 && epoch < 6; ++step) {
            uint256 r = uint256(keccak256(abi.encode(seed, step)));
            if (r % 3 == 0) {
                _nextEpoch(_equalSeats(10, 10));
                ++epoch;
                continue;
            }
            uint32 from = epoch + 1 + uint32((r >> 8) % 4);
            uint256 value = (r >> 16) % 3;
            _set(MODE, value, from);
            for (uint256 e = epoch + 1; e < 16; ++e) {
                table[e] = e < from ? table[epoch] : value;
            }
        }
        for (uint32 e = 0; e < 16; ++e) {
            assertEq(params.valueAt(MODE, e), table[e]);
        }
    }

    function testFuzz_attack_parameterOutOfBounds(uint256 which, uint256 value) public {
        ParamInfo[] memory all = params.all();
        ParamInfo memory p = all[which % all.length];
        bool outside = value < p.lowest || value > p.highest;
        if (outside) {
            vm.expectRevert(
                abi.encodeWithSelector(IParamRegistry.ParamOutOfBounds.selector, p.key, value, p.lowest, p.highest)
            );
        }
        _set(p.key, value, 2);
        if (!outside) assertEq(params.valueAt(p.key, 2), value);
    }

    function test_set_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IParamRegistry.StartTooEarly.selector, 1, 2));
        _set(MODE, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IParamRegistry.UnknownParam.selector, bytes32("nothing")));
        _set("nothing", 1, 2);
        vm.expectRevert(abi.encodeWithSelector(IParamRegistry.UnknownParam.selector, bytes32("nothing")));
        params.get("nothing");
        address[4] memory others = [ALICE, GUARDIAN, address(governor), address(gate)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IWired.NotAuthorised.selector, others[i], address(timelock)));
            vm.prank(others[i]);
            params.set(MODE, 1, 2);
        }
    }

    function test_initialize_checksBoundsAndRunsOnce() public {
        ParamValue[] memory values = new ParamValue[](1);
        values[0] = ParamValue(MODE, 3);
        ParamRegistry code = new ParamRegistry(params.wiring(), params.parameters());
        vm.expectRevert(abi.encodeWithSelector(IParamRegistry.ParamOutOfBounds.selector, MODE, 3, 0, 2));
        new ERC1967Proxy(address(code), abi.encodeCall(ParamRegistry.initialize, (values)));
        values[0].value = 1;
        ParamRegistry fresh =
            ParamRegistry(address(new ERC1967Proxy(address(code), abi.encodeCall(ParamRegistry.initialize, (values)))));
        assertEq(fresh.valueAt(MODE, 0), 1);
        vm.expectRevert(bytes4(keccak256("InvalidInitialization()")));
        fresh.initialize(values);
        vm.expectRevert(bytes4(keccak256("InvalidInitialization()")));
        code.initialize(values);
    }

    function _set(bytes32 key, uint256 value, uint32 from) private {
        vm.prank(address(timelock));
        params.set(key, value, from);
    }
}
