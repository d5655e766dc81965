//! JSON-RPC 2.0 over HTTP POST.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use crate::{Chain, RpcError, devchain::Shared};

/// Longest request body in bytes: room for a batch of the largest transactions.
const BODY_MAX: usize = 4 << 20;

/// Most calls in one batch.
const BATCH_MAX: usize = 200;

/// The one route: `POST /`.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/", post(handle)).layer(DefaultBodyLimit::max(BODY_MAX)).with_state(shared)
}

async fn handle(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let request = match serde_json::from_slice::<Value>(&body) {
        Ok(request) => request,
        Err(error) => {
            let error = RpcError { code: -32700, message: error.to_string(), data: None };
            return respond(failure(&Value::Null, &error));
        }
    };
    // The whole batch under one hold of the core: its calls see the same chain.
    match shared.call(move |chain, now| answer(chain, now, request)).await {
        Ok(Some(answer)) => respond(answer),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => respond(failure(&Value::Null, &error.into())),
    }
}

fn respond(answer: Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

/// Answers a call or a batch; nothing when only notifications were sent.
fn answer(chain: &mut Chain, now: u64, request: Value) -> Option<Value> {
    let Value::Array(calls) = request else {
        return answer_one(chain, now, &request);
    };
    if calls.is_empty() || calls.len() > BATCH_MAX {
        let message = format!("a batch holds 1 to {BATCH_MAX} calls, not {}", calls.len());
        return Some(failure(&Value::Null, &RpcError::invalid_request(message)));
    }
    let answers: Vec<_> = calls.iter().filter_map(|call| answer_one(chain, now, call)).collect();
    (!answers.is_empty()).then_some(Value::Array(answers))
}

fn answer_one(chain: &mut Chain, now: u64, call: &Value) -> Option<Value> {
    let id = call.get("id");
    let Some(method) = call.get("method").and_then(Value::as_str) else {
        let error = RpcError::invalid_request("a call is an object with a method");
        return Some(failure(id.unwrap_or(&Value::Null), &error));
    };
    let params = call.get("params").unwrap_or(&Value::Null);
    let result = chain.rpc(now, method, params);
    // Without an id it is a notification, which is not answered.
    let id = id?;
    Some(match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => failure(id, &error),
    })
}

fn failure(id: &Value, error: &RpcError) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": error.to_json() })
}
