//! The tasks of one node: they end with it, and the lock of its folder lasts until the
//! last of them has ended.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::watch;
use walrus_env::{CancellationToken, DiskLock, Env, Spawn};

/// Starts tasks that can be waited for and ended together. Connections are among them,
/// so a node that is gone answers nothing and writes nothing any more.
pub(crate) struct Scope {
    inner: Arc<dyn Spawn>,
    end: CancellationToken,
    running: Arc<watch::Sender<usize>>,
    lock: Arc<dyn DiskLock>,
}

impl Scope {
    /// A scope that holds `lock`, and the environment whose tasks belong to it.
    pub(crate) fn new(env: &Env, lock: Box<dyn DiskLock>) -> (Arc<Self>, Env) {
        let scope = Arc::new(Self {
            inner: env.spawn.clone(),
            end: CancellationToken::new(),
            running: Arc::new(watch::Sender::new(0)),
            lock: lock.into(),
        });
        let env = Env { spawn: scope.clone(), ..env.clone() };
        (scope, env)
    }

    /// Ends all tasks at their next await point.
    pub(crate) fn end(&self) {
        self.end.cancel();
    }

    /// Resolves when no task runs.
    pub(crate) async fn idle(&self) {
        let mut running = self.running.subscribe();
        // The sender is owned by self, hence cannot go away.
        let _ = running.wait_for(|running| *running == 0).await;
    }
}

impl Spawn for Scope {
    fn spawn(&self, name: &'static str, future: BoxFuture<'static, ()>) {
        let running = Running::new(&self.running, &self.lock);
        let end = self.end.clone();
        self.inner.spawn(
            name,
            Box::pin(async move {
                let _running = running;
                let _ = end.run_until_cancelled(future).await;
            }),
        );
    }
}

/// Counts a task while it lives.
struct Running {
    count: Arc<watch::Sender<usize>>,
    _lock: Arc<dyn DiskLock>,
}

impl Running {
    fn new(count: &Arc<watch::Sender<usize>>, lock: &Arc<dyn DiskLock>) -> Self {
        count.send_modify(|running| *running += 1);
        Self { count: count.clone(), _lock: lock.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.count.send_modify(|running| *running -= 1);
    }
}
