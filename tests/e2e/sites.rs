//! Websites, from the directory of who makes them to the browser of who looks at them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use crate::{
    content,
    network::{Network, Shape},
    process::{Background, wait_for},
};

/// An answer to a request for a path at a host name.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let line = |line: &'_ str| line.split_once(": ").filter(|(key, _)| *key == name).is_some();
        let line = self.head.lines().find(|text| line(text)).unwrap_or_default();
        line.split_once(": ").map_or("", |(_, value)| value)
    }
}

fn get(address: &str, host: &str, path: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

#[test]
fn a_website_is_published_visited_and_published_again() {
    // A link that its maker sends around would show nothing, or always the first version.
    let network = Network::start(Shape { nodes: 4, shards: 100, behind_proxies: false });
    let write = |path: &str, contents: &[u8]| {
        let path = network.path().join("site").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    };
    let film = content::random(6, 17_000_000);
    write("index.html", b"<link rel=stylesheet href=style.css>first");
    write("style.css", b"body {}");
    write("404.html", b"lost");
    write("docs/index.html", b"docs");
    write("film.mp4", &film);
    let arguments =
        ["gateway", "--aggregator", "--bind", "127.0.0.1:0", "--sites-domain", "Sites.Example"];
    let mut command = network.client_command(&arguments);
    let (gateway, ready) = Background::start(&mut command, &network.path().join("gateway.log"));
    assert_eq!(ready["sites_domain"], "sites.example", "{ready}");
    let (address, url) = (ready["address"].as_str().unwrap(), ready["url"].as_str().unwrap());
    let port = address.rsplit(':').next().unwrap();

    let first = network.client(&["site", "publish", "site", "--gateway", url]).json();
    let number = first["reference"].to_string();
    let host = format!("{number}.sites.example");
    assert_eq!(first["link"], format!("http://{host}:{port}/"), "{first}");
    // A film is a blob of its own: gateways refuse the largest files of quilts.
    assert_eq!((&first["files"], &first["blobs"]), (&5.into(), &3.into()), "{first}");
    let at_host = |path: &str| get(address, &format!("{host}:{port}"), path);
    let index = at_host("/");
    assert_eq!(index.status, 200, "{}", index.head);
    assert!(index.body.ends_with(b"first"));
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(index.header("content-security-policy"), "");
    let style = at_host("/style.css");
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    let docs = at_host("/docs");
    assert_eq!((docs.status, docs.header("location")), (308, "/docs/"));
    let lost = at_host("/v1/config");
    assert_eq!((lost.status, lost.body.as_slice()), (404, &b"lost"[..]), "{}", lost.head);
    let film_read = at_host("/film.mp4");
    assert_eq!((film_read.status, film_read.header("content-type")), (200, "video/mp4"));
    assert!(film_read.body == film);

    let shared = |path: &str| get(address, address, &format!("/v1/sites/{number}{path}"));
    let page = shared("/");
    assert!(page.status == 200 && page.body == index.body);
    assert!(page.header("content-security-policy").starts_with("sandbox allow-scripts"));
    assert_eq!(shared("/docs/").body, b"docs");
    assert_eq!(get(address, address, "/v1/sites/99/").status, 404);

    write("index.html", b"second");
    let again = ["site", "publish", "site", "--reference", &number, "--gateway", url];
    assert_eq!(network.client(&again).json()["version"], 2);
    wait_for("the second version", 60, || (at_host("/").body == b"second").then_some(()));
    assert_eq!(shared("/").body, b"second");
    assert_eq!(gateway.stop(), 0);
}
