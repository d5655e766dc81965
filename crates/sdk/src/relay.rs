//! Uploading a blob that somebody else registered, and will certify.

use walrus_core::Persistence;

use crate::cache::NetworkError;
use crate::client::Client;
use crate::coding::{EncodeError, Encoded};
use crate::progress::{Progress, ProgressSink};
use crate::store::{CertificateSummary, summarise};
use crate::upload::{NotEnoughConfirmations, Upload, UploadError};

/// Why a blob was not uploaded for somebody else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The blob could no longer be read.
    #[error(transparent)]
    Blob(EncodeError),
    /// Too few nodes confirmed.
    #[error(transparent)]
    NotEnoughConfirmations(NotEnoughConfirmations),
    /// The network's state.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl Client {
    /// Uploads an encoded blob that is registered already, and collects the confirmations:
    /// a store without its transactions. Again with the next committee if that one took
    /// over meanwhile.
    ///
    /// # Errors
    /// See [`RelayError`].
    pub async fn upload(
        &self,
        blob: &Encoded,
        persistence: Persistence,
        progress: &ProgressSink,
    ) -> Result<CertificateSummary, RelayError> {
        let mut view = self.network().await?.committee;
        let restarts = &self.config().restarts;
        let mut attempt = 0;
        loop {
            let upload = Upload {
                env: self.env(),
                view: &view,
                blob,
                persistence,
                config: &self.config().upload,
                budget: self.budget(),
                progress,
            };
            let error = match upload.run().await {
                Ok(uploaded) => return Ok(*summarise(&view, &uploaded)),
                Err(UploadError::Blob(error)) => return Err(RelayError::Blob(error)),
                Err(UploadError::Nodes(error)) => error,
            };
            let fresh = self.cache().refresh().await?.committee;
            let changed = fresh.epoch() != view.epoch() || error.hints_at_new_committee();
            if !changed || attempt >= restarts.retries {
                return Err(RelayError::NotEnoughConfirmations(error));
            }
            let after = restarts.wait(self.env(), attempt);
            progress.report(Progress::Retrying { reason: error.to_string(), after });
            tokio::time::sleep(after).await;
            (view, attempt) = (fresh, attempt + 1);
        }
    }
}
