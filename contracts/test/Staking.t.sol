// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Staking } from "src/Staking.sol";
import { StakingNodes } from "src/StakingNodes.sol";
import { StakingPools } from "src/StakingPools.sol";
import { ICommittees } from "src/interfaces/ICommittees.sol";
import { IStaking } from "src/interfaces/IStaking.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { BlsMinPk } from "src/libraries/BlsMinPk.sol";
import { NodeInfo, NodeParams, Position } from "src/types/Node.sol";
import { Parameters, Wiring } from "src/types/Wiring.sol";
import { Base } from "./Base.t.sol";
import { TestBls } from "./utils/TestBls.sol";

contract StakingTest is Base {
    function setUp() public {
        Parameters memory p = _parameters(10);
        p.maxCommittee = 5;
        _deploy(p);
    }

    function test_registerNode_storesEverything() public {
        NodeParams memory p = _nodeParams(1);
        p.metadataURI = "https://example.org/node.json";
        vm.expectEmit(address(staking));
        emit IStaking.NodeRegistered(1, _operator(1));
        vm.prank(_operator(1));
        assertEq(staking.registerNode(p), 1);

        NodeInfo memory n = staking.node(1);
        assertEq(n.operator, _operator(1));
        assertEq(n.commissionReceiver, _operator(1));
        assertEq(n.governance, _operator(1));
        assertEq(n.blsKey, p.blsKey);
        assertEq(n.networkKey, p.networkKey);
        assertEq(n.name, p.name);
        assertEq(n.networkAddress, p.networkAddress);
        assertEq(n.metadataURI, p.metadataURI);
        assertEq(n.commissionBp, p.commissionBp);
        assertEq(n.storagePrice, p.storagePrice);
        assertEq(n.writePrice, p.writePrice);
        assertEq(n.capacity, p.capacity);
        assertEq(n.stake, 0);
        assertFalse(n.inActiveSet);
        assertEq(staking.nodeOfKey(p.blsKey), 1);
        assertEq(staking.nodeCount(), 1);
    }

    function test_registerNode_revertsOnDuplicateKey() public {
        _register(1);
        NodeParams memory p = _nodeParams(2);
        p.blsKey = TestBls.key(_secret(1));
        p.pop = _pop(_operator(2), _secret(1));
        vm.expectRevert(abi.encodeWithSelector(IStaking.KeyInUse.selector, 1));
        vm.prank(_operator(2));
        staking.registerNode(p);
    }

    function test_registerNode_revertsWithoutPossession() public {
        NodeParams memory p = _nodeParams(1);
        bytes memory pop = p.pop;
        p.pop = "";
        vm.expectRevert(abi.encodeWithSelector(BlsMinPk.BadSignatureLength.selector, 0));
        vm.prank(_operator(1));
        staking.registerNode(p);
        // A copied registration does not serve another operator.
        p.pop = pop;
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        vm.prank(BOB);
        staking.registerNode(p);
        assertEq(staking.nodeCount(), 0);
    }

    function test_registerNode_revertsOnBadFields() public {
        NodeParams memory p = _nodeParams(1);
        p.networkKey = new bytes(32);
        _expectRefusal(p, abi.encodeWithSelector(IStaking.BadFieldLength.selector, bytes32("networkKey"), 32, 33));
        p.networkKey = new bytes(33);
        _expectRefusal(p, abi.encodeWithSelector(IStaking.BadNetworkKey.selector, 0));
        p.networkKey[0] = 0x02;
        p.name = "";
        _expectRefusal(p, abi.encodeWithSelector(IStaking.BadFieldLength.selector, bytes32("name"), 0, 100));
        p.name = string(new bytes(101));
        _expectRefusal(p, abi.encodeWithSelector(IStaking.BadFieldLength.selector, bytes32("name"), 101, 100));
        p.name = "n";
        p.networkAddress = string(new bytes(260));
        _expectRefusal(p, abi.encodeWithSelector(IStaking.BadFieldLength.selector, bytes32("networkAddress"), 260, 259));
        p.networkAddress = "h:1";
        p.metadataURI = string(new bytes(513));
        _expectRefusal(p, abi.encodeWithSelector(IStaking.BadFieldLength.selector, bytes32("metadataURI"), 513, 512));
        p.metadataURI = "";
        p.commissionBp = 10_001;
        _expectRefusal(p, abi.encodeWithSelector(IStaking.CommissionTooHigh.selector, 10_001, 10_000));
        p.commissionBp = 10_000;
        p.storagePrice = (1 << 48) + 1;
        _expectRefusal(p, abi.encodeWithSelector(IStaking.VoteTooHigh.selector, (1 << 48) + 1, 1 << 48));
        p.storagePrice = 1 << 48;
        vm.prank(_operator(1));
        staking.registerNode(p);
    }

    function testFuzz_stake_movesTheMoney(uint256 amount) public {
        amount = bound(amount, 1e9, 1_000_000e9);
        _register(1);
        wal.approve(address(staking), amount);
        vm.expectEmit(address(staking));
        emit IStaking.Staked(1, 1, amount, 1);
        uint256 id = staking.stake(1, amount, BOB);
        assertEq(wal.balanceOf(address(staking)), amount);
        assertEq(staking.ownerOf(id), BOB);
        Position memory p = staking.position(id);
        assertEq(p.nodeId, 1);
        assertEq(p.principal, amount);
        assertEq(p.activationEpoch, 1);
        (uint32[] memory ids, uint64[] memory stakes) = staking.activeSet();
        assertEq(ids.length, 1);
        assertEq(ids[0], 1);
        assertEq(stakes[0], amount);
        assertEq(staking.node(1).stake, amount);
    }

    function test_stake_addsUpInTheActiveSet() public {
        _register(1);
        _register(2);
        _stake(2, 5e9);
        _stake(1, 3e9);
        _stake(2, 4e9);
        (uint32[] memory ids, uint64[] memory stakes) = staking.activeSet();
        assertEq(ids[0], 2);
        assertEq(stakes[0], 9e9);
        assertEq(ids[1], 1);
        assertEq(stakes[1], 3e9);
        assertEq(staking.activeSetSize(), 2);
    }

    function test_stake_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.StakeBelowMinimum.selector, 1e9 - 1, 1e9));
        staking.stake(1, 1e9 - 1, ALICE);
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownNode.selector, 1));
        staking.stake(1, 1e9, ALICE);
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownPosition.selector, 1));
        staking.position(1);
    }

    /// From voting end until the selection nobody can change its input; a young network may still grow to `minNodes`.
    function test_stake_revertsWhileFrozen() public {
        for (uint32 i = 1; i <= 4; ++i) {
            _register(i);
        }
        vm.warp(FIRST_START);
        for (uint32 i = 1; i <= 4; ++i) {
            _stake(i, 10e9);
        }
        wal.approve(address(staking), 10e9);
        vm.expectRevert(IStaking.ActiveSetFrozen.selector);
        staking.stake(1, 10e9, ALICE);
        vm.expectRevert(IStaking.ActiveSetFrozen.selector);
        staking.joinActiveSet(1, 0);

        epochManager.selectCommittee(_equalSeats(10, 4));
        uint256 id = staking.stake(1, 10e9, ALICE);
        assertEq(staking.position(id).activationEpoch, 2, "too late for epoch 1");
    }

    function test_joinActiveSet_evictsTheSmallest() public {
        for (uint32 i = 1; i <= 7; ++i) {
            _register(i);
        }
        for (uint32 i = 1; i <= 5; ++i) {
            _stake(i, uint256(i == 3 ? 1 : 10) * 1e9);
        }
        _stake(6, 1e9);
        assertFalse(staking.node(6).inActiveSet, "the set is full");
        vm.expectRevert(abi.encodeWithSelector(IStaking.ActiveSetFull.selector, 3, 1e9));
        staking.joinActiveSet(6, 2);
        _stake(6, 1e9);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotSmallest.selector, 0));
        staking.joinActiveSet(6, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotSmallest.selector, 5));
        staking.joinActiveSet(6, 5);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoStake.selector, 7));
        staking.joinActiveSet(7, 2);
        staking.joinActiveSet(6, 2);
        assertTrue(staking.node(6).inActiveSet);
        assertFalse(staking.node(3).inActiveSet);
        (uint32[] memory ids, uint64[] memory stakes) = staking.activeSet();
        assertEq(ids[2], 6);
        assertEq(stakes[2], 2e9);
        vm.expectRevert(abi.encodeWithSelector(IStaking.AlreadyInActiveSet.selector, 6));
        staking.joinActiveSet(6, 2);
        // The evicted node's place is gone: its next stake must not touch the newcomer's entry.
        _stake(3, 50e9);
        (, stakes) = staking.activeSet();
        assertEq(stakes[2], 2e9);
    }

    function test_setVotes_onlyByOperator() public {
        _register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOperator.selector, 1, address(this)));
        staking.setVotes(1, 1, 2, 3);
        vm.expectEmit(address(staking));
        emit IStaking.NodeUpdated(1);
        vm.prank(_operator(1));
        staking.setVotes(1, 1, 2, 3);
        uint32[] memory ids = new uint32[](2);
        ids[0] = 1;
        assertEq(staking.node(1).storagePrice, 1);
        assertEq(staking.node(1).writePrice, 2);
        assertEq(staking.capacityVotesOf(ids)[0], 3);
        assertEq(staking.capacityVotesOf(ids)[1], 0, "node 0 has no votes");
    }

    /// A price vote without a limit would overflow where prices are multiplied.
    function test_setVotes_hasALimitForBothPrices() public {
        _register(1);
        uint64 most = 1 << 48;
        vm.startPrank(_operator(1));
        vm.expectRevert(abi.encodeWithSelector(IStaking.VoteTooHigh.selector, most + 1, most));
        staking.setVotes(1, most + 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VoteTooHigh.selector, most + 1, most));
        staking.setVotes(1, 0, most + 1, 0);
        staking.setVotes(1, most, most, type(uint64).max);
    }

    function test_setNodeInfo_onlyByOperator() public {
        _register(1);
        bytes memory key = _nodeParams(2).networkKey;
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOperator.selector, 1, address(this)));
        staking.setNodeInfo(1, "n", "h:1", key, "");
        vm.prank(_operator(1));
        staking.setNodeInfo(1, "n", "h:1", key, "u");
        NodeInfo memory n = staking.node(1);
        assertEq(n.name, "n");
        assertEq(n.networkAddress, "h:1");
        assertEq(n.networkKey, key);
        assertEq(n.metadataURI, "u");
    }

    /// A key once used stays taken, by the node that used it.
    function test_setNextKey_keepsOldKeysTaken() public {
        _register(1);
        bytes memory oldKey = TestBls.key(_secret(1));
        bytes memory newKey = TestBls.key(_secret(9));
        bytes memory pop = _pop(_operator(1), _secret(9));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOperator.selector, 1, address(this)));
        staking.setNextKey(1, newKey, pop);
        vm.prank(_operator(1));
        staking.setNextKey(1, newKey, pop);
        assertEq(staking.node(1).blsKey, newKey);
        assertEq(staking.nodeOfKey(oldKey), 1);
        NodeParams memory p = _nodeParams(2);
        (p.blsKey, p.pop) = (oldKey, _pop(_operator(2), _secret(1)));
        _expectRefusal(2, p, abi.encodeWithSelector(IStaking.KeyInUse.selector, 1));
    }

    function test_unknownNode_reverts() public {
        bytes memory expected = abi.encodeWithSelector(IStaking.UnknownNode.selector, 3);
        vm.expectRevert(expected);
        staking.node(3);
        vm.expectRevert(expected);
        staking.setVotes(3, 0, 0, 0);
        vm.expectRevert(expected);
        staking.joinActiveSet(3, 0);
        assertEq(staking.operatorOf(3), address(0));
    }

    /// Halves of the code that were built for another deployment are noticed before anything runs on them.
    function test_constructor_refusesMiswiredHalf() public {
        Parameters memory p = staking.parameters();
        Wiring memory w = staking.wiring();
        address nodes = address(new StakingNodes(w, p));
        address pools = address(new StakingPools(w, p));
        new Staking(w, p, nodes, pools);
        w.system = BOB;
        address other = address(new StakingPools(w, p));
        w.system = address(system);
        vm.expectRevert(abi.encodeWithSelector(IStaking.HalfMiswired.selector, other));
        new Staking(w, p, nodes, other);
    }

    function test_tokenURI_describesThePosition() public {
        _register(1);
        uint256 id = _stake(1, 5e9);
        assertEq(
            staking.tokenURI(id),
            'data:application/json;utf8,{"name":"Staked WAL 1","nodeId":1,"principalFrost":5000000000,'
            '"activationEpoch":1,"withdrawEpoch":0}'
        );
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownPosition.selector, 2));
        staking.tokenURI(2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownPosition.selector, 2));
        staking.valueOf(2);
        assertEq(staking.symbol(), "StakedWAL");
    }

    function test_receiveRewards_onlyBySystem() public {
        vm.expectRevert(abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), address(system)));
        staking.receiveRewards(1, 5);
    }

    function _expectRefusal(NodeParams memory p, bytes memory expected) private {
        _expectRefusal(1, p, expected);
    }

    function _expectRefusal(uint32 i, NodeParams memory p, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(_operator(i));
        staking.registerNode(p);
    }
}
