//! What the contracts answer when they refuse, by name.

use alloy::sol_types::{Panic, Revert, SolError, SolType};
use walrus_core::{Epoch, EvmAddress, NodeId, TokenId};
use walrus_redstuff::BlobId;

use crate::abi::{
    Plain, blobs, capacity, challenges, committees, epochs, exchange, gate, governor, lens, params,
    randomness, references, staking, system, timelock, wal,
};

/// Bytes of an unknown error that are kept.
const UNKNOWN_BYTES_MAX: usize = 1024;

/// Declares the enum and its decoder: for each variant the generated ABI type of the
/// same name, its fields, and the message.
macro_rules! contract_errors {
    ($(
        $module:ident::$contract:ident {
            $($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* } $text:literal;)*
        }
    )*) => {
        /// A refusal by a contract. Names and fields are those of the Solidity errors in
        /// `contracts/src/interfaces`; amounts are FROST, sizes bytes.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum ContractError {
            $($(
                $(#[$doc])*
                #[error($text)]
                #[allow(missing_docs, reason = "the message names each field")]
                $name { $($field: $type),* },
            )*)*
            /// A plain text, from a library.
            #[error("the contract refused: {0}")]
            Text(String),
            /// A broken invariant inside a contract (Solidity's `Panic`): a defect.
            #[error("the contract hit an internal error (panic code {code:#x})")]
            Panic {
                /// Solidity's panic code.
                code: u64,
            },
            /// An error this program does not know: perhaps the contracts are newer.
            #[error("the contract refused with an unknown error 0x{}", hex::encode(.0))]
            Unknown(
                /// The revert data, cut to 1 KiB.
                Vec<u8>,
            ),
        }

        impl ContractError {
            /// Reads revert data.
            pub fn decode(data: &[u8]) -> Self {
                let selector: [u8; 4] = data.get(..4).and_then(|s| s.try_into().ok()).unwrap_or_default();
                $($(
                    if selector == <$module::$contract::$name as SolError>::SELECTOR
                        && let Ok(fields) = parameters::<$module::$contract::$name>(&data[4..])
                    {
                        let ($($field,)*) = fields;
                        return Self::$name { $($field: $field.plain()),* };
                    }
                )*)*
                if let Ok(Revert { reason }) = Revert::abi_decode(data) {
                    return Self::Text(reason.chars().take(500).collect());
                }
                if let Ok(Panic { code }) = Panic::abi_decode(data) {
                    return Self::Panic { code: code.plain() };
                }
                Self::Unknown(data[..data.len().min(UNKNOWN_BYTES_MAX)].to_vec())
            }
        }

        /// Names and selectors of the errors with a variant of their own.
        #[cfg(test)]
        const KNOWN: &[(&str, [u8; 4])] = &[
            $($((stringify!($name), <$module::$contract::$name as SolError>::SELECTOR),)*)*
        ];
    };
}

