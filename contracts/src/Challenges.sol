// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { SSTORE2 } from "solady/utils/SSTORE2.sol";
import { Wired } from "./Wired.sol";
import { WiredUpgradeable } from "./WiredUpgradeable.sol";
import { IBlobNFT } from "./interfaces/IBlobNFT.sol";
import { IChallenges } from "./interfaces/IChallenges.sol";
import { ICommittees } from "./interfaces/ICommittees.sol";
import { IEpochListener } from "./interfaces/IEpochListener.sol";
import { IEpochManager } from "./interfaces/IEpochManager.sol";
import { IParamRegistry } from "./interfaces/IParamRegistry.sol";
import { IRandomness } from "./interfaces/IRandomness.sol";
import { IStaking } from "./interfaces/IStaking.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";
import { CommitteeTables } from "./libraries/CommitteeTables.sol";
import { Intent } from "./libraries/Intent.sol";
import { RedStuffMath } from "./libraries/RedStuffMath.sol";
import { Seed } from "./libraries/Seed.sol";
import { SymbolProofs } from "./libraries/SymbolProofs.sol";
import { BlobFlags, BlobRecord } from "./types/Blob.sol";
import { Cert, Threshold } from "./types/Cert.sol";
import { ChallengeInfo, ChallengeMode, SymbolProof } from "./types/Challenge.sol";
import { ChallengeResult } from "./types/Epoch.sol";
import { ParamKeys } from "./types/Param.sol";
import { Parameters, Wiring } from "./types/Wiring.sol";

