//! Runs a whole network in one thread under one seed.
//!
//! A [`Run`] starts a fresh thread with one paused runtime and hands the scenario a
//! [`World`]. The scenario adds hosts; booting a [`Host`] gives the
//! [`Env`](walrus_env::Env) that real node, client and chain code runs on. Time is
//! virtual and jumps to the next timer; the network, the disks, the clocks and all
//! randomness follow the seed, so that a run repeats exactly and its [`trace`] proves it.
//!
//! ```
//! use std::time::Duration;
//! use walrus_sim::Run;
//!
//! let report = Run::new("example", 7).check(|world| async move {
//!     let env = world.add_host("node").boot();
//!     tokio::time::sleep(Duration::from_secs(60)).await;
//!     env.random_u64("nonce")
//! });
//! assert_eq!(report.elapsed, Duration::from_secs(60));
//! ```
//!
//! | variable | effect |
//! | --- | --- |
//! | `SIM_SEED=7` | runs this seed only: the replay of a failure |
//! | `SIM_SEEDS=500` | runs seeds 1 to 500 in place of a test's own number |
//! | `SIM_TRACE=file` | appends every event of every run to the file |
//!
//! Not simulated: threads, CPU time beyond what [`Env::compute`](walrus_env::Env::compute)
//! is told, memory limits, and the bytes of TLS, whose generator asks the kernel directly.

mod disk;
mod faults;
mod life;
mod machine;
mod net;
mod run;
mod seed;
mod shim;
pub mod trace;
mod world;

pub use disk::{DiskFaults, DiskModel, DiskOp, Lost};
pub use faults::{Fault, FaultPlan};
pub use net::{LinkProfile, Network};
pub use run::{Failure, Report, Run, for_each_seed, seeds};
pub use seed::Seed;
pub use shim::is_linked;
pub use world::{End, Host, World};
