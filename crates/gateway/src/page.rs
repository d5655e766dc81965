//! The web page: files that are part of the binary.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use include_dir::{Dir, include_dir};

use crate::error::{Error, Reason};

static PAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/page");

/// Nothing from elsewhere, and nobody else's frame. A blob is served under a stricter
/// policy of its own. WebAssembly needs its word, which allows no text to become a program.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; object-src 'none'; img-src 'self' data: blob:; \
                      media-src 'self' blob:";

/// `GET /`
pub(crate) async fn index() -> Result<Response, Error> {
    file("index.html")
}

/// `GET /{file}`
pub(crate) async fn other(Path(path): Path<String>) -> Result<Response, Error> {
    file(&path)
}

fn file(path: &str) -> Result<Response, Error> {
    let not_found = || Error::new(Reason::UnknownRoute, "no such route");
    let kind = content_type(path).ok_or_else(not_found)?;
    let file = PAGE.get_file(path).ok_or_else(not_found)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // The next version of the binary has another page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok((headers, file.contents()).into_response())
}

/// The types of files that a page is made of; others are not served.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        // A gateway must work where there is no other network, and tell nobody who uses it.
        let mut open: Vec<&Dir<'_>> = vec![&PAGE];
        let mut pages = 0;
        while let Some(directory) = open.pop() {
            open.extend(directory.dirs());
            for file in directory.files() {
                let Some(text) = file.contents_utf8() else { continue };
                for word in ["src=\"http", "href=\"http", "@import url(http", "from \"http"] {
                    assert!(!text.contains(word), "{}: {word}", file.path().display());
                }
                pages += 1;
            }
        }
        assert!(pages > 0);
    }

    #[tokio::test]
    async fn only_files_of_the_page_are_served_and_under_a_strict_policy() {
        let response = index().await.unwrap();
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'; script-src 'self' 'wasm-unsafe-eval';"));
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"));
        for path in ["../Cargo.toml", "nothing.js", "README.md", ""] {
            assert!(file(path).is_err(), "{path}");
        }
    }
}
