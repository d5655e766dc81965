//! When to ask a node again.

use std::time::Duration;

use walrus_env::Env;
use walrus_node_api::{Decision, NodeError};

/// Waits that double, with up to half of each drawn at random so that many clients do
/// not return at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// First wait.
    pub first: Duration,
    /// Longest wait.
    pub longest: Duration,
    /// How often a call is repeated.
    pub retries: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(15), retries: 5 }
    }
}

impl Backoff {
    /// The wait before repetition `attempt`, counted from 0.
    pub fn wait(&self, env: &Env, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
        let wait = doubled.min(self.longest);
        let half_ns = u64::try_from(wait.as_nanos() / 2).unwrap_or(u64::MAX);
        let jitter = env.random_u64("backoff") % half_ns.max(1);
        wait - Duration::from_nanos(half_ns) + Duration::from_nanos(jitter)
    }
}

/// Repeats `call` while its error says that repeating can help, at most as often as
/// `backoff` allows, waiting as long as the node asked for or `backoff` says.
/// Tells of every error after which it is repeated.
pub(crate) async fn retry<T, F>(
    env: &Env,
    backoff: &Backoff,
    mut call: impl FnMut() -> F,
    tell: impl Fn(&NodeError),
) -> Result<T, NodeError>
where
    F: Future<Output = Result<T, NodeError>>,
{
    let mut attempt = 0;
    loop {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Decision::Retry { after } = error.decision() else { return Err(error) };
        if attempt == backoff.retries {
            return Err(error);
        }
        let wait = match after {
            Some(after) => after.min(backoff.longest),
            None => backoff.wait(env, attempt),
        };
        tell(&error);
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use walrus_env::real;
    use walrus_node_api::Misbehaviour;

    use super::*;

    fn lost() -> NodeError {
        NodeError::Unreachable("gone".into())
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_and_end() {
        // A node that never answers must not hold an upload for ever.
        let env = real::env();
        let backoff = Backoff::default();
        let calls = Cell::new(0);
        let started = tokio::time::Instant::now();
        let told = Cell::new(0);
        let call = || async {
            calls.set(calls.get() + 1);
            Err::<(), _>(lost())
        };
        let result = retry(&env, &backoff, call, |_| told.set(told.get() + 1));
        assert_eq!(result.await, Err(lost()));
        assert_eq!((calls.get(), told.get()), (6, 5));
        let waited = started.elapsed();
        // 0.5 + 1 + 2 + 4 + 8 seconds, of which at least half each.
        let range = Duration::from_millis(7_700)..Duration::from_millis(15_600);
        assert!(range.contains(&waited), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_can_pass_is_repeated() {
        // Repeating a lie or a refusal wastes the time in which others could be asked.
        let (env, backoff) = (real::env(), Backoff::default());
        for error in [
            NodeError::NotFound { message: String::new() },
            NodeError::Misbehaved(Misbehaviour::UnexpectedStatus(299)),
            NodeError::ShardNotAssigned,
        ] {
            let calls = Cell::new(0);
            let call = || async {
                calls.set(calls.get() + 1);
                Err::<(), _>(error.clone())
            };
            let result = retry(&env, &backoff, call, |_| panic!("nothing is repeated"));
            assert_eq!((result.await, calls.get()), (Err(error.clone()), 1));
        }
        let calls = Cell::new(0);
        let call = || async {
            calls.set(calls.get() + 1);
            if calls.get() < 3 { Err(lost()) } else { Ok(calls.get()) }
        };
        let result = retry(&env, &backoff, call, |_| ());
        assert_eq!(result.await, Ok(3));
    }
}
