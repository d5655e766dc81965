//! `PUT /v1/quilts`: many files as one blob.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;
use serde_json::{Value, json};
use walrus_redstuff::quilt::Tags;
use walrus_sdk::QuiltFile;

use super::{admit, answer, conclude, finish, multipart, names};
use crate::error::Error;
use crate::query::{Query, StoreQuery};
use crate::state::Shared;

/// Stores the files of a form.
pub(crate) async fn put(
    State(gateway): State<Shared>,
    Query(query): Query<StoreQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Error> {
    let (wish, grant) = admit(&gateway, query, &headers, true).await?;
    let reporter = gateway.uploads.begin(wish.upload.as_deref(), names(&gateway).await?)?;
    let stored = async {
        let params = gateway.client.network().await?.committee.params();
        let max_parts = usize::from(params.secondary_source_symbols()) - 1;
        let watch = |done, total| reporter.received(done, total);
        let limits = &gateway.config.limits;
        let max = limits.max_quilt_bytes;
        let bounds = multipart::Bounds { parts: max_parts, bytes: grant.limit(max) };
        let form = multipart::receive(&gateway.spool, limits, &headers, body, bounds, &watch);
        let form = form.await.map_err(|error| grant.refusal(error, max))?;
        grant.check_size(form.body.length)?;
        let mut files = Vec::with_capacity(form.parts.len());
        for part in &form.parts {
            let tags =
                Tags::new(&part.tags).map_err(|error| Error::malformed(error.to_string()))?;
            let content = form.body.part(part.offset, part.length);
            files.push(QuiltFile { identifier: part.identifier.clone(), tags, content });
        }
        let wallet = gateway.wallets.take(&form.body.sha256).await;
        let (options, sink) = (&wish.options, reporter.sink());
        let store = gateway.client.store_quilt(wallet.writer(), files, options, &sink);
        let stored = store.await.map_err(answer::quilt_failure)?;
        gateway.metrics.add("stored_bytes", form.body.length);
        let quilt_id = stored.stored.blob_id;
        let patches = stored.index.patches().iter().map(|patch| {
            json!({
                "identifier": patch.identifier(),
                "quiltPatchId": patch.id(quilt_id).to_string(),
                "range": [patch.columns().start, patch.columns().end],
            })
        });
        let patches: Vec<Value> = patches.collect();
        let mut finished = finish(&gateway, &wish, stored.stored).await?;
        finished.answer = json!({"blobStoreResult": finished.answer, "storedQuiltBlobs": patches});
        Ok(finished)
    };
    conclude(&gateway, &reporter, stored.await)
}
