//! The walrus command.

fn main() {}
