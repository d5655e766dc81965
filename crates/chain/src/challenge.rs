//! Storage challenges and the log of certified blobs that they draw from
//! (docs/protocol/onchain.md section 2.9).

use alloy::{
    consensus::Header,
    primitives::{B256, U256},
    sol_types::SolCall,
};
use serde::Deserialize;
use walrus_core::{Certificate, NodeId, TokenId};

use crate::{
    abi::{Plain, challenges, lens, params, system, to_address},
    client::{ChainClient, malformed},
    deploy::tunable_key,
    error::{ReadError, WriteError},
    rpc::BlockTag,
    sender::{Action, Receipt},
    writer::{ChainWriter, evm_certificate},
};

/// Most entries of the log given by one call, and most records looked at for them.
const ENTRIES_PER_CALL: u64 = 256;

/// An entry of the log of certified blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertifiedEntry {
    /// The blob object.
    pub token_id: TokenId,
    /// Started MiB of encoded size of all entries up to and with this one.
    pub cumulative_units: u64,
}

/// A block's header as the chain gives it: all that the seed's proof needs.
#[derive(Deserialize)]
pub(crate) struct FullHeader {
    hash: B256,
    #[serde(flatten)]
    header: Header,
}

/// Proof that a node has the symbol that one sample asks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSymbolProof {
    /// Number of the sample.
    pub sample: u16,
    /// Log entry each attempt of the sample falls on, up to the accepted one.
    pub log_indexes: Vec<u64>,
    /// The symbol; empty when nothing is to be proved, as is all that follows.
    pub symbol: Vec<u8>,
    /// Siblings from the symbol to the root of its sliver, leaf level first.
    pub symbol_path: Vec<[u8; 32]>,
    /// Root of the other sliver of the pair.
    pub other_root: [u8; 32],
    /// Siblings from the pair to the root of the blob, leaf level first.
    pub pair_path: Vec<[u8; 32]>,
}

impl ChainClient {
    /// A tunable's value in the current epoch.
    ///
    /// # Errors
    /// [`ContractError::UnknownParam`](crate::ContractError::UnknownParam); see [`ReadError`].
    pub async fn tunable(&self, name: &str) -> Result<u64, ReadError> {
        let registry = to_address(self.deployment().contracts.params);
        let call = params::ParamRegistry::getCall { key: tunable_key(name) };
        Ok(self.read("a tunable", registry, call).await?.plain())
    }

    /// First entry of the log of certified blobs that the next challenge can draw.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn log_start(&self) -> Result<u64, ReadError> {
        let contract = to_address(self.deployment().contracts.challenges);
        let call = challenges::Challenges::logStartCall {};
        self.read("the start of the log", contract, call).await
    }

    /// Up to `count` entries of the log from `from` on, at most 256; fewer at its end.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn log_entries(
        &self,
        from: u64,
        count: u64,
    ) -> Result<Vec<CertifiedEntry>, ReadError> {
        let system = to_address(self.deployment().contracts.system);
        let count = U256::from(count.min(ENTRIES_PER_CALL));
        let call = system::WalrusSystem::logEntriesCall { from: U256::from(from), count };
        let page = self.read("the log of certified blobs", system, call).await?;
        let entries = page.tokenIds.into_iter().zip(page.cumulativeUnits);
        let entry = |(token, cumulative_units)| CertifiedEntry {
            token_id: TokenId(token),
            cumulative_units,
        };
        Ok(entries.map(entry).collect())
    }

    /// For each of up to `count` entries of the log from `from` on, whether it counts now:
    /// one that does not never will again.
    pub(crate) async fn live_entries(&self, from: u64, count: u64) -> Result<Vec<bool>, ReadError> {
        let epoch = self.epoch_state().await?.epoch.0;
        let entries = self.log_entries(from, count).await?;
        let mut live = vec![false; entries.len()];
        let mut order: Vec<_> = (0..entries.len()).collect();
        order.sort_by_key(|index| entries[*index].token_id);
        let mut page: Vec<lens::WalrusLens::BlobView> = Vec::new();
        let mut first = u64::MAX;
        for index in order {
            let token = entries[index].token_id.0;
            // Tokens of neighbouring entries are neighbours, so that few pages hold all.
            if token < first || token - first >= page.len() as u64 {
                let call = lens::WalrusLens::blobViewsCall {
                    fromTokenId: U256::from(token),
                    count: U256::from(ENTRIES_PER_CALL),
                };
                page = self.read("blob objects", to_address(self.deployment().lens), call).await?;
                first = token;
            }
            let view = usize::try_from(token - first).ok().and_then(|at| page.get(at));
            live[index] = view.is_some_and(|view| {
                // Bit 4 of `BlobFlags` in contracts/src/types/Blob.sol: deleted.
                u64::from(view.record.logIndex) == from + index as u64
                    && view.record.endEpoch > epoch
                    && view.record.flags & 4 == 0
                    && !view.invalid
            });
        }
        Ok(live)
    }

    /// The header of a block in the form of which the block's hash is the hash.
    async fn header_rlp(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        let what = "the header of the seed block";
        let found: Option<FullHeader> =
            self.endpoints().full_header(BlockTag::Number(number)).await?;
        let found = found.ok_or_else(|| malformed(what, "there is no such block".to_owned()))?;
        if found.header.hash_slow() != found.hash {
            let reason = "the chain's headers have fields this program does not know".to_owned();
            return Err(malformed(what, reason));
        }
        Ok(alloy::rlp::encode(&found.header))
    }
}

