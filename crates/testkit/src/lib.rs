//! Helps tests: content generators, vectors, faulty peers.
