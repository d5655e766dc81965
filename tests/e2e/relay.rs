//! The upload relay, from a client that holds its own wallet and pays tips.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use walrus_chain::{BlobRegistration, ChainWriter, Registered, Wallet};
use walrus_core::{Certificate, EvmAddress, ObjectId};
use walrus_sdk::{Client, ClientConfig, ProgressSink};

use crate::{
    content,
    network::{DEPLOYER_KEY, Network, Shape},
    served::{Gateway, OnChain},
};

const RECEIVER: EvmAddress = EvmAddress([0x77; 20]);
const BASE: u64 = 1000;
const PER_KIB: u64 = 10;

/// Somebody who stores a blob through the relay.
struct Customer<'a> {
    chain: &'a OnChain,
    writer: ChainWriter,
    gateway: &'a Gateway,
}

impl Customer<'_> {
    /// Registers bytes; what the chain made, the blob's id and its encoded length.
    fn register(&self, bytes: &[u8]) -> (Registered, String, u64) {
        self.chain.run(async {
            let client = Client::new(self.chain.client.clone(), ClientConfig::default());
            let params = client.network().await.unwrap().committee.params();
            let none = ProgressSink::none();
            let metadata = client.coder().metadata(params, bytes.to_vec(), &none).await.unwrap();
            let size = bytes.len() as u64;
            let (cost, _) = client.quote(size, 2).await.unwrap();
            let registration = BlobRegistration {
                root_hash: *metadata.root_hash(),
                size,
                encoding_type: 1,
                deletable: true,
                owner: self.writer.address(),
                max_write_fee: cost.write,
            };
            self.writer.ensure_allowance(cost.total()).await.unwrap();
            let registered =
                self.writer.buy_and_register(&registration, 2, cost.storage).await.unwrap();
            let encoded = params.encoded_blob_length(size).unwrap();
            (registered, metadata.blob_id().to_string(), encoded)
        })
    }

    /// Pays a tip; the transaction's hash.
    fn pay(&self, to: EvmAddress, wei: u64, bytes: &[u8], nonce: [u8; 32]) -> String {
        let mut package = Sha256::digest(bytes).to_vec();
        package.extend(Sha256::digest(nonce));
        package.extend((bytes.len() as u64).to_le_bytes());
        let receipt = self.chain.run(self.writer.invoke(to, package, wei.into())).unwrap();
        receipt.transaction.to_string()
    }

    /// Sends bytes to the relay with a tip; status and reason of a refusal, or the
    /// certificate.
    fn send(
        &self,
        blob: &str,
        object: &Registered,
        tip: Option<(&str, [u8; 32])>,
        bytes: &[u8],
    ) -> Result<Certificate, (u16, String)> {
        let object = ObjectId::from(object.token_id);
        let tip = tip.map_or_else(String::new, |(hash, nonce)| {
            format!("&tx_id={hash}&nonce={}", URL_SAFE_NO_PAD.encode(nonce))
        });
        let path =
            format!("/v1/blob-upload-relay?blob_id={blob}&deletable_blob_object={object}{tip}");
        let answer = self.gateway.ask("POST", &path, None, bytes);
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        let certificate = answer.json()["confirmation_certificate"].clone();
        Ok(serde_json::from_value(certificate).unwrap())
    }
}

fn refused(status: u16, reason: &str) -> Result<Certificate, (u16, String)> {
    Err((status, reason.to_owned()))
}

#[test]
fn a_relay_works_for_those_who_paid_it_for_these_bytes() {
    // Its operator pays for the line; a tip that counts twice, or for anything, pays nothing.
    let network = Network::start(Shape { nodes: 4, shards: 10, behind_proxies: false });
    let settings = format!(
        "[contexts.test.gateway.tip]\naddress = \"{RECEIVER}\"\nbase = {BASE}\nper_kib = {PER_KIB}\n"
    );
    let gateway = Gateway::start(&network, &settings, &["--relay", "--aggregator"]);
    let kind = json!({"linear": {"base": BASE, "encoded_size_mul_per_kib": PER_KIB}});
    let asked = json!({"send_tip": {"address": RECEIVER.to_string(), "kind": kind}});
    assert_eq!(gateway.get("/v1/tip-config").json(), asked);

    let chain = OnChain::open(&network);
    let writer = chain.writer(Wallet::from_hex(DEPLOYER_KEY).unwrap());
    let customer = Customer { chain: &chain, writer, gateway: &gateway };
    let bytes = content::random(1, 100_000);
    let (object, blob, encoded) = customer.register(&bytes);
    let enough = BASE + PER_KIB * encoded.div_ceil(1024);
    let nonce = [5; 32];

    assert_eq!(customer.send(&blob, &object, None, &bytes), refused(400, "INVALID_TIP"));
    let unknown = format!("0x{}", "ab".repeat(32));
    let tip = Some((unknown.as_str(), nonce));
    assert_eq!(customer.send(&blob, &object, tip, &bytes), refused(400, "INVALID_TIP"));
    for (to, wei, paid_for, reason) in [
        (RECEIVER, enough - 1, bytes.clone(), refused(402, "TIP_REQUIRED")),
        (EvmAddress([0x78; 20]), enough, bytes.clone(), refused(402, "TIP_REQUIRED")),
        (RECEIVER, enough, content::random(2, 100_000), refused(401, "TIP_NOT_FOR_THIS")),
    ] {
        let hash = customer.pay(to, wei, &paid_for, nonce);
        assert_eq!(customer.send(&blob, &object, Some((&hash, nonce)), &bytes), reason);
    }
    // Whoever reads the payment on the chain does not know the nonce behind it.
    let hash = customer.pay(RECEIVER, enough, &bytes, nonce);
    let stolen = Some((hash.as_str(), [6; 32]));
    assert_eq!(customer.send(&blob, &object, stolen, &bytes), refused(401, "TIP_NOT_FOR_THIS"));

    let tip = Some((hash.as_str(), nonce));
    let certificate = customer.send(&blob, &object, tip, &bytes).unwrap();
    chain.run(customer.writer.certify(object.token_id, &certificate)).unwrap();
    let read = gateway.get(&format!("/v1/blobs/{blob}"));
    assert!(read.status == 200 && read.body == bytes);
    // The same upload may be repeated, as when the answer was lost; no other one for it.
    customer.send(&blob, &object, tip, &bytes).unwrap();
    let other = content::random(3, 100_000);
    let (object, blob, _) = customer.register(&other);
    assert_eq!(customer.send(&blob, &object, tip, &other), refused(401, "TIP_NOT_FOR_THIS"));
}
