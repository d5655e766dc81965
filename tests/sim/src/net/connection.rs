//! One connection: two pipes, each with a task that carries its segments across.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{io::ReadBuf, sync::Notify, time::Instant};

use super::link::{FIRST_RETRANSMISSION, Fate, LAST_RETRANSMISSION};
use crate::{
    life::Life,
    world::{World, lock},
};

/// Bytes a pipe holds between writer and reader before the writer must wait.
const WINDOW: usize = 64 * 1024;
/// Longest segment in bytes.
const SEGMENT: usize = 8 * 1024;
/// Attempts at one segment before the sender gives the stream up, some four minutes.
const ATTEMPTS: u32 = 18;

/// A connection between two lives. End 0 asked for it, end 1 accepted it.
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) ends: [Arc<Life>; 2],
    /// Pipe `i` carries what end `i` writes.
    pipes: [Mutex<Pipe>; 2],
    /// Wakes the carrier of pipe `i`.
    work: [Notify; 2],
}

#[derive(Default)]
struct Pipe {
    /// On the way, in order.
    segments: VecDeque<Segment>,
    /// Arrived and not read.
    arrived: VecDeque<Bytes>,
    /// Bytes in both.
    held: usize,
    /// When the link has taken the last segment in.
    free_at: Option<Instant>,
    /// The writer has said that nothing follows.
    finished: bool,
    /// The reader has been told.
    ended: bool,
    /// The writer's end of the connection is reset: it may neither write nor read.
    reset: bool,
    /// The reader's stream is dropped.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

struct Segment {
    due: Instant,
    attempts: u32,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Data(Bytes),
    Finish,
    Reset,
}

impl Content {
    fn bytes(&self) -> &[u8] {
        if let Self::Data(bytes) = self { bytes } else { &[] }
    }
}

/// What a carrier does next.
enum Step {
    Again,
    Wait(Instant),
    Idle,
    Stop,
}

fn reset_error() -> std::io::Error {
    std::io::ErrorKind::ConnectionReset.into()
}

impl Connection {
    /// A connection and its two carriers.
    pub(super) fn open(world: &World, ends: [Arc<Life>; 2]) -> Arc<Self> {
        let id = world.network().next_connection();
        let connection =
            Arc::new(Self { id, ends, pipes: Default::default(), work: Default::default() });
        world.network().register(id, &connection);
        for end in [0, 1] {
            let counted = world.count_task();
            let carried = connection.clone().carry(world.clone(), end);
            // The wire is nobody's task: it outlives the hosts at its ends.
            #[allow(clippy::disallowed_methods)]
            tokio::spawn(async move {
                carried.await;
                drop(counted);
            });
        }
        connection
    }

    fn pipe(&self, end: usize) -> std::sync::MutexGuard<'_, Pipe> {
        lock(&self.pipes[end])
    }

    // ---- the ends ----

    /// End `end` reads.
    pub(super) fn poll_read(
        &self,
        end: usize,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.ends[end].is_alive() {
            return Poll::Pending;
        }
        let broken = self.pipe(end).reset;
        let mut pipe = self.pipe(1 - end);
        if broken {
            return Poll::Ready(Err(reset_error()));
        }
        if let Some(front) = pipe.arrived.front_mut() {
            let count = front.len().min(buffer.remaining());
            buffer.put_slice(&front[..count]);
            front.advance(count);
            if front.is_empty() {
                pipe.arrived.pop_front();
            }
            pipe.held -= count;
            let writer = pipe.writer.take();
            drop(pipe);
            writer.into_iter().for_each(Waker::wake);
            return Poll::Ready(Ok(()));
        }
        if pipe.ended {
            return Poll::Ready(Ok(()));
        }
        let before = pipe.reader.replace(cx.waker().clone());
        drop(pipe);
        drop(before);
        Poll::Pending
    }

