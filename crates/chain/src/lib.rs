//! Talks to the contracts: typed calls, an ordered event stream, deployment.
