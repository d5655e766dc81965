// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Intent } from "src/libraries/Intent.sol";
import { RegisterArgs } from "src/types/Blob.sol";
import { ParamKeys } from "src/types/Param.sol";
import { Target } from "src/types/Reference.sol";
import { Upgrade } from "src/types/Upgrade.sol";
import { GasMeter } from "./utils/GasMeter.sol";
import { GovernanceBase } from "./utils/GovernanceBase.sol";

/// @dev What users, references and governance pay on a network of 100 nodes and 1000 shards, against the figures of the
/// design. Somebody has bought before, as on any live network.
contract GasMarketTest is GasMeter, GovernanceBase {
    uint64 private constant MIB = 1 << 20;
    uint256 private constant NO_LIMIT = type(uint256).max;

    function setUp() public {
        _launch(1000, 100);
        _fund(ALICE);
        _fund(BOB);
        _registerBlob(BOB, keccak256("before"), false, 53);
    }

    function test_buy() public {
        _user("buy, 1 epoch", 130_000, abi.encodeCall(system.buy, (MIB, 1, 2, NO_LIMIT, ALICE)));
        _user("buy, 53 epochs", 215_000, abi.encodeCall(system.buy, (MIB, 1, 54, NO_LIMIT, ALICE)));
    }

    function test_splitAndFuse() public {
        vm.prank(ALICE);
        (uint256 id,) = system.buy(2 * MIB, 1, 54, NO_LIMIT, ALICE);
        _capacity("split by epoch", 90_000, abi.encodeCall(capacity.splitByEpoch, (id, 9, MIB)));
        (uint256 left, uint256 right) = (capacity.classOf(1, 9), capacity.classOf(9, 54));
        _capacity("fuse by epoch", 90_000, abi.encodeCall(capacity.fuseByEpoch, (left, right, MIB / 2)));
    }

    function test_register() public {
        vm.prank(ALICE);
        (uint256 id,) = system.buy(500 * MIB, 1, 54, NO_LIMIT, ALICE);
        RegisterArgs memory a = _args(keccak256("blob"), MIB, false, ALICE);
        a.capacityId = id;
        _user("register", 190_000, abi.encodeCall(system.register, (a)));
        _user("buy and register, 53 epochs", 300_000, abi.encodeCall(system.buyAndRegister, (a, 53, NO_LIMIT)));
    }

    function test_extend() public {
        uint256 token = _certifiedBlob(ALICE, keccak256("blob"), false, 1);
        _user("extend, 1 epoch", 120_000, abi.encodeCall(system.extend, (token, 1, NO_LIMIT)));
        _user("extend, 51 epochs", 190_000, abi.encodeCall(system.extend, (token, 51, NO_LIMIT)));
    }

    function test_delete() public {
        uint256 token = _certifiedBlob(ALICE, keccak256("blob"), true, 9);
        _user("delete", 90_000, abi.encodeCall(system.deleteBlob, (token, ALICE)));
    }

    function test_invalidate() public {
        uint256 token = _certifiedBlob(ALICE, keccak256("blob"), true, 9);
        bytes32 blobId = blobs.record(token).blobId;
        bytes memory message = Intent.invalidBlobId(1, committees.domain(), blobId);
        bytes memory data = abi.encodeCall(system.invalidateBlobId, (blobId, _certificate(message, (1 << 34) - 1)));
        // A third of the members signs, so two thirds are subtracted.
        _user("invalidate, 34 of 100 sign", 325_000, data);
    }

    function test_references() public {
        bytes memory data = abi.encodeCall(references.mint, (ALICE, Target(keccak256("a"), 0, 0)));
        _measure("market", "reference mint", 150_000, address(references), ALICE, data);
        data = abi.encodeCall(references.update, (1, Target(keccak256("b"), 0, 0), 1));
        _measure("market", "reference update", 45_000, address(references), ALICE, data);
    }

    function test_governance() public {
        _voter(BOB, 3e17);
        bytes memory call = abi.encodeCall(params.set, (ParamKeys.CHALLENGE_MODE, 1, 90));
        address[] memory targets = _list(address(params));
        uint256[] memory values = new uint256[](1);
        bytes[] memory calls = new bytes[](1);
        calls[0] = call;
        bytes memory data = abi.encodeCall(governor.propose, (targets, values, calls, "turn challenges on"));
        _measure("market", "governor propose", 150_000, address(governor), BOB, data);
        uint256 id = governor.getProposalId(targets, values, calls, keccak256("turn challenges on"));
        vm.warp(governor.proposalSnapshot(id) + 1);
        data = abi.encodeCall(governor.castVote, (id, 1));
        _measure("market", "governor vote", 110_000, address(governor), BOB, data);
        vm.warp(governor.proposalDeadline(id) + 1);
        data = abi.encodeCall(governor.queue, (targets, values, calls, keccak256("turn challenges on")));
        _measure("market", "governor queue", 150_000, address(governor), CAROL, data);
        vm.warp(governor.proposalEta(id));
        data = abi.encodeCall(governor.execute, (targets, values, calls, keccak256("turn challenges on")));
        _measure("market", "governor execute", 150_000, address(governor), CAROL, data);
        Upgrade memory u = Upgrade(address(system), address(wal), "", 0);
        data = abi.encodeCall(gate.approve, (1, gate.upgradeId(u)));
        _measure("market", "node approves an upgrade", 150_000, address(gate), _operator(1), data);
    }

    function _user(string memory name, uint256 limit, bytes memory data) private {
        _measure("market", name, limit, address(system), ALICE, data);
    }

    function _capacity(string memory name, uint256 limit, bytes memory data) private {
        _measure("market", name, limit, address(capacity), ALICE, data);
    }
}
