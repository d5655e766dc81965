//! End to end: the real binary as separate processes, real sockets, real files,
//! the real contracts on the development chain.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used
)]
// A test binary has no outside: `pub` means "for the other files".
#![allow(unreachable_pub)]

mod commands;
mod content;
mod encryption;
mod examples;
mod failures;
mod gateway;
mod governance;
mod guides;
mod large;
mod liars;
mod life;
mod local;
mod network;
mod process;
mod proxy;
mod quilts;
mod relay;
mod served;
mod sites;
mod sizes;
mod terminal;
