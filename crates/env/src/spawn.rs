//! Tasks.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::{AbortHandle, Abortable, BoxFuture};
use tokio::sync::oneshot;

/// Starts tasks. In a simulation the tasks of a node die with it.
pub trait Spawn: Send + Sync {
    /// Runs `future` to its end in the background. `name` is for traces.
    fn spawn(&self, name: &'static str, future: BoxFuture<'static, ()>);
}

pub(crate) fn spawn<F>(spawn: &dyn Spawn, name: &'static str, future: F) -> Task
where
    F: Future<Output = ()> + Send + 'static,
{
    let (abort, registration) = AbortHandle::new_pair();
    let (ended, done) = oneshot::channel::<()>();
    spawn.spawn(
        name,
        Box::pin(async move {
            let _ = Abortable::new(future, registration).await;
            drop(ended);
        }),
    );
    Task { abort, done }
}

/// A running task. Dropping the handle lets the task run on;
/// awaiting it waits until the task has ended in any way.
#[derive(Debug)]
pub struct Task {
    abort: AbortHandle,
    done: oneshot::Receiver<()>,
}

impl Task {
    /// Stops the task at its next await point.
    pub fn abort(&self) {
        self.abort.abort();
    }

    /// A guard that aborts the task when dropped.
    #[must_use = "dropping the guard stops the task"]
    pub fn abort_on_drop(self) -> AbortOnDrop {
        AbortOnDrop(self)
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The sender is never used, only dropped: any answer means the task ended.
        Pin::new(&mut self.done).poll(cx).map(|_| ())
    }
}

/// Aborts its task when dropped.
#[derive(Debug)]
pub struct AbortOnDrop(Task);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
