//! One sender among many.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use walrus_gateway::{ForwardedBy, Senders};

use super::Network;

/// A sender who takes its time keeps nobody else out.
pub async fn nobody_takes_all_the_places(network: &Network) {
    // Eight slow uploads of one stranger would otherwise close the publisher for everybody.
    let gateway = network
        .gateway("fair", |config| {
            let proxies = vec!["127.0.0.1".parse().unwrap()];
            config.senders = Senders { part: 8, proxies, forwarded_by: ForwardedBy::XForwardedFor };
        })
        .await;
    let (host, port) = walrus_env::split_host_port(gateway.running.address()).unwrap();
    let mut slow = network.env.net.connect(host, port).await.unwrap();
    let head = "PUT /v1/blobs HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 192.0.2.1\r\n\
                expect: 100-continue\r\ncontent-length: 1000\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    // Asked for its body, it has its place.
    let mut asked = [0; 25];
    slow.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let put = async |sender: &str| {
        gateway.ask("PUT", "/v1/blobs", &[("x-forwarded-for", sender)], "a blob").await
    };
    let refused = put("203.0.113.1, 192.0.2.1").await;
    assert_eq!((refused.status, refused.reason().as_str()), (429, "RATE_LIMITED"));
    assert_eq!(refused.header("retry-after"), "2");
    assert_eq!(put("192.0.2.2").await.status, 200);
    assert_eq!(gateway.put("/v1/blobs", "this machine").await.status, 200);
    let read = gateway.get_with("/v1/health", &[("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(read.status, 200);
    // Its place is free again as soon as it has its answer.
    slow.write_all(&[7; 1000]).await.unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop(slow);
    while put("192.0.2.1").await.status == 429 {
        tokio::task::yield_now().await;
    }
    gateway.running.shutdown().await;
}
