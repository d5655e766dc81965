//! The node's side: a self-signed certificate over its network key.

use std::fmt::Write as _;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use walrus_core::{NetworkPublicKey, NetworkSecretKey};
use walrus_env::Env;

use super::{EnvTime, TlsError, provider};

/// The name in a node's certificate: the first four bytes of its key, each in hex
/// without zero padding, and a fixed suffix.
pub fn certificate_name(key: &NetworkPublicKey) -> String {
    let mut name = String::new();
    for byte in &key.0[..4] {
        write!(name, "{byte:x}").expect("writing to a string cannot fail");
    }
    name.push_str(".network.walrus.alt");
    name
}

/// TLS settings of a node: a fresh self-signed certificate over `key` that names
/// `public_host` (a DNS name or an address), without client certificates, offering
/// HTTP/2 and HTTP/1.1.
///
/// # Errors
/// [`TlsError::Certificate`] when `public_host` cannot stand in a certificate.
pub fn server_config(
    env: &Env,
    key: &NetworkSecretKey,
    public_host: &str,
) -> Result<Arc<ServerConfig>, TlsError> {
    let refuse = |error: rcgen::Error| TlsError::Certificate(error.to_string());
    let secret = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec());
    let pair =
        KeyPair::from_pkcs8_der_and_sign_algo(&secret, &PKCS_ECDSA_P256_SHA256).map_err(refuse)?;
    let name = certificate_name(&key.public_key());
    let mut params =
        CertificateParams::new([name.clone(), public_host.to_owned()]).map_err(refuse)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&pair).map_err(refuse)?;

    let mut config = ServerConfig::builder_with_details(provider(), EnvTime::new(env))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::from(secret))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
