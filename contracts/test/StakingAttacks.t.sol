// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IStaking } from "src/interfaces/IStaking.sol";
import { ICommittees } from "src/interfaces/ICommittees.sol";
import { IEpochManager } from "src/interfaces/IEpochManager.sol";
import { IWalrusSystem } from "src/interfaces/IWalrusSystem.sol";
import { BlsMinPk } from "src/libraries/BlsMinPk.sol";
import { Dhondt } from "src/libraries/Dhondt.sol";
import { Intent } from "src/libraries/Intent.sol";
import { Cert, Threshold } from "src/types/Cert.sol";
import { ChallengeResult } from "src/types/Epoch.sol";
import { NodeParams, PoolInfo } from "src/types/Node.sol";
import { ParamKeys, ParamValue } from "src/types/Param.sol";
import { Staking } from "src/Staking.sol";
import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { StakingBase } from "./utils/StakingBase.sol";
import { TestBls } from "./utils/TestBls.sol";

/// @dev Receives a position and, while it is called back, tries to get more out of it than there is.
contract GreedyReceiver {
    Staking private immutable STAKING;
    uint256 public attempts;
    uint256 public paid;

    constructor(Staking staking) {
        STAKING = staking;
    }

    function onERC721Received(address, address from, uint256 id, bytes calldata) external returns (bytes4) {
        if (attempts++ == 0) {
            uint256 part = STAKING.splitPosition(id, 1e9);
            // A second call back, while the first one is still under way.
            STAKING.safeTransferFrom(address(this), address(this), part);
            paid = STAKING.withdraw(id, address(this)) + STAKING.withdraw(part, address(this));
            STAKING.delegate(from);
        }
        return this.onERC721Received.selector;
    }
}

