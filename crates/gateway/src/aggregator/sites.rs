//! Websites under the numbers of references (docs/sites.md).

use std::fmt::Write as _;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use walrus_redstuff::ConsistencyCheck;
use walrus_sdk::site::{Entry, Found, Located, Manifest};

use super::answer::{self, RESOURCE_POLICY, Wanted};
use super::quilts;
use super::ranges::{Condition, condition};
use crate::error::{Error, Reason};
use crate::query::{PathName, PathNames, token_id};
use crate::state::Shared;

/// The reference may point elsewhere soon.
const CACHE: &str = "public, max-age=60";
/// A website in the gateway's own origin: it may run, but as a stranger to everything there,
/// the page with its wallet before all.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-popups allow-downloads allow-modals";

/// Where a website is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below `/v1/sites/{reference}/`, with others.
    Shared,
    /// At a host name of its own.
    Own,
}

/// The website whose host name was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteOfHost(pub(crate) u64);

/// What is asked of a website.
struct Asked<'a> {
    place: Place,
    number: u64,
    /// Percent-decoded.
    path: &'a str,
    uri: &'a Uri,
    method: &'a Method,
    headers: &'a HeaderMap,
}

/// `GET /v1/sites/{reference}`
pub(crate) async fn bare(PathName(number): PathName, uri: Uri) -> Result<Response, Error> {
    redirect(Place::Shared, reference(&number)?, "", &uri)
}

/// `GET /v1/sites/{reference}/`
pub(crate) async fn index(
    State(gateway): State<Shared>,
    PathName(number): PathName,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (number, uri, method, headers) = (reference(&number)?, &uri, &method, &headers);
    serve(&gateway, Asked { place: Place::Shared, number, path: "", uri, method, headers }).await
}

/// `GET /v1/sites/{reference}/{path}`
pub(crate) async fn file(
    State(gateway): State<Shared>,
    PathNames(number, path): PathNames,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (number, uri, method, headers) = (reference(&number)?, &uri, &method, &headers);
    serve(&gateway, Asked { place: Place::Shared, number, path: &path, uri, method, headers }).await
}

/// `GET /` at the host name of a website
pub(crate) async fn host_index(
    State(gateway): State<Shared>,
    Extension(SiteOfHost(number)): Extension<SiteOfHost>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (uri, method, headers) = (&uri, &method, &headers);
    serve(&gateway, Asked { place: Place::Own, number, path: "", uri, method, headers }).await
}

/// `GET /{path}` at the host name of a website
pub(crate) async fn host_file(
    State(gateway): State<Shared>,
    Extension(SiteOfHost(number)): Extension<SiteOfHost>,
    PathName(path): PathName,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (path, uri, method, headers) = (path.as_str(), &uri, &method, &headers);
    serve(&gateway, Asked { place: Place::Own, number, path, uri, method, headers }).await
}

fn reference(text: &str) -> Result<u64, Error> {
    token_id(text).map(|number| number.0).map_err(|_| {
        let message = "a website is named by a number: that of its reference";
        Error::new(Reason::InvalidIdFormat, message)
    })
}

/// What a path leads to. Holds nothing of the manifest, which may be large.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    File { located: Located, media_type: String, status: StatusCode },
    Directory(String),
}

fn find(manifest: &Manifest, path: &str) -> Result<Target, Error> {
    let file = |entry: &Entry, status| {
        let located = entry.located().map_err(Error::internal)?;
        Ok(Target::File { located, media_type: entry.media_type.clone(), status })
    };
    match manifest.find(path) {
        Found::File(_, entry) => file(entry, StatusCode::OK),
        Found::Directory(directory) => Ok(Target::Directory(directory)),
        Found::Missing(Some((_, entry))) => file(entry, StatusCode::NOT_FOUND),
        Found::Missing(None) => {
            Err(Error::new(Reason::SiteFileNotFound, "the website has no such file"))
        }
    }
}

async fn serve(gateway: &Shared, asked: Asked<'_>) -> Result<Response, Error> {
    let target = find(&*gateway.manifests.of(asked.number).await?, asked.path)?;
    let (located, media_type, status) = match target {
        Target::Directory(directory) => {
            return redirect(asked.place, asked.number, &directory, asked.uri);
        }
        Target::File { located, media_type, status } => (located, media_type, status),
    };
    let answered = headers(asked.place, &located, &media_type)?;
    if status == StatusCode::OK {
        return answer(gateway, &located, asked.method, asked.headers, answered).await;
    }
    // Conditions and ranges are about the file that was asked for, which is not there.
    let mut response = answer(gateway, &located, asked.method, &HeaderMap::new(), answered).await?;
    *response.status_mut() = status;
    for name in [ACCEPT_RANGES, ETAG] {
        response.headers_mut().remove(name);
    }
    Ok(response)
}

