#![allow(clippy::unwrap_used)]

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use walrus_core::{NetworkPublicKey, NetworkSecretKey};
use walrus_env::real;

use super::*;

fn key(seed: u8) -> NetworkSecretKey {
    NetworkSecretKey::from_bytes(&[seed; 32]).unwrap()
}

/// Connects a client that expects `expected` to a server that holds `held`, sends one
/// byte each way, and reports what the client saw.
async fn handshake(
    held: &NetworkSecretKey,
    expected: &NetworkPublicKey,
    tls12: bool,
) -> Result<(), String> {
    let env = real::env();
    let server = server_config(&env, held, "127.0.0.1").unwrap();
    let mut client = (*client_config(&env, expected).unwrap()).clone();
    if tls12 {
        let old = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(client::pinned(expected))
            .with_no_client_auth();
        client = old;
    }
    let (near, far) = tokio::io::duplex(64 * 1024);
    let serve = async {
        let Ok(mut stream) = TlsAcceptor::from(server).accept(far).await else { return };
        // A client that refuses the certificate may do so after the server is done.
        let Ok(byte) = stream.read_u8().await else { return };
        stream.write_u8(byte + 1).await.unwrap();
        stream.flush().await.unwrap();
    };
    let call = async {
        let name = rustls::pki_types::ServerName::try_from("another.example").unwrap();
        let mut stream = TlsConnector::from(Arc::new(client))
            .connect(name, near)
            .await
            .map_err(|error| error.to_string())?;
        stream.write_u8(1).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 2);
        Ok(())
    };
    futures::join!(serve, call).1
}

#[tokio::test]
async fn the_holder_of_the_registered_key_is_accepted() {
    // Whatever its certificate says about names: the client above asks for another one.
    for tls12 in [false, true] {
        handshake(&key(1), &key(1).public_key(), tls12).await.unwrap();
    }
}

#[tokio::test]
async fn any_other_key_is_refused() {
    // Else whoever sits on the path could pose as the node.
    for tls12 in [false, true] {
        let error = handshake(&key(2), &key(1).public_key(), tls12).await.unwrap_err();
        assert!(error.contains("the chain says"), "{error}");
    }
}

#[tokio::test]
async fn a_stolen_certificate_without_its_secret_is_refused() {
    // The certificate is public: only the handshake's signature shows who holds the key.
    let env = real::env();
    let genuine = server_config(&env, &key(1), "127.0.0.1").unwrap();
    let stolen = certificate_of(genuine).await;
    let other = rustls::pki_types::PrivateKeyDer::Pkcs8(key(2).to_pkcs8_der().to_vec().into());
    let signer = rustls::crypto::ring::sign::any_ecdsa_type(&other).unwrap();
    #[derive(Debug)]
    struct Fixed(Arc<rustls::sign::CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Fixed {
        fn resolve(
            &self,
            _: rustls::server::ClientHello<'_>,
        ) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(self.0.clone())
        }
    }
    let certified = Arc::new(rustls::sign::CertifiedKey::new(vec![stolen], signer));
    let thief = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Fixed(certified)));
    let client = client_config(&env, &key(1).public_key()).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = rustls::pki_types::ServerName::try_from("node.example").unwrap();
    let (_, seen) = futures::join!(
        TlsAcceptor::from(Arc::new(thief)).accept(far),
        TlsConnector::from(client).connect(name, near)
    );
    let error = seen.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("BadSignature"), "{error}");
}

/// The certificate a server shows.
async fn certificate_of(
    server: Arc<rustls::ServerConfig>,
) -> rustls::pki_types::CertificateDer<'static> {
    let env = real::env();
    let client = client_config(&env, &key(1).public_key()).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = rustls::pki_types::ServerName::try_from("node.example").unwrap();
    let (_server, stream) = futures::join!(
        TlsAcceptor::from(server).accept(far),
        TlsConnector::from(client).connect(name, near)
    );
    let stream = stream.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

#[test]
fn bytes_that_are_no_key_are_refused_before_any_connection() {
    let env = real::env();
    let error = client_config(&env, &NetworkPublicKey([7; 33])).unwrap_err();
    assert!(matches!(error, TlsError::InvalidKey));
}

#[test]
fn the_certificate_name_has_no_zero_padding() {
    let mut bytes = [0; 33];
    bytes[..4].copy_from_slice(&[0x02, 0x0f, 0xa0, 0x00]);
    assert_eq!(certificate_name(&NetworkPublicKey(bytes)), "2fa00.network.walrus.alt");
}