/// @dev What stakers, operators and strangers may try against stake, committees and certificates.
contract StakingAttacksTest is StakingBase {
    address internal immutable MALLORY = makeAddr("mallory");

    function setUp() public {
        _start(10, 4);
    }

    /// The test network lets votes change at will; this attack needs the rule that production has.
    function _paramValues() internal pure override returns (ParamValue[] memory values) {
        values = new ParamValue[](1);
        values[0] = ParamValue(ParamKeys.SEED_DELAY, 4);
    }

    // ----- Stake

    /// The first one in a pool, alone with one WAL while rewards pour in, cannot make the next one's stake vanish into
    /// his shares: whoever joins loses less than one share to rounding, and gifts to the contract change no rate.
    function test_attack_shareInflationByFirstDepositor() public {
        _register(5);
        // The attacker owns the smallest possible share of the network's largest pool.
        uint256 mine = _stakeAs(MALLORY, 5, 1e9);
        _turn();
        uint256 big = _stakeAs(BOB, 5, 100_000e9);
        _turn();
        wal.transfer(address(staking), 1_000_000e9);
        _subsidise(10_000_000e9);
        _turn();
        vm.prank(BOB);
        staking.requestWithdraw(big);
        _turn();
        // Alone again, with a rate far above 1:1, the attacker awaits a victim.
        uint256 victim = _stakeAs(ALICE, 5, 1_000_000e9);
        _turn();
        vm.prank(ALICE);
        staking.requestWithdraw(victim);
        vm.prank(MALLORY);
        staking.requestWithdraw(mine);
        _turn();
        vm.prank(ALICE);
        uint256 paid = staking.withdraw(victim, ALICE);
        assertGe(paid + 1000, 1_000_000e9, "the victim has what it put in, but for the dust");
        vm.prank(BOB);
        uint256 bobs = staking.withdraw(big, BOB);
        vm.prank(MALLORY);
        uint256 theirs = staking.withdraw(mine, MALLORY);
        assertLe(theirs * 100_000, bobs + 100_000 * 1e9, "never more than the share of one in 100,001");
        // The pool starts anew at 1:1 for the next one.
        assertEq(staking.pool(5).shares, 0);
    }

    /// Stake that comes just before the selection and leaves right after it earns nothing it has not served for; coming
    /// just before rewards are paid earns nothing at all.
    function test_attack_flashStakeAroundTheEpochEdge() public {
        _subsidise(1000e9);
        vm.warp(epochManager.clock().selectableAt - 1);
        uint256 early = _stakeAs(MALLORY, 1, 1000e9);
        _select();
        uint256 late = _stakeAs(MALLORY, 1, 1000e9);
        vm.startPrank(MALLORY);
        vm.expectRevert(abi.encodeWithSelector(IStaking.WithdrawNotRequested.selector, early));
        staking.withdraw(early, MALLORY);
        staking.requestWithdraw(early);
        vm.stopPrank();
        _begin();
        // Epoch 2, before anybody has settled: now the rewards of epoch 1 are due.
        uint256 flash = _stakeAs(MALLORY, 1, 100_000e9);
        assertEq(staking.pool(1).settledEpoch, 2, "staking settles first");
        vm.startPrank(MALLORY);
        assertEq(staking.withdraw(flash, MALLORY), 100_000e9);
        assertEq(staking.withdraw(late, MALLORY), 1000e9);
        vm.stopPrank();
        // `early` is active in epoch 2 only, in which nothing is earned.
        _turn();
        vm.prank(MALLORY);
        uint256 paid = staking.withdraw(early, MALLORY);
        assertLe(paid, 1000e9);
        assertGe(paid, 1000e9 - 1, "rounding apart");
        (uint256 value,) = staking.valueOf(1);
        uint256 reward = uint256(970e9) * 3 / 10;
        uint256 toStakers = reward - reward * 6000 / 10_000;
        assertApproxEqAbs(value, 1000e9 + toStakers, 1, "all of it went to who was there");
        _checkBooks();
    }

    /// Leaving after a failure, before it is settled, does not save the stake from the slash.
    function test_attack_leavingBeforeTheSlash() public {
        uint256 id = _stakeAs(MALLORY, 4, 1000e9);
        _turn();
        _failing(4, 0);
        _script(ChallengeResult(true, false, ~(uint256(1) << 3), 0));
        vm.prank(MALLORY);
        staking.requestWithdraw(id);
        _turnUnsettled();
        vm.prank(MALLORY);
        assertEq(staking.withdraw(id, MALLORY), 990e9);
        _checkBooks();
    }

    /// A pool with very many positions settles at the same cost as one with a single position.
    function test_attack_blockingSettlementWithManyPositions() public {
        for (uint256 i = 0; i < 150; ++i) {
            uint256 id = _stakeAs(MALLORY, 1, 2e9);
            vm.prank(MALLORY);
            staking.splitPosition(id, 1e9);
        }
        _turn();
        for (uint256 id = 5; id < 155; ++id) {
            vm.prank(MALLORY);
            staking.requestWithdraw(id);
        }
        _subsidise(1000e9);
        _turnUnsettled();
        uint256 gasBefore = gasleft();
        staking.settle(_id(2));
        uint256 plain = gasBefore - gasleft();
        gasBefore = gasleft();
        staking.settle(_id(1));
        uint256 crowded = gasBefore - gasleft();
        assertLt(crowded, plain + 10_000);
        assertGt(staking.pool(1).owed, 0);
    }

    /// A stranger cannot make a selection fail by moving stake in front of it, nor stop it by doing nothing.
    function test_attack_griefingOfCranks() public {
        _register(5);
        uint256 id = _stakeAs(MALLORY, 5, 5000e9);
        _settleAll();
        vm.warp(epochManager.clock().selectableAt);
        uint16[] memory seats = _dhondt();
        vm.startPrank(MALLORY);
        wal.approve(address(staking), type(uint256).max);
        vm.expectRevert(IStaking.ActiveSetFrozen.selector);
        staking.stake(5, 1e9, MALLORY);
        vm.expectRevert(IStaking.ActiveSetFrozen.selector);
        staking.withdraw(id, MALLORY);
        vm.expectRevert(IStaking.ActiveSetFrozen.selector);
        staking.requestWithdraw(id);
        vm.expectRevert(IStaking.ActiveSetFrozen.selector);
        staking.joinActiveSet(5, 0);
        // Wrong seats cost him gas and nobody else anything.
        --seats[0];
        vm.expectRevert(abi.encodeWithSelector(Dhondt.WrongSum.selector, 9, 10));
        epochManager.selectCommittee(seats);
        ++seats[0];
        // Settling what is settled, first or again, changes nothing.
        staking.settle(_id(1));
        vm.stopPrank();
        epochManager.selectCommittee(seats);
        vm.expectRevert(
            abi.encodeWithSelector(IEpochManager.TooEarly.selector, block.timestamp, epochManager.clock().startableAt)
        );
        epochManager.startEpoch();
        _begin();
        assertEq(epochManager.epoch(), 2);
    }

    /// Prices move at once, so a node that wants to overcharge one buyer votes, updates and buys in one block. One node
    /// alone moves nothing, the buyer's limit holds, and no node votes twice within the interval.
    function test_attack_priceManipulationBeforeAPurchase() public {
        _fund(ALICE);
        (, uint256 cost,) = system.quote(1 << 20, 1);
        vm.prank(_operator(1));
        staking.setVotes(1, 1 << 48, 1 << 48, NODE_CAPACITY);
        system.updatePrices();
        (uint64 storagePrice, uint64 writePrice) = system.prices();
        assertEq(storagePrice, STORAGE_PRICE, "3 of 10 shards move no price");
        assertEq(writePrice, WRITE_PRICE);
        // With more than a third of the shards they can, but not against the buyer's limit.
        vm.prank(_operator(2));
        staking.setVotes(2, 1 << 48, 1 << 48, NODE_CAPACITY);
        system.updatePrices();
        (storagePrice,) = system.prices();
        assertEq(storagePrice, 1 << 48);
        (, uint256 raised,) = system.quote(1 << 20, 1);
        vm.expectRevert(abi.encodeWithSelector(IWalrusSystem.PaymentAboveMax.selector, raised, cost));
        vm.prank(ALICE);
        system.buyAndRegister(_args(keccak256("blob"), 1 << 20, false, ALICE), 1, cost);
        // Nor can they lower it again for themselves in the same breath.
        vm.expectRevert(abi.encodeWithSelector(IStaking.VotedTooRecently.selector, 2, block.timestamp + D / 14));
        vm.prank(_operator(2));
        staking.setVotes(2, 0, 0, NODE_CAPACITY);
        vm.warp(block.timestamp + D / 14);
        vm.prank(_operator(2));
        staking.setVotes(2, 0, 0, NODE_CAPACITY);
    }

    /// Called back in the middle of a transfer, the receiver finds all books written and gets what is its own, once.
    function test_attack_reentrancyThroughThePositionReceiver() public {
        _register(5);
        GreedyReceiver greedy = new GreedyReceiver(staking);
        uint256 id = _stakeAs(MALLORY, 5, 3e9);
        vm.prank(MALLORY);
        staking.delegate(MALLORY);
        assertEq(staking.getVotes(MALLORY), 3e9);
        vm.prank(MALLORY);
        staking.safeTransferFrom(MALLORY, address(greedy), id);
        assertEq(greedy.attempts(), 2);
        assertEq(greedy.paid(), 3e9);
        assertEq(wal.balanceOf(address(greedy)), 3e9);
        assertEq(staking.balanceOf(address(greedy)), 0);
        assertEq(staking.getVotes(MALLORY), 0, "votes went with the position");
        assertEq(staking.pool(5).expectedStake, 0);
        _checkBooks();
    }

    /// Votes for governance cannot be counted twice by moving a position, or by staking WAL that votes itself.
    function test_attack_doubleVotingWithStakedWal() public {
        vm.prank(MALLORY);
        wal.delegate(MALLORY);
        wal.transfer(MALLORY, 7e9);
        assertEq(wal.getVotes(MALLORY), 7e9);
        vm.startPrank(MALLORY);
        staking.delegate(MALLORY);
        wal.approve(address(staking), 7e9);
        uint256 id = staking.stake(1, 7e9, MALLORY);
        vm.stopPrank();
        assertEq(wal.getVotes(MALLORY), 0);
        assertEq(staking.getVotes(MALLORY), 7e9);
        vm.prank(BOB);
        staking.delegate(BOB);
        uint256 before = vm.getBlockTimestamp();
        vm.warp(before + 10);
        vm.startPrank(MALLORY);
        uint256 part = staking.splitPosition(id, 2e9);
        assertEq(staking.getVotes(MALLORY), 7e9);
        staking.transferFrom(MALLORY, BOB, id);
        vm.stopPrank();
        assertEq(staking.getVotes(MALLORY), 2e9);
        assertEq(staking.getVotes(BOB), 5e9);
        vm.warp(before + 20);
        assertEq(staking.getPastVotes(MALLORY, before), 7e9, "the snapshot stands");
        assertEq(staking.getPastVotes(BOB, before), 0);
        assertEq(staking.getPastTotalSupply(before), 4007e9);
        vm.prank(MALLORY);
        staking.withdraw(part, MALLORY);
        assertEq(staking.getVotes(MALLORY), 0);
        assertEq(wal.getVotes(MALLORY), 2e9);
        assertEq(staking.clock(), vm.getBlockTimestamp());
        assertEq(staking.CLOCK_MODE(), "mode=timestamp");
    }

    // ----- Certificates

    /// One signer counted twice is no quorum: a bit is a seat, and the key sum is taken from the bits.
    function test_attack_duplicateSigner() public {
        bytes memory message = Intent.permanentConfirmation(1, committees.domain(), keccak256("blob"));
        // Node 1 signs twice and claims the bit of node 2 for the second time; 3 + 3 + 2 of 10 shards would do.
        uint256 sum = addmod(addmod(_secret(1), _secret(1), TestBls.R), _secret(3), TestBls.R);
        Cert memory c = Cert(TestBls.sign(sum, message), 7);
        vm.expectRevert(ICommittees.BadSignature.selector);
        committees.verify(1, message, c, Threshold.Quorum);
        c.signers = 5;
        vm.expectRevert(abi.encodeWithSelector(ICommittees.NotEnoughWeight.selector, 5, 7));
        committees.verify(1, message, c, Threshold.Quorum);
    }

    /// A key made from the others' keys, so that the sum is the attacker's own, has no proof of possession.
    function test_attack_rogueKey() public {
        uint256 own = _secret(77);
        // own·G - key(1): together with node 1 the sum is own·G.
        BLS.G1Point memory rogue = BLS.add(TestBls.point(own), BlsMinPk.negate(TestBls.point(_secret(1))));
        NodeParams memory p = _nodeParams(5);
        (uint256 a, uint256 b, uint256 c) = BlsMinPk.packWords(rogue);
        p.blsKey = abi.encodePacked(a, b, c);
        bytes memory message = Intent.proofOfPossession(1, committees.domain(), MALLORY, BlsMinPk.compress(rogue));
        p.pop = TestBls.sign(own, message);
        vm.prank(MALLORY);
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        staking.registerNode(p);
        // Nor by rotation of a key that was honest at registration.
        vm.prank(_operator(2));
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        staking.setNextKey(2, p.blsKey, p.pop);
    }

    /// No second encoding of a good signature is accepted: neither its negative, nor coordinates with p added.
    function test_attack_signatureMalleability() public {
        bytes memory message = Intent.permanentConfirmation(1, committees.domain(), keccak256("blob"));
        Cert memory c = _certificate(message, 15);
        assertEq(committees.verify(1, message, c, Threshold.Quorum), 10);
        BLS.G2Point memory s = abi.decode(c.signature, (BLS.G2Point));
        // x.c0 + p, which still fits 64 bytes.
        uint256 low = uint256(s.x_c0_b);
        uint256 pLow = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
        unchecked {
            s.x_c0_b = bytes32(low + pLow);
            uint256 carry = low + pLow < low ? 1 : 0;
            s.x_c0_a = bytes32(uint256(s.x_c0_a) + 0x1a0111ea397fe69a4b1ba7b6434bacd7 + carry);
        }
        vm.expectRevert(BlsMinPk.NotCanonical.selector);
        committees.verify(1, message, Cert(abi.encode(s), 15), Threshold.Quorum);
        uint256 sum = 0;
        for (uint32 i = 1; i <= 4; ++i) {
            sum = addmod(sum, _secret(i), TestBls.R);
        }
        c.signature = TestBls.sign(TestBls.R - sum, message);
        vm.expectRevert(ICommittees.BadSignature.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    /// A certificate serves one epoch: neither the next committee, though it is the same, nor the old one takes it later.
    function test_attack_replayAcrossEpochs() public {
        _fund(ALICE);
        uint256 tokenId = _registerBlob(ALICE, keccak256("blob"), false, 5);
        Cert memory c = _certificate(_confirmation(tokenId), 15);
        _turn();
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(tokenId, c);
        system.certify(tokenId, _certificate(_confirmation(tokenId), 15));
    }

    /// After a fork, and on another deployment, certificates and proofs of possession are for another domain.
    function test_attack_replayAcrossChains() public {
        _fund(ALICE);
        uint256 tokenId = _registerBlob(ALICE, keccak256("blob"), false, 5);
        Cert memory c = _certificate(_confirmation(tokenId), 15);
        NodeParams memory p = _nodeParams(5);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(ICommittees.BadSignature.selector);
        system.certify(tokenId, c);
        vm.prank(_operator(5));
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        staking.registerNode(p);
    }

    /// A proof of possession is for one account, key and epoch.
    function test_attack_replayOfAProofOfPossession() public {
        NodeParams memory p = _nodeParams(5);
        vm.prank(MALLORY);
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        staking.registerNode(p);
        _turn();
        vm.prank(_operator(5));
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        staking.registerNode(p);
    }

    /// Nobody reaches the halves of the code, or the calls of siblings, around `Staking`.
    function test_attack_callsOfSiblings() public {
        ChallengeResult memory r;
        _settleAll();
        vm.startPrank(MALLORY);
        vm.expectRevert();
        staking.receiveRewards(1, 1e18);
        vm.expectRevert();
        staking.recordChallengeResult(1, r);
        vm.expectRevert();
        committees.keep(2);
        vm.expectRevert(abi.encodeWithSelector(IEpochManager.MayNotForce.selector, MALLORY));
        epochManager.forceSynced();
        vm.stopPrank();
        PoolInfo memory p = staking.pool(1);
        assertEq(p.balance, 1000e9);
    }
}
