//! Arithmetic of codewords: the Reed-Solomon code over GF(2^16) of docs/protocol/encoding.md
//! section 2.4, at the speed of the machine.
//!
//! # Reading order
//!
//! 1. `tower`: the field as pairs over its subfield of 256 elements, which makes most products cheap and
//!    all tables small.
//! 2. `transform`, `butterflies`: the additive Fourier transform, between values at points and coefficients.
//! 3. `domain`, `extend`: where symbols lie among the points, and encoding as one inverse and a few
//!    forward transforms. `locator`, `restore`: erasure decoding.
//! 4. `packing`: how the bytes of many symbols fill vectors without gaps.
//! 5. `kernel`: what is asked of instructions; `portable`, `avx2`, `avx512`: what they answer, and the only
//!    unsafe code; `machine`: the choice.
//!
//! All arithmetic is on vectors of many elements: a *unit* is one vector of one symbol, a *column* the
//! same unit of all symbols, and a *strip* a few columns that are worked on together so that their
//! symbols stay in the cache.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod butterflies;
mod domain;
mod extend;
mod kernel;
mod locator;
mod machine;
mod packing;
mod portable;
mod restore;
mod scratch;
#[cfg(test)]
mod tests;
mod tower;
mod transform;

use super::{Code, Instructions};

pub(crate) use extend::Extender;
pub(crate) use restore::Restorer;
pub(crate) use scratch::Scratch;
