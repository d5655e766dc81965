//! Logs by range, and filters that remember what they reported.

use std::collections::BTreeMap;

use alloy::{
    eips::BlockNumberOrTag,
    rpc::types::{Filter, FilterBlockOption, Log},
};
use serde_json::{Value, json};

use super::{Chain, block::Block, views};
use crate::{ChainError, RpcError};

/// Most blocks of one query.
const RANGE_MAX: u64 = 10_000;

/// Most logs of one answer.
const LOGS_MAX: usize = 10_000;

/// Most alternatives for the address or for one topic.
const ALTERNATIVES_MAX: usize = 1_000;

/// Most installed filters; the oldest goes first.
const FILTERS_MAX: usize = 256;

/// The installed filters. They live as long as the process, not on disk.
#[derive(Debug, Default)]
pub(super) struct Filters {
    by_id: BTreeMap<u64, Installed>,
    installed: u64,
}

#[derive(Debug)]
struct Installed {
    /// Logs to report, or block hashes when absent.
    filter: Option<Filter>,
    /// First block not reported yet.
    next: u64,
    /// Reported logs of blocks that left the chain.
    removed: Vec<Log>,
}

impl Filters {
    fn install(&mut self, filter: Option<Filter>, next: u64) -> u64 {
        self.installed += 1;
        self.by_id.insert(self.installed, Installed { filter, next, removed: Vec::new() });
        if self.by_id.len() > FILTERS_MAX {
            self.by_id.pop_first();
        }
        self.installed
    }

    fn get(&mut self, id: u64) -> Result<&mut Installed, RpcError> {
        self.by_id.get_mut(&id).ok_or_else(|| RpcError::refused("filter not found"))
    }

    /// Takes note that `dropped` left the chain and `head` is the latest block.
    pub(super) fn blocks_dropped(&mut self, dropped: &[Block], head: u64) {
        for installed in self.by_id.values_mut() {
            if let Some(filter) = &installed.filter {
                let reported = dropped.iter().filter(|block| block.number() < installed.next);
                let mut removed: Vec<_> =
                    reported.flat_map(|block| matching(block, filter)).collect();
                removed.iter_mut().for_each(|log| log.removed = true);
                let room = LOGS_MAX.saturating_sub(installed.removed.len());
                installed.removed.extend(removed.into_iter().take(room));
            }
            installed.next = installed.next.min(head + 1);
        }
    }
}

impl Chain {
    /// `eth_getLogs`.
    pub(super) fn logs(&self, filter: &Filter) -> Result<Vec<Log>, RpcError> {
        check_size(filter)?;
        match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let number = self.ledger.number(hash)?;
                let number = number.ok_or_else(|| RpcError::refused("unknown block"))?;
                self.logs_between(filter, number, number)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let from = self.log_bound(from_block);
                let to = self.log_bound(to_block);
                if from > to {
                    let message = format!("invalid block range: from {from} to {to}");
                    return Err(RpcError::invalid_params(message));
                }
                self.logs_between(filter, from, to)
            }
        }
    }

    /// Installs a filter for logs from now on; answers its id.
    pub(super) fn install_log_filter(&mut self, filter: Filter) -> Result<u64, RpcError> {
        check_size(&filter)?;
        Ok(self.filters.install(Some(filter), self.head.number + 1))
    }

    /// Installs a filter for block hashes from now on; answers its id.
    pub(super) fn install_block_filter(&mut self) -> u64 {
        self.filters.install(None, self.head.number + 1)
    }

    /// Whether there was such a filter.
    pub(super) fn uninstall_filter(&mut self, id: u64) -> bool {
        self.filters.by_id.remove(&id).is_some()
    }

    /// All logs of a filter's range.
    pub(super) fn filter_logs(&mut self, id: u64) -> Result<Vec<Log>, RpcError> {
        let filter = self.filters.get(id)?.filter.clone();
        self.logs(&filter.ok_or_else(|| RpcError::refused("not a log filter"))?)
    }

    /// What happened since a filter was asked last: logs of blocks that left the
    /// chain (marked removed), then those of new blocks.
    pub(super) fn filter_changes(&mut self, id: u64) -> Result<Value, RpcError> {
        let head = self.head.number;
        let installed = self.filters.get(id)?;
        let (next, filter) = (installed.next, installed.filter.clone());
        let Some(filter) = filter else {
            let last = head.min(next.saturating_add(RANGE_MAX - 1));
            installed.next = last + 1;
            return self.hashes_between(next, last).map(|hashes| json!(hashes));
        };
        // A filter not asked for long catches up over several answers.
        let last = head.min(next.saturating_add(RANGE_MAX - 1));
        let fresh = match next > head {
            true => Vec::new(),
            false => self.logs_between(&filter, next, last)?,
        };
        let installed = self.filters.get(id)?;
        installed.next = last + 1;
        let mut changes = std::mem::take(&mut installed.removed);
        changes.extend(fresh);
        Ok(json!(changes))
    }

    fn hashes_between(&self, from: u64, to: u64) -> Result<Vec<String>, RpcError> {
        let mut hashes = Vec::new();
        for number in from..=to {
            let header = self.ledger.header(number)?;
            let header = header.ok_or(ChainError::Corrupt("a header is missing"))?;
            hashes.push(header.hash().to_string());
        }
        Ok(hashes)
    }

    fn log_bound(&self, bound: Option<BlockNumberOrTag>) -> u64 {
        match bound {
            Some(BlockNumberOrTag::Number(number)) => number,
            Some(BlockNumberOrTag::Earliest) => 0,
            _ => self.head.number,
        }
    }

    /// Logs of the blocks `from..=to`; blocks that do not exist yet have none.
    fn logs_between(&self, filter: &Filter, from: u64, to: u64) -> Result<Vec<Log>, RpcError> {
        if to.saturating_sub(from) >= RANGE_MAX {
            let message = format!("block range too large: {from} to {to}, at most {RANGE_MAX}");
            return Err(RpcError::limit(message));
        }
        let to = to.min(self.head.number);
        let mut logs = Vec::new();
        for number in from..=to {
            let header = self.ledger.header(number)?;
            let header = header.ok_or(ChainError::Corrupt("a header is missing"))?;
            if header.gas_used == 0 || !filter.matches_bloom(header.logs_bloom) {
                continue;
            }
            let block = self.ledger.block(number)?;
            logs.extend(matching(&block.ok_or(ChainError::Corrupt("a body is missing"))?, filter));
            if logs.len() > LOGS_MAX {
                return Err(RpcError::limit(format!(
                    "query returned more than {LOGS_MAX} results; ask for fewer blocks"
                )));
            }
        }
        Ok(logs)
    }
}

fn check_size(filter: &Filter) -> Result<(), RpcError> {
    let longest = filter.topics.iter().map(|topic| topic.len()).max().unwrap_or_default();
    if longest.max(filter.address.len()) > ALTERNATIVES_MAX {
        let message = format!("at most {ALTERNATIVES_MAX} alternatives in a filter");
        return Err(RpcError::limit(message));
    }
    Ok(())
}

fn matching(block: &Block, filter: &Filter) -> Vec<Log> {
    let matches = |log: &Log| {
        filter.matches_address(log.inner.address) && filter.matches_topics(log.inner.topics())
    };
    views::logs(block).into_iter().flatten().filter(matches).collect()
}
