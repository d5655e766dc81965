// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IChallenges } from "src/interfaces/IChallenges.sol";
import { BlobId } from "src/libraries/BlobId.sol";
import { SymbolProofs } from "src/libraries/SymbolProofs.sol";
import { SymbolProof } from "src/types/Challenge.sol";
import { Answer, EncodedBlobs } from "../utils/EncodedBlobs.sol";

contract SymbolProofsTest is EncodedBlobs {
    function check(SymbolProof calldata proof, SymbolProofs.Claim calldata claim) external view {
        SymbolProofs.check(proof, claim);
    }

    /// Every symbol of every sliver of a real encoding is accepted, on both axes.
    function test_check_acceptsAWholeBlob() public view {
        for (uint256 i = 0; i < 4; ++i) {
            MatrixBlob memory b = _matrix(i);
            for (uint256 pair = 0; pair < b.n; pair += 3) {
                for (uint256 index = 0; index < b.n; index += 2) {
                    _accept(_claim(b, pair, false, index), _answer(b, pair, false, index));
                    _accept(_claim(b, pair, true, index), _answer(b, pair, true, index));
                }
            }
        }
    }

    function test_check_acceptsAThousandShards() public view {
        for (uint256 i = 0; i < 2; ++i) {
            PairBlob memory b = _pair(i);
            for (uint256 index = 0; index < 1000; index += 333) {
                _accept(_claim(b, false, index), _answer(b, false, index));
                _accept(_claim(b, true, index), _answer(b, true, index));
            }
        }
    }

    /// Symbols and paths as the Rust library cuts them, up to the largest symbols there are.
    function test_check_acceptsWhatTheEncoderProves() public view {
        uint256 cases = _symbolCases();
        assertGe(cases, 8);
        for (uint256 i = 0; i < cases; ++i) {
            SymbolCase memory c = _symbolCase(i);
            assertEq(BlobId.derive(c.root, 1, c.size), c.blobId);
            _accept(_claim(c), c.answer);
        }
    }

    function testFuzz_check_refusesAnyFlippedBit(uint256 where, uint8 bit) public {
        SymbolCase memory c = _symbolCase(3);
        SymbolProof memory proof = _toProof(c.answer);
        bytes32 mask = bytes32(uint256(1) << bit);
        where = bound(where, 0, 21);
        if (where < 10) proof.path1[where] ^= mask;
        else if (where < 20) proof.path2[where - 10] ^= mask;
        else if (where == 20) proof.otherRoot ^= mask;
        else proof.symbol[bit % proof.symbol.length] ^= bytes1(uint8(1 << (bit / 32)));
        vm.expectPartialRevert(IChallenges.WrongBlob.selector);
        this.check(proof, _claim(c));
    }

    function testFuzz_check_refusesAnyOtherQuestion(uint16 by, uint256 which) public {
        SymbolCase memory c = _symbolCase(4);
        SymbolProofs.Claim memory claim = _claim(c);
        by = uint16(bound(by, 1, 999));
        which = bound(which, 0, 3);
        if (which == 0) claim.shard = (claim.shard + by) % 1000;
        else if (which == 1) claim.symbolIndex = (claim.symbolIndex + by) % 1000;
        else if (which == 2) claim.secondary = !claim.secondary;
        else claim.encodingType = uint8(2 + by % 250);
        vm.expectPartialRevert(IChallenges.WrongBlob.selector);
        this.check(_toProof(c.answer), claim);
    }

    /// Between neighbours of a tree, a path that is too long or too short could make a symbol of a hash.
    function test_check_refusesOtherLengths() public {
        SymbolCase memory c = _symbolCase(2);
        SymbolProofs.Claim memory claim = _claim(c);
        SymbolProof memory proof = _toProof(c.answer);
        proof.path1 = new bytes32[](11);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongPathLength.selector, 11, 10));
        this.check(proof, claim);
        proof = _toProof(c.answer);
        proof.path2 = new bytes32[](9);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongPathLength.selector, 9, 10));
        this.check(proof, claim);
        proof = _toProof(c.answer);
        proof.symbol = abi.encodePacked(proof.symbol, uint8(0));
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongSymbolSize.selector, 17, 16));
        this.check(proof, claim);
        proof.symbol = "";
        vm.expectRevert(abi.encodeWithSelector(IChallenges.WrongSymbolSize.selector, 0, 16));
        this.check(proof, claim);
    }

    /// A symbol of the size of an inner node does not pass for one.
    function test_check_refusesAnInnerNodeAsASymbol() public {
        // 66 bytes a symbol: long enough to hold the input of an inner node.
        MatrixBlob memory b = _matrix(0);
        Answer memory a = _answer(b, 0, false, 0);
        SymbolProofs.Claim memory claim = _claim(b, 0, false, 0);
        claim.size = 28 * 64;
        SymbolProof memory proof = _toProof(a);
        proof.symbol = abi.encodePacked(keccak256("left"), a.path1[0]);
        vm.expectPartialRevert(IChallenges.WrongBlob.selector);
        this.check(proof, claim);
    }

    function testFuzz_pairIndex_isTheInverseOfTheRotation(bytes32 blobId, uint16 n, uint16 pair) public pure {
        n = uint16(bound(n, 4, 1000));
        pair = uint16(bound(pair, 0, n - 1));
        uint256 shard = (uint256(pair) + uint256(blobId) % n) % n;
        assertEq(SymbolProofs.pairIndex(blobId, shard, n), pair);
    }

    function _accept(SymbolProofs.Claim memory claim, Answer memory a) private view {
        this.check(_toProof(a), claim);
    }

    function _toProof(Answer memory a) private pure returns (SymbolProof memory) {
        return SymbolProof(0, new uint64[](0), a.symbol, a.path1, a.otherRoot, a.path2);
    }

    function _claim(MatrixBlob memory b, uint256 pair, bool secondary, uint256 index)
        private
        pure
        returns (SymbolProofs.Claim memory)
    {
        return SymbolProofs.Claim(b.blobId, b.size, 1, b.n, _shard(b.blobId, pair, b.n), index, secondary);
    }

    function _claim(PairBlob memory b, bool secondary, uint256 index) private pure returns (SymbolProofs.Claim memory) {
        return SymbolProofs.Claim(b.blobId, b.size, 1, b.n, _shard(b.blobId, b.pair, b.n), index, secondary);
    }

    function _claim(SymbolCase memory c) private pure returns (SymbolProofs.Claim memory) {
        return SymbolProofs.Claim(c.blobId, c.size, 1, c.n, _shard(c.blobId, c.pair, c.n), c.index, c.secondary);
    }

    function _shard(bytes32 blobId, uint256 pair, uint256 n) private pure returns (uint256) {
        return (pair + uint256(blobId) % n) % n;
    }
}
