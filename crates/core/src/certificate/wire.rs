//! The forms of a certificate outside the program: BCS, JSON, and the chain's.

use serde::{Deserialize, Serialize};
use walrus_redstuff::bcs::{BcsError, Reader, Writer};

use super::{Certificate, CertificateError, check_distinct};
use crate::shard_map::MAX_SEATS;
use crate::{MAX_MESSAGE_LEN, ProtocolSignature, SignatureError};

/// Why the bytes of a certificate were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateDecodeError {
    /// Not the layout of a certificate, or longer than any certificate.
    #[error("the certificate is malformed: {0}")]
    Malformed(#[from] BcsError),
    /// The signature encodes no valid point.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// A certificate as the contract takes it: `Cert { bytes signature; uint256 signers; }`.
/// The message is not part of it, as the contract builds that itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmCertificate {
    /// The aggregate signature: x.c0, x.c1, y.c0, y.c1, 64 bytes each (EIP-2537).
    pub signature: [u8; 256],
    /// The signer bitmap, a 256-bit number, 32 bytes big endian; bit `i` (value `2^i`)
    /// is the member at seat `i`.
    pub signers: [u8; 32],
}

impl Certificate {
    /// The off-chain BCS form: `ULEB count || signers (u16 each) || ULEB length ||
    /// message || signature (96)`.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.count(self.signers.len());
        self.signers.iter().for_each(|signer| writer.u16(*signer));
        writer.bytes(&self.serialized_message);
        writer.raw(&self.signature.to_bytes());
        writer.finish()
    }

    /// Reads the BCS form. Says nothing about signers, message and signature; see
    /// [`Certificate::verify`].
    ///
    /// # Errors
    /// Any other layout, more signers than seats, a message longer than any message, or
    /// a signature that is no point.
    pub fn from_bcs(bytes: &[u8]) -> Result<Self, CertificateDecodeError> {
        let mut reader = Reader::new(bytes);
        let count = reader.count(MAX_SEATS, 2)?;
        let signers = (0..count).map(|_| reader.u16()).collect::<Result<_, _>>()?;
        let serialized_message = reader.bytes(MAX_MESSAGE_LEN)?.to_vec();
        let signature = reader.take(ProtocolSignature::LEN)?;
        reader.finish()?;
        let signature = ProtocolSignature::from_bytes(signature)?;
        Ok(Self { signers, serialized_message, signature })
    }

    /// The chain's form.
    ///
    /// # Errors
    /// A signer that is named twice or has no bit. Never for a certificate that was
    /// verified or built here.
    pub fn to_evm(&self) -> Result<EvmCertificate, CertificateError> {
        check_distinct(&self.signers)?;
        let mut signers = [0u8; 32];
        for &signer in &self.signers {
            let seat = usize::from(signer);
            if seat >= MAX_SEATS {
                return Err(CertificateError::UnknownSigner { signer });
            }
            signers[31 - seat / 8] |= 1 << (seat % 8);
        }
        Ok(EvmCertificate { signature: self.signature.to_evm(), signers })
    }

    /// Reads the chain's form, given the message it belongs to.
    ///
    /// # Errors
    /// A signature that is no point.
    pub fn from_evm(evm: &EvmCertificate, message: Vec<u8>) -> Result<Self, SignatureError> {
        let has_bit = |seat: &u16| {
            let seat = usize::from(*seat);
            evm.signers[31 - seat / 8] & 1 << (seat % 8) != 0
        };
        Ok(Self {
            signers: (0..256).filter(has_bit).collect(),
            serialized_message: message,
            signature: ProtocolSignature::from_evm(&evm.signature)?,
        })
    }
}

/// The JSON form: snake case, the message as an array of numbers.
#[derive(Serialize, Deserialize)]
struct CertificateJson {
    signers: Vec<u16>,
    serialized_message: Vec<u8>,
    signature: ProtocolSignature,
}

impl Serialize for Certificate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { signers, serialized_message, signature } = self.clone();
        CertificateJson { signers, serialized_message, signature }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let CertificateJson { signers, serialized_message, signature } =
            CertificateJson::deserialize(deserializer)?;
        let too_long = |max, got| serde::de::Error::custom(BcsError::CountTooLarge { max, got });
        if signers.len() > MAX_SEATS {
            return Err(too_long(MAX_SEATS, signers.len()));
        }
        if serialized_message.len() > MAX_MESSAGE_LEN {
            return Err(too_long(MAX_MESSAGE_LEN, serialized_message.len()));
        }
        Ok(Self { signers, serialized_message, signature })
    }
}
