//! Following the chain: the effects of its events on what the node knows, each exactly
//! once, and what the node does about them.

mod apply;
mod follower;
mod progress;

pub use apply::{Consequences, apply};
pub use follower::{FollowError, Follower};
pub use progress::{ChainPosition, Progress};
