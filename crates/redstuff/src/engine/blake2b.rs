//! Many hashes at a time.
