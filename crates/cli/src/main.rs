//! The `walrus` command: arguments, configuration and text around the SDK, the node and
//! the chain. No protocol logic lives here.
//!
//! Reading order: [`args`] (what can be said), `commands/` (one file for each),
//! [`session`] (the way to a network), [`network`] (a whole network in this process),
//! [`output`] and [`failure`] (what people see).

// Settings come from the surroundings here and nowhere else, and so do the user's files.
#![allow(clippy::disallowed_methods)]
// A binary has no outside: `pub` means "for the other files".
#![allow(unreachable_pub)]

mod args;
mod catalog;
mod client;
mod commands;
mod config;
mod crank;
mod dates;
mod failure;
mod input;
mod key_watch;
mod network;
mod node_file;
mod outbox;
mod output;
mod privacy;
mod secret_file;
mod session;
mod signals;
mod sync_report;
mod tree;
mod words;

use std::process::ExitCode;

use args::{Arguments, Command, DebugCommand, Global};
use clap::{CommandFactory, Parser};
use commands::{
    blob, capacity, chain, cost, debug, demo, extend, gateway, gc, governance, info, key, list,
    local, man, members, node, object, quilt, read, reference, share, site, stake, store, verify,
};
use failure::{Failure, Kind, Outcome};
use output::Output;
use tracing_subscriber::EnvFilter;
use walrus_env::Env;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse_from(args::with_ids_last(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && failure::wants_json(std::env::args_os()) => {
            let failure = Failure::from(error);
            Output::json().failure(&failure);
            return failure.into();
        }
        Err(error) => error.exit(),
    };
    let output = Output::new(&arguments.global);
    let filter = EnvFilter::try_from_env("WALRUS_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            let env = walrus_env::real::env();
            run(&env, &arguments.global, &arguments.command, output).await
        }),
        Err(error) => Err(Failure::new(Kind::Failed, error)),
    };
    match Output::finish(outcome) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.into()
        }
    }
}

async fn run(env: &Env, global: &Global, command: &Command, output: Output) -> Outcome {
    match command {
        Command::Demo(arguments) => demo::run(env, arguments, output).await,
        Command::Local(arguments) => local::run(env, global, arguments, output).await,
        Command::Gateway(arguments) => gateway::run(env, global, arguments, output).await,
        Command::Store(arguments) => store::run(env, global, arguments, output).await,
        Command::Read(arguments) => read::run(env, global, arguments, output).await,
        Command::BlobStatus(arguments) => blob::status(env, global, arguments, output).await,
        Command::BlobId(arguments) => blob::id(env, global, arguments, output).await,
        Command::List(arguments) => list::run(env, global, arguments, output).await,
        Command::Extend(arguments) => extend::run(env, global, arguments, output).await,
        Command::Cost(arguments) => cost::run(env, global, arguments, output).await,
        Command::Gc(arguments) => gc::run(env, global, arguments, output).await,
        Command::Verify(arguments) => verify::run(env, global, arguments, output).await,
        Command::Share(arguments) => share::share(env, global, arguments, output).await,
        Command::Send(arguments) => share::send(env, global, arguments, output).await,
        Command::Man(arguments) => man::run(arguments, output),
        Command::Site(command) => site::run(env, global, command, output).await,
        Command::Keygen(arguments) => key::generate(arguments, output),
        Command::Key(command) => key::run(env, command, output).await,
        Command::Info => info::info(env, global, output).await,
        Command::Quilt(command) => quilt::run(env, global, command, output).await,
        Command::Blob(command) => object::run(env, global, command, output).await,
        Command::Capacity(command) => capacity::run(env, global, command, output).await,
        Command::Ref(command) => reference::run(env, global, command, output).await,
        Command::Committee => members::committee(env, global, output).await,
        Command::Stake(arguments) => stake::stake(env, global, arguments, output).await,
        Command::Unstake(arguments) => stake::unstake(env, global, arguments, output).await,
        Command::Withdraw(arguments) => stake::withdraw(env, global, arguments, output).await,
        Command::Positions => stake::positions(env, global, output).await,
        Command::GetWal(arguments) => stake::get_wal(env, global, arguments, output).await,
        Command::Governance(command) => governance::run(env, global, command, output).await,
        Command::Health => members::health(env, global, output).await,
        Command::Node(command) => node::run(env, command, output).await,
        Command::Chain(command) => chain::run(env, global, command, output).await,
        Command::Debug(DebugCommand::Encode(arguments)) => {
            debug::encode(env, arguments, output).await
        }
        Command::Debug(DebugCommand::Quilt(arguments)) => {
            debug::quilt(env, arguments, output).await
        }
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, "walrus", &mut script);
            output::write_content(&script)
        }
    }
}
