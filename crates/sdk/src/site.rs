//! Websites: lists of files under a number of the chain, as `walrus site publish` makes them and gateways
//! serve them (docs/sites.md).

mod domain;
mod manifest;

pub use domain::{SitesDomain, SitesDomainError};
pub use manifest::{
    Entry, FILES_MAX, Found, Located, MANIFEST_BYTES_MAX, Manifest, SiteError, check_path,
};
