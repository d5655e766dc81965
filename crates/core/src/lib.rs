//! Names, counts and signatures of the protocol: blob ids, epochs, committees, messages, certificates.
