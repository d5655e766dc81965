//! A proxy in front of a node that can lie: it forwards each request, and spoils
//! the answers to reads of slivers and recovery symbols.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How answers are spoilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Not at all.
    Honest,
    /// The sliver of another blob, which the node stores as well.
    OtherBlob { asked: String, given: String },
    /// The first half, correctly framed.
    Truncated,
    /// One bit wrong near the end: in the data of a sliver, in the proof of a symbol.
    FlippedBit,
    /// A body that never ends.
    Endless,
    /// No answer, on a connection that stays open.
    Silent,
}

/// A proxy on one port; lives as long as the test process.
pub struct Proxy {
    lie: Arc<Mutex<Lie>>,
    lies_told: Arc<AtomicU64>,
}

impl Proxy {
    /// Listens on `public_port` and forwards to `node_port`.
    pub fn start(public_port: u16, node_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", public_port)).unwrap();
        let lie = Arc::new(Mutex::new(Lie::Honest));
        let lies_told = Arc::new(AtomicU64::new(0));
        let proxy = Self { lie: lie.clone(), lies_told: lies_told.clone() };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (lie, lies_told) = (lie.clone(), lies_told.clone());
                std::thread::spawn(move || {
                    let lie = lie.lock().unwrap().clone();
                    // Either side may hang up at any time; that is part of the test.
                    let _ = exchange(client, node_port, &lie, &lies_told);
                });
            }
        });
        proxy
    }

    /// From now on, answers are spoilt like this.
    pub fn tell(&self, lie: Lie) {
        *self.lie.lock().unwrap() = lie;
    }

    /// How many answers were spoilt so far.
    pub fn lies_told(&self) -> u64 {
        self.lies_told.load(Ordering::Relaxed)
    }
}

/// One request and its answer; the connection is closed afterwards.
fn exchange(mut client: TcpStream, node: u16, lie: &Lie, told: &AtomicU64) -> io::Result<()> {
    let (head, body) = read_message(&mut client)?;
    let text = String::from_utf8_lossy(&head).into_owned();
    let is_read = text.starts_with("GET ")
        && (text.contains("/slivers/") || text.contains("/recoverySymbols"))
        && !text.contains("/status");
    let lie = if is_read { lie } else { &Lie::Honest };
    if *lie == Lie::Silent {
        told.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_secs(600));
    }
    let text = match lie {
        Lie::OtherBlob { asked, given } if text.contains(asked.as_str()) => {
            told.fetch_add(1, Ordering::Relaxed);
            text.replace(asked, given)
        }
        _ => text,
    };
    let mut upstream = TcpStream::connect(("127.0.0.1", node))?;
    upstream.write_all(close_after(&text).as_bytes())?;
    upstream.write_all(&body)?;
    let (head, mut body) = read_message(&mut upstream)?;
    let head = String::from_utf8_lossy(&head).into_owned();
    let good = head.starts_with("HTTP/1.1 200");
    match lie {
        Lie::Truncated if good => body.truncate(body.len() / 2),
        Lie::FlippedBit if good && body.len() > 20 => {
            // Before the two numbers that end a sliver, inside the last node of a proof.
            let at = body.len() - 6;
            body[at] ^= 1;
        }
        Lie::Endless if good => {
            told.fetch_add(1, Ordering::Relaxed);
            return endless(&mut client);
        }
        _ => return answer(&mut client, &head, &body),
    }
    told.fetch_add(1, Ordering::Relaxed);
    answer(&mut client, &head, &body)
}

/// Reads a head and the body its `content-length` announces (or, from a server, up to the end).
fn read_message(stream: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = Vec::new();
    match length.and_then(|value| value.trim().parse::<u64>().ok()) {
        Some(length) => {
            stream.take(length).read_to_end(&mut body)?;
        }
        None if text.starts_with("http/") => {
            stream.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok((head, body))
}

/// The request with a wish to close the connection afterwards.
fn close_after(head: &str) -> String {
    let end = head.len() - 2;
    format!("{}connection: close\r\n\r\n", &head[..end])
}

fn answer(client: &mut TcpStream, head: &str, body: &[u8]) -> io::Result<()> {
    let kept = head.lines().filter(|line| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("content-length") && !line.starts_with("connection") && !line.is_empty()
    });
    let head = kept.collect::<Vec<_>>().join("\r\n");
    let frame = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    client.write_all(frame.as_bytes())?;
    client.write_all(body)
}

/// Writes until the reader hangs up, or a gibibyte has gone: a reader that takes that much has no limit.
fn endless(client: &mut TcpStream) -> io::Result<()> {
    client.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    let chunk = [b"10000\r\n".as_slice(), &[0x5a; 0x10000], b"\r\n"].concat();
    for _ in 0..(1 << 14) {
        client.write_all(&chunk)?;
    }
    Ok(())
}