/// Each of these sends one transaction and waits for it; see [`WriteError`] for what can
/// go wrong.
#[allow(clippy::missing_errors_doc, reason = "said once for all")]
impl ChainWriter {
    /// Opens the storage challenge of the current epoch. Anyone may, once the next
    /// committee is selected and three quarters of the epoch are over.
    pub async fn open_challenge(&self) -> Result<Receipt, WriteError> {
        self.challenge_call("open the challenge", &challenges::Challenges::openChallengeCall {})
            .await
    }

    /// Promises for a node, which this account operates, to keep the challenge's rules.
    pub async fn ack_challenge(&self, node: NodeId) -> Result<Receipt, WriteError> {
        let call = challenges::Challenges::ackChallengeCall { nodeId: node.0 };
        self.challenge_call("acknowledge the challenge", &call).await
    }

    /// Reveals the seed out of the header of `seed_block`, which must be past. Anyone may.
    pub async fn reveal_seed(&self, seed_block: u64) -> Result<Receipt, WriteError> {
        let name = "reveal the challenge's seed";
        let header = self.client().header_rlp(seed_block).await;
        let header = header.map_err(|source| WriteError::Read { action: name, source })?;
        let call = challenges::Challenges::revealSeedCall { headerRlp: header.into() };
        self.challenge_call(name, &call).await
    }

    /// Hands in the certificate of a node's peers that it answered. Anyone may.
    pub async fn submit_pass(
        &self,
        node: NodeId,
        certificate: &Certificate,
    ) -> Result<Receipt, WriteError> {
        let name = "hand in the pass";
        let (signature, signers) = evm_certificate(name, certificate)?;
        let c = challenges::Challenges::Cert { signature, signers };
        let call = challenges::Challenges::submitPassCall { nodeId: node.0, c };
        self.challenge_call(name, &call).await
    }

    /// Proves samples of a node on chain. Anyone may.
    pub async fn prove_on_chain(
        &self,
        node: NodeId,
        proofs: &[ChainSymbolProof],
    ) -> Result<Receipt, WriteError> {
        let nodes = |path: &[[u8; 32]]| path.iter().map(|node| B256::from(*node)).collect();
        let proof = |proof: &ChainSymbolProof| challenges::Challenges::SymbolProof {
            sample: proof.sample,
            logIndexes: proof.log_indexes.clone(),
            symbol: proof.symbol.clone().into(),
            path1: nodes(&proof.symbol_path),
            otherRoot: proof.other_root.into(),
            path2: nodes(&proof.pair_path),
        };
        let proofs = proofs.iter().map(proof).collect();
        let call = challenges::Challenges::proveOnChainCall { nodeId: node.0, proofs };
        self.challenge_call("prove the samples", &call).await
    }

    /// Moves the start of the log over at most `most` entries that no longer count. Anyone
    /// may, but not between the selection of a committee and its epoch.
    pub async fn trim_log(&self, most: u64) -> Result<Receipt, WriteError> {
        let call = challenges::Challenges::trimLogCall { most: U256::from(most) };
        self.challenge_call("trim the log", &call).await
    }

    /// Takes `most` entries from the start of the log; those that count go to its end.
    /// Anyone may, but not between the selection of a committee and its epoch.
    pub async fn compact_log(&self, most: u64) -> Result<Receipt, WriteError> {
        let call = challenges::Challenges::compactLogCall { most: U256::from(most) };
        self.challenge_call("compact the log", &call).await
    }

    async fn challenge_call<C: SolCall>(
        &self,
        name: &'static str,
        call: &C,
    ) -> Result<Receipt, WriteError> {
        let challenges = self.client().deployment().contracts.challenges;
        self.sender().execute(Action::call(name, challenges, call)).await
    }
}
