// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { WalrusLens } from "src/WalrusLens.sol";
import { IWalrusLens } from "src/interfaces/IWalrusLens.sol";
import { BlobRecord } from "src/types/Blob.sol";
import { NodeInfo } from "src/types/Node.sol";
import { Parameters, Wiring } from "src/types/Wiring.sol";
import { Base } from "./Base.t.sol";

contract WalrusLensTest is Base {
    function setUp() public {
        _launch(10, 10);
        _fund(ALICE);
    }

    function test_blobs_pagesThroughAllRecords() public {
        for (uint256 i = 0; i < 5; ++i) {
            _registerBlob(ALICE, keccak256(abi.encode(i)), i % 2 == 0, 5);
        }
        vm.prank(ALICE);
        system.burn(2);
        BlobRecord[] memory page = lens.blobs(1, 3);
        assertEq(page.length, 3);
        assertEq(abi.encode(page[1]), abi.encode(blobs.record(2)), "a burned token keeps its record");
        page = lens.blobs(4, 100);
        assertEq(page.length, 2);
        assertEq(abi.encode(page[1]), abi.encode(blobs.record(5)));
        assertEq(lens.blobs(6, 1).length, 0);
        assertEq(lens.blobs(0, 1).length, 0);
        assertEq(lens.blobs(1, type(uint256).max).length, 5);
    }

    function test_nodes_pagesThroughAllNodes() public view {
        NodeInfo[] memory page = lens.nodes(9, 10);
        assertEq(page.length, 2);
        assertEq(abi.encode(page[1]), abi.encode(staking.node(10)));
    }

    function test_overview_agreesWithTheContracts() public {
        _certifiedBlob(ALICE, keccak256("a"), false, 5);
        IWalrusLens.Overview memory o = lens.overview();
        assertEq(o.wiring.system, address(system));
        assertEq(o.parameters.nShards, 10);
        assertEq(o.clock.epoch, 1);
        assertEq(o.storagePrice, STORAGE_PRICE);
        assertEq(o.writePrice, WRITE_PRICE);
        assertEq(o.usedCapacity, system.usedCapacity(1));
        assertEq(o.totalCapacity, 1e13);
        assertEq(o.domain, committees.domain());
        assertEq(o.blobCount, 1);
        assertEq(o.certifiedCount, 1);
        assertEq(o.nodeCount, 10);
        assertEq(abi.encode(lens.committee(1)), abi.encode(committees.committee(1)));
    }

    function test_checkWiring_noticesDisagreement() public {
        Wiring memory w = lens.wiring();
        Parameters memory p = lens.parameters();
        p.nShards = 11;
        WalrusLens other = new WalrusLens(w, p);
        vm.expectRevert(abi.encodeWithSelector(IWalrusLens.WiringBroken.selector, address(system)));
        other.checkWiring();
        p.nShards = 10;
        w.staking = ALICE;
        other = new WalrusLens(w, p);
        vm.expectRevert(abi.encodeWithSelector(IWalrusLens.WiringBroken.selector, address(system)));
        other.checkWiring();
    }
}
