//! Certificates: one message, signed by members with enough weight
//! (docs/protocol/encoding.md section 7.5).

mod builder;
mod wire;

pub use builder::{AddError, CertificateBuilder, FinishError};
pub use wire::{CertificateDecodeError, EvmCertificate};

use crate::shard_map::MAX_SEATS;
use crate::{
    Committee, Message, MessageBody, MessageError, ProtocolSignature, Seat, SigningContext,
    Threshold,
};

/// Signers, the bytes they signed, and the sum of their signatures. Nothing is believed
/// about any of them until [`Certificate::verify`].
///
/// A signer is named by its seat. In a committee with no empty seats that is the index
/// into the member vector, as in the off-chain form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    signers: Vec<u16>,
    serialized_message: Vec<u8>,
    signature: ProtocolSignature,
}

/// Why a certificate was refused, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The expected message is of another epoch than the committee.
    #[error("the committee is of epoch {committee}, the message of epoch {message}")]
    CommitteeEpoch {
        /// Epoch of the committee given.
        committee: crate::Epoch,
        /// Epoch of the message expected.
        message: crate::Epoch,
    },
    /// The message is not the expected one.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A signer beyond the last seat, or at an empty one.
    #[error("signer {signer} is no member")]
    UnknownSigner {
        /// The seat named.
        signer: u16,
    },
    /// A signer is named twice, so that its weight would count twice.
    #[error("signer {signer} is named twice")]
    DuplicateSigner {
        /// The seat named.
        signer: u16,
    },
    /// The signers hold too few shards.
    #[error("the signers hold {got} shards, {needed} are needed")]
    Weight {
        /// Least number of shards that suffices.
        needed: u32,
        /// Number of shards of all signers.
        got: u32,
    },
    /// The signature is not that of these bytes under the sum of the signers' keys.
    #[error("the aggregate signature does not verify")]
    Signature,
}

impl Certificate {
    /// The seats of the signers, as listed.
    pub fn signers(&self) -> &[u16] {
        &self.signers
    }

    /// The bytes that were signed.
    pub fn message_bytes(&self) -> &[u8] {
        &self.serialized_message
    }

    /// The sum of the signers' signatures.
    pub fn signature(&self) -> &ProtocolSignature {
        &self.signature
    }

    /// Checks everything: that the message is `expected` and of the committee's epoch,
    /// that the signers are distinct members of `committee` with enough weight, and the
    /// signature. Returns the weight of the signers.
    ///
    /// # Errors
    /// The first failure in the order of docs/protocol/encoding.md section 7.5.
    pub fn verify<B: MessageBody>(
        &self,
        context: &SigningContext,
        committee: &Committee,
        expected: &Message<B>,
        threshold: Threshold,
    ) -> Result<u32, CertificateError> {
        if committee.epoch() != expected.epoch {
            return Err(CertificateError::CommitteeEpoch {
                committee: committee.epoch(),
                message: expected.epoch,
            });
        }
        expected.check(context, &self.serialized_message)?;
        let mut members = Vec::with_capacity(self.signers.len().min(MAX_SEATS));
        for &signer in &self.signers {
            let seat = u8::try_from(signer).ok().map(Seat);
            let member = seat.and_then(|seat| committee.member(seat));
            members.push(member.ok_or(CertificateError::UnknownSigner { signer })?);
        }
        check_distinct(&self.signers)?;
        let got = members.iter().map(|member| u32::from(member.weight)).sum();
        if !committee.reaches(threshold, got) {
            let needed = threshold.min_weight(committee.n_shards());
            return Err(CertificateError::Weight { needed, got });
        }
        let keys = members.iter().map(|member| &member.public_key);
        if !self.signature.verifies_aggregate(&self.serialized_message, keys) {
            return Err(CertificateError::Signature);
        }
        Ok(got)
    }
}

fn check_distinct(signers: &[u16]) -> Result<(), CertificateError> {
    let mut sorted = signers.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(CertificateError::DuplicateSigner { signer: pair[0] }),
        None => Ok(()),
    }
}
