//! Asking for symbols, and accusing an encoder.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;
use walrus_core::{
    Epoch, InvalidBlobId, Message, MessageError, ProtocolPublicKey, SignedMessage,
    SignedMessageError, SigningContext,
};
use walrus_redstuff::{
    Axis, BlobId, DecodingSymbols, GeneralRecoverySymbol, SliverIndex, SliverType, SymbolId,
    VerifiedMetadata, VerifiedSymbol, decoding_symbols_from_bcs,
};

use super::blob_data::{explain, hashing_cost};
use super::{Misbehaviour, NodeClient, NodeError};
use crate::limits::{self, MAX_JSON_BODY_BYTES};
use crate::query::{DecodingSymbolsQuery, RecoverySymbolsQuery, SymbolSelection};
use crate::routes;

/// Who is expected to attest that a blob is inconsistent.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedAttestation<'a> {
    /// The epoch of the committee asked.
    pub epoch: Epoch,
    /// The deployment.
    pub context: &'a SigningContext,
    /// The key that the committee of `epoch` lists for this node.
    pub key: &'a ProtocolPublicKey,
}

impl NodeClient {
    /// The symbols that the node's slivers have in common with sliver `target` of axis
    /// `A`, each verified against the metadata and proved by its source sliver, at most
    /// one for each source. At most `max_count` are accepted: the number of shards that
    /// the node may hold, including those it is handing over.
    ///
    /// # Errors
    /// [`Misbehaviour::WrongSymbol`] when any symbol is wrong or was not asked for;
    /// otherwise see [`NodeError`].
    pub async fn recovery_symbols<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        target: SliverIndex,
        max_count: usize,
    ) -> Result<Vec<VerifiedSymbol<A>>, NodeError> {
        let (params, symbol_size) = (metadata.params(), metadata.symbol_size());
        let max_count = max_count.min(params.n_shards().into());
        let limit = limits::recovery_symbols(params, symbol_size, max_count);
        let query = RecoverySymbolsQuery::for_target(target, A::TYPE);
        let path = routes::recovery_symbols(metadata.blob_id(), &query);
        let timeout = self.config.timeout_for(limit);
        let bytes = self.transport.get_bytes(&path, limit, timeout).await?;
        let cost = hashing_cost(bytes.len());
        let metadata = metadata.clone();
        let verify = move || verify_symbols(&metadata, target, max_count, &bytes);
        Ok(self.env.compute(cost, verify).await?)
    }

    /// The symbol that sliver `source`, of the other axis, has in common with sliver `target` of axis
    /// `A`, verified against the metadata and proved by `source`: only who holds all of that sliver
    /// can make the proof.
    ///
    /// # Errors
    /// [`Misbehaviour::WrongSymbol`] for any other symbol; otherwise see [`NodeError`].
    pub async fn symbol_of<A: Axis>(
        &self,
        metadata: &VerifiedMetadata,
        source: SliverIndex,
        target: SliverIndex,
    ) -> Result<VerifiedSymbol<A>, NodeError> {
        let limit = limits::recovery_symbols(metadata.params(), metadata.symbol_size(), 1);
        let query = RecoverySymbolsQuery {
            selection: SymbolSelection::Ids([SymbolId::of(A::TYPE, target, source)].into()),
            proof_axis: Some(A::TYPE.orthogonal()),
        };
        let path = routes::recovery_symbols(metadata.blob_id(), &query);
        let timeout = self.config.timeout_for(limit);
        let bytes = self.transport.get_bytes(&path, limit, timeout).await?;
        let cost = hashing_cost(bytes.len());
        let metadata = metadata.clone();
        let verify = move || verify_symbols::<A>(&metadata, target, 1, &bytes);
        let symbol = self.env.compute(cost, verify).await?.pop();
        let asked_for = symbol.filter(|symbol| symbol.source() == source);
        let wrong = || Misbehaviour::WrongSymbol("none that was asked for".to_owned());
        Ok(asked_for.ok_or_else(wrong)?)
    }

    /// Symbols without proofs for the source slivers in `query`. Bounded, decoded and
    /// only for slivers asked for, but not verified: a sliver recovered from them must be.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn decoding_symbols(
        &self,
        metadata: &VerifiedMetadata,
        query: &DecodingSymbolsQuery,
    ) -> Result<DecodingSymbols, NodeError> {
        let (params, symbol_size) = (metadata.params(), metadata.symbol_size());
        let targets = query.targets.len();
        let limit = limits::decoding_symbols(params, symbol_size, targets);
        let path = routes::decoding_symbols(metadata.blob_id(), query);
        let timeout = self.config.timeout_for(limit);
        let bytes = self.transport.get_bytes(&path, limit, timeout).await?;
        let symbols = decoding_symbols_from_bcs(&bytes, params, symbol_size, targets)
            .map_err(|error| Misbehaviour::Undecodable(explain(&error)))?;
        if let Some(other) = symbols.keys().find(|target| !query.targets.contains(*target)) {
            let message = format!("sliver {other} was not asked for");
            return Err(Misbehaviour::WrongSymbol(message).into());
        }
        Ok(symbols)
    }

    /// Shows the node a proof that the blob is inconsistent, given in BCS without its
    /// type, and returns its attestation, verified.
    ///
    /// # Errors
    /// [`NodeError::WrongEpoch`] for an attestation that is right but for its epoch;
    /// [`Misbehaviour::WrongConfirmation`] for any other message; else see [`NodeError`].
    pub async fn submit_inconsistency_proof(
        &self,
        blob_id: &BlobId,
        sliver_type: SliverType,
        proof: Bytes,
        expected: &ExpectedAttestation<'_>,
    ) -> Result<SignedMessage, NodeError> {
        let path = routes::inconsistency_proof(blob_id, sliver_type);
        let timeout = self.config.timeout_for(proof.len());
        let limit = MAX_JSON_BODY_BYTES;
        let answer = self.transport.send(Method::POST, &path, Some(proof), limit, timeout).await?;
        let signed: SignedMessage = answer.json()?;
        let body = InvalidBlobId { blob_id: *blob_id };
        let verify =
            |epoch| signed.verify(expected.context, &Message::new(epoch, body), expected.key);
        match verify(expected.epoch) {
            Ok(()) => Ok(signed),
            Err(SignedMessageError::Message(MessageError::Epoch { expected, got }))
                if verify(got).is_ok() =>
            {
                Err(NodeError::WrongEpoch { expected, got })
            }
            Err(error) => Err(Misbehaviour::WrongConfirmation(error.to_string()).into()),
        }
    }
}

fn verify_symbols<A: Axis>(
    metadata: &VerifiedMetadata,
    target: SliverIndex,
    max_count: usize,
    bytes: &[u8],
) -> Result<Vec<VerifiedSymbol<A>>, Misbehaviour> {
    let (params, symbol_size) = (metadata.params(), metadata.symbol_size());
    let symbols = GeneralRecoverySymbol::list_from_bcs(bytes, params, symbol_size, max_count)
        .map_err(|error| Misbehaviour::Undecodable(explain(&error)))?;
    let mut verified = Vec::with_capacity(symbols.len());
    let mut sources = BTreeSet::new();
    for symbol in symbols {
        let symbol = symbol.verify::<A>(metadata, target);
        let symbol = symbol.map_err(|error| Misbehaviour::WrongSymbol(explain(&error)))?;
        if !symbol.has_source_proof() {
            let message = "proved by the target itself, which was not asked for";
            return Err(Misbehaviour::WrongSymbol(message.to_owned()));
        }
        if sources.insert(symbol.source()) {
            verified.push(symbol);
        }
    }
    Ok(verified)
}
