// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Intent } from "src/libraries/Intent.sol";
import { Seed } from "src/libraries/Seed.sol";
import { ChallengeInfo } from "src/types/Challenge.sol";
import { ChallengeBase } from "./utils/ChallengeBase.sol";

/// @dev `test/vectors/challenge-samples.json` fixes what is drawn from a seed for every implementation. With
/// WRITE_VECTORS=true the test writes the file, otherwise it compares.
contract ChallengeVectorsTest is ChallengeBase {
    string private constant FILE = "test/vectors/challenge-samples.json";

    function test_samples_equalTheCommittedFile() public {
        string memory file = string.concat(
            "{\n  \"format\": 1,\n  \"seeds\": [\n",
            _seeds(),
            "\n  ],\n  \"counts\": [\n",
            _counts(),
            "\n  ],\n  \"shards\": [\n",
            _shards(),
            "\n  ],\n  \"messages\": [\n",
            _messages(),
            "\n  ],\n  \"log\": ",
            _log(),
            "\n}\n"
        );
        if (vm.envOr("WRITE_VECTORS", false)) vm.writeFile(FILE, file);
        assertEq(file, vm.readFile(FILE));
    }

    function _seeds() private pure returns (string memory text) {
        uint32[3] memory epochs = [uint32(1), 7, type(uint32).max];
        uint64[3] memory chains = [uint64(1), 31_337, type(uint64).max];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 random = keccak256(abi.encode("randomness", i));
            address challenges_ = address(uint160(uint256(keccak256(abi.encode("challenges", i)))));
            string memory line = string.concat(
                "{\"randomness\": \"",
                vm.toString(random),
                "\", \"epoch\": ",
                vm.toString(epochs[i]),
                ", \"chain_id\": ",
                vm.toString(chains[i]),
                ", \"challenges\": \"",
                vm.toString(challenges_),
                "\", \"seed\": \""
            );
            line = string.concat(line, vm.toString(Seed.derive(random, epochs[i], chains[i], challenges_)), "\"}");
            text = _append(text, line);
        }
    }

    function _counts() private pure returns (string memory text) {
        uint256[8] memory entries = [uint256(1), 511, 543, 544, 3200, 20_479, 20_480, 4_000_000];
        for (uint256 i = 0; i < 8; ++i) {
            uint16 k = Seed.samples(entries[i], 32, 16, 640);
            text = _append(
                text, string.concat("{\"entries\": ", vm.toString(entries[i]), ", \"samples\": ", vm.toString(k), "}")
            );
        }
    }

    function _shards() private pure returns (string memory text) {
        for (uint256 i = 0; i < 24; ++i) {
            bytes32 seed = keccak256(abi.encode("seed", i));
            uint32 nodeId = uint32(i == 0 ? type(uint32).max : i * 97);
            uint32 peer = uint32(i * 1_000_003 + 1);
            uint16 sample = uint16(i * 27);
            uint16 weight = uint16(1 + i * i);
            uint16 n = i % 2 == 0 ? 1000 : 10;
            string memory line = string.concat(
                "{\"seed\": \"",
                vm.toString(seed),
                "\", \"node_id\": ",
                vm.toString(nodeId),
                ", \"peer\": ",
                vm.toString(peer),
                ", \"sample\": ",
                vm.toString(sample)
            );
            line = string.concat(
                line,
                ", \"weight\": ",
                vm.toString(weight),
                ", \"n_shards\": ",
                vm.toString(n),
                ", \"own\": ",
                vm.toString(Seed.ownShard(seed, nodeId, sample, weight))
            );
            line = string.concat(
                line,
                ", \"of_peer\": ",
                vm.toString(Seed.peerShard(seed, nodeId, sample, peer, weight)),
                ", \"symbol\": ",
                vm.toString(Seed.chainSymbol(seed, nodeId, sample, n)),
                "}"
            );
            text = _append(text, line);
        }
    }

    function _messages() private pure returns (string memory text) {
        bytes32 domain = Intent.domain(31_337, address(0xC0));
        for (uint32 i = 0; i < 3; ++i) {
            uint32 epoch = i == 2 ? 0xfffefdfc : i;
            uint32 nodeId = i == 2 ? 0x01020304 : i;
            bytes32 seed = keccak256(abi.encode(i));
            string memory line = string.concat(
                "{\"domain\": \"", vm.toString(domain), "\", \"epoch\": ", vm.toString(epoch), ", \"seed\": \""
            );
            line = string.concat(line, vm.toString(seed), "\", \"node_id\": ", vm.toString(nodeId), ", \"message\": \"");
            bytes memory message = Intent.challengePassed(epoch, domain, seed, nodeId);
            text = _append(text, string.concat(line, vm.toString(message), "\"}"));
        }
    }

    // ----- A log with live, dead and waived entries, and what the contract accepts for each sample

    function _log() private returns (string memory) {
        _launch(10, 10);
        _fund(ALICE);
        for (uint256 i = 0; i < 40; ++i) {
            vm.prank(ALICE);
            (uint256 tokenId,) = system.buyAndRegister(
                _args(keccak256(abi.encode(i)), uint64(1 + i * i * 1150), i % 3 != 0, ALICE), 3, type(uint256).max
            );
            system.certify(tokenId, _certificate(_confirmation(tokenId), _allSeats()));
        }
        _delete(2);
        challenges.compactLog(2);
        _delete(5);
        _delete(38);
        _select();
        _open();
        _ackQuorum();
        _delete(6);
        _reveal("mix");
        _delete(39);
        ChallengeInfo memory info = challenges.challenge(1);
        return string.concat(
            "{\"seed\": \"",
            vm.toString(info.seed),
            "\", \"start\": ",
            vm.toString(info.logStart),
            ", \"base_units\": ",
            vm.toString(info.baseUnits),
            ",\n  \"entries\": [\n",
            _entries(info),
            "\n  ],\n  \"samples\": [\n",
            _samples(info),
            "\n  ]}"
        );
    }

    function _delete(uint256 tokenId) private {
        vm.prank(ALICE);
        system.deleteBlob(tokenId, ALICE);
    }

    function _entries(ChallengeInfo memory info) private view returns (string memory text) {
        for (uint256 i = info.logStart; i < info.logLength; ++i) {
            (uint64 token, uint64 units) = system.logEntry(i);
            (bool live, bool waived) = _liveAtSeed(info, token, i);
            text = _append(
                text,
                string.concat(
                    "{\"token\": ",
                    vm.toString(token),
                    ", \"cumulative_units\": ",
                    vm.toString(units),
                    ", \"status\": \"",
                    waived ? "waived" : live ? "live" : "dead",
                    "\"}"
                )
            );
        }
    }

    function _samples(ChallengeInfo memory info) private view returns (string memory text) {
        for (uint16 j = 0; j < 100; ++j) {
            (uint256 tokenId, bool waived, uint64[] memory indexes) = _drawn(info, j);
            assertEq(challenges.sample(1, j, indexes), tokenId, "the contract says the same");
            string memory list = "";
            for (uint256 t = 0; t < indexes.length; ++t) {
                list = string.concat(list, t == 0 ? "" : ", ", vm.toString(indexes[t]));
            }
            text = _append(
                text,
                string.concat(
                    "{\"log_indexes\": [",
                    list,
                    "], \"token\": ",
                    vm.toString(tokenId),
                    ", \"waived\": ",
                    waived ? "true" : "false",
                    "}"
                )
            );
        }
    }

    function _append(string memory text, string memory line) private pure returns (string memory) {
        return string.concat(text, bytes(text).length == 0 ? "    " : ",\n    ", line);
    }
}