/// @title Storage challenges
contract Challenges is IChallenges, WiredUpgradeable {
    /// @dev Most rescue samples, so that their bits fit the word of a node.
    uint256 private constant MAX_RESCUE = 128;
    /// @dev Bits of a node's word: the spot checks, then the rescue samples, and on top the epoch they belong to.
    uint256 private constant SPOT_BITS = 3;
    uint256 private constant SPOT_COUNT = 2;
    uint256 private constant EPOCH_SHIFT = 224;

    /// @dev One epoch's challenge. The fields up to `closeTime` share a slot, and so do the two sums of units.
    struct Round {
        uint32 logStart;
        uint32 logLength;
        uint16 sampleCount;
        uint16 rescueCount;
        uint16 ackedWeight;
        uint16 passedWeight;
        ChallengeMode mode;
        bool seals;
        bool opened;
        uint64 seedBlock;
        uint40 closeTime;
        bytes32 seed;
        uint64 baseUnits;
        uint64 totalUnits;
        uint256 acked;
        uint256 certified;
        uint256 passed;
        uint256 rescued;
    }

    /// @custom:storage-location erc7201:walrus.Challenges
    /// @dev Two slots, then the mappings. What a node's call needs of committee and clock is noted at the selection: it
    /// does not change until the epoch ends.
    /// @param epoch Epoch whose selection is in and which has not ended; 0 in between
    /// @param doneAt `t0` of that epoch
    /// @param roster Data contract of its committee
    /// @param shardMap Data contract of its committee
    /// @param logStart First log entry of the next challenge
    struct Layout {
        uint32 epoch;
        uint40 doneAt;
        address roster;
        address shardMap;
        uint32 logStart;
        mapping(uint32 epoch => Round) rounds;
        mapping(uint32 nodeId => uint256 word) proofs;
    }

    /// @dev What a sample is drawn from.
    struct Draw {
        bytes32 seed;
        uint32 epoch;
        uint64 seedBlock;
        uint64 baseUnits;
        uint64 totalUnits;
    }

    /// @dev Whose answer is checked.
    struct Prover {
        uint32 nodeId;
        uint8 seat;
        uint16 weight;
        uint16 sampleCount;
        bytes shardMap;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("walrus.Challenges")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT_SLOT = 0x8edb4fcd2bb5732d72f0cde8a9d00ac005499f764fa54696b1317783fcd39600;

    constructor(Wiring memory w, Parameters memory p) Wired(w, p) { }

    /// @notice Prepares the proxy; called by the transaction that creates it.
    function initialize() external initializer { }

    // ----- Phases

    /// @inheritdoc IChallenges
    function openChallenge() external {
        Layout storage l = _layout();
        uint32 epoch = l.epoch;
        if (epoch == 0) revert SelectionMissing(IEpochManager(EPOCH_MANAGER).epoch());
        Round storage r = l.rounds[epoch];
        if (r.mode == ChallengeMode.Off) revert ChallengesAreOff(epoch);
        if (r.logLength == r.logStart) revert NothingToSample(epoch);
        if (r.opened) revert AlreadyOpen(epoch);
        uint64 earliest = l.doneAt + uint64(EPOCH_DURATION) * 3 / 4;
        if (block.timestamp < earliest) revert TooEarly(uint64(block.timestamp), earliest);
        r.opened = true;
        emit ChallengeOpened(epoch, r.logStart, r.logLength, r.sampleCount);
    }

    /// @inheritdoc IChallenges
    function ackChallenge(uint32 nodeId) external {
        Layout storage l = _layout();
        uint32 epoch = l.epoch;
        Round storage r = l.rounds[epoch];
        if (!r.opened) revert NotOpen(epoch);
        _requireBefore(l.doneAt + uint64(EPOCH_DURATION) * 9 / 10);
        uint64 seedBlock = r.seedBlock;
        if (seedBlock != 0 && block.number >= seedBlock) revert SeedBlockReached(seedBlock);
        if (IStaking(STAKING).operatorOf(nodeId) != msg.sender) revert NotOperator(nodeId, msg.sender);
        (uint8 seat, uint16 weight) = _member(l, nodeId);
        uint256 acked = r.acked;
        if (acked & (1 << seat) != 0) revert AlreadyAcked(nodeId);
        r.acked = acked | 1 << seat;
        weight += r.ackedWeight;
        r.ackedWeight = weight;
        emit ChallengeAcked(epoch, nodeId);
        if (seedBlock == 0 && RedStuffMath.isQuorum(weight, N_SHARDS)) _arm(r, epoch);
    }

    /// @inheritdoc IChallenges
    function revealSeed(bytes calldata headerRlp) external {
        Layout storage l = _layout();
        uint32 epoch = l.epoch;
        Round storage r = l.rounds[epoch];
        if (r.seedBlock == 0) revert NotArmed(epoch);
        if (r.closeTime != 0) revert SeedKnown(epoch);
        (bytes32 value, uint64 timestamp) = IRandomness(RANDOMNESS).reveal(r.seedBlock, headerRlp);
        uint256 window = _param(ParamKeys.ANSWER_WINDOW, epoch);
        if (window > EPOCH_DURATION / 20) window = EPOCH_DURATION / 20;
        bytes32 seed = Seed.derive(value, epoch, block.chainid, address(this));
        uint40 closeTime = SafeCast.toUint40(timestamp + window);
        r.seed = seed;
        r.closeTime = closeTime;
        emit ChallengeSeed(epoch, seed, closeTime);
    }

    /// @inheritdoc IChallenges
    function submitPass(uint32 nodeId, Cert calldata c) external {
        Layout storage l = _layout();
        (uint32 epoch, Round storage r) = _seeded(l);
        (uint8 seat, uint16 weight) = _member(l, nodeId);
        uint256 certified = r.certified;
        if (certified & (1 << seat) != 0) revert AlreadyCertified(nodeId);
        bytes memory message = Intent.challengePassed(epoch, Intent.domain(block.chainid, COMMITTEES), r.seed, nodeId);
        ICommittees(COMMITTEES).verify(epoch, message, c, Threshold.Quorum);
        r.certified = certified | 1 << seat;
        emit ChallengeCertified(epoch, nodeId);
        if (_proved(l, epoch, nodeId) & SPOT_BITS == SPOT_BITS) _pass(r, epoch, nodeId, seat, weight);
    }

    /// @inheritdoc IChallenges
    function proveOnChain(uint32 nodeId, SymbolProof[] calldata proofs) external {
        Layout storage l = _layout();
        (uint32 epoch, Round storage r) = _seeded(l);
        _requireBefore(r.closeTime);
        Prover memory prover = Prover(nodeId, 0, 0, r.sampleCount, SSTORE2.read(l.shardMap));
        (prover.seat, prover.weight) = _member(l, nodeId);
        uint256 rescueCount = r.rescueCount;
        uint256 before = _proved(l, epoch, nodeId);
        uint256 done = _check(_draw(r, epoch), prover, rescueCount, before, proofs);
        if (done == before) return;

        l.proofs[nodeId] = uint256(epoch) << EPOCH_SHIFT | done;
        emit ChallengeProved(epoch, nodeId, done);
        uint256 bit = 1 << prover.seat;
        uint256 rescue = ((1 << rescueCount) - 1) << SPOT_COUNT;
        if (done & rescue == rescue && before & rescue != rescue) {
            r.rescued |= bit;
            emit ChallengeRescued(epoch, nodeId);
        }
        bool newSpots = done & SPOT_BITS == SPOT_BITS && before & SPOT_BITS != SPOT_BITS;
        if (newSpots && r.certified & bit != 0) _pass(r, epoch, nodeId, prover.seat, prover.weight);
    }

    // ----- Epoch machine

    /// @inheritdoc IEpochListener
    function onCommitteeSelected(uint32 epoch) external {
        _requireCaller(EPOCH_MANAGER);
        // Epoch 0 has no committee that could be challenged.
        if (epoch == 0) return;
        Layout storage l = _layout();
        l.epoch = epoch;
        l.doneAt = SafeCast.toUint40(IEpochManager(EPOCH_MANAGER).clock().doneAt);
        (l.roster, l.shardMap) = ICommittees(COMMITTEES).tables(epoch);
        Round storage r = l.rounds[epoch];
        r.mode = ChallengeMode(_param(ParamKeys.CHALLENGE_MODE, epoch));
        if (r.mode != ChallengeMode.Off) _fixCandidates(r, epoch, l.logStart);
    }

    /// @inheritdoc IEpochListener
    function onEpochEnd(uint32 ended) external returns (bool carry) {
        _requireCaller(EPOCH_MANAGER);
        Layout storage l = _layout();
        l.epoch = 0;
        if (l.rounds[ended].mode == ChallengeMode.Off) return false;
        ChallengeResult memory res = _result(l, ended);
        if (res.isVoid) emit ChallengeVoid(ended);
        emit ChallengeClosed(ended, res.passed, res.rescued);
        IStaking(STAKING).recordChallengeResult(ended, res);
        return res.enforced && res.isVoid;
    }

    // ----- Log

    /// @inheritdoc IChallenges
    function trimLog(uint256 most) external {
        _sweep(most, false);
    }

    /// @inheritdoc IChallenges
    function compactLog(uint256 most) external {
        _sweep(most, true);
    }

    // ----- Views

    /// @inheritdoc IChallenges
    function result(uint32 epoch) external view returns (ChallengeResult memory res) {
        Layout storage l = _layout();
        if (l.rounds[epoch].mode != ChallengeMode.Off) res = _result(l, epoch);
    }

    /// @inheritdoc IChallenges
    function challenge(uint32 epoch) external view returns (ChallengeInfo memory) {
        Layout storage l = _layout();
        Round memory r = l.rounds[epoch];
        return ChallengeInfo({
            epoch: epoch,
            mode: r.mode,
            opened: r.opened,
            closed: epoch != l.epoch && epoch < IEpochManager(EPOCH_MANAGER).epoch(),
            sealsReads: r.seals,
            logStart: r.logStart,
            logLength: r.logLength,
            sampleCount: r.sampleCount,
            rescueCount: r.rescueCount,
            baseUnits: r.baseUnits,
            totalUnits: r.totalUnits,
            ackedWeight: r.ackedWeight,
            passedWeight: r.passedWeight,
            acked: r.acked,
            certified: r.certified,
            passed: r.passed,
            rescued: r.rescued,
            seedBlock: r.seedBlock,
            seed: r.seed,
            closeTime: r.closeTime
        });
    }

    /// @inheritdoc IChallenges
    function proved(uint32 epoch, uint32 nodeId) external view returns (uint256) {
        return _proved(_layout(), epoch, nodeId);
    }

    /// @inheritdoc IChallenges
    function sample(uint32 epoch, uint16 j, uint64[] calldata logIndexes) external view returns (uint256 tokenId) {
        Round storage r = _layout().rounds[epoch];
        if (r.closeTime == 0) revert NoSeed(epoch);
        (tokenId,,) = _sample(_draw(r, epoch), j, logIndexes);
    }

    /// @inheritdoc IChallenges
    function logStart() external view returns (uint64) {
        return _layout().logStart;
    }

    /// @inheritdoc IChallenges
    function randomness() external view returns (address) {
        return RANDOMNESS;
    }

    // ----- Internals: phases

    /// @dev Notes which entries can be sampled and how many samples there are.
    function _fixCandidates(Round storage r, uint32 epoch, uint32 start) private {
        uint32 length = IWalrusSystem(SYSTEM).certifiedCount();
        (r.logStart, r.logLength) = (start, length);
        if (length == start) return;
        uint64 base = 0;
        if (start != 0) (, base) = IWalrusSystem(SYSTEM).logEntry(start - 1);
        (, uint64 end) = IWalrusSystem(SYSTEM).logEntry(length - 1);
        (r.baseUnits, r.totalUnits) = (base, end - base);
        uint256 entries = length - start;
        uint16 k = Seed.samples(
            entries,
            _param(ParamKeys.ENTRIES_PER_SAMPLE, epoch),
            _param(ParamKeys.MIN_SAMPLES, epoch),
            _param(ParamKeys.MAX_SAMPLES, epoch)
        );
        uint256 rescue = _param(ParamKeys.RESCUE_SAMPLES, epoch);
        if (rescue > MAX_RESCUE) rescue = MAX_RESCUE;
        r.sampleCount = k;
        r.rescueCount = rescue < k ? uint16(rescue) : k;
        r.seals = r.mode == ChallengeMode.Enforced && entries >= _param(ParamKeys.SEAL_MIN_ENTRIES, epoch);
    }

    /// @dev Names the block whose randomness becomes the seed.
    function _arm(Round storage r, uint32 epoch) private {
        uint64 seedBlock = SafeCast.toUint64(block.number + _param(ParamKeys.SEED_DELAY, epoch));
        r.seedBlock = seedBlock;
        emit ChallengeArmed(epoch, seedBlock);
        IWalrusSystem(SYSTEM).noteSeedBlock(epoch, seedBlock);
    }

    function _pass(Round storage r, uint32 epoch, uint32 nodeId, uint8 seat, uint16 weight) private {
        r.passed |= 1 << seat;
        r.passedWeight += weight;
        emit ChallengePassed(epoch, nodeId);
    }

    function _result(Layout storage l, uint32 epoch) private view returns (ChallengeResult memory res) {
        Round storage r = l.rounds[epoch];
        res.enforced = r.mode == ChallengeMode.Enforced;
        if (r.logLength == r.logStart) {
            // Nothing to sample: everybody passes.
            res.passed = type(uint256).max;
        } else {
            res.passed = r.passed;
            res.rescued = r.rescued & ~r.passed;
            res.isVoid = !RedStuffMath.isQuorum(r.passedWeight, N_SHARDS);
        }
    }

    // ----- Internals: samples and proofs

    /// @dev The samples proved once `proofs` are checked, those before included.
    function _check(
        Draw memory d,
        Prover memory prover,
        uint256 rescueCount,
        uint256 done,
        SymbolProof[] calldata proofs
    ) private view returns (uint256) {
        for (uint256 i = 0; i < proofs.length; ++i) {
            uint16 j = proofs[i].sample;
            uint256 bit = 0;
            if (j < rescueCount) bit = 1 << (SPOT_COUNT + j);
            else if (j >= prover.sampleCount && j < prover.sampleCount + SPOT_COUNT) bit = 1 << (j - prover.sampleCount);
            else revert SampleNotProvable(j);
            if (done & bit != 0) continue;
            _checkProof(d, prover, proofs[i]);
            done |= bit;
        }
        return done;
    }

    function _checkProof(Draw memory d, Prover memory prover, SymbolProof calldata proof) private view {
        uint16 j = proof.sample;
        (uint256 tokenId, BlobRecord memory blob, bool waived) = _sample(d, j, proof.logIndexes);
        if (tokenId == 0 || waived) {
            bool empty = proof.symbol.length == 0 && proof.path1.length == 0 && proof.path2.length == 0;
            if (!empty || proof.otherRoot != 0) revert NothingToProve(j);
            return;
        }
        uint256 index = Seed.ownShard(d.seed, prover.nodeId, j, prover.weight);
        SymbolProofs.check(
            proof,
            SymbolProofs.Claim({
                blobId: blob.blobId,
                size: blob.size,
                encodingType: blob.encodingType,
                n: N_SHARDS,
                shard: CommitteeTables.shardAt(prover.shardMap, prover.seat, index),
                symbolIndex: Seed.chainSymbol(d.seed, prover.nodeId, j, N_SHARDS),
                // The second of the two spot checks, and nothing else, is about the secondary axis.
                secondary: j == prover.sampleCount + 1
            })
        );
    }

    /// @dev The token that a sample falls on, 0 for none, its record, and whether it was live at the seed block but has
    /// been deleted or found invalid since.
    function _sample(Draw memory d, uint16 j, uint64[] calldata logIndexes)
        private
        view
        returns (uint256, BlobRecord memory blob, bool waived)
    {
        uint256 attempts = logIndexes.length;
        for (uint256 t = 0; t < attempts && t < Seed.ATTEMPTS; ++t) {
            uint64 index = logIndexes[t];
            uint64 point = d.baseUnits + Seed.point(d.seed, j, t, d.totalUnits);
            (uint64 tokenId, uint64 end) = IWalrusSystem(SYSTEM).logEntry(index);
            uint64 start = 0;
            if (index != 0) (, start) = IWalrusSystem(SYSTEM).logEntry(index - 1);
            if (point < start || point >= end) revert WrongLogEntry(j, t, index);
            bool live = false;
            (live, waived, blob) = _statusAtSeed(d, tokenId, index);
            if (!live) continue;
            if (t + 1 != attempts) revert WrongAttempts(j, attempts);
            return (tokenId, blob, waived);
        }
        if (attempts != Seed.ATTEMPTS) revert WrongAttempts(j, attempts);
        return (0, blob, false);
    }

    /// @dev Whether an entry counted when the seed block began, and whether its blob has gone since.
    function _statusAtSeed(Draw memory d, uint64 tokenId, uint64 index)
        private
        view
        returns (bool live, bool waived, BlobRecord memory blob)
    {
        blob = IBlobNFT(BLOBS).record(tokenId);
        if (blob.logIndex != index || blob.endEpoch <= d.epoch) return (false, false, blob);
        uint64 invalidSince = IWalrusSystem(SYSTEM).invalidSince(blob.blobId);
        if (invalidSince != 0 && invalidSince < d.seedBlock) return (false, false, blob);
        bool deleted = blob.flags & BlobFlags.DELETED != 0;
        if (deleted && IWalrusSystem(SYSTEM).deletedAfterSeed(tokenId) != d.epoch) return (false, false, blob);
        return (true, deleted || invalidSince != 0, blob);
    }

    function _draw(Round storage r, uint32 epoch) private view returns (Draw memory) {
        return Draw(r.seed, epoch, r.seedBlock, r.baseUnits, r.totalUnits);
    }

    // ----- Internals: log

    /// @dev Moves the start of the log over up to `most` entries, live ones only when they may be moved to the end.
    function _sweep(uint256 most, bool moveLive) private {
        Layout storage l = _layout();
        if (l.epoch != 0) revert LogFrozen(l.epoch);
        uint32 epoch = IEpochManager(EPOCH_MANAGER).epoch();
        uint32 start = l.logStart;
        // The end as it is now: entries moved there are not visited again.
        uint32 end = IWalrusSystem(SYSTEM).certifiedCount();
        for (; most != 0 && start < end; --most) {
            (uint64 tokenId,) = IWalrusSystem(SYSTEM).logEntry(start);
            if (_isLive(tokenId, start, epoch)) {
                if (!moveLive) break;
                IWalrusSystem(SYSTEM).relog(tokenId);
            }
            ++start;
        }
        if (start == l.logStart) return;
        l.logStart = start;
        emit LogTrimmed(start);
    }

    /// @dev Whether an entry counts now. One that does not never will again.
    function _isLive(uint64 tokenId, uint32 index, uint32 epoch) private view returns (bool) {
        BlobRecord memory blob = IBlobNFT(BLOBS).record(tokenId);
        if (blob.logIndex != index || blob.endEpoch <= epoch || blob.flags & BlobFlags.DELETED != 0) return false;
        return IWalrusSystem(SYSTEM).invalidSince(blob.blobId) == 0;
    }

    // ----- Internals: state

    /// @dev The present challenge, once its seed is known.
    function _seeded(Layout storage l) private view returns (uint32 epoch, Round storage r) {
        epoch = l.epoch;
        r = l.rounds[epoch];
        if (r.closeTime == 0) revert NoSeed(epoch);
    }

    /// @dev Seat and shards of a member of the present committee.
    function _member(Layout storage l, uint32 nodeId) private view returns (uint8 seat, uint16 weight) {
        (seat, weight) = CommitteeTables.find(l.roster, nodeId);
        if (weight == 0) revert NotMember(nodeId);
    }

    function _proved(Layout storage l, uint32 epoch, uint32 nodeId) private view returns (uint256) {
        uint256 word = l.proofs[nodeId];
        return word >> EPOCH_SHIFT == epoch ? word & ((1 << EPOCH_SHIFT) - 1) : 0;
    }

    function _param(bytes32 key, uint32 epoch) private view returns (uint256) {
        return IParamRegistry(PARAMS).valueAt(key, epoch);
    }

    function _requireBefore(uint64 deadline) private view {
        if (block.timestamp >= deadline) revert TooLate(uint64(block.timestamp), deadline);
    }

    function _layout() private pure returns (Layout storage l) {
        assembly ("memory-safe") {
            l.slot := LAYOUT_SLOT
        }
    }
}