    /// End `end` writes.
    pub(super) fn poll_write(
        &self,
        end: usize,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if !self.ends[end].is_alive() {
            return Poll::Pending;
        }
        let mut pipe = self.pipe(end);
        if pipe.reset {
            return Poll::Ready(Err(reset_error()));
        }
        if pipe.finished {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(WINDOW - pipe.held).min(SEGMENT);
        if count == 0 && !bytes.is_empty() {
            let before = pipe.writer.replace(cx.waker().clone());
            drop(pipe);
            drop(before);
            return Poll::Pending;
        }
        pipe.held += count;
        drop(pipe);
        self.send(end, Content::Data(Bytes::copy_from_slice(&bytes[..count])));
        Poll::Ready(Ok(count))
    }

    /// End `end` has nothing more to say.
    pub(super) fn finish(&self, end: usize) {
        if self.ends[end].is_alive() && !std::mem::replace(&mut self.pipe(end).finished, true) {
            self.send(end, Content::Finish);
        }
    }

    /// The stream of end `end` is dropped. The dead say nothing.
    pub(super) fn close(&self, end: usize) {
        self.finish(end);
        let unread = {
            let mut incoming = self.pipe(1 - end);
            incoming.abandoned = true;
            std::mem::take(&mut incoming.arrived)
        };
        // As a kernel does: data that nobody will read means that the peer must know.
        if !unread.is_empty() && self.ends[end].is_alive() {
            self.send(end, Content::Reset);
        }
        self.work[0].notify_one();
        self.work[1].notify_one();
    }

    /// The kernel of `host` resets what its dead process left open.
    pub(super) fn reset_by(&self, host: usize) {
        for end in [0, 1] {
            let open = !self.pipe(1 - end).abandoned;
            if open && self.ends[end].host.index == host && !self.ends[end].is_alive() {
                self.send(end, Content::Reset);
            }
        }
    }

    /// Puts a segment on the way from end `end`.
    fn send(&self, end: usize, content: Content) {
        let (from, to) = (&self.ends[end].host, &self.ends[1 - end].host);
        let world = from.world();
        let bytes = content.bytes();
        let (kind, length) = match &content {
            Content::Data(_) => ("send", bytes.len()),
            Content::Finish => ("fin", 0),
            Content::Reset => ("rst", 0),
        };
        world.body_event(from.index, kind, &[self.id, end as u64], bytes);
        let (delay, occupied) = world.network().delay(from.index, to.index, length);
        let mut pipe = self.pipe(end);
        let now = Instant::now();
        let start = pipe.free_at.map_or(now, |free| free.max(now));
        pipe.free_at = Some(start + occupied);
        let due = start + occupied + delay;
        pipe.segments.push_back(Segment { due, attempts: 0, content });
        drop(pipe);
        self.work[end].notify_one();
    }

    // ---- the wire ----

    /// Carries the segments of pipe `end` across until both streams are dropped.
    async fn carry(self: Arc<Self>, world: World, end: usize) {
        loop {
            match self.step(&world, end) {
                Step::Again => {}
                Step::Wait(due) => tokio::time::sleep_until(due).await,
                Step::Idle => self.work[end].notified().await,
                Step::Stop => break,
            }
        }
        if end == 0 {
            world.network().unregister(self.id);
        }
    }

    /// Deals with the first segment of pipe `end`.
    fn step(&self, world: &World, end: usize) -> Step {
        let first = self.pipe(end).segments.front().map(|first| (first.due, first.content.clone()));
        let Some((due, content)) = first else {
            let over = self.pipe(0).abandoned && self.pipe(1).abandoned;
            return if over { Step::Stop } else { Step::Idle };
        };
        if due > Instant::now() {
            return Step::Wait(due);
        }
        let (from, to) = (&self.ends[end].host, &self.ends[1 - end].host);
        let fate = match world.network().fate(from.index, to.index) {
            // A machine without power is one more silence.
            Fate::Arrives | Fate::Reset if !to.is_powered() => Fate::Cut,
            fate => fate,
        };
        match fate {
            Fate::Lost | Fate::Cut => {
                let kind = if fate == Fate::Lost { "drop" } else { "cut" };
                world.event(to.index, kind, &[self.id, end as u64]);
                self.retransmit(end)
            }
            Fate::Reset => {
                world.event(to.index, "break", &[self.id, end as u64]);
                self.break_end(0);
                self.break_end(1);
                Step::Again
            }
            Fate::Arrives => {
                self.pipe(end).segments.pop_front();
                self.deliver(world, end, content);
                Step::Again
            }
        }
    }

    /// Puts the first segment of pipe `end` off, or gives the connection up.
    fn retransmit(&self, end: usize) -> Step {
        let mut pipe = self.pipe(end);
        if !self.ends[end].host.is_powered() {
            // Nobody is left to send it again.
            pipe.segments.clear();
            return Step::Again;
        }
        let Some(segment) = pipe.segments.front_mut() else { return Step::Again };
        segment.attempts += 1;
        if segment.attempts > ATTEMPTS {
            drop(pipe);
            self.break_end(end);
            return Step::Again;
        }
        segment.due += retransmission(segment.attempts);
        Step::Again
    }

    /// A segment of pipe `end` has arrived at the other end.
    fn deliver(&self, world: &World, end: usize, content: Content) {
        let other = 1 - end;
        let mut pipe = self.pipe(end);
        let kind = match content {
            Content::Reset => {
                drop(pipe);
                self.break_end(other);
                return world.event(self.ends[other].host.index, "reset", &[self.id, end as u64]);
            }
            // A process that is gone, or a stream that is dropped: the kernel refuses data.
            Content::Data(_) if pipe.abandoned || !self.ends[other].is_alive() => {
                drop(pipe);
                return self.send(other, Content::Reset);
            }
            Content::Data(bytes) => {
                pipe.arrived.push_back(bytes);
                "recv"
            }
            Content::Finish => {
                pipe.ended = true;
                "end"
            }
        };
        let reader = pipe.reader.take();
        drop(pipe);
        world.event(self.ends[other].host.index, kind, &[self.id, end as u64]);
        reader.into_iter().for_each(Waker::wake);
    }

    /// End `end` learns that the connection is broken.
    fn break_end(&self, end: usize) {
        let mut outgoing = self.pipe(end);
        outgoing.reset = true;
        outgoing.segments.clear();
        let writer = outgoing.writer.take();
        drop(outgoing);
        let reader = self.pipe(1 - end).reader.take();
        writer.into_iter().chain(reader).for_each(Waker::wake);
    }
}

/// The wait before attempt number `attempts` + 1.
pub(super) fn retransmission(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(10);
    (FIRST_RETRANSMISSION * (1 << doublings)).min(LAST_RETRANSMISSION)
}
