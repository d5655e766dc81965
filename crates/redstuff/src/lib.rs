//! Encodes blobs into slivers, proves them, and decodes and heals them (RedStuff).
