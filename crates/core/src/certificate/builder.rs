//! Collecting signatures until they suffice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Certificate;
use crate::{
    Committee, Message, MessageBody, MessageError, NodeId, ProtocolSignature, Seat, SignedMessage,
    SignedMessageError, SigningContext, Threshold,
};

/// Why a signed message was not added to a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The node is not in the committee of this epoch.
    #[error("node {node} is no member of the committee")]
    NotAMember {
        /// The node.
        node: NodeId,
    },
    /// The node's signature is in already.
    #[error("node {node} has signed already")]
    AlreadySigned {
        /// The node.
        node: NodeId,
    },
    /// The node sent something else than asked for, or signed it wrongly: blame it.
    #[error("node {node} sent a bad confirmation: {source}")]
    Refused {
        /// The node.
        node: NodeId,
        /// What was wrong.
        source: SignedMessageError,
    },
}

/// Why there is no certificate yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinishError {
    /// Ask more nodes.
    #[error("confirmed by {got} shards, {needed} are needed")]
    Weight {
        /// Least number of shards that suffices.
        needed: u32,
        /// Number of shards of the signers so far.
        got: u32,
    },
    /// Signatures that were added without a check are bad. They have been taken out;
    /// blame these nodes, and try again or ask more.
    #[error("bad signatures of nodes {nodes:?} were taken out")]
    BadSignatures {
        /// The nodes that sent them.
        nodes: Vec<NodeId>,
    },
    /// The sum of these signatures is the identity. Cannot happen with keys whose secrets
    /// their owners proved to hold, short of all of them conspiring.
    #[error("the signatures cancel each other out")]
    Cancelled,
}

/// Collects the signatures of distinct members over one message until their weight
/// suffices.
///
/// Signatures can be checked at two moments. [`Self::add`] verifies each one when it
/// arrives (about a millisecond of work each, done while waiting for the others), so a
/// liar is known at once and never counted; this is the rule of
/// docs/protocol/encoding.md section 7.1 and the right choice for clients.
/// [`Self::add_unverified`] compares only the message and leaves the signatures to one
/// check of the sum in [`Self::finish`], for callers that hold many already; if that
/// check fails, each is verified and the bad ones are taken out. Either way no
/// certificate leaves that does not verify.
#[derive(Clone, Debug)]
pub struct CertificateBuilder<B> {
    committee: Arc<Committee>,
    threshold: Threshold,
    context: SigningContext,
    message: Message<B>,
    message_bytes: Vec<u8>,
    entries: BTreeMap<Seat, Entry>,
    weight: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    node: NodeId,
    signature: ProtocolSignature,
    verified: bool,
}

impl<B: MessageBody> CertificateBuilder<B> {
    /// Starts a certificate of `message`.
    ///
    /// # Errors
    /// [`MessageError::Epoch`] if the message is not of the committee's epoch.
    pub fn new(
        committee: Arc<Committee>,
        context: SigningContext,
        message: Message<B>,
        threshold: Threshold,
    ) -> Result<Self, MessageError> {
        if committee.epoch() != message.epoch {
            return Err(MessageError::Epoch { expected: committee.epoch(), got: message.epoch });
        }
        Ok(Self {
            committee,
            threshold,
            context,
            message_bytes: message.to_bytes(&context),
            message,
            entries: BTreeMap::new(),
            weight: 0,
        })
    }

    /// The message that every member signs.
    pub fn message(&self) -> &Message<B> {
        &self.message
    }

    /// Number of shards of the signers so far.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Least number of shards that suffices.
    pub fn needed_weight(&self) -> u32 {
        self.threshold.min_weight(self.committee.n_shards())
    }

    /// Whether the weight suffices.
    pub fn is_complete(&self) -> bool {
        self.committee.reaches(self.threshold, self.weight)
    }

    /// Whether this node's signature is in.
    pub fn has_signed(&self, node: NodeId) -> bool {
        self.committee.seat_of(node).is_some_and(|seat| self.entries.contains_key(&seat))
    }

    /// Adds what `node` answered, after checking the message field by field and the
    /// signature with the key that the committee lists for that node.
    ///
    /// # Errors
    /// Nothing is added then; [`AddError::Refused`] names a liar.
    pub fn add(&mut self, node: NodeId, signed: &SignedMessage) -> Result<(), AddError> {
        self.insert(node, signed, true)
    }

    /// As [`Self::add`], but leaves the signature itself to [`Self::finish`].
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_unverified(&mut self, node: NodeId, signed: &SignedMessage) -> Result<(), AddError> {
        self.insert(node, signed, false)
    }

    fn insert(
        &mut self,
        node: NodeId,
        signed: &SignedMessage,
        verified: bool,
    ) -> Result<(), AddError> {
        let seat = self.committee.seat_of(node).ok_or(AddError::NotAMember { node })?;
        let member = self.committee.member(seat).ok_or(AddError::NotAMember { node })?;
        if self.entries.contains_key(&seat) {
            return Err(AddError::AlreadySigned { node });
        }
        let checked = if verified {
            signed.verify(&self.context, &self.message, &member.public_key)
        } else {
            self.message.check(&self.context, signed.message_bytes()).map_err(Into::into)
        };
        checked.map_err(|source| AddError::Refused { node, source })?;
        self.weight += u32::from(member.weight);
        let signature = signed.signature().clone();
        self.entries.insert(seat, Entry { node, signature, verified });
        Ok(())
    }

    /// Sums the signatures of all signers so far.
    ///
    /// # Errors
    /// Too little weight, or bad signatures among those added without a check; the
    /// builder can go on collecting after either.
    pub fn finish(&mut self) -> Result<Certificate, FinishError> {
        if !self.is_complete() {
            let needed = self.needed_weight();
            return Err(FinishError::Weight { needed, got: self.weight });
        }
        let signatures = self.entries.values().map(|entry| &entry.signature);
        let sum = ProtocolSignature::aggregate(signatures);
        if self.entries.values().any(|entry| !entry.verified) {
            let keys = self.entries.keys().filter_map(|seat| self.committee.member(*seat));
            let keys = keys.map(|member| &member.public_key);
            let good = |sum: &ProtocolSignature| sum.verifies_aggregate(&self.message_bytes, keys);
            if !sum.as_ref().is_some_and(good) {
                self.take_out_bad()?;
            }
        }
        Ok(Certificate {
            signers: self.entries.keys().map(|seat| u16::from(seat.0)).collect(),
            serialized_message: self.message_bytes.clone(),
            signature: sum.ok_or(FinishError::Cancelled)?,
        })
    }

    /// Verifies each signature that was not yet, and takes out those that fail.
    fn take_out_bad(&mut self) -> Result<(), FinishError> {
        let mut nodes = Vec::new();
        self.entries.retain(|seat, entry| {
            let member = self.committee.member(*seat).expect("entries are of members");
            let key = &member.public_key;
            entry.verified = entry.verified || entry.signature.verifies(&self.message_bytes, key);
            if !entry.verified {
                nodes.push(entry.node);
                self.weight -= u32::from(member.weight);
            }
            entry.verified
        });
        if nodes.is_empty() { Ok(()) } else { Err(FinishError::BadSignatures { nodes }) }
    }
}
