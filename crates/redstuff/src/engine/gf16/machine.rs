//! The choice of a kernel.

use super::Instructions;
#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
use super::portable::Portable;

/// The kernels that may run on this machine.
#[derive(Debug, Clone, Copy)]
pub(super) enum Machine {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Machine {
    /// The kernel for the given instructions, or the portable one if they are not available.
    pub(super) fn new(instructions: Instructions) -> Self {
        let machine = match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => Avx2::detect().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => Avx512::detect().map(Self::Avx512),
            _ => None,
        };
        machine.unwrap_or(Self::Portable(Portable))
    }
}
