//! What the page asks about nodes (docs/page-api.md sections 3 and 4).

use axum::Json;
use axum::extract::State;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use walrus_core::{Persistence, StorageConfirmation};
use walrus_node_api::ExpectedConfirmation;
use walrus_node_api::query::ConfirmationQuery;
use walrus_sdk::{CommitteeView, Node, NodeHealth};

use crate::error::Error;
use crate::query::{PathName, Query, blob_id, token_id};
use crate::state::Shared;

/// `GET /v1/nodes`: what every node says about itself.
pub(crate) async fn list(State(gateway): State<Shared>) -> Result<Json<Value>, Error> {
    let _turn = gateway.surveys.try_acquire().map_err(|_| busy())?;
    let nodes = gateway.client.health(false).await?;
    Ok(Json(nodes.iter().map(NodeHealth::report).collect()))
}

fn busy() -> Error {
    Error::overloaded("the nodes are being asked already; try again")
}

/// Which confirmation is wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfirmationsQuery {
    object_id: Option<String>,
}

/// `GET /v1/blobs/{blob_id}/confirmations`: every node's word, now and signed, that it
/// holds its part.
pub(crate) async fn confirmations(
    State(gateway): State<Shared>,
    PathName(id): PathName,
    Query(query): Query<ConfirmationsQuery>,
) -> Result<Json<Value>, Error> {
    let blob_id = blob_id(&id)?;
    let persistence = match query.object_id.as_deref().map(token_id).transpose()? {
        None => Persistence::Permanent,
        Some(token) => Persistence::Deletable(token.into()),
    };
    let _turn = gateway.surveys.try_acquire().map_err(|_| busy())?;
    let view = gateway.client.network().await?.committee;
    let body = StorageConfirmation { blob_id, persistence };
    let nodes = join_all(view.nodes().iter().map(|node| ask(&view, node, body))).await;
    let sum = |nodes: &[(u32, bool, Value)]| -> u32 {
        nodes.iter().filter(|(_, confirmed, _)| *confirmed).map(|(weight, ..)| weight).sum()
    };
    let needed = walrus_core::Threshold::Quorum.min_weight(view.committee().n_shards());
    Ok(Json(json!({
        "epoch": view.epoch().0,
        "weight": sum(&nodes),
        "needed": needed,
        "nodes": nodes.into_iter().map(|(.., node)| node).collect::<Vec<_>>(),
    })))
}

async fn ask(view: &CommitteeView, node: &Node, body: StorageConfirmation) -> (u32, bool, Value) {
    let expected = ExpectedConfirmation {
        epoch: view.epoch(),
        body,
        context: view.context(),
        key: &node.member.public_key,
    };
    let answer = match &node.client {
        Ok(client) => {
            let answer = client.confirmation(&expected, &ConfirmationQuery::default()).await;
            answer.map_err(|error| error.to_string())
        }
        Err(reason) => Err(reason.clone()),
    };
    let described = json!({
        "node_id": node.id().0, "name": node.member.name, "shards": node.weight(),
        "confirmed": answer.is_ok(), "error": answer.as_ref().err(),
    });
    (node.weight(), answer.is_ok(), described)
}
