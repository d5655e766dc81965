// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";
import { IVotes } from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import { Test } from "forge-std/Test.sol";
import { BlobNFT } from "src/BlobNFT.sol";
import { BlobReferences } from "src/BlobReferences.sol";
import { Challenges } from "src/Challenges.sol";
import { Committees } from "src/Committees.sol";
import { EpochManager } from "src/EpochManager.sol";
import { ParamRegistry } from "src/ParamRegistry.sol";
import { PrevrandaoRandomness } from "src/PrevrandaoRandomness.sol";
import { Staking } from "src/Staking.sol";
import { StakingNodes } from "src/StakingNodes.sol";
import { StakingPools } from "src/StakingPools.sol";
import { StorageCapacity } from "src/StorageCapacity.sol";
import { UpgradeGate } from "src/UpgradeGate.sol";
import { WAL } from "src/WAL.sol";
import { WalrusGovernor } from "src/WalrusGovernor.sol";
import { WalrusLens } from "src/WalrusLens.sol";
import { WalrusSystem } from "src/WalrusSystem.sol";
import { BlsMinPk } from "src/libraries/BlsMinPk.sol";
import { Intent } from "src/libraries/Intent.sol";
import { RegisterArgs } from "src/types/Blob.sol";
import { Cert } from "src/types/Cert.sol";
import { VotingTimes } from "src/types/Governance.sol";
import { NodeParams } from "src/types/Node.sol";
import { ParamKeys, ParamValue } from "src/types/Param.sol";
import { Parameters, Wiring } from "src/types/Wiring.sol";
import { TestBls } from "./utils/TestBls.sol";

