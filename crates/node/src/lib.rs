//! Stores slivers, signs for them, serves them and heals them: the storage node.
