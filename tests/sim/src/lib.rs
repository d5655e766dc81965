//! Runs a whole network in one thread under one seed.
