//! Stores blobs on a network of nodes and reads them back.
