// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ChallengeResult } from "src/types/Epoch.sol";
import { NodeParams } from "src/types/Node.sol";
import { StakingBase } from "./utils/StakingBase.sol";

/// @dev What stake and epochs cost with 150 nodes and 1000 shards, the largest network there may be: whole transactions,
/// from a cold state. Nothing comes near 2^24 gas, the most a transaction may use.
abstract contract GasCranksBase is StakingBase {
    uint256 internal constant BASE_GAS = 21_000;
    uint256 internal constant TRANSACTION_LIMIT = 1 << 24;

    /// @dev Gas of the whole transaction, without refunds.
    function _measure(string memory name, address to, address from, bytes memory data)
        internal
        returns (uint256 total)
    {
        address[5] memory touched = [
            address(system), address(committees), address(staking), address(epochManager), address(wal)
        ];
        for (uint256 i = 0; i < touched.length; ++i) {
            vm.cool(touched[i]);
        }
        vm.prank(from);
        (bool ok,) = to.call(data);
        assertTrue(ok, "the call itself succeeds");
        total = vm.lastCallGas().gasTotalUsed + BASE_GAS;
        for (uint256 i = 0; i < data.length; ++i) {
            total += data[i] == 0 ? 4 : 16;
        }
        vm.snapshotValue("cranks", name, total);
    }

    function _all(uint32 count) internal pure returns (uint32[] memory ids) {
        ids = new uint32[](count);
        for (uint32 i = 0; i < count; ++i) {
            ids[i] = i + 1;
        }
    }
}

