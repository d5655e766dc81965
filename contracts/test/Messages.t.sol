// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BLS } from "solady/utils/ext/ithaca/BLS.sol";
import { BlsMinPk } from "src/libraries/BlsMinPk.sol";
import { Intent } from "src/libraries/Intent.sol";
import { Cert, Threshold } from "src/types/Cert.sol";
import { CommitteeInfo } from "src/types/Epoch.sol";
import { Base } from "./Base.t.sol";
import { TestBls } from "./utils/TestBls.sol";

/// @dev `test/vectors/messages.json` fixes message bytes, hash-to-curve points and the verdict on certificates for every
/// implementation. With WRITE_VECTORS=true the test writes the file, otherwise it compares.
contract MessagesTest is Base {
    string private constant FILE = "test/vectors/messages.json";
    bytes32 private constant BLOB = hex"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    string[8] private ERRORS = [
        "UnknownCommittee(uint32)",
        "UnknownSigners(uint256)",
        "NotEnoughWeight(uint16,uint16)",
        "BadSignature()",
        "BadSignatureLength(uint256)",
        "NotCanonical()",
        "InfinityPoint()",
        "InvalidPoint()"
    ];

    string private entries;
    uint256 private acceptedCount;

    function test_messages_equalTheCommittedFile() public {
        _deploy(_parameters(10));
        for (uint32 i = 1; i <= 5; ++i) {
            _register(i);
            _stake(i, uint256(6 - i) * 1000e9);
        }
        vm.warp(FIRST_START);
        uint16[] memory seats = new uint16[](5);
        (seats[0], seats[1], seats[2], seats[3], seats[4]) = (4, 3, 2, 1, 0);
        epochManager.selectCommittee(seats);
        epochManager.startEpoch();

        string memory file = string.concat(
            "{\n  \"format\": 1,\n  \"dst\": \"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_\",\n  \"chain_id\": ",
            vm.toString(block.chainid),
            ",\n  \"committees\": \"",
            vm.toString(address(committees)),
            "\",\n  \"domain\": \"",
            vm.toString(committees.domain()),
            "\",\n  \"messages\": [\n",
            _messages(),
            "\n  ],\n  \"committee\": ",
            _committee(),
            ",\n  \"certificates\": [\n",
            _certificates(),
            "\n  ]\n}\n"
        );
        if (vm.envOr("WRITE_VECTORS", false)) vm.writeFile(FILE, file);
        assertEq(file, vm.readFile(FILE));
    }

    // ----- Messages

    function _messages() private returns (string memory) {
        bytes32 domain = committees.domain();
        entries = "";
        uint32[3] memory epochs = [uint32(0), 1, 0xfffefdfc];
        for (uint256 i = 0; i < 3; ++i) {
            uint32 epoch = epochs[i];
            string memory head = string.concat("\"epoch\": ", vm.toString(epoch), ", ");
            string memory blob = string.concat(head, "\"blob_id\": \"", vm.toString(BLOB), "\", ");
            bytes memory key = BlsMinPk.compress(TestBls.point(_secret(1)));
            _message(
                "proof_of_possession",
                string.concat(
                    head,
                    "\"operator\": \"",
                    vm.toString(_operator(1)),
                    "\", \"public_key\": \"",
                    vm.toString(key),
                    "\", "
                ),
                Intent.proofOfPossession(epoch, domain, _operator(1), key)
            );
            _message("permanent_confirmation", blob, Intent.permanentConfirmation(epoch, domain, BLOB));
            uint256 tokenId = i == 2 ? type(uint64).max : 258;
            _message(
                "deletable_confirmation",
                string.concat(blob, "\"token_id\": \"", vm.toString(tokenId), "\", "),
                Intent.deletableConfirmation(epoch, domain, BLOB, tokenId)
            );
            _message("invalid_blob_id", blob, Intent.invalidBlobId(epoch, domain, BLOB));
        }
        return entries;
    }

    function _message(string memory kind, string memory fields, bytes memory message) private {
        _entry(
            string.concat(
                "{\"kind\": \"",
                kind,
                "\", ",
                fields,
                "\"message\": \"",
                vm.toString(message),
                "\", \"hash_to_g2\": \"",
                vm.toString(abi.encode(BLS.hashToG2(message))),
                "\"}"
            )
        );
    }

    // ----- Committee and certificates

    function _committee() private view returns (string memory text) {
        CommitteeInfo memory info = committees.committee(1);
        text = "{\"epoch\": 1, \"n_shards\": 10, \"members\": [";
        for (uint256 i = 0; i < info.nodeIds.length; ++i) {
            uint32 id = info.nodeIds[i];
            text = string.concat(
                text,
                i == 0 ? "\n" : ",\n",
                "    {\"seat\": ",
                vm.toString(i),
                ", \"node_id\": ",
                vm.toString(id),
                ", \"weight\": ",
                vm.toString(info.weights[i]),
                ", \"secret_key\": \"",
                vm.toString(bytes32(_secret(id)))
            );
            text = string.concat(
                text,
                "\", \"public_key\": \"",
                vm.toString(BlsMinPk.compress(TestBls.point(_secret(id)))),
                "\", \"public_key_uncompressed\": \"",
                vm.toString(TestBls.key(_secret(id))),
                "\"}"
            );
        }
        text = string.concat(text, "\n  ], \"aggregate_key_uncompressed\": \"", vm.toString(info.aggregateKey), "\"}");
    }

    function _certificates() private returns (string memory) {
        entries = "";
        bytes32 domain = committees.domain();
        bytes memory message = Intent.permanentConfirmation(1, domain, BLOB);
        // Weights 4, 3, 2, 1; quorum 7, one honest 4.
        for (uint256 signers = 1; signers < 16; ++signers) {
            Cert memory c = _certificate(message, signers);
            _verdict("signers", message, c, Threshold.Quorum);
            _verdict("signers", message, c, Threshold.OneHonest);
        }
        Cert memory full = _certificate(message, 15);
        _verdict("extra bit", message, Cert(full.signature, 31), Threshold.Quorum);
        _verdict("extra top bit", message, Cert(full.signature, 1 << 255 | 15), Threshold.Quorum);
        _verdict("bitmap leaves out a signer", message, Cert(full.signature, 7), Threshold.Quorum);
        _verdict(
            "bitmap claims another signer", message, Cert(_certificate(message, 7).signature, 15), Threshold.Quorum
        );
        Cert memory other = _certificate(Intent.permanentConfirmation(2, domain, BLOB), 15);
        _verdict("signed for another epoch", message, other, Threshold.Quorum);
        bytes32 abroad = Intent.domain(block.chainid + 1, address(committees));
        other = _certificate(Intent.permanentConfirmation(1, abroad, BLOB), 15);
        _verdict("signed for another chain", message, other, Threshold.Quorum);
        other = _certificate(Intent.permanentConfirmation(1, domain, keccak256("x")), 15);
        _verdict("signed for another blob", message, other, Threshold.Quorum);
        other = _certificate(Intent.deletableConfirmation(1, domain, BLOB, 1), 15);
        _verdict("signed as deletable", message, other, Threshold.Quorum);
        _verdict("infinity signature", message, Cert(new bytes(256), 15), Threshold.Quorum);
        _verdict("empty signature", message, Cert("", 15), Threshold.Quorum);
        bytes memory long = bytes.concat(full.signature, hex"00");
        _verdict("one byte too long", message, Cert(long, 15), Threshold.Quorum);
        _verdict("coordinate not below p", message, Cert(_plusModulus(full.signature), 15), Threshold.Quorum);
        bytes memory bent = bytes.concat(full.signature);
        bent[255] ^= 0x01;
        _verdict("point off the curve", message, Cert(bent, 15), Threshold.Quorum);
        assertGt(acceptedCount, 10, "most sets of signers reach one threshold");
        return entries;
    }

    function _verdict(string memory name, bytes memory message, Cert memory c, Threshold t) private {
        string memory verdict;
        try committees.verify(1, message, c, t) returns (uint16 weight) {
            verdict = string.concat("\"accepted\": true, \"weight\": ", vm.toString(weight));
            ++acceptedCount;
        } catch (bytes memory reason) {
            verdict = string.concat("\"accepted\": false, \"error\": \"", _errorName(bytes4(reason)), "\"");
        }
        _entry(
            string.concat(
                "{\"name\": \"",
                name,
                "\", \"threshold\": \"",
                t == Threshold.Quorum ? "quorum" : "one_honest",
                "\", \"signers\": \"",
                vm.toString(bytes32(c.signers)),
                "\", \"message\": \"",
                vm.toString(message),
                "\", \"signature\": \"",
                string.concat(vm.toString(c.signature), "\", ", verdict, "}")
            )
        );
    }

    function _errorName(bytes4 selector) private view returns (string memory) {
        for (uint256 i = 0; i < ERRORS.length; ++i) {
            if (bytes4(keccak256(bytes(ERRORS[i]))) == selector) return ERRORS[i];
        }
        revert("no such error");
    }

    function _entry(string memory text) private {
        entries = string.concat(entries, bytes(entries).length == 0 ? "    " : ",\n    ", text);
    }

    /// @dev The same point with `x.c0 + p` for `x.c0`.
    function _plusModulus(bytes memory signature) private pure returns (bytes memory) {
        BLS.G2Point memory p = abi.decode(signature, (BLS.G2Point));
        unchecked {
            uint256 low = uint256(p.x_c0_b) + 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
            uint256 carry = low < uint256(p.x_c0_b) ? 1 : 0;
            p.x_c0_b = bytes32(low);
            p.x_c0_a = bytes32(uint256(p.x_c0_a) + 0x1a0111ea397fe69a4b1ba7b6434bacd7 + carry);
        }
        return abi.encode(p);
    }
}
