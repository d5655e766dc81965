//! Arithmetic of codewords.