contract GasCranksTest is GasCranksBase {
    uint32 private constant NODES = 150;

    function setUp() public {
        _deploy(_parameters(1000));
        for (uint32 i = 1; i <= NODES; ++i) {
            _register(i);
            // Different stakes, so that seats differ.
            _stake(i, 1000e9 + uint256(i) * 7e9);
        }
        vm.warp(FIRST_START);
        uint16[] memory seats = _dhondt();
        bytes memory data = abi.encodeCall(epochManager.selectCommittee, (seats));
        uint256 used = _measure("selectCommittee, 150 new nodes", address(epochManager), BOB, data);
        assertLt(used, 7_000_000);
        epochManager.startEpoch();
        _syncAll();
        // Different votes, so that sorting has work to do.
        for (uint32 i = 1; i <= NODES; ++i) {
            vm.prank(_operator(i));
            staking.setVotes(
                i, uint64(uint256(keccak256(abi.encode(i))) % 1e6), uint64(i * 77 % 101), NODE_CAPACITY + i
            );
        }
        system.updatePrices();
        _playChallenges();
        _subsidise(1000e9);
        _turn();
        // From here on everything is in its steady state: no slot is written for the first time.
        _subsidise(1000e9);
        _turn();
        _subsidise(1000e9);
        _turnUnsettled();
    }

    function test_updatePrices_150Nodes() public {
        bytes memory data = abi.encodeCall(system.updatePrices, ());
        assertLt(_measure("updatePrices, 150 nodes", address(system), BOB, data), 450_000);
    }

    function test_settle_onePool() public {
        bytes memory data = abi.encodeCall(staking.settle, (_id(75)));
        assertLt(_measure("settle, one of 150 pools", address(staking), BOB, data), 150_000);
        assertEq(staking.pool(75).settledEpoch, 4);
    }

    function test_settle_allPoolsFitOneTransaction() public {
        bytes memory data = abi.encodeCall(staking.settle, (_all(NODES)));
        uint256 used = _measure("settle, all 150 pools", address(staking), BOB, data);
        assertLt(used, TRANSACTION_LIMIT);
        // 70k a pool as the design has it.
        assertLt(used / NODES, 70_000);
        assertTrue(staking.isSettled());
    }

    /// The dearest settlement: everybody is slashed for the third time.
    function test_settle_allPoolsStruckFitOneTransaction() public {
        _settleAll();
        for (uint256 i = 0; i < 3; ++i) {
            _script(ChallengeResult(true, false, 0, 0));
            _turnUnsettled();
            if (i < 2) _settleAll();
        }
        bytes memory data = abi.encodeCall(staking.settle, (_all(NODES)));
        uint256 used = _measure("settle, all 150 pools struck", address(staking), BOB, data);
        assertLt(used, TRANSACTION_LIMIT);
        assertEq(staking.pool(1).misses, 3);
        assertTrue(staking.isSettled());
    }

    function test_selectCommittee_nothingChanged() public {
        _settleAll();
        _warpTo(epochManager.clock().selectableAt);
        bytes memory data = abi.encodeCall(epochManager.selectCommittee, (_dhondt()));
        uint256 used = _measure("selectCommittee, 150 nodes, nothing changed", address(epochManager), BOB, data);
        assertLt(used, 4_500_000);
    }

    /// A rotated key and moved stake: new key table, new map.
    function test_selectCommittee_keysAndStakesChanged() public {
        _settleAll();
        bytes memory pop = _pop(_operator(3), _secret(500));
        vm.startPrank(_operator(3));
        staking.setNextKey(3, _keyOf(500), pop);
        vm.stopPrank();
        _stake(9, 500_000e9);
        _warpTo(epochManager.clock().selectableAt);
        bytes memory data = abi.encodeCall(epochManager.selectCommittee, (_dhondt()));
        uint256 used = _measure("selectCommittee, 150 nodes, keys and stakes changed", address(epochManager), BOB, data);
        assertLt(used, 7_000_000);
    }

    function test_startEpoch_isCheap() public {
        _select();
        _warpTo(epochManager.clock().startableAt);
        bytes memory data = abi.encodeCall(epochManager.startEpoch, ());
        assertLt(_measure("startEpoch, 150 nodes", address(epochManager), BOB, data), 250_000);
    }

    function test_syncDone_isCheap() public {
        _select();
        _warpTo(epochManager.clock().startableAt);
        epochManager.startEpoch();
        epochManagerSync(1);
        bytes memory data = abi.encodeCall(epochManager.syncDone, (150, 5));
        assertLt(_measure("syncDone, seat 149 of 150", address(epochManager), _operator(150), data), 70_000);
    }

    function test_registerNode_isMeasured() public {
        NodeParams memory p = _nodeParams(151);
        bytes memory data = abi.encodeCall(staking.registerNode, (p));
        assertLt(_measure("registerNode", address(staking), _operator(151), data), 600_000);
    }

    function test_positions_areMeasured() public {
        _settleAll();
        wal.transfer(ALICE, 10e9);
        vm.prank(ALICE);
        wal.approve(address(staking), type(uint256).max);
        bytes memory data = abi.encodeCall(staking.stake, (7, 5e9, ALICE));
        assertLt(_measure("stake", address(staking), ALICE, data), 250_000);
        uint256 id = NODES + 1;
        _turn();
        data = abi.encodeCall(staking.requestWithdraw, (id));
        assertLt(_measure("requestWithdraw", address(staking), ALICE, data), 120_000);
        _turn();
        data = abi.encodeCall(staking.withdraw, (id, ALICE));
        assertLt(_measure("withdraw", address(staking), ALICE, data), 140_000);
    }

    function test_setVotes_isCheap() public {
        bytes memory data = abi.encodeCall(staking.setVotes, (9, 1, 2, 3));
        assertLt(_measure("setVotes", address(staking), _operator(9), data), 65_000);
    }

    function epochManagerSync(uint32 nodeId) private {
        uint32 epoch = epochManager.epoch();
        vm.prank(_operator(nodeId));
        epochManager.syncDone(nodeId, epoch);
    }

    function _keyOf(uint32 i) private view returns (bytes memory) {
        return _nodeParams(i).blsKey;
    }
}

/// @dev The same with 100 nodes, for which the design gives its figures.
contract GasCranks100Test is GasCranksBase {
    function setUp() public {
        _launch(1000, 100);
        for (uint32 i = 1; i <= 100; ++i) {
            vm.prank(_operator(i));
            staking.setVotes(
                i, uint64(uint256(keccak256(abi.encode(i))) % 1e6), uint64(i * 77 % 101), NODE_CAPACITY + i
            );
        }
        _playChallenges();
        _turn();
    }

    function test_updatePrices_100Nodes() public {
        bytes memory data = abi.encodeCall(system.updatePrices, ());
        // Of it 107,000 to read 51 slots of votes and 47,000 for the transaction and ten cold accounts.
        assertLt(_measure("updatePrices, 100 nodes", address(system), BOB, data), 340_000);
    }

    function test_selectCommittee_100Nodes() public {
        bytes memory pop = _pop(_operator(3), _secret(500));
        bytes memory key = _nodeParams(500).blsKey;
        vm.prank(_operator(3));
        staking.setNextKey(3, key, pop);
        _warpTo(epochManager.clock().selectableAt);
        bytes memory data = abi.encodeCall(epochManager.selectCommittee, (_dhondt()));
        uint256 used = _measure("selectCommittee, 100 nodes, a key changed", address(epochManager), BOB, data);
        assertLt(used, 4_500_000);
    }
}
