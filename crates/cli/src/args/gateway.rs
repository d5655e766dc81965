//! `walrus gateway`

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// `walrus gateway`
#[derive(Debug, Args)]
pub struct GatewayArgs {
    /// Serve blobs; without any of the four roles named, all run
    #[arg(long)]
    pub aggregator: bool,
    /// Store blobs for others, paid for by the wallets of this gateway
    #[arg(long)]
    pub publisher: bool,
    /// Encode and upload blobs that others registered and paid for
    #[arg(long)]
    pub relay: bool,
    /// Serve the web page
    #[arg(long)]
    pub page: bool,
    /// Address to listen on, host:port [default: 127.0.0.1:31415]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<String>,
    /// Directory for the cache and for what is on its way [default: gateway, in the context's state directory]
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Address for figures in the form of Prometheus, host:port [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<String>,
    /// Domain below which each website has a host name of its own: 7.DOMAIN for reference 7 [default: none]
    #[arg(long, value_name = "DOMAIN")]
    pub sites_domain: Option<String>,
    /// File with the secret of the tokens that open the publisher [default: everybody may use it]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub jwt_secret_file: Option<PathBuf>,
    /// Let the web pages of all origins store without tokens, at the cost of this gateway
    #[arg(long)]
    pub open_to_pages: bool,
    /// Bytes of all cached blobs; 0 caches nothing
    #[arg(long, value_name = "BYTES")]
    pub cache_bytes: Option<u64>,
    /// Longest blob that the publisher takes, in bytes
    #[arg(long, value_name = "BYTES")]
    pub max_upload_bytes: Option<u64>,
}
