//! A form of many files, taken in as a stream.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout_at;

use crate::body::{declared_length, too_large};
use crate::config::Limits;
use crate::error::{Error, Reason};
use crate::spool::{Pace, Spool, Spooled};

/// Name of the part that describes the others.
const METADATA: &str = "_metadata";
/// Longest such part.
const METADATA_BYTES: usize = 1 << 20;
/// Longest name of a part.
const NAME_BYTES: usize = 1024;
/// Bytes that may be waiting to be understood: heads of parts, and what arrived besides.
const AHEAD_BYTES: u64 = 1 << 20;

/// A form that arrived.
pub(super) struct Form {
    pub(super) body: Spooled,
    pub(super) parts: Vec<Part>,
}

/// A file of the form.
pub(super) struct Part {
    pub(super) identifier: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) offset: u64,
    pub(super) length: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    identifier: String,
    #[serde(default)]
    tags: BTreeMap<String, Value>,
}

/// The body as the parser takes it: one piece at a time, so that it never reads ahead of
/// what it understands.
struct Metered {
    body: BodyDataStream,
    /// Bytes that were given and not understood yet.
    ahead: Arc<AtomicU64>,
    pause: bool,
}

impl Stream for Metered {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The parser asks until there is nothing now: it must come back for each piece.
        self.pause = !self.pause;
        if !self.pause {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.ahead.load(Ordering::Relaxed) > AHEAD_BYTES {
            return Poll::Ready(Some(Err(std::io::Error::other("the head of a part is too long"))));
        }
        match Pin::new(&mut self.body).poll_next(cx) {
            Poll::Pending => {
                self.pause = false;
                Poll::Pending
            }
            Poll::Ready(Some(Ok(bytes))) => {
                self.ahead.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(std::io::Error::other(error)))),
            Poll::Ready(None) => Poll::Ready(None),
        }
    }
}

/// How much a form may hold.
pub(super) struct Bounds {
    /// Files.
    pub(super) parts: usize,
    /// Bytes of all of them.
    pub(super) bytes: u64,
}

/// Takes in a form.
pub(super) async fn receive(
    spool: &Spool,
    limits: &Limits,
    headers: &HeaderMap,
    body: Body,
    bounds: Bounds,
    watch: &(dyn Fn(u64, Option<u64>) + Send + Sync),
) -> Result<Form, Error> {
    let max_parts = bounds.parts;
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| {
        let message = "a quilt is sent as multipart/form-data with a boundary";
        Error::new(Reason::UnsupportedMediaType, message)
    })?;
    let declared = declared_length(headers);
    if declared.is_some_and(|length| length > limits.max_quilt_bytes) {
        return Err(too_large(limits.max_quilt_bytes));
    }
    let ahead = Arc::new(AtomicU64::new(0));
    let body = Metered { body: body.into_data_stream(), ahead: ahead.clone(), pause: false };
    let mut form = multer::Multipart::new(body, boundary);
    // The parser's own bytes are bounded apart from these.
    let mut writer = spool.writer(bounds.bytes)?;
    let mut pace = Pace::new(limits);
    let mut parts: Vec<Part> = Vec::new();
    let mut descriptions = None;
    loop {
        let field = timeout_at(pace.deadline(), form.next_field()).await;
        let field = field.map_err(|_| pace.too_slow())?.map_err(broken)?;
        let Some(mut field) = field else { break };
        let name = field.name().unwrap_or_default().to_owned();
        if name.is_empty() || name.len() > NAME_BYTES {
            return Err(Error::malformed("each part has a name of at most 1024 bytes"));
        }
        let is_metadata = name == METADATA;
        if !is_metadata && parts.len() >= max_parts {
            let message = format!("a quilt of this network has at most {max_parts} files");
            return Err(Error::malformed(message).with("max_files", max_parts));
        }
        let offset = writer.length();
        let mut description = Vec::new();
        loop {
            ahead.store(0, Ordering::Relaxed);
            let chunk = timeout_at(pace.deadline(), field.chunk()).await;
            let chunk = chunk.map_err(|_| pace.too_slow())?.map_err(broken)?;
            let Some(chunk) = chunk else { break };
            pace.arrived(chunk.len());
            if !is_metadata {
                writer.push(&chunk).await?;
                watch(writer.length(), declared);
                continue;
            }
            if description.len() + chunk.len() > METADATA_BYTES {
                return Err(too_large(METADATA_BYTES as u64));
            }
            description.extend_from_slice(&chunk);
        }
        if !is_metadata {
            let length = writer.length() - offset;
            parts.push(Part { identifier: name, tags: BTreeMap::new(), offset, length });
        } else if descriptions.replace(description).is_some() {
            return Err(Error::malformed("_metadata is given twice"));
        }
    }
    if parts.is_empty() {
        return Err(Error::malformed("the form holds no file"));
    }
    describe(&mut parts, descriptions.as_deref())?;
    Ok(Form { body: writer.finish().await?, parts })
}

