//! Rebuilding one sliver from symbols of others (docs/protocol/encoding.md section 6.3).

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use walrus_redstuff::{
    AnyInconsistencyProof, Axis, InconsistencyProof, Primary, RecoverError, Secondary, SliverIndex,
    VerifiedMetadata, VerifiedSymbol, recover_sliver,
};

use super::peers::{Peer, Peers};
use crate::{
    expanded::AnyExpanded,
    state::Shared,
    store::slivers::{PutError, SliverKey},
};

/// Peers asked at once for one sliver.
const PEERS_AT_ONCE: usize = 4;

/// What a simulation charges for decoding and checking a sliver.
const RECOVER_COST: Duration = Duration::from_millis(1);

/// Why a sliver is not there yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum SliverRecoveryError {
    /// Not enough symbols yet; those found are kept for the next attempt.
    #[error("{got} of {needed} symbols found")]
    TooFew { needed: usize, got: usize },
    /// The blob is inconsistent: no sliver exists that fits the metadata.
    #[error("the blob was encoded inconsistently")]
    Inconsistent(Box<AnyInconsistencyProof>),
    #[error(transparent)]
    Put(#[from] PutError),
}

/// Verified symbols of one sliver, by the sliver they were cut from.
#[derive(Debug)]
pub(super) struct Symbols<A>(BTreeMap<SliverIndex, VerifiedSymbol<A>>);

impl<A> Default for Symbols<A> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// Symbols found so far for the slivers of one blob; they survive failed attempts.
#[derive(Debug, Default)]
pub(super) enum Collected {
    #[default]
    Nothing,
    Primary(Symbols<Primary>),
    Secondary(Symbols<Secondary>),
}

/// An axis together with how its slivers and proofs are told apart at run time.
pub(super) trait RecoveryAxis: Axis {
    /// The symbols of this axis out of `collected`, leaving nothing.
    fn take(collected: &mut Collected) -> Symbols<Self>;
    /// The inverse of [`Self::take`].
    fn put(symbols: Symbols<Self>) -> Collected;
    fn proof(proof: InconsistencyProof<Self>) -> AnyInconsistencyProof;
}

macro_rules! recovery_axis {
    ($axis:ident) => {
        impl RecoveryAxis for $axis {
            fn take(collected: &mut Collected) -> Symbols<Self> {
                match std::mem::take(collected) {
                    Collected::$axis(symbols) => symbols,
                    _ => Symbols::default(),
                }
            }

            fn put(symbols: Symbols<Self>) -> Collected {
                Collected::$axis(symbols)
            }

            fn proof(proof: InconsistencyProof<Self>) -> AnyInconsistencyProof {
                AnyInconsistencyProof::$axis(proof)
            }
        }
    };
}

recovery_axis!(Primary);
recovery_axis!(Secondary);

/// Recovers the sliver `key` and stores it durably.
pub(super) async fn recover<A: RecoveryAxis>(
    node: &Shared,
    peers: &Peers,
    metadata: &VerifiedMetadata,
    key: SliverKey,
    collected: &mut Collected,
) -> Result<(), SliverRecoveryError> {
    let mut symbols = A::take(collected);
    let target = key.pair.to_sliver_index(A::TYPE, node.params.n_shards());
    let needed = usize::from(node.params.symbols_per_sliver(A::TYPE));
    if symbols.0.len() < needed {
        add_own::<A>(node, metadata, target, &mut symbols).await;
    }
    if symbols.0.len() < needed {
        add_from_peers::<A>(peers, metadata, target, needed, &mut symbols).await;
    }
    let got = symbols.0.len();
    if got < needed {
        *collected = A::put(symbols);
        return Err(SliverRecoveryError::TooFew { needed, got });
    }
    let metadata = metadata.clone();
    let blob = *metadata.blob_id();
    let decode = move || recover_sliver::<A>(&metadata, target, symbols.0.into_values());
    match node.env.compute(RECOVER_COST, decode).await {
        Ok(sliver) => {
            let bytes = Bytes::from(sliver.to_bcs());
            node.store.slivers().put(&blob, key, bytes).await?;
            Ok(())
        }
        Err(RecoverError::Inconsistent(proof)) => {
            Err(SliverRecoveryError::Inconsistent(Box::new(A::proof(*proof))))
        }
        // Cannot come from verified symbols with proofs; start over rather than trust any.
        Err(error) => {
            tracing::error!(%blob, %error, "verified symbols did not give a sliver");
            Err(SliverRecoveryError::TooFew { needed, got: 0 })
        }
    }
}

/// Adds what this node's own slivers of the other axis give.
async fn add_own<A: RecoveryAxis>(
    node: &Shared,
    metadata: &VerifiedMetadata,
    target: SliverIndex,
    symbols: &mut Symbols<A>,
) {
    let blob = metadata.blob_id();
    let keys = node.store.slivers().keys(blob).await.unwrap_or_default();
    for key in keys.into_iter().filter(|key| key.axis != A::TYPE) {
        let source = key.pair.to_sliver_index(key.axis, node.params.n_shards());
        if symbols.0.contains_key(&source) {
            continue;
        }
        let Some(expanded) = own_expanded(node, metadata, key).await else { continue };
        let symbol = expanded.recovery_symbol(target);
        let symbol = symbol.and_then(|symbol| symbol.verify::<A>(metadata, target).ok());
        symbols.0.extend(symbol.map(|symbol| (source, symbol)));
    }
}

async fn own_expanded(
    node: &Shared,
    metadata: &VerifiedMetadata,
    key: SliverKey,
) -> Option<AnyExpanded> {
    if let Some(expanded) = node.expanded.cached(metadata.blob_id(), key) {
        return Some(expanded);
    }
    let bytes = node.store.slivers().get(metadata.blob_id(), key).await.ok()??;
    node.expanded.expand(&node.env, metadata, key, bytes).await.ok()
}

/// Asks peers in random order, a few at once, until there are enough symbols.
async fn add_from_peers<A: RecoveryAxis>(
    peers: &Peers,
    metadata: &VerifiedMetadata,
    target: SliverIndex,
    needed: usize,
    symbols: &mut Symbols<A>,
) {
    let ask = |peer: Peer| async move {
        let most = usize::from(peer.member.weight);
        let answer = peer.client.recovery_symbols::<A>(metadata, target, most).await;
        (peer.member.node_id, answer)
    };
    let mut answers = stream::iter(peers.shuffled()).map(ask).buffer_unordered(PEERS_AT_ONCE);
    while symbols.0.len() < needed {
        match answers.next().await {
            None => break,
            Some((_, Ok(found))) => {
                symbols.0.extend(found.into_iter().map(|symbol| (symbol.source(), symbol)));
            }
            Some((peer, Err(error))) if error.is_misbehaviour() => {
                tracing::warn!(%peer, %error, "a peer lied while a sliver was recovered");
            }
            Some((peer, Err(error))) => tracing::debug!(%peer, %error, "a peer could not help"),
        }
    }
}
