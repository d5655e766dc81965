//! The client's side: accept exactly one key.

use std::sync::Arc;

use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::DecodePublicKey as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use walrus_core::NetworkPublicKey;
use walrus_env::Env;

use super::{EnvTime, TlsError, provider};

/// TLS settings that accept the holder of the secret to `key` and nobody else.
///
/// # Errors
/// [`TlsError::InvalidKey`] when the registered bytes are no key: nobody could prove to
/// hold it.
pub fn client_config(env: &Env, key: &NetworkPublicKey) -> Result<Arc<ClientConfig>, TlsError> {
    if !key.is_valid() {
        return Err(TlsError::InvalidKey);
    }
    let mut config = ClientConfig::builder_with_details(provider(), EnvTime::new(env))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(pinned(key))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The check of a server's certificate: its key is `key`.
pub(super) fn pinned(key: &NetworkPublicKey) -> Arc<dyn ServerCertVerifier> {
    Arc::new(PinnedKey { key: *key, provider: provider() })
}

/// Why a certificate was refused, as seen in the connection error.
#[derive(thiserror::Error)]
enum Refused {
    #[error("the certificate's key is not P-256")]
    NotP256,
    #[error("the node's key is {got}, the chain says {expected}")]
    OtherKey { expected: NetworkPublicKey, got: NetworkPublicKey },
}

impl std::fmt::Debug for Refused {
    // The TLS library prints its causes in this form, so here is where people read it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
    }
}

/// Accepts a certificate by its key alone.
#[derive(Debug)]
struct PinnedKey {
    key: NetworkPublicKey,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let got = certificate_key(end_entity)?;
        if got != self.key {
            return Err(Refused::OtherKey { expected: self.key, got }.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// The P-256 key of a certificate in the form the chain has it.
fn certificate_key(certificate: &CertificateDer<'_>) -> Result<NetworkPublicKey, Error> {
    let (rest, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    if !rest.is_empty() {
        return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
    }
    // Checks the algorithm and the curve as well as the point.
    let key = p256::PublicKey::from_public_key_der(parsed.public_key().raw)
        .map_err(|_| Error::from(Refused::NotP256))?;
    let point = key.to_encoded_point(true);
    let bytes = point.as_bytes().try_into().map_err(|_| Error::from(Refused::NotP256))?;
    Ok(NetworkPublicKey(bytes))
}
