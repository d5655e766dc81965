//! `POST /v1/rpc`: the chain, for pages that were loaded from here.
//!
//! The page may speak to nobody but its own origin, so what it asks the chain goes through
//! the gateway. Only methods that a wallet and a reader need are passed on; other origins
//! get no permission to read the answers.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use walrus_chain::RpcError;

use crate::body;
use crate::error::{Error, Reason};
use crate::logs::{LogFilter, quantity};
use crate::state::Shared;

/// What is passed on.
const METHODS: &[&str] = &[
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_gasPrice",
    "eth_getBalance",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_getLogs",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
    "eth_sendRawTransaction",
    "net_version",
];
/// Questions in one body.
const BATCH: usize = 50;
/// Blocks that one question for fees may cover.
const FEE_BLOCKS: u64 = 1024;

#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    id: Value,
    method: String,
    #[serde(default)]
    params: Value,
}

/// Answers one question or a batch.
pub(crate) async fn post(
    State(gateway): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let essence = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A form of another site can send anything but this without asking.
    if !essence.is_some_and(|value| {
        value.split(';').next().unwrap_or_default().trim() == "application/json"
    }) {
        let message = "the content type of a question to the chain is application/json";
        return Err(Error::new(Reason::UnsupportedMediaType, message));
    }
    let limits = &gateway.config.limits;
    let _permit = gateway
        .rpc
        .try_acquire()
        .map_err(|_| Error::overloaded("too many questions to the chain"))?;
    let bytes = body::collect(limits, &headers, body, limits.max_rpc_bytes).await?;
    let answer = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => batch(&gateway, &bytes).await?,
        _ => one(&gateway, question(&bytes)?).await,
    };
    Ok(axum::Json(answer).into_response())
}

fn question(bytes: &[u8]) -> Result<Question, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::malformed(format!("not a JSON-RPC question: {error}")))
}

async fn batch(gateway: &Shared, bytes: &Bytes) -> Result<Value, Error> {
    let questions: Vec<Question> = serde_json::from_slice(bytes)
        .map_err(|error| Error::malformed(format!("not a list of JSON-RPC questions: {error}")))?;
    if questions.is_empty() || questions.len() > BATCH {
        return Err(Error::malformed(format!("a batch has 1 to {BATCH} questions")));
    }
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        answers.push(one(gateway, question).await);
    }
    Ok(Value::Array(answers))
}

async fn one(gateway: &Shared, question: Question) -> Value {
    let Question { id, method, params } = question;
    let fail = |code: i64, message: &str| json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
    let Some(method) = METHODS.iter().find(|known| **known == method) else {
        return fail(-32601, "this gateway does not pass on this method");
    };
    let params = match check(method, params, gateway).await {
        Ok(params) => params,
        Err(message) => return fail(-32602, &message),
    };
    match gateway.client.chain().endpoints().forward(method, params).await {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(RpcError::Refused { answer, .. }) => {
            let mut error = json!({"code": answer.code, "message": answer.message});
            if let Some(data) = answer.data {
                error["data"] = data_text(&data).into();
            }
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        }
        Err(error) => {
            tracing::warn!(%error, "the chain could not be asked for a page");
            fail(-32000, "the chain cannot be reached now")
        }
    }
}

fn data_text(data: &[u8]) -> String {
    let digits = data.iter().map(|byte| format!("{byte:02x}"));
    format!("0x{}", digits.collect::<String>())
}

/// The parameters that are passed on; refuses what would be a heavy question to the chain.
async fn check(method: &str, params: Value, gateway: &Shared) -> Result<Value, String> {
    match method {
        "eth_getLogs" => {
            let filter = LogFilter::parse(&params)?;
            let head = match filter.needs_head() {
                true => gateway.client.chain().block_number().await,
                false => Ok(0),
            };
            filter.check(head.map_err(|error| error.to_string())?)?;
            Ok(filter.params())
        }
        "eth_feeHistory" => fees(params),
        _ => Ok(params),
    }
}

fn fees(mut params: Value) -> Result<Value, String> {
    let asked = params.get_mut(0).ok_or("a number of blocks is needed")?;
    let count = match asked {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => quantity(text),
        _ => None,
    };
    let count = count.filter(|count| *count <= FEE_BLOCKS);
    let count = count.ok_or_else(|| format!("fees of at most {FEE_BLOCKS} blocks at a time"))?;
    *asked = format!("{count:#x}").into();
    Ok(params)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_told_of_so_many_blocks_as_were_counted_here() {
        // A number that only the chain's node understands would pass by the limit.
        for count in [json!("0x400"), json!(1024)] {
            let passed = fees(json!([count, "latest", [50]])).unwrap();
            assert_eq!(passed, json!(["0x400", "latest", [50]]));
        }
        for count in ["\"0x401\"", "\"0X1\"", "\"earliest\"", "1025", "-1", "1.5", "null", "[]"] {
            let count: Value = serde_json::from_str(count).unwrap();
            assert!(fees(json!([count, "latest", []])).is_err(), "{count}");
        }
        assert!(fees(json!([])).is_err() && fees(json!({"blockCount": "0xffff"})).is_err());
    }
}
