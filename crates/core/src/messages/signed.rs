//! A message with one signature, and its wire forms
//! (docs/protocol/encoding.md section 7.4).

use serde::{Deserialize, Serialize};
use walrus_redstuff::bcs::{BcsError, Reader, Writer};

use super::{MAX_MESSAGE_LEN, Message, MessageBody, MessageError, SigningContext};
use crate::base64_bytes;
use crate::{ProtocolPublicKey, ProtocolSecretKey, ProtocolSignature, SignatureError};

/// Longest BCS form of a [`SignedMessage`]: a count, a message, a signature.
pub const MAX_SIGNED_MESSAGE_LEN: usize = 1 + MAX_MESSAGE_LEN + ProtocolSignature::LEN;

/// Why a signed message was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedMessageError {
    /// The bytes are not the layout of a signed message.
    #[error("the signed message is malformed: {0}")]
    Malformed(#[from] BcsError),
    /// The signature encodes no valid point.
    #[error(transparent)]
    Encoding(#[from] SignatureError),
    /// The message is not the expected one.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The signature is not that of these bytes under the key.
    #[error("the signature does not verify under the member's key")]
    Signature,
}

/// Message bytes and a signature over them. Nothing is believed about either until
/// [`SignedMessage::verify`].
///
/// BCS: `ULEB length || message || signature (96)`. JSON: `serializedMessage` and
/// `signature`, standard base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedMessage {
    #[serde(with = "base64_bytes")]
    serialized_message: Vec<u8>,
    signature: ProtocolSignature,
}

impl SignedMessage {
    /// Signs a message that the caller built from fields it checked.
    pub fn sign<B: MessageBody>(
        key: &ProtocolSecretKey,
        context: &SigningContext,
        message: &Message<B>,
    ) -> Self {
        let serialized_message = message.to_bytes(context);
        let signature = key.sign_bytes(&serialized_message);
        Self { serialized_message, signature }
    }

    /// The bytes the signature is over, as received.
    pub fn message_bytes(&self) -> &[u8] {
        &self.serialized_message
    }

    /// The signature, as received.
    pub fn signature(&self) -> &ProtocolSignature {
        &self.signature
    }

    /// Checks that this is `expected`, field by field, signed by `key`, which must be
    /// the key that the committee of the expected epoch lists for the peer asked.
    ///
    /// # Errors
    /// The first difference in the order of docs/protocol/encoding.md section 7.3, then
    /// the signature.
    pub fn verify<B: MessageBody>(
        &self,
        context: &SigningContext,
        expected: &Message<B>,
        key: &ProtocolPublicKey,
    ) -> Result<(), SignedMessageError> {
        expected.check(context, &self.serialized_message)?;
        if !self.signature.verifies(&self.serialized_message, key) {
            return Err(SignedMessageError::Signature);
        }
        Ok(())
    }

    /// The BCS form.
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(MAX_SIGNED_MESSAGE_LEN);
        writer.bytes(&self.serialized_message);
        writer.raw(&self.signature.to_bytes());
        writer.finish()
    }

    /// Reads the BCS form.
    ///
    /// # Errors
    /// Any other layout, a message longer than any message, or a signature that is no
    /// point.
    pub fn from_bcs(bytes: &[u8]) -> Result<Self, SignedMessageError> {
        let mut reader = Reader::new(bytes);
        let message = reader.bytes(MAX_MESSAGE_LEN)?;
        let signature = reader.take(ProtocolSignature::LEN)?;
        reader.finish()?;
        Ok(Self {
            serialized_message: message.to_vec(),
            signature: ProtocolSignature::from_bytes(signature)?,
        })
    }
}

/// The answer to a request for a storage confirmation: an enum with one variant.
///
/// BCS: `00` and the signed message. JSON: `{"signed": {...}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignedConfirmation {
    /// A signed [`super::StorageConfirmation`].
    Signed(SignedMessage),
}

impl SignedConfirmation {
    /// The signed message.
    pub fn into_signed(self) -> SignedMessage {
        let Self::Signed(message) = self;
        message
    }

    /// The BCS form.
    pub fn to_bcs(&self) -> Vec<u8> {
        let Self::Signed(message) = self;
        [&[0], message.to_bcs().as_slice()].concat()
    }

    /// Reads the BCS form.
    ///
    /// # Errors
    /// Another variant, or as [`SignedMessage::from_bcs`].
    pub fn from_bcs(bytes: &[u8]) -> Result<Self, SignedMessageError> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            0 => SignedMessage::from_bcs(reader.take(reader.left())?).map(Self::Signed),
            got => {
                let what = "a signed confirmation";
                Err(BcsError::UnknownVariant { what, got: got.into() }.into())
            }
        }
    }
}