/// Headers of every answer with a website's content.
fn headers(place: Place, located: &Located, media_type: &str) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let etag = match located {
        Located::Blob(id) => format!("\"{id}\""),
        Located::Patch(id) => format!("\"{id}\""),
    };
    headers.insert(ETAG, HeaderValue::try_from(etag).map_err(Error::internal)?);
    // Printable ASCII, or the manifest would have been refused.
    headers.insert(CONTENT_TYPE, HeaderValue::try_from(media_type).map_err(Error::internal)?);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHE));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // A sandboxed page is a stranger to its own pictures too.
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    if place == Place::Shared {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    }
    Ok(headers)
}

async fn answer(
    gateway: &Shared,
    located: &Located,
    method: &Method,
    headers: &HeaderMap,
    mut answered: HeaderMap,
) -> Result<Response, Error> {
    let etag = answered.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    // The tag names the content for ever: whoever has it needs nothing to be read.
    if condition(headers, etag) == Condition::NotModified {
        answered.remove(CONTENT_TYPE);
        return Ok((StatusCode::NOT_MODIFIED, answered).into_response());
    }
    match located {
        Located::Blob(id) => {
            let wanted = Wanted { method, headers, check: ConsistencyCheck::Default };
            answer::answer(&gateway.library, *id, wanted, answered).await
        }
        Located::Patch(id) => quilts::answer_id(gateway, id, method, headers, answered).await,
    }
}

/// Sends on to a directory of the website, by the path of a manifest or the empty one.
fn redirect(place: Place, number: u64, directory: &str, uri: &Uri) -> Result<Response, Error> {
    let mut to = match place {
        Place::Shared => format!("/v1/sites/{number}/"),
        Place::Own => "/".to_owned(),
    };
    for byte in directory.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            to.push(byte.into());
        } else {
            let _ = write!(to, "%{byte:02X}");
        }
    }
    if let Some(query) = uri.query() {
        to.push('?');
        to.push_str(query);
    }
    let to = HeaderValue::try_from(to).map_err(|_| Error::malformed("the query is not text"))?;
    let headers = [(LOCATION, to), (CACHE_CONTROL, HeaderValue::from_static(CACHE))];
    Ok((StatusCode::PERMANENT_REDIRECT, headers).into_response())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use walrus_redstuff::BlobId;

    use super::*;

    fn location(place: Place, directory: &str, uri: &str) -> String {
        let response = redirect(place, 7, directory, &uri.parse().unwrap()).unwrap();
        assert_eq!(response.status(), 308);
        response.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn redirects_stay_within_the_website() {
        // A link to a good website would otherwise lead to a bad one.
        assert_eq!(location(Place::Shared, "", "/v1/sites/7?a=//b"), "/v1/sites/7/?a=//b");
        assert_eq!(location(Place::Own, "a b/é/", "/x"), "/a%20b/%C3%A9/");
        assert_eq!(location(Place::Own, "a?b#c:@/", "/x?y"), "/a%3Fb%23c%3A%40/?y");
        let entry =
            Entry::new("text/html".to_owned(), 1, &Located::Blob(BlobId::from_bytes([7; 32])));
        let files = [("evil.org/index.html".to_owned(), entry)].into();
        let site = Manifest::new("index.html".to_owned(), None, files);
        for path in ["evil.org", "/evil.org", "///evil.org"] {
            let Ok(Target::Directory(directory)) = find(&site, path) else { panic!("{path}") };
            assert_eq!(location(Place::Own, &directory, "/x"), "/evil.org/");
        }
        for path in ["../evil.org", "%2e%2e/evil.org", "evil.org/..", "\\evil.org"] {
            assert_eq!(find(&site, path).unwrap_err().reason, Reason::SiteFileNotFound, "{path}");
        }
    }

    #[test]
    fn a_website_among_others_is_a_stranger_to_the_gateways_page() {
        // It would use the wallet of who looks at it.
        let blob = Located::Blob(BlobId::from_bytes([7; 32]));
        let shared = headers(Place::Shared, &blob, "text/html").unwrap();
        let policy = shared[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("sandbox ") && !policy.contains("same-origin"), "{policy}");
        assert!(!policy.contains("top-navigation"));
        let own = headers(Place::Own, &blob, "text/html").unwrap();
        assert!(!own.contains_key(CONTENT_SECURITY_POLICY));
        assert_eq!(own[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}
