// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { stdJson } from "forge-std/StdJson.sol";
import { ParamBounds } from "src/libraries/ParamBounds.sol";
import { ParamKeys, ParamValue } from "src/types/Param.sol";
import { Parameters } from "src/types/Wiring.sol";
import { Base } from "./Base.t.sol";

/// @dev The profiles under `deployments/` are deployed as they are, and hold what the design asks of any network.
contract DeploymentsTest is Base {
    using stdJson for string;

    function test_profile_test() public {
        _check("test");
        assertLe(epochManager.parameters().epochDuration, 10 minutes, "epochs of minutes");
    }

    function test_profile_production() public {
        _check("production");
        Parameters memory p = epochManager.parameters();
        assertEq(p.nShards, 1000);
        assertEq(p.epochDuration, 14 days);
        assertEq(params.get(ParamKeys.CHALLENGE_MODE), 0, "off until governance turns challenges on");
        // From 20 nodes on no node may hold more than a tenth.
        assertGe(p.minNodes, 20);
    }

    function _check(string memory name) private {
        string memory json = vm.readFile(string.concat("deployments/profile-", name, ".json"));
        assertEq(json.readString(".profile"), name);
        ParamValue[] memory values = _values(json);
        _deploy(_parametersOf(json), values);
        for (uint256 i = 0; i < values.length; ++i) {
            assertEq(params.get(values[i].key), values[i].value);
        }

        uint256 d = epochManager.parameters().epochDuration;
        uint256 window = params.get(ParamKeys.ANSWER_WINDOW);
        if (window > d / 20) window = d / 20;
        uint256 delay = params.get(ParamKeys.SEED_DELAY) * params.get(ParamKeys.MIN_BLOCK_MS) / 1000;
        assertLt(delay + window, d / 10, "a challenge fits into its tenth of the epoch");
        assertLt(params.get(ParamKeys.SEED_DELAY), params.get(ParamKeys.HISTORY_WINDOW));

        uint256 vote = json.readUint(".governance.votingDelay") + json.readUint(".governance.votingPeriod")
            + json.readUint(".governance.timelockDelay");
        assertLt(vote, gate.APPROVAL_TIME(), "the approval of the nodes outlasts the vote of the token holders");
        assertLe(json.readUint(".governance.guardianTerm"), 2 * 365 days, "the guardian's office ends");
    }

    function _parametersOf(string memory json) private view returns (Parameters memory) {
        return Parameters({
            nShards: uint16(json.readUint(".parameters.nShards")),
            maxEpochsAhead: uint32(json.readUint(".parameters.maxEpochsAhead")),
            epochDuration: uint32(json.readUint(".parameters.epochDuration")),
            firstStart: uint64(block.timestamp + json.readUint(".parameters.firstStartDelay")),
            minNodes: uint16(json.readUint(".parameters.minNodes")),
            maxCommittee: uint16(json.readUint(".parameters.maxCommittee"))
        });
    }

    function _values(string memory json) private view returns (ParamValue[] memory values) {
        uint256 count = 0;
        while (vm.keyExistsJson(json, string.concat(".params[", vm.toString(count), "]"))) {
            ++count;
        }
        values = new ParamValue[](count);
        for (uint256 i = 0; i < count; ++i) {
            string memory entry = string.concat(".params[", vm.toString(i), "]");
            bytes memory key = bytes(json.readString(string.concat(entry, ".key")));
            values[i] = ParamValue(bytes32(key), json.readUint(string.concat(entry, ".value")));
            (, uint256 highest, uint256 initial) = ParamBounds.bounds(values[i].key);
            assertGt(highest, 0, "a known key");
            assertTrue(values[i].value != initial, "only what differs from the default is named");
        }
    }
}
