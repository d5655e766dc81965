//! Speaks the storage node's HTTP protocol: routes, wire types, errors, the typed client.
