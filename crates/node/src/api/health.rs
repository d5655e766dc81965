//! The node about itself (docs/protocol/http-api.md section 3.12).

use axum::{extract::State, response::Response};
use http::StatusCode;
use walrus_node_api::{
    extract::success,
    query::HealthQuery,
    wire::{
        EventProgress, OwnedShardStatus, ServiceHealth, ShardDetail, ShardHealth, ShardStatusWord,
        ShardSummary,
    },
};

use super::ApiState;

pub(super) async fn get(State(state): State<ApiState>, query: HealthQuery) -> Response {
    success(StatusCode::OK, state.node.health(query.detailed))
}

impl crate::state::NodeState {
    /// The node's account of itself.
    pub fn health(&self, detailed: bool) -> ServiceHealth {
        let membership = self.membership.get();
        let shards = membership.shards();
        let owned = u32::try_from(shards.len()).unwrap_or(u32::MAX);
        let position = self.progress.position();
        let shard = |shard: &walrus_redstuff::ShardIndex| ShardHealth {
            shard: shard.get(),
            status: ShardStatusWord::Ready,
        };
        ServiceHealth {
            uptime: self.started.elapsed().into(),
            epoch: membership.epoch(),
            public_key: self.protocol_keys.of(&membership).public_key().clone(),
            node_status: if shards.is_empty() { "Standby" } else { "Active" }.to_owned(),
            event_progress: EventProgress {
                persisted: position.events,
                pending: 0,
                highest_finished_event_index: position.events.checked_sub(1),
            },
            shard_summary: ShardSummary {
                owned,
                owned_shard_status: OwnedShardStatus { ready: owned, ..Default::default() },
                read_only: 0,
            },
            shard_detail: detailed.then(|| ShardDetail {
                owned: shards.iter().map(shard).collect(),
                other: Vec::new(),
            }),
            latest_checkpoint_sequence_number: position.block,
        }
    }
}