fn broken(error: multer::Error) -> Error {
    Error::malformed(format!("the form cannot be read: {error}"))
}

/// Gives the files their tags.
fn describe(parts: &mut [Part], descriptions: Option<&[u8]>) -> Result<(), Error> {
    let Some(text) = descriptions else { return Ok(()) };
    let descriptions: Vec<Description> = serde_json::from_slice(text)
        .map_err(|error| Error::malformed(format!("_metadata cannot be read: {error}")))?;
    let mut known = BTreeMap::new();
    for Description { identifier, tags } in descriptions {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let tags: BTreeMap<_, _> = tags.into_iter().map(|(k, v)| (k, text(v))).collect();
        if known.insert(identifier, tags).is_some() {
            return Err(Error::malformed("_metadata describes a file twice"));
        }
    }
    for part in parts {
        part.tags = known.remove(&part.identifier).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::stream;
    use walrus_env::real;

    use super::*;

    fn headers() -> HeaderMap {
        let kind = "multipart/form-data; boundary=X".parse().unwrap();
        [(CONTENT_TYPE, kind)].into_iter().collect()
    }

    async fn take(body: Body) -> Result<Form, Error> {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::new(&real::env(), directory.path().to_owned(), 1 << 30);
        let limits = Limits { max_quilt_bytes: 8 << 20, ..Limits::default() };
        let bounds = Bounds { parts: 3, bytes: limits.max_quilt_bytes };
        receive(&spool, &limits, &headers(), body, bounds, &|_, _| ()).await
    }

    fn part(name: &str, content: &str) -> String {
        format!("--X\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn a_form_of_files_and_their_tags_is_understood() {
        // A file under another's name, or cut, would be stored for good.
        let metadata = r#"[{"identifier":"b","tags":{"n":1,"k":"v"}},{"identifier":"unknown"}]"#;
        let text =
            [part("a", "first"), part("_metadata", metadata), part("b", ""), "--X--\r\n".into()];
        let form = take(Body::from(text.concat())).await.unwrap();
        let found: Vec<_> = form
            .parts
            .iter()
            .map(|part| (part.identifier.as_str(), part.offset, part.length))
            .collect();
        assert_eq!(found, [("a", 0, 5), ("b", 5, 0)]);
        let tags: Vec<_> = form.parts[1].tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(tags, ["k=v", "n=1"]);
    }

    #[tokio::test]
    async fn forms_that_never_end_or_make_no_sense_are_refused() {
        // Each of these would otherwise take memory or disk without end, or store a guess.
        let endless = |head: String, piece: &'static str| {
            let rest = stream::repeat_with(move || {
                Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes()))
            });
            let head = stream::iter([Ok(Bytes::from(head))]);
            Body::from_stream(futures::StreamExt::chain(head, rest))
        };
        let long = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let head_only = "--X\r\ncontent-disposition: form-data; name=\"".to_owned();
        assert!(take(endless(head_only, long)).await.is_err());
        assert!(take(endless(String::new(), long)).await.is_err());
        let file = take(endless(
            "--X\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n".to_owned(),
            long,
        ))
        .await;
        assert_eq!(file.err().unwrap().reason, Reason::BodyTooLarge);
        let many = endless(
            String::new(),
            "--X\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nx\r\n",
        );
        assert!(take(many).await.is_err());

        let end = "--X--\r\n";
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in [
            end.to_owned(),
            part("a", "cut"),
            part("_metadata", "[]") + end,
            part("a", "x") + &part("_metadata", "{}") + end,
            part("a", "x") + &part("_metadata", &deep) + end,
            part("a", "x") + &part("_metadata", "[]") + &part("_metadata", "[]") + end,
            part("a", "x") + &part("_metadata", r#"[{"identifier":"a"},{"identifier":"a"}]"#) + end,
            part("", "x") + end,
        ] {
            let start: String = text.chars().take(100).collect();
            assert!(take(Body::from(text)).await.is_err(), "{start}");
        }
    }
}
