//! How far the node has followed the chain, and waiting for it to follow further.

use std::time::Duration;

use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

/// Where the node stands along the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainPosition {
    /// Questions to the chain that were begun.
    begun: u64,
    /// Questions that were begun and answered, the effects of the answer recorded.
    ended: u64,
    /// Events that have taken effect since the process started.
    pub events: u64,
    /// The latest block whose events have all taken effect, if known.
    pub block: Option<u64>,
}

/// Connects those who wait for the chain with the task that follows it.
#[derive(Debug, Default)]
pub struct Progress {
    position: watch::Sender<ChainPosition>,
    asked: Notify,
}

impl Progress {
    /// Where the node stands now.
    pub fn position(&self) -> ChainPosition {
        *self.position.borrow()
    }

    /// Makes the follower ask the chain at once, and waits until what the chain knew
    /// at the time of this call has taken effect; at most for `limit`. Many callers
    /// share one question.
    ///
    /// Returns whether the chain answered in time.
    pub async fn catch_up(&self, limit: Duration) -> bool {
        let mut position = self.position.subscribe();
        let target = position.borrow().begun + 1;
        self.asked.notify_one();
        let answered = position.wait_for(|position| position.ended >= target);
        timeout(limit, answered).await.is_ok_and(|result| result.is_ok())
    }

    /// Resolves when further events have taken effect after `seen`.
    pub async fn beyond(&self, seen: ChainPosition) {
        let mut position = self.position.subscribe();
        // The sender is owned by self, hence cannot go away.
        let _ = position.wait_for(|position| position.events > seen.events).await;
    }

    /// For the follower: resolves when somebody cannot wait for the next regular question.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// For the follower: a question goes out.
    pub fn begin(&self) {
        self.position.send_modify(|position| position.begun += 1);
    }

    /// For the follower: events up to `block` have taken effect.
    pub fn advance(&self, events: u64, block: u64) {
        self.position.send_modify(|position| {
            position.events += events;
            position.block = Some(block);
        });
    }

    /// For the follower: all that the chain knew at the last question has taken effect.
    pub fn end(&self) {
        self.position.send_modify(|position| position.ended = position.begun);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn catching_up_waits_for_a_question_begun_later() {
        // An answer to an earlier question says nothing of a registration just made.
        let progress = Arc::new(Progress::default());
        progress.begin();
        let waiting = progress.catch_up(Duration::from_secs(1));
        let following = async {
            progress.asked().await;
            progress.advance(1, 6);
            progress.end();
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert_eq!(progress.position().ended, 1);
            progress.begin();
            progress.advance(2, 7);
            progress.end();
        };
        let (in_time, ()) = tokio::join!(waiting, following);
        assert!(in_time);
        assert_eq!((progress.position().events, progress.position().block), (3, Some(7)));
        assert!(!progress.catch_up(Duration::from_secs(1)).await, "nobody follows any more");
    }
}
