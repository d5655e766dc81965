//! Runs an embedded EVM development chain behind JSON-RPC.
