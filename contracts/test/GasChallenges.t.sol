// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RedStuffMath } from "src/libraries/RedStuffMath.sol";
import { Seed } from "src/libraries/Seed.sol";
import { Cert } from "src/types/Cert.sol";
import { ChallengeInfo, SymbolProof } from "src/types/Challenge.sol";
import { ChallengeBase } from "./utils/ChallengeBase.sol";
import { Answer, PlainMerkle } from "./utils/EncodedBlobs.sol";

/// @dev What challenges cost on a network of 150 nodes and 1000 shards: whole transactions from a cold state, the floor
/// for calldata (EIP-7623) included.
contract GasChallengesTest is ChallengeBase {
    uint256 private constant BASE_GAS = 21_000;
    uint256 private constant TX_LIMIT = 1 << 24;
    uint16 private constant N = 1000;
    uint32 private constant NODES = 150;

    function setUp() public {
        _launch(N, NODES);
        _fund(ALICE);
    }

    // ----- Certification and log

    function test_gas_certifyWithLogEntry() public {
        for (uint256 i = 0; i < 4; ++i) {
            _certifiedBlob(ALICE, keccak256(abi.encode(i)), false, 5);
        }
        string[2] memory names = ["certify, log entry in a new slot", "certify, log entry in a half used slot"];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 tokenId = _registerBlob(ALICE, keccak256(abi.encode("new", i)), false, 5);
            Cert memory c = _certificate(_confirmation(tokenId), _allSeats());
            _measure(names[i], 300_000, address(system), ALICE, abi.encodeCall(system.certify, (tokenId, c)));
        }
    }

    function test_gas_logMaintenance() public {
        for (uint256 i = 0; i < 60; ++i) {
            _certifiedBlob(ALICE, keccak256(abi.encode(i)), true, 5);
        }
        for (uint256 i = 0; i < 30; ++i) {
            vm.prank(ALICE);
            system.deleteBlob(i + 1, ALICE);
        }
        _measureCall("trim 30 dead log entries", 600_000, abi.encodeCall(challenges.trimLog, (30)));
        _measureCall("move 30 live log entries", 2_000_000, abi.encodeCall(challenges.compactLog, (30)));
        assertEq(system.certifiedCount(), 90);
    }

    // ----- Phases

    function test_gas_phases() public {
        PairBlob memory b = _pair(0);
        _store(b.root, b.size);
        _settleAll();
        _warpTo(epochManager.clock().selectableAt);
        bytes memory data = abi.encodeCall(epochManager.selectCommittee, (_dhondt()));
        _measure("selectCommittee, candidates fixed", TX_LIMIT, address(epochManager), ALICE, data);

        vm.warp(epochManager.clock().doneAt + D * 3 / 4);
        _measureCall("openChallenge", 80_000, abi.encodeCall(challenges.openChallenge, ()));
        _measureAcks();
        bytes memory header = _seedHeader(_mixForSpots(b));
        _measureCall("revealSeed", 120_000, abi.encodeCall(challenges.revealSeed, (header)));
        uint32 nodeId = _owner(b.blobId, b.pair);
        uint256 before = vm.snapshotState();
        _measureSpots(b, nodeId, "proveOnChain, both spot checks, symbols of 2 bytes");
        vm.revertToState(before);
        _measurePasses(nodeId);
        _measureSpots(b, nodeId, "proveOnChain, both spot checks, the first to pass");
        assertEq(challenges.challenge(1).passedWeight, committees.weightOf(1, nodeId));

        _warpTo(epochManager.clock().startableAt);
        data = abi.encodeCall(epochManager.startEpoch, ());
        _measure("startEpoch, challenge closed", 350_000, address(epochManager), ALICE, data);
    }

    function _measureAcks() private {
        uint32 last = 0;
        for (uint32 id = NODES; challenges.challenge(1).ackedWeight < 667 - 7; --id) {
            _ackMeasured(id, id == NODES ? "ackChallenge, the first" : id == 140 ? "ackChallenge, a later one" : "");
            last = id;
        }
        for (uint32 id = last - 1; challenges.challenge(1).seedBlock == 0; --id) {
            bool arms = challenges.challenge(1).ackedWeight + committees.weightOf(1, id) >= 667;
            _ackMeasured(id, arms ? "ackChallenge, the one that arms" : "");
        }
    }

    function _ackMeasured(uint32 nodeId, string memory name) private {
        if (bytes(name).length == 0) return _ack(nodeId);
        bytes memory data = abi.encodeCall(challenges.ackChallenge, (nodeId));
        _measure(name, 160_000, address(challenges), _operator(nodeId), data);
    }

    function _measurePasses(uint32 nodeId) private {
        // The dearest set of signers: as many absent as may be, in every part of the tables.
        uint256 signers = _allSeats();
        uint256 weight = N;
        for (uint256 seat = 0; seat < NODES; seat += 3) {
            uint256 w = committees.weightOf(1, uint32(seat + 1));
            if (weight - w < RedStuffMath.quorum(N)) break;
            weight -= w;
            signers ^= 1 << seat;
        }
        Cert memory c = _certificate(_passMessage(1), _allSeats());
        _measureCall("submitPass, all sign", 300_000, abi.encodeCall(challenges.submitPass, (1, c)));
        c = _certificate(_passMessage(2), signers);
        _measureCall("submitPass, a third absent", 350_000, abi.encodeCall(challenges.submitPass, (2, c)));
        c = _certificate(_passMessage(nodeId), _allSeats());
        _measureCall("submitPass, a later one", 280_000, abi.encodeCall(challenges.submitPass, (nodeId, c)));
    }

    function _measureSpots(PairBlob memory b, uint32 nodeId, string memory name) private {
        ChallengeInfo memory info = challenges.challenge(1);
        SymbolProof[] memory proofs = new SymbolProof[](2);
        for (uint16 i = 0; i < 2; ++i) {
            uint16 j = info.sampleCount + i;
            (, uint256 index) = _asked(info, nodeId, j);
            Answer memory a = _answer(b, i == 1, index);
            proofs[i] = SymbolProof(j, new uint64[](1), a.symbol, a.path1, a.otherRoot, a.path2);
        }
        bytes memory data = abi.encodeCall(challenges.proveOnChain, (nodeId, proofs));
        _measureCall(name, 190_000, data);
    }

    /// @dev A PREVRANDAO with which both spot checks of the owner of the known pair ask for that pair.
    function _mixForSpots(PairBlob memory b) private view returns (bytes32 mix) {
        uint32 nodeId = _owner(b.blobId, b.pair);
        uint16 weight = committees.weightOf(1, nodeId);
        uint256 place = _place(nodeId, _shard(b.blobId, b.pair));
        for (uint256 i = 0;; ++i) {
            mix = keccak256(abi.encode(i));
            bytes32 seed = Seed.derive(mix, 1, block.chainid, address(challenges));
            bool both =
                Seed.ownShard(seed, nodeId, 16, weight) == place && Seed.ownShard(seed, nodeId, 17, weight) == place;
            if (both) return mix;
        }
    }

    // ----- Sizes of symbols

    function test_gas_proveOnChain_symbolsOf6Bytes() public {
        _measureSymbol(6, 130_000);
    }

    function test_gas_proveOnChain_symbolsOf1KiB() public {
        _measureSymbol(1024, 150_000);
    }

    function test_gas_proveOnChain_symbolsOf4820Bytes() public {
        _measureSymbol(4820, 280_000);
    }

    function test_gas_proveOnChain_symbolsOf16KiB() public {
        _measureSymbol(16_384, 720_000);
    }

    /// The largest symbol there is fits one transaction, in gas and in the 128 KiB of a transaction pool.
    function test_gas_proveOnChain_symbolsOf65534Bytes() public {
        _measureSymbol(65_534, 2_800_000);
    }

    /// @dev One answer at a thousand shards. The blob is made of this one symbol and arbitrary siblings, since the seed
    /// can be chosen afterwards; what the contract does is the same.
    function _measureSymbol(uint256 symbolSize, uint256 limit) private {
        uint256 pair = 517;
        uint256 index = 123;
        SymbolProof[] memory proofs = new SymbolProof[](1);
        proofs[0] = SymbolProof(16, new uint64[](1), _noise(symbolSize), _siblings(1), keccak256("other"), _siblings(2));
        uint64 size = uint64(334 * 667 * symbolSize);
        bytes32 blobId = blobs.record(_store(_root(proofs[0], pair, index), size)).blobId;
        uint32 nodeId = _owner(blobId, pair);
        _challenge(_mixFor(nodeId, _shard(blobId, pair), index));
        bytes memory data = abi.encodeCall(challenges.proveOnChain, (nodeId, proofs));
        assertLt(data.length, 128 * 1024 - 200);
        _measureCall(string.concat("proveOnChain, one symbol of ", vm.toString(symbolSize), " bytes"), limit, data);
        assertEq(challenges.proved(1, nodeId), 1);
    }

    function _mixFor(uint32 nodeId, uint256 shard, uint256 index) private view returns (bytes32 mix) {
        uint16 weight = committees.weightOf(1, nodeId);
        uint256 place = _place(nodeId, shard);
        for (uint256 i = 0;; ++i) {
            mix = keccak256(abi.encode(i));
            bytes32 seed = Seed.derive(mix, 1, block.chainid, address(challenges));
            if (Seed.chainSymbol(seed, nodeId, 16, N) != index) continue;
            if (Seed.ownShard(seed, nodeId, 16, weight) == place) return mix;
        }
    }

    function _root(SymbolProof memory proof, uint256 pair, uint256 index) private view returns (bytes32) {
        bytes32 sliver = _climb(PlainMerkle.leaf(proof.symbol), index, proof.path1);
        return _climb(PlainMerkle.leaf(abi.encodePacked(sliver, proof.otherRoot)), pair, proof.path2);
    }

    function _climb(bytes32 node, uint256 index, bytes32[] memory path) private view returns (bytes32) {
        for (uint256 i = 0; i < path.length; ++i) {
            bytes32[] memory two = new bytes32[](2);
            (two[0], two[1]) = index >> i & 1 == 0 ? (node, path[i]) : (path[i], node);
            node = PlainMerkle.above(two)[0];
        }
        return node;
    }

    function _siblings(uint256 salt) private pure returns (bytes32[] memory path) {
        path = new bytes32[](10);
        for (uint256 i = 0; i < 10; ++i) {
            path[i] = keccak256(abi.encode(salt, i));
        }
    }

    /// @dev Bytes of which none is zero: the dearest calldata.
    function _noise(uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(uint8(1 + i % 255));
        }
    }

    // ----- Network

    function _store(bytes32 root, uint64 size) private returns (uint256 tokenId) {
        vm.prank(ALICE);
        (tokenId,) = system.buyAndRegister(_args(root, size, false, ALICE), 5, type(uint256).max);
        system.certify(tokenId, _certificate(_confirmation(tokenId), _allSeats()));
    }

    function _shard(bytes32 blobId, uint256 pair) private pure returns (uint256) {
        return (pair + uint256(blobId) % N) % N;
    }

    function _owner(bytes32 blobId, uint256 pair) private view returns (uint32) {
        return committees.shardOwner(1, uint16(_shard(blobId, pair)));
    }

    /// @dev How many shards of the node lie below this one.
    function _place(uint32 nodeId, uint256 shard) private view returns (uint256 place) {
        bytes memory map = committees.committee(1).shardMap;
        (, uint8 seat) = committees.seatOf(1, nodeId);
        for (uint256 i = 0; i < shard; ++i) {
            if (uint8(map[i]) == seat) ++place;
        }
    }

    // ----- Measuring

    function _measureCall(string memory name, uint256 limit, bytes memory data) private {
        _measure(name, limit, address(challenges), BOB, data);
    }

    function _measure(string memory name, uint256 limit, address to, address from, bytes memory data) private {
        address[9] memory touched = [
            address(system),
            address(committees),
            address(staking),
            address(epochManager),
            address(blobs),
            address(capacity),
            address(wal),
            address(challenges),
            address(params)
        ];
        for (uint256 i = 0; i < touched.length; ++i) {
            vm.cool(touched[i]);
        }
        vm.prank(from);
        (bool ok,) = to.call(data);
        assertTrue(ok, name);
        uint256 tokens = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            tokens += data[i] == 0 ? 1 : 4;
        }
        uint256 total = BASE_GAS + 4 * tokens + vm.lastCallGas().gasTotalUsed;
        uint256 floor = BASE_GAS + 10 * tokens;
        if (total < floor) total = floor;
        vm.snapshotValue("challenges", name, total);
        assertLe(total, limit, name);
        assertLt(total, TX_LIMIT);
    }
}