/// @dev Deployment and genesis exactly as README.md describes them, and what tests need around them.
abstract contract Base is Test {
    uint64 internal constant STORAGE_PRICE = 100_000;
    uint64 internal constant WRITE_PRICE = 20_000;
    uint64 internal constant NODE_CAPACITY = 1e12;
    uint32 internal constant D = 1 days;
    uint64 internal constant FIRST_START = 1_800_000_000;

    WAL internal wal;
    StorageCapacity internal capacity;
    BlobNFT internal blobs;
    WalrusSystem internal system;
    Staking internal staking;
    Committees internal committees;
    EpochManager internal epochManager;
    WalrusLens internal lens;
    BlobReferences internal references;
    Challenges internal challenges;
    PrevrandaoRandomness internal randomness;
    ParamRegistry internal params;
    UpgradeGate internal gate;
    WalrusGovernor internal governor;
    TimelockController internal timelock;

    address internal immutable GUARDIAN = makeAddr("guardian");
    address internal immutable ALICE = makeAddr("alice");
    address internal immutable BOB = makeAddr("bob");
    address internal immutable CAROL = makeAddr("carol");

    function _parameters(uint16 nShards) internal pure returns (Parameters memory) {
        return Parameters({
            nShards: nShards,
            maxEpochsAhead: 53,
            epochDuration: D,
            firstStart: FIRST_START,
            minNodes: 4,
            maxCommittee: 150
        });
    }

    /// @dev Order of the creation transactions.
    enum Place {
        Wal,
        Capacity,
        Blobs,
        References,
        Gate,
        Governor,
        Timelock,
        Randomness,
        SystemCode,
        StakingNodesCode,
        StakingPoolsCode,
        StakingCode,
        CommitteesCode,
        EpochManagerCode,
        ChallengesCode,
        ParamsCode,
        System,
        Staking,
        Committees,
        EpochManager,
        Challenges,
        Params,
        Lens
    }

    function _deploy(Parameters memory p) internal {
        _deploy(p, _paramValues());
    }

    /// @dev What differs from the defaults of `ParamRegistry`.
    function _paramValues() internal pure virtual returns (ParamValue[] memory values) {
        values = new ParamValue[](2);
        values[0] = ParamValue(ParamKeys.VOTE_INTERVAL, 0);
        values[1] = ParamValue(ParamKeys.SEED_DELAY, 4);
    }

    function _deploy(Parameters memory p, ParamValue[] memory values) internal {
        vm.warp(FIRST_START - 1 days);
        uint256 k = vm.getNonce(address(this));
        Wiring memory w = _wiring(k);
        wal = new WAL(address(this));
        capacity = new StorageCapacity(w.system);
        blobs = new BlobNFT(w.system);
        references = new BlobReferences(w.system, w.blobs);
        gate = new UpgradeGate(w, p, GUARDIAN, FIRST_START + 730 days);
        governor = new WalrusGovernor(
            IVotes(w.wal), IVotes(w.staking), TimelockController(payable(w.timelock)), VotingTimes(1 days, 5 days)
        );
        timelock = TimelockController(payable(_timelock(w.governor)));
        bytes memory init = abi.encodeWithSignature("initialize()");
        randomness = new PrevrandaoRandomness();
        address systemCode = address(new WalrusSystem(w, p));
        address stakingCode = _stakingCode(w, p);
        address committeesCode = address(new Committees(w, p));
        address epochManagerCode = address(new EpochManager(w, p));
        address challengesCode = address(new Challenges(w, p));
        address paramsCode = address(new ParamRegistry(w, p));
        system = WalrusSystem(_proxy(systemCode, init));
        staking = Staking(_proxy(stakingCode, init));
        committees = Committees(_proxy(committeesCode, init));
        epochManager = EpochManager(_proxy(epochManagerCode, init));
        challenges = Challenges(_proxy(challengesCode, init));
        params = ParamRegistry(_proxy(paramsCode, abi.encodeCall(ParamRegistry.initialize, (values))));
        lens = new WalrusLens(w, p);
        lens.checkWiring();
    }

    /// @dev As deployed. `new` would make its code part of the test, and its gas that of the test's settings.
    function _proxy(address code, bytes memory init) private returns (address) {
        return vm.deployCode("./artifacts/ERC1967Proxy.json", abi.encode(code, init));
    }

    /// @dev Likewise.
    function _timelock(address governor_) private returns (address) {
        bytes memory args = abi.encode(2 days, _list(governor_), _list(address(0)), address(0));
        return vm.deployCode("./artifacts/TimelockController.json", args);
    }

    /// @dev The three contracts that make up the code of `Staking`.
    function _stakingCode(Wiring memory w, Parameters memory p) private returns (address) {
        address nodes = address(new StakingNodes(w, p));
        address pools = address(new StakingPools(w, p));
        return address(new Staking(w, p, nodes, pools));
    }

    /// @dev Where everything will live when the first creation transaction has nonce `k`.
    function _wiring(uint256 k) private view returns (Wiring memory) {
        return Wiring({
            wal: _at(k, Place.Wal),
            system: _at(k, Place.System),
            capacity: _at(k, Place.Capacity),
            blobs: _at(k, Place.Blobs),
            references: _at(k, Place.References),
            staking: _at(k, Place.Staking),
            committees: _at(k, Place.Committees),
            epochManager: _at(k, Place.EpochManager),
            challenges: _at(k, Place.Challenges),
            randomness: _at(k, Place.Randomness),
            params: _at(k, Place.Params),
            upgradeGate: _at(k, Place.Gate),
            governor: _at(k, Place.Governor),
            timelock: _at(k, Place.Timelock)
        });
    }

    function _at(uint256 k, Place place) private view returns (address) {
        return vm.computeCreateAddress(address(this), k + uint256(place));
    }

    function _list(address account) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }

    /// @dev A running network in epoch 1, state `Done`, with prices.
    function _launch(uint16 nShards, uint256 nodes) internal {
        _deploy(_parameters(nShards));
        for (uint32 i = 1; i <= nodes; ++i) {
            _register(i);
            _stake(i, 1000e9);
        }
        vm.warp(FIRST_START);
        epochManager.selectCommittee(_equalSeats(nShards, nodes));
        epochManager.startEpoch();
        _syncAll();
        system.updatePrices();
    }

    /// @dev Next epoch with the same seats; state `Done` again.
    function _nextEpoch(uint16[] memory seats) internal {
        _settleAll();
        _warpTo(epochManager.clock().selectableAt);
        epochManager.selectCommittee(seats);
        _warpTo(epochManager.clock().startableAt);
        epochManager.startEpoch();
        _syncAll();
    }

    /// @dev Time never runs backwards.
    function _warpTo(uint256 time) internal {
        if (block.timestamp < time) vm.warp(time);
    }

    /// @dev Settles every node there is.
    function _settleAll() internal {
        uint32[] memory ids = new uint32[](staking.nodeCount());
        for (uint32 i = 0; i < ids.length; ++i) {
            ids[i] = i + 1;
        }
        staking.settle(ids);
    }

    function _syncAll() internal {
        uint32 epoch = epochManager.epoch();
        (uint32[] memory ids,) = committees.members(epoch);
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] == 0) continue;
            vm.prank(staking.operatorOf(ids[i]));
            epochManager.syncDone(ids[i], epoch);
        }
    }

    function _equalSeats(uint256 n, uint256 nodes) internal pure returns (uint16[] memory seats) {
        seats = new uint16[](nodes);
        for (uint256 i = 0; i < nodes; ++i) {
            seats[i] = uint16(n / nodes + (i < n % nodes ? 1 : 0));
        }
    }

    // ----- Nodes

    /// @dev Secret key of the node with this number. 101 and 102 are each other's negative.
    function _secret(uint32 i) internal pure returns (uint256) {
        if (i == 102) return TestBls.R - _secret(101);
        return uint256(keccak256(abi.encode("walrus test node", i))) % TestBls.R;
    }

    function _operator(uint32 i) internal pure returns (address) {
        return vm.addr(uint256(keccak256(abi.encode("operator", i))));
    }

    function _nodeParams(uint32 i) internal view returns (NodeParams memory p) {
        p.blsKey = TestBls.key(_secret(i));
        p.pop = _pop(_operator(i), _secret(i));
        p.networkKey = abi.encodePacked(uint8(2 + i % 2), keccak256(abi.encode("tls", i)));
        p.name = string.concat("node ", vm.toString(i));
        p.networkAddress = string.concat("127.0.0.1:", vm.toString(9000 + i));
        p.commissionBp = 6000;
        p.storagePrice = STORAGE_PRICE;
        p.writePrice = WRITE_PRICE;
        p.capacity = NODE_CAPACITY;
    }

    function _pop(address operator, uint256 secret) internal view returns (bytes memory) {
        bytes memory compressed = BlsMinPk.compress(TestBls.point(secret));
        return TestBls.sign(
            secret, Intent.proofOfPossession(epochManager.epoch(), committees.domain(), operator, compressed)
        );
    }

    function _register(uint32 i) internal returns (uint32 nodeId) {
        NodeParams memory p = _nodeParams(i);
        vm.prank(_operator(i));
        return staking.registerNode(p);
    }

    function _stake(uint32 nodeId, uint256 amount) internal returns (uint256) {
        wal.approve(address(staking), amount);
        return staking.stake(nodeId, amount, address(this));
    }

    // ----- Certificates

    /// @dev The certificate of the given seats, for nodes whose numbers are their ids.
    function _certificate(bytes memory message, uint256 signers) internal view returns (Cert memory) {
        (uint32[] memory ids,) = committees.members(epochManager.epoch());
        uint256 sum = 0;
        for (uint256 seat = 0; seat < ids.length; ++seat) {
            if (signers >> seat & 1 == 1) sum = addmod(sum, _secret(ids[seat]), TestBls.R);
        }
        return Cert(TestBls.sign(sum, message), signers);
    }

    function _confirmation(uint256 tokenId) internal view returns (bytes memory) {
        uint32 epoch = epochManager.epoch();
        bytes32 blobId = blobs.record(tokenId).blobId;
        if (blobs.record(tokenId).flags & 1 != 0) {
            return Intent.deletableConfirmation(epoch, committees.domain(), blobId, tokenId);
        }
        return Intent.permanentConfirmation(epoch, committees.domain(), blobId);
    }

    // ----- Blobs

    function _fund(address who) internal {
        wal.transfer(who, 1_000_000e9);
        vm.prank(who);
        wal.approve(address(system), type(uint256).max);
    }

    function _args(bytes32 root, uint64 size, bool deletable, address to) internal pure returns (RegisterArgs memory) {
        return RegisterArgs({
            rootHash: root,
            size: size,
            encodingType: 1,
            deletable: deletable,
            capacityId: 0,
            to: to,
            maxWriteFee: type(uint256).max
        });
    }

    function _registerBlob(address who, bytes32 root, bool deletable, uint32 epochs)
        internal
        returns (uint256 tokenId)
    {
        vm.prank(who);
        (tokenId,) = system.buyAndRegister(_args(root, 1 << 20, deletable, who), epochs, type(uint256).max);
    }

    function _certifiedBlob(address who, bytes32 root, bool deletable, uint32 epochs)
        internal
        returns (uint256 tokenId)
    {
        tokenId = _registerBlob(who, root, deletable, epochs);
        system.certify(tokenId, _certificate(_confirmation(tokenId), _allSeats()));
    }

    function _allSeats() internal view returns (uint256) {
        (uint32[] memory ids,) = committees.members(epochManager.epoch());
        return (1 << ids.length) - 1;
    }
}
