//! `GET /v1/config`: what the page must know before it can do anything.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::error::Error;
use crate::state::Shared;

/// The gateway about itself and its network.
pub(crate) async fn get(State(gateway): State<Shared>) -> Result<Json<Value>, Error> {
    let network = gateway.client.network().await?;
    let chain = gateway.client.chain();
    let deployment = chain.deployment();
    let (config, parameters) = (&gateway.config, network.network.parameters);
    let (roles, limits) = (config.roles, &config.limits);
    let local = config.development_key.is_some();
    let mut answer = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "roles": {
            "aggregator": roles.aggregator, "publisher": roles.publisher,
            "relay": roles.relay, "page": roles.page,
        },
        "local": local,
        "chain_id": deployment.chain_id,
        "deploy_block": deployment.deploy_block,
        "domain": chain.domain().to_string(),
        "rpc": roles.page.then_some("/v1/rpc"),
        "lens": deployment.lens.to_string(),
        "dev_exchange": deployment.dev_exchange.map(|address| address.to_string()),
        "contracts": deployment.contracts,
        "n_shards": parameters.n_shards,
        "max_epochs_ahead": parameters.max_epochs_ahead,
        "epoch_seconds": parameters.epoch_duration,
        "sites_domain": config.sites_domain.as_ref().map(ToString::to_string),
        "limits": { "max_blob_bytes": limits.max_blob_bytes },
        "publisher": null,
        "relay": roles.relay.then(|| json!({ "max_blob_bytes": limits.max_relay_bytes })),
    });
    if let (true, Some(wallet)) = (roles.publisher, gateway.wallets.all().first()) {
        answer["publisher"] = json!({
            "address": wallet.address().to_string(),
            "addresses": gateway.wallets.all().iter().map(|w| w.address().to_string()).collect::<Vec<_>>(),
            "max_blob_bytes": limits.max_upload_bytes,
            "authentication": gateway.tokens.are_needed(),
            "max_quilt_bytes": limits.max_quilt_bytes,
            "max_epochs": limits.max_epochs.min(parameters.max_epochs_ahead),
        });
    }
    if let Some(key) = &config.development_key {
        answer["development_key"] = key.clone().into();
    }
    Ok(Json(answer))
}
