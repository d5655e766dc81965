//! Where good slivers go: a list in memory, or a decoder that takes them one by one while
//! others are still under way.

use std::collections::VecDeque;
use std::time::Duration;

use futures::future::BoxFuture;
use walrus_env::Env;
use walrus_redstuff::{Axis, DecodeStreamError, StreamDecoder, VerifiedSliver};

use crate::budget::Reserved;

/// Takes in slivers of axis `A` until there are enough.
pub(super) struct Intake<A: Axis> {
    env: Env,
    needed: usize,
    taken: usize,
    place: Place<A>,
}

enum Place<A: Axis> {
    List(Vec<VerifiedSliver<A>>),
    Decoder(Queue<A>),
}

/// Slivers before a decoder, each with its share of the byte budget: when decoding is
/// slower than fetching, fetching waits.
struct Queue<A: Axis> {
    waiting: VecDeque<(VerifiedSliver<A>, Reserved)>,
    decoder: State<A>,
}

enum State<A: Axis> {
    Idle(Box<StreamDecoder<A>>),
    Busy(BoxFuture<'static, Added<A>>),
    /// It failed, or its result was taken.
    Gone,
}

/// A decoder after a sliver was added, and how that went.
type Added<A> = (Box<StreamDecoder<A>>, Result<(), DecodeStreamError>);

impl<A: Axis> Intake<A> {
    /// Keeps the slivers. The list grows with what arrived: the blob's length is a
    /// stranger's word.
    pub(super) fn list(env: &Env, needed: usize) -> Self {
        Self { env: env.clone(), needed, taken: 0, place: Place::List(Vec::new()) }
    }

    /// Hands the slivers to a decoder.
    pub(super) fn decoder(env: &Env, needed: usize, decoder: StreamDecoder<A>) -> Self {
        let decoder = State::Idle(Box::new(decoder));
        let queue = Queue { waiting: VecDeque::new(), decoder };
        Self { env: env.clone(), needed, taken: 0, place: Place::Decoder(queue) }
    }

    pub(super) fn needed(&self) -> usize {
        self.needed
    }

    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// How many more are needed.
    pub(super) fn missing(&self) -> usize {
        self.needed - self.taken
    }

    /// Takes in a sliver, none twice.
    pub(super) fn take(&mut self, sliver: VerifiedSliver<A>, reserved: Reserved) {
        self.taken += 1;
        match &mut self.place {
            Place::List(list) => list.push(sliver),
            Place::Decoder(queue) => queue.waiting.push_back((sliver, reserved)),
        }
    }

    /// Decodes what was taken in; resolves only with a failure. May be dropped and called
    /// again at any time.
    pub(super) async fn work(&mut self) -> DecodeStreamError {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => std::future::pending().await,
                Err(error) => return error,
            }
        }
    }

    /// One sliver; whether there was one.
    async fn step(&mut self) -> Result<bool, DecodeStreamError> {
        let Place::Decoder(queue) = &mut self.place else { return Ok(false) };
        if let State::Idle(_) = queue.decoder {
            let Some((sliver, reserved)) = queue.waiting.pop_front() else { return Ok(false) };
            queue.decode(&self.env, sliver, reserved);
        }
        let State::Busy(busy) = &mut queue.decoder else { return Ok(false) };
        let (decoder, result) = busy.await;
        queue.decoder = State::Idle(decoder);
        result.map(|()| true)
    }

    /// The list, if that is what was asked for.
    pub(super) fn into_list(self) -> Vec<VerifiedSliver<A>> {
        match self.place {
            Place::List(list) => list,
            Place::Decoder(_) => Vec::new(),
        }
    }

    /// Decodes everything that was taken in, to the end.
    pub(super) async fn finish(mut self, cost: Duration) -> Result<(), DecodeStreamError> {
        while self.step().await? {}
        let Place::Decoder(queue) = self.place else { return Ok(()) };
        let State::Idle(decoder) = queue.decoder else { return Ok(()) };
        self.env.compute(cost, move || decoder.finish()).await
    }
}

impl<A: Axis> Queue<A> {
    fn decode(&mut self, env: &Env, sliver: VerifiedSliver<A>, reserved: Reserved) {
        let State::Idle(mut decoder) = std::mem::replace(&mut self.decoder, State::Gone) else {
            return;
        };
        let env = env.clone();
        let cost = Duration::from_nanos(sliver.data().len() as u64);
        let add = move || {
            let result = decoder.add(sliver);
            drop(reserved);
            (decoder, result)
        };
        self.decoder = State::Busy(Box::pin(async move { env.compute(cost, add).await }));
    }
}
