// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { ICommittees } from "src/interfaces/ICommittees.sol";
import { IWired } from "src/interfaces/IWired.sol";
import { BlsMinPk } from "src/libraries/BlsMinPk.sol";
import { Intent } from "src/libraries/Intent.sol";
import { Cert, Threshold } from "src/types/Cert.sol";
import { CommitteeInfo } from "src/types/Epoch.sol";
import { Base } from "./Base.t.sol";
import { TestBls } from "./utils/TestBls.sol";

contract CommitteesTest is Base {
    bytes32 private constant BLOB = keccak256("blob");
    // The field modulus, as upper and lower 32 bytes.
    bytes32 private constant P_HIGH = bytes32(uint256(0x1a0111ea397fe69a4b1ba7b6434bacd7));
    bytes32 private constant P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

    bytes private message;

    function setUp() public {
        _launch(10, 10);
        message = Intent.permanentConfirmation(1, committees.domain(), BLOB);
    }

    // ----- Acceptance

    function test_verify_acceptsEverySetAtOrAboveQuorum() public view {
        assertEq(committees.verify(1, message, _certificate(message, 0x3ff), Threshold.Quorum), 10);
        assertEq(committees.verify(1, message, _certificate(message, 0x07f), Threshold.Quorum), 7);
        assertEq(committees.verify(1, message, _certificate(message, 0x3f8), Threshold.Quorum), 7);
        assertEq(committees.verify(1, message, _certificate(message, 0x155), Threshold.OneHonest), 5);
    }

    /// A certificate is good exactly when enough weight signed.
    function testFuzz_verify_acceptsIffEnoughWeight(uint256 signers, bool quorum) public {
        signers = bound(signers, 1, 0x3ff);
        uint16 weight = 0;
        for (uint256 i = 0; i < 10; ++i) {
            weight += uint16(signers >> i & 1);
        }
        uint16 needed = quorum ? 7 : 4;
        Cert memory c = _certificate(message, signers);
        if (weight < needed) {
            vm.expectRevert(abi.encodeWithSelector(ICommittees.NotEnoughWeight.selector, weight, needed));
        }
        uint16 got = committees.verify(1, message, c, quorum ? Threshold.Quorum : Threshold.OneHonest);
        if (weight >= needed) assertEq(got, weight);
    }

    // ----- Refusal

    function test_verify_revertsBelowThreshold() public {
        Cert memory c = _certificate(message, 0x03f);
        vm.expectRevert(abi.encodeWithSelector(ICommittees.NotEnoughWeight.selector, 6, 7));
        committees.verify(1, message, c, Threshold.Quorum);
        c = _certificate(message, 0x007);
        vm.expectRevert(abi.encodeWithSelector(ICommittees.NotEnoughWeight.selector, 3, 4));
        committees.verify(1, message, c, Threshold.OneHonest);
    }

    function test_verify_revertsOnMessageOfOtherEpoch() public {
        Cert memory c = _certificate(Intent.permanentConfirmation(2, committees.domain(), BLOB), 0x3ff);
        vm.expectRevert(ICommittees.BadSignature.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    function test_verify_revertsOnEpochWithoutCommittee() public {
        Cert memory c = _certificate(message, 0x3ff);
        vm.expectRevert(abi.encodeWithSelector(ICommittees.UnknownCommittee.selector, 2));
        committees.verify(2, message, c, Threshold.Quorum);
        vm.expectRevert(abi.encodeWithSelector(ICommittees.UnknownCommittee.selector, 0));
        committees.verify(0, message, c, Threshold.Quorum);
    }

    function test_verify_revertsOnOtherDomain() public {
        bytes32 elsewhere = Intent.domain(block.chainid + 1, address(committees));
        Cert memory c = _certificate(Intent.permanentConfirmation(1, elsewhere, BLOB), 0x3ff);
        vm.expectRevert(ICommittees.BadSignature.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    function test_verify_revertsOnExtraBits() public {
        Cert memory c = _certificate(message, 0x3ff);
        c.signers |= 1 << 10;
        vm.expectRevert(abi.encodeWithSelector(ICommittees.UnknownSigners.selector, 1 << 10));
        committees.verify(1, message, c, Threshold.Quorum);
        c.signers = 0x3ff | 1 << 255;
        vm.expectRevert(abi.encodeWithSelector(ICommittees.UnknownSigners.selector, 1 << 255));
        committees.verify(1, message, c, Threshold.Quorum);
    }

    function test_verify_revertsWhenBitmapClaimsOthers() public {
        Cert memory c = _certificate(message, 0x07f);
        c.signers = 0x0fe;
        vm.expectRevert(ICommittees.BadSignature.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    function test_verify_revertsOnInfinitySignature() public {
        Cert memory c = Cert(new bytes(256), 0x3ff);
        vm.expectRevert(BlsMinPk.InfinityPoint.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    function test_verify_revertsOnWrongSignatureLength() public {
        bytes memory signature = _certificate(message, 0x3ff).signature;
        vm.expectRevert(abi.encodeWithSelector(BlsMinPk.BadSignatureLength.selector, 0));
        committees.verify(1, message, Cert("", 0x3ff), Threshold.Quorum);
        vm.expectRevert(abi.encodeWithSelector(BlsMinPk.BadSignatureLength.selector, 257));
        committees.verify(1, message, Cert(abi.encodePacked(signature, uint8(0)), 0x3ff), Threshold.Quorum);
    }

    /// `x + p` names the same field element, but is refused: there is one form of each signature.
    function testFuzz_verify_revertsOnNonCanonicalCoordinate(uint256 which) public {
        which = bound(which, 0, 3);
        Cert memory c = _certificate(message, 0x3ff);
        bytes memory s = c.signature;
        bytes32 high;
        bytes32 low;
        assembly {
            let place := add(add(s, 0x20), mul(which, 0x40))
            high := mload(place)
            low := mload(add(place, 0x20))
        }
        unchecked {
            uint256 sum = uint256(low) + uint256(P_LOW);
            uint256 carry = sum < uint256(low) ? 1 : 0;
            low = bytes32(sum);
            high = bytes32(uint256(high) + uint256(P_HIGH) + carry);
        }
        assembly {
            let place := add(add(s, 0x20), mul(which, 0x40))
            mstore(place, high)
            mstore(add(place, 0x20), low)
        }
        vm.expectRevert(BlsMinPk.NotCanonical.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    function test_verify_revertsOnPointOffTheCurve() public {
        Cert memory c = _certificate(message, 0x3ff);
        c.signature[255] ^= 0x01;
        vm.expectRevert(BlsMinPk.InvalidPoint.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    /// A point of the curve outside the subgroup: the image of the field mapping before its cofactor is cleared is one,
    /// here the one with x = 2.
    function test_verify_revertsOnPointOutsideTheSubgroup() public {
        Cert memory c = Cert(_pointOutsideSubgroup(), 0x3ff);
        vm.expectRevert(BlsMinPk.InvalidPoint.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }

    function testFuzz_verify_revertsOnAnyChangedMessage(uint256 position, uint8 change) public {
        Cert memory c = _certificate(message, 0x3ff);
        bytes memory other = bytes.concat(message);
        change = uint8(bound(change, 1, 255));
        other[bound(position, 0, other.length - 1)] ^= bytes1(change);
        vm.expectRevert(ICommittees.BadSignature.selector);
        committees.verify(1, other, c, Threshold.Quorum);
    }

    // ----- Committee state

    function test_select_givesConsecutiveRangesFirst() public {
        _deploy(_parameters(21));
        for (uint32 i = 1; i <= 4; ++i) {
            _register(i);
        }
        // Staked out of order: seats go by node id all the same.
        _stake(3, 1000e9);
        _stake(1, 1000e9);
        _stake(4, 1000e9);
        _stake(2, 1000e9);
        vm.warp(FIRST_START);
        epochManager.selectCommittee(_equalSeats(21, 4));
        CommitteeInfo memory info = committees.committee(1);
        assertEq(info.nodeIds.length, 4);
        for (uint32 i = 0; i < 4; ++i) {
            assertEq(info.nodeIds[i], i + 1);
            assertEq(info.weights[i], i == 2 ? 6 : 5);
        }
        assertEq(info.shardMap, hex"000000000001010101010202020202020303030303");
        assertEq(info.epoch, 1);
        assertEq(committees.shardOwner(1, 15), 3);
        assertEq(committees.shardOwner(1, 16), 4);
        assertEq(committees.weightOf(1, 3), 6);
        assertEq(committees.weightOf(1, 9), 0);
        (bool member, uint8 seat) = committees.seatOf(1, 4);
        assertTrue(member);
        assertEq(seat, 3);
        vm.expectRevert(abi.encodeWithSelector(ICommittees.UnknownShard.selector, 21));
        committees.shardOwner(1, 21);
    }

    function test_committee_holdsKeysAndTheirSum() public view {
        CommitteeInfo memory info = committees.committee(1);
        uint256 sum = 0;
        bytes memory keys = "";
        for (uint32 i = 1; i <= 10; ++i) {
            keys = bytes.concat(keys, TestBls.key(_secret(i)));
            sum = addmod(sum, _secret(i), TestBls.R);
        }
        assertEq(info.keys, keys);
        assertEq(info.aggregateKey, TestBls.key(sum));
    }

    function test_select_reusesTablesWhileNothingChanges() public {
        uint16[] memory seats = _equalSeats(10, 10);
        vm.warp(epochManager.clock().selectableAt);
        vm.recordLogs();
        uint64 before = vm.getNonce(address(committees));
        epochManager.selectCommittee(seats);
        assertEq(vm.getNonce(address(committees)), before, "no data contract was created");
        assertEq(committees.committee(2).keys, committees.committee(1).keys);
        assertEq(committees.committee(2).shardMap, committees.committee(1).shardMap);
    }

    function test_select_takesRotatedKey() public {
        bytes memory key = TestBls.key(_secret(77));
        bytes memory pop = _pop(_operator(3), _secret(77));
        vm.prank(_operator(3));
        staking.setNextKey(3, key, pop);
        _nextEpoch(_equalSeats(10, 10));
        bytes memory keys = committees.committee(2).keys;
        for (uint256 i = 0; i < 96; ++i) {
            assertEq(keys[2 * 96 + i], key[i]);
        }
        assertNotEq(keccak256(keys), keccak256(committees.committee(1).keys));
    }

    function test_select_keepsThreeEpochs() public {
        uint16[] memory seats = _equalSeats(10, 10);
        _nextEpoch(seats);
        _nextEpoch(seats);
        assertEq(committees.committee(2).epoch, 2);
        _settleAll();
        vm.warp(epochManager.clock().selectableAt);
        epochManager.selectCommittee(seats);
        assertEq(committees.committee(4).epoch, 4);
        vm.expectRevert(abi.encodeWithSelector(ICommittees.UnknownCommittee.selector, 1));
        committees.committee(1);
    }

    function test_select_revertsForStrangers() public {
        bytes memory expected =
            abi.encodeWithSelector(IWired.NotAuthorised.selector, address(this), address(epochManager));
        vm.expectRevert(expected);
        committees.select(2, new uint32[](0), new uint16[](0));
        vm.expectRevert(expected);
        committees.keep(2);
    }

    // ----- Proof of possession

    function test_verifyPossession_bindsOperatorEpochKeyAndDomain() public {
        address operator = _operator(50);
        uint256 secret = _secret(50);
        bytes memory key = TestBls.key(secret);
        bytes memory pop = _pop(operator, secret);
        committees.verifyPossession(operator, key, pop);

        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        committees.verifyPossession(BOB, key, pop);

        bytes memory compressed = BlsMinPk.compress(TestBls.point(secret));
        bytes memory stale =
            TestBls.sign(secret, Intent.proofOfPossession(0, committees.domain(), operator, compressed));
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        committees.verifyPossession(operator, key, stale);

        bytes memory abroad = TestBls.sign(secret, Intent.proofOfPossession(1, bytes32(0), operator, compressed));
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        committees.verifyPossession(operator, key, abroad);

        bytes memory otherKey = TestBls.key(_secret(51));
        vm.expectRevert(ICommittees.BadProofOfPossession.selector);
        committees.verifyPossession(operator, otherKey, pop);
    }

    function test_verifyPossession_revertsOnBadKeys() public {
        bytes memory pop = _pop(ALICE, _secret(50));
        bytes memory key = TestBls.key(_secret(50));

        vm.expectRevert(BlsMinPk.InfinityPoint.selector);
        committees.verifyPossession(ALICE, new bytes(96), pop);

        vm.expectRevert(abi.encodeWithSelector(BlsMinPk.BadKeyLength.selector, 48));
        committees.verifyPossession(ALICE, new bytes(48), pop);

        // x = p is a second name of 0.
        bytes memory second = abi.encodePacked(uint128(uint256(P_HIGH)), P_LOW, uint128(0), uint256(2));
        vm.expectRevert(BlsMinPk.NotCanonical.selector);
        committees.verifyPossession(ALICE, second, pop);

        // (0, 2) is on the curve y^2 = x^3 + 4, but has order 3.
        vm.expectRevert(BlsMinPk.InvalidPoint.selector);
        committees.verifyPossession(ALICE, abi.encodePacked(uint128(0), uint256(0), uint128(0), uint256(2)), pop);

        key[95] ^= 0x01;
        vm.expectRevert(BlsMinPk.InvalidPoint.selector);
        committees.verifyPossession(ALICE, key, pop);
    }

    function test_verifyPossession_revertsWithoutProof() public {
        bytes memory key = TestBls.key(_secret(50));
        vm.expectRevert(abi.encodeWithSelector(BlsMinPk.BadSignatureLength.selector, 0));
        committees.verifyPossession(ALICE, key, "");
        vm.expectRevert(BlsMinPk.InfinityPoint.selector);
        committees.verifyPossession(ALICE, key, new bytes(256));
    }

    function _pointOutsideSubgroup() private pure returns (bytes memory) {
        return abi.encode(
            BLS.G2Point(
                0,
                bytes32(uint256(2)),
                0,
                0,
                bytes32(uint256(0x0000000000000000000000000000000018c6b864ae17dc9da64203ffefb96630)),
                bytes32(uint256(0x6425a7bc6aeb7c75247438372716284a4173830420cd476ba1a365b95bfcec38)),
                bytes32(uint256(0x00000000000000000000000000000000172e93db764a8400a7d5071b6b6f5de0)),
                bytes32(uint256(0xda2f0f4a063119abca014006b7c40a2cfe291a1924e65db0d6d0fcfbf3bf3d5c))
            )
        );
    }
}

/// A committee in which two keys cancel each other out.
contract CommitteesCancellingKeysTest is Base {
    function test_verify_revertsWhenSignersKeysSumToInfinity() public {
        _deploy(_parameters(10));
        _register(101);
        _register(102);
        _register(1);
        _register(2);
        _stake(1, 4000e9);
        _stake(2, 4000e9);
        _stake(3, 1000e9);
        _stake(4, 1000e9);
        vm.warp(FIRST_START);
        uint16[] memory seats = new uint16[](4);
        (seats[0], seats[1], seats[2], seats[3]) = (4, 4, 1, 1);
        epochManager.selectCommittee(seats);
        epochManager.startEpoch();

        // Any signature would do for the infinity key with the infinity signature; a finite one is taken to get past it.
        bytes memory message = Intent.permanentConfirmation(1, committees.domain(), keccak256("blob"));
        Cert memory c = Cert(TestBls.sign(1, message), 0x3);
        vm.expectRevert(BlsMinPk.InfinityPoint.selector);
        committees.verify(1, message, c, Threshold.Quorum);
    }
}