contract_errors! {
    system::WalrusSystem {
        /// Less than the smallest purchase.
        SizeBelowMinimum { size: u64, minimum: u64 }
            "{size} bytes are less than the smallest purchase of {minimum}";
        /// The range of epochs is empty.
        EmptyRange { start: Epoch, end: Epoch } "no epoch lies between {start} and {end}";
        /// The end lies further ahead than storage is sold.
        TooFarAhead { end: Epoch, latest: Epoch }
            "storage until epoch {end} is not sold yet: ask for epoch {latest} or earlier";
        /// The network is full.
        CapacityExceeded { epoch: Epoch, wanted: u64, total: u64 }
            "epoch {epoch} would need {wanted} bytes of {total} offered: store less, or for fewer epochs";
        /// The storage costs more than the caller's limit: prices rose. Ask again.
        PaymentAboveMax { payment: u64, max_payment: u64 }
            "the storage costs {payment} FROST, above the limit of {max_payment}: the price changed, try again";
        /// The write fee is above the caller's limit: prices rose. Ask again.
        WriteFeeAboveMax { fee: u64, max_write_fee: u64 }
            "the write fee is {fee} FROST, above the limit of {max_write_fee}: the price changed, try again";
        /// Only encoding type 1 can be registered.
        UnknownEncodingType { encoding_type: u8 } "encoding type {encoding_type} cannot be registered";
        /// The blob exceeds what the encoding can hold.
        BlobTooLarge { size: u64 } "a blob of {size} bytes is too large to encode: split it";
        /// The capacity does not cover the current epoch.
        CapacityNotUsable { capacity_id: [u8; 32], epoch: Epoch }
            "this capacity does not cover epoch {epoch}";
        /// The capacity does not start where the blob ends.
        CapacityDoesNotExtend { capacity_id: [u8; 32], blob_end: Epoch }
            "this capacity does not start at the blob's end, epoch {blob_end}";
        /// The blob is certified already.
        AlreadyCertified { token_id: TokenId } "blob object {token_id} is certified already";
        /// The blob is not certified.
        NotCertified { token_id: TokenId } "blob object {token_id} is not certified";
        /// The blob's end epoch is reached.
        BlobExpired { token_id: TokenId, end_epoch: Epoch, epoch: Epoch }
            "blob object {token_id} ended with epoch {end_epoch}; now is epoch {epoch}";
        /// The token was burned or its blob deleted.
        BlobRetired { token_id: TokenId } "blob object {token_id} was burned or deleted";
        /// The blob id was found invalid.
        BlobIdIsInvalid { blob_id: BlobId } "blob id {blob_id} was found to be wrongly encoded";
        /// The blob was registered as permanent.
        NotDeletable { token_id: TokenId } "blob object {token_id} is permanent";
        /// The caller neither owns the token nor is approved for it.
        NotBlobOwner { token_id: TokenId, caller: EvmAddress }
            "account {caller} does not own blob object {token_id}";
        /// The guardian stopped sales for a while.
        SalesPaused {} "the guardian has paused new sales and registrations: try again later";
        /// The certified log is shorter.
        UnknownLogEntry { index: u64, length: u64 }
            "the log of certified blobs has {length} entries, none with number {index}";
        /// No committee serves yet.
        NotStarted {} "the network has not started: its first epoch is still to come";
        /// A subsidy needs an amount and a number of epochs that is sold.
        BadSubsidy { amount: u64, epochs: u32 } "cannot spread {amount} FROST over {epochs} epochs";
        /// The BLAKE2F precompile failed.
        Blake2fFailed {} "the chain's BLAKE2F precompile failed";
        /// A token transfer failed.
        SafeERC20FailedOperation { token: EvmAddress } "the token {token} refused the transfer";
        /// A contract called back while it was busy.
        ReentrancyGuardReentrantCall {} "a call came back into the contract";
        /// The caller is not the one contract that may make this call.
        NotAuthorised { caller: EvmAddress, expected: EvmAddress }
            "only {expected} may make this call, not {caller}";
        /// A deployment parameter is outside its bounds.
        ParameterOutOfBounds { name: [u8; 32], value: u64, lowest: u64, highest: u64 }
            "a deployment parameter is {value}, allowed are {lowest} to {highest}";
    }
    committees::Committees {
        /// No committee is kept for this epoch.
        UnknownCommittee { epoch: Epoch } "no committee is known for epoch {epoch}";
        /// The bitmap names an empty seat.
        UnknownSigners { extra: [u8; 32] } "the certificate names signers that are not in the committee";
        /// The signers hold too few shards.
        NotEnoughWeight { weight: u16, needed: u16 }
            "the signers hold {weight} shards, {needed} are needed: collect more confirmations";
        /// The signature does not match.
        BadSignature {} "the certificate's signature does not match message and signers";
        /// The proof of possession does not match.
        BadProofOfPossession {}
            "the proof of possession does not match key, account and present epoch: sign it again";
        /// Shard numbers are below `nShards`.
        UnknownShard { shard: u16 } "there is no shard {shard}";
        /// A key of another length.
        BadKeyLength { length: u64 } "a key of {length} bytes";
        /// A signature of another length.
        BadSignatureLength { length: u64 } "a signature of {length} bytes";
        /// A point at infinity.
        InfinityPoint {} "a key or signature is the point at infinity";
        /// Not on the curve, or not in the subgroup.
        InvalidPoint {} "a key or signature is not a point of the group";
        /// The chain's BLS12-381 precompiles failed.
        KeySumFailed {} "the chain's BLS12-381 precompiles failed";
        /// A coordinate is not reduced.
        NotCanonical {} "a key or signature is not in canonical form";
    }
    epochs::EpochManager {
        /// The call does not fit the state.
        WrongState { state: u8, needed: u8 }
            "the epoch machine is in state {state}, the call needs state {needed} (0 sync, 1 done, 2 selected)";
        /// The call names another epoch.
        WrongEpoch { given: Epoch, current: Epoch } "the call names epoch {given}, now is epoch {current}";
        /// Too early.
        TooEarly { time: u64, earliest: u64 } "it is too early: time is {time}, allowed from {earliest}";
        /// Too few staked nodes for a first committee.
        TooFewNodes { nodes: u64, needed: u64 } "{nodes} nodes are staked, {needed} are needed to start";
        /// The caller is not the node's operator.
        NotOperator { node_id: NodeId, caller: EvmAddress }
            "account {caller} is not the operator of node {node_id}";
        /// The node is not in the committee.
        NotMember { node_id: NodeId } "node {node_id} is not in the committee";
        /// The node has reported for this epoch.
        AlreadyReported { node_id: NodeId } "node {node_id} has reported for this epoch already";
        /// Pools of the ended epoch are not settled.
        NotSettled { wait_until: u64 }
            "pools of the last epoch are not settled: settle them, or wait until {wait_until}";
        /// Only governance ends a stuck sync.
        MayNotForce { caller: EvmAddress } "account {caller} may not end the sync phase";
        /// One node gets more shards than allowed.
        AboveCap { index: u64, seats: u64, cap: u64 }
            "entry {index} would get {seats} shards, above the cap of {cap}";
        /// The seats are not the outcome of the apportionment.
        NotApportioned { claimant: u64, holder: u64 }
            "the seats are not the outcome of the apportionment: entry {claimant} comes before {holder}";
        /// Not one number for each entry.
        WrongLength { given: u64, expected: u64 } "{given} seat counts for {expected} nodes";
        /// The seats do not add up.
        WrongSum { sum: u64, expected: u64 } "the seats add up to {sum}, not {expected}";
    }
    staking::Staking {
        /// No node has this id.
        UnknownNode { node_id: NodeId } "there is no node {node_id}";
        /// No position has this id.
        UnknownPosition { position_id: u64 } "there is no stake position {position_id}";
        /// Another node uses this key.
        KeyInUse { node_id: NodeId } "node {node_id} is registered with this key already";
        /// A text or key field has a bad length.
        BadFieldLength { field: [u8; 32], length: u64, highest: u64 }
            "a field has {length} bytes, allowed are at most {highest}";
        /// The network key is not a compressed point.
        BadNetworkKey { first_byte: u8 } "a compressed network key starts with 2 or 3, not {first_byte}";
        /// The commission is too high.
        CommissionTooHigh { commission_bp: u16, highest: u16 }
            "a commission of {commission_bp} basis points is above {highest}";
        /// A price vote is too high.
        VoteTooHigh { vote: u64, highest: u64 } "a price vote of {vote} FROST is above {highest}";
        /// Too little stake.
        StakeBelowMinimum { amount: u64, minimum: u64 }
            "{amount} FROST are less than the smallest stake of {minimum}";
        /// The active set is frozen until the next committee is selected.
        ActiveSetFrozen {}
            "stake cannot change between the end of voting and the selection: try again in the next epoch";
        /// The active set is full.
        ActiveSetFull { smallest_node_id: NodeId, smallest_stake: u64 }
            "the active set is full: stake more than the {smallest_stake} FROST of node {smallest_node_id}";
        /// Not the smallest entry.
        NotSmallest { index: u64 } "entry {index} is not the smallest of the active set";
        /// Already in the active set.
        AlreadyInActiveSet { node_id: NodeId } "node {node_id} is in the active set already";
        /// Nothing is staked with the node.
        NoStake { node_id: NodeId } "nothing is staked with node {node_id}";
        /// Neither owner nor approved.
        NotPositionOwner { position_id: u64, caller: EvmAddress }
            "account {caller} does not own stake position {position_id}";
        /// The withdrawal was requested before.
        AlreadyLeaving { position_id: u64, withdraw_epoch: Epoch }
            "stake position {position_id} leaves its pool in epoch {withdraw_epoch} already";
        /// Nothing is to be requested.
        WithdrawAtOnce { position_id: u64 }
            "stake position {position_id} can be withdrawn at once, without a request";
        /// A request comes first.
        WithdrawNotRequested { position_id: u64 }
            "stake position {position_id} must be unstaked before it can be withdrawn";
        /// The position has not left its pool yet.
        WithdrawTooEarly { position_id: u64, withdraw_epoch: Epoch, epoch: Epoch }
            "stake position {position_id} can be withdrawn from epoch {withdraw_epoch} on; now is epoch {epoch}";
        /// Only equal positions can be joined.
        PositionsDiffer { into: u64, from: u64 }
            "stake positions {into} and {from} differ in owner, node or epochs";
        /// The guardian stopped new stakes for a while.
        StakingPaused {} "the guardian has paused new stakes: try again later";
        /// Slashed too far.
        PoolIsRetired { node_id: NodeId } "the pool of node {node_id} accepts no stake any more";
        /// The node is jailed.
        NodeIsJailed { node_id: NodeId, until_epoch: Epoch }
            "node {node_id} is jailed; its operator may bring it back for epoch {until_epoch}";
        /// The caller does not hold the role.
        NotInRole { node_id: NodeId, role: u8, caller: EvmAddress }
            "account {caller} does not hold role {role} of node {node_id} (0 operator, 1 commission receiver, 2 governance)";
        /// The role was offered to somebody else.
        RoleNotProposed { node_id: NodeId, role: u8, caller: EvmAddress }
            "role {role} of node {node_id} was not offered to account {caller}";
        /// Votes change once per interval.
        VotedTooRecently { node_id: NodeId, allowed_at: u64 }
            "node {node_id} voted recently: its votes can change again at time {allowed_at}";
        /// Not a receiver.
        ZeroAddress {} "the receiver is the zero address";
        /// Part of the code belongs to another deployment.
        HalfMiswired { half: EvmAddress } "the contract {half} belongs to another deployment";
        /// A result that nobody waits for.
        ResultNotExpected { epoch: Epoch } "no challenge result is expected for epoch {epoch}";
    }
    blobs::BlobNFT {
        /// The caller is not the system contract.
        NotSystem { caller: EvmAddress } "only the system contract may make this call, not {caller}";
        /// No blob object has this id.
        UnknownBlob { token_id: TokenId } "there is no blob object {token_id}";
        /// A bad length of an attribute's key.
        BadAttributeKey { length: u64 } "an attribute key of {length} bytes, allowed are 1 to 64";
        /// A bad length of an attribute's value.
        BadAttributeValue { length: u64 } "an attribute value of {length} bytes, allowed are 1 to 1024";
        /// Too many attributes.
        TooManyAttributes { token_id: TokenId, limit: u64 }
            "blob object {token_id} has the most attributes it can have, {limit}";
        /// No such attribute.
        UnknownAttribute { token_id: TokenId, key: String }
            "blob object {token_id} has no attribute {key:?}";
        /// The token is gone or never was.
        TokenDoesNotExist {} "there is no such token, or it was burned";
        /// Neither owner nor approved.
        NotOwnerNorApproved {} "the account neither owns the token nor is approved for it";
        /// Not the owner.
        TransferFromIncorrectOwner {} "the token is not the sender's";
        /// Not a receiver.
        TransferToZeroAddress {} "the receiver is the zero address";
    }
    capacity::StorageCapacity {
        /// Too little capacity of this class.
        InsufficientBalance {} "the account holds too little storage capacity of this class";
        /// The epoch does not lie inside the class.
        MidOutsideRange { capacity_id: [u8; 32], mid: Epoch } "epoch {mid} is not inside the capacity's range";
        /// The classes are not adjacent.
        NotAdjacent { left: [u8; 32], right: [u8; 32] } "the two capacities are not adjacent";
        /// Nothing to cut off.
        NothingToNormalise { capacity_id: [u8; 32], epoch: Epoch }
            "the capacity does not start before epoch {epoch}, or has ended";
    }
    wal::WAL {
        /// Too little WAL allowance.
        ERC20InsufficientAllowance { spender: EvmAddress, allowance: u64, needed: u64 }
            "{spender} may spend {allowance} FROST of the account, {needed} are needed: approve more";
        /// Too little WAL.
        ERC20InsufficientBalance { sender: EvmAddress, balance: u64, needed: u64 }
            "account {sender} has {balance} FROST, {needed} are needed: get more WAL";
        /// Not a receiver.
        ERC20InvalidReceiver { receiver: EvmAddress } "{receiver} cannot receive WAL";
        /// The permit is out of date.
        ERC2612ExpiredSignature { deadline: u64 } "the permit expired at {deadline}";
        /// The permit is signed by somebody else.
        ERC2612InvalidSigner { signer: EvmAddress, owner: EvmAddress }
            "the permit is signed by {signer}, not by {owner}";
    }
    references::BlobReferences {
        /// No reference has this id.
        UnknownReference { ref_id: u64 } "there is no reference {ref_id}";
        /// Not the owner.
        NotReferenceOwner { ref_id: u64, caller: EvmAddress }
            "account {caller} does not own reference {ref_id}";
        /// Neither the owner nor an updater.
        NotUpdater { ref_id: u64, caller: EvmAddress }
            "account {caller} may not update reference {ref_id}";
        /// Somebody updated first.
        WrongVersion { ref_id: u64, expected: u32, current: u32 }
            "reference {ref_id} is at version {current}, not {expected}: look at it again";
        /// Final.
        IsFrozen { ref_id: u64 } "reference {ref_id} is frozen";
        /// The token is one of another blob.
        TokenOfOtherBlob { token_id: u64, blob_id: BlobId }
            "blob object {token_id} does not belong to the target but to blob {blob_id}";
    }
    challenges::Challenges {
        /// No challenges.
        ChallengesAreOff { epoch: Epoch } "there are no challenges in epoch {epoch}";
        /// Selection comes first.
        SelectionMissing { epoch: Epoch } "the committee after epoch {epoch} is not selected yet";
        /// Too late.
        TooLate { time: u64, deadline: u64 } "it is too late: time is {time}, allowed until {deadline}";
        /// Open already.
        AlreadyOpen { epoch: Epoch } "the challenge of epoch {epoch} is open already";
        /// Not open.
        NotOpen { epoch: Epoch } "the challenge of epoch {epoch} is not open";
        /// Nothing is stored.
        NothingToSample { epoch: Epoch } "nothing stored can be sampled in epoch {epoch}";
        /// Too few acknowledgements.
        NotArmed { epoch: Epoch } "too few nodes have acknowledged the challenge of epoch {epoch}";
        /// The seed is missing.
        NoSeed { epoch: Epoch } "the seed of epoch {epoch} is not revealed yet";
        /// The seed is known.
        SeedKnown { epoch: Epoch } "the seed of epoch {epoch} is known already";
        /// Acknowledged before.
        AlreadyAcked { node_id: NodeId } "node {node_id} acknowledged already";
        /// Too late to acknowledge.
        SeedBlockReached { block_number: u64 } "the seed block {block_number} is reached";
        /// Not one of the samples to be proved.
        SampleNotProvable { sample: u16 } "sample {sample} is not one to be proved on chain";
        /// Another number of attempts is needed.
        WrongAttempts { sample: u16, attempts: u64 } "sample {sample} does not take {attempts} attempts";
        /// Another log entry is meant.
        WrongLogEntry { sample: u16, attempt: u64, log_index: u64 }
            "attempt {attempt} of sample {sample} does not fall on log entry {log_index}";
        /// A symbol of another size.
        WrongSymbolSize { got: u64, expected: u64 } "a symbol has {expected} bytes, not {got}";
        /// A path of another length.
        WrongPathLength { got: u64, expected: u64 } "a path has {expected} nodes, not {got}";
        /// Another blob.
        WrongBlob { derived: BlobId, sampled: BlobId }
            "the proof leads to blob {derived}, sampled is {sampled}";
        /// Nothing to prove.
        NothingToProve { sample: u16 } "nothing is to be proved of sample {sample}";
        /// The log must not change now.
        LogFrozen { epoch: Epoch } "the log of certified blobs does not change until the end of epoch {epoch}";
    }
    randomness::PrevrandaoRandomness {
        /// Not a block header.
        BadHeader {} "these bytes are not a block header";
        /// Another block's header.
        BadRandomnessProof {} "the header is not that of the seed block";
        /// The chain does not remember the block.
        BlockUnavailable { block_number: u64 } "the hash of block {block_number} is not available";
    }
    params::ParamRegistry {
        /// There is no such tunable.
        UnknownParam { key: [u8; 32] } "there is no such tunable";
        /// Outside its bounds.
        ParamOutOfBounds { key: [u8; 32], value: u64, lowest: u64, highest: u64 }
            "a tunable cannot be {value}, allowed are {lowest} to {highest}";
        /// Changes take effect later.
        StartTooEarly { start_epoch: Epoch, earliest: Epoch }
            "a change takes effect in epoch {earliest} or later, not in {start_epoch}";
    }
    gate::UpgradeGate {
        /// Approved before.
        AlreadyApproved { action_id: [u8; 32], node_id: NodeId } "node {node_id} approved this already";
        /// The nodes' half is missing.
        NotApprovedByNodes { action_id: [u8; 32] } "too few nodes approve of this";
        /// Not the guardian.
        NotGuardian { caller: EvmAddress } "account {caller} is not the guardian in office";
        /// Not the node's governance account.
        NotNodeGovernance { node_id: NodeId, caller: EvmAddress }
            "account {caller} does not decide for node {node_id}";
        /// Neither timelock nor guardian.
        NotTimelockOrGuardian { caller: EvmAddress }
            "account {caller} is neither the timelock nor the guardian";
        /// Paused a short while ago.
        PausedRecently { next_pause_at: u64 } "the next pause is possible at time {next_pause_at}";
        /// An old upgrade.
        WrongNonce { nonce: u64, expected: u64 } "the upgrade has number {nonce}, expected {expected}";
    }
    governor::WalrusGovernor {
        /// Voted before.
        GovernorAlreadyCastVote { voter: EvmAddress } "account {voter} has voted on this proposal";
        /// Too few votes to propose.
        GovernorInsufficientProposerVotes { proposer: EvmAddress, votes: u128, threshold: u128 }
            "account {proposer} has {votes} votes, proposing takes {threshold}";
        /// No such proposal.
        GovernorNonexistentProposal { proposal_id: [u8; 32] } "there is no such proposal";
        /// Not in this state.
        GovernorUnexpectedProposalState { proposal_id: [u8; 32], current: u8, expected: [u8; 32] }
            "the proposal is in state {current} (0 pending, 1 active, 2 cancelled, 3 defeated, 4 succeeded, 5 queued, 6 expired, 7 executed)";
    }
    timelock::TimelockController {
        /// Not ready, or not known.
        TimelockUnexpectedOperationState { operation_id: [u8; 32], expected: [u8; 32] }
            "the timelock does not have this operation in the state that is needed: is it time yet?";
    }
    exchange::DevExchange {
        /// Too little.
        NothingToExchange { given: u128 } "{given} are too little for one FROST";
        /// The exchange cannot pay.
        PaymentRefused { to: EvmAddress, paid: u128 } "{paid} wei could not be paid to {to}";
    }
    lens::WalrusLens {
        /// Two contracts disagree about the deployment.
        WiringBroken { contract: EvmAddress }
            "the deployment is broken: contract {contract} has no code or names other siblings";
    }
}

/// The fields of an error, without its selector.
fn parameters<'a, E: SolError>(
    data: &'a [u8],
) -> alloy::sol_types::Result<<E::Parameters<'a> as SolType>::RustType> {
    E::Parameters::abi_decode_params(data)
}

#[cfg(test)]
#[path = "contract_error/tests.rs"]
mod tests;
