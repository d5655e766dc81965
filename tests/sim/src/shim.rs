//! The libc calls that dependencies make behind our back.
//!
//! hyper's `date:` header asks the system's clock, and every `HashMap` inside a
//! dependency draws its order from the kernel: both would make two runs of one seed
//! differ. Here both functions answer from the seed and from virtual time on a thread
//! that asked for it with [`enter`], and from the kernel on every other thread.
//! The crate is linked into test binaries only.

// Replacing two C functions cannot be said in safe Rust. Each block states its reason.
#![allow(unsafe_code)]

use std::{
    cell::Cell,
    ffi::{c_int, c_long, c_uint, c_void},
    time::Duration,
};

use tokio::time::Instant;

/// What every clock shows when a run begins, in seconds since 1970.
pub(crate) const BASE_UNIX_SECONDS: u64 = 1_800_000_000;

thread_local! {
    /// State of the generator behind `getrandom`; none on threads that never entered.
    static RANDOM: Cell<Option<u64>> = const { Cell::new(None) };
    /// When the paused runtime began; none before it did.
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Clock readings so far, a nanosecond each: a loop that waits for `now > deadline` must end.
    static READINGS: Cell<u64> = const { Cell::new(0) };
    /// Set while asking tokio for the time, which may ask the system's clock in turn.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Puts this thread under the seed for the rest of its life.
pub(crate) fn enter(seed: u64) {
    RANDOM.set(Some(seed));
}

/// Says that virtual time runs from `start`.
pub(crate) fn start_clock(start: Instant) {
    START.set(Some(start));
}

/// The next word of SplitMix64 (Steele, Lea, Flood 2014): hash keys need no more.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn virtual_now() -> Duration {
    let elapsed = match START.get() {
        Some(start) if !ASKING.replace(true) => {
            let elapsed = Instant::now().saturating_duration_since(start);
            ASKING.set(false);
            elapsed
        }
        _ => Duration::ZERO,
    };
    let readings = READINGS.get() + 1;
    READINGS.set(readings);
    Duration::from_secs(BASE_UNIX_SECONDS) + elapsed + Duration::from_nanos(readings)
}

/// Stands in for libc's `getrandom`.
///
/// # Safety
/// As for the C function: `buffer` is valid for writes of `length` bytes.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn getrandom(
    buffer: *mut c_void,
    length: usize,
    flags: c_uint,
) -> isize {
    let Some(mut state) = RANDOM.try_with(Cell::get).ok().flatten() else {
        // SAFETY: the kernel's own call, with the caller's arguments unchanged.
        return unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) as isize };
    };
    for position in 0..length {
        let byte = next(&mut state) as u8;
        // SAFETY: the caller promises `length` writable bytes at `buffer`.
        unsafe { buffer.cast::<u8>().add(position).write(byte) };
    }
    RANDOM.set(Some(state));
    length as isize
}

/// Stands in for libc's `clock_gettime`; every clock shows the same time, because std
/// and tokio instants are compared with each other.
///
/// # Safety
/// As for the C function: `out` is valid for one write.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn clock_gettime(clock: c_int, out: *mut libc::timespec) -> c_int {
    if RANDOM.try_with(Cell::get).ok().flatten().is_none() {
        // SAFETY: the kernel's own call, with the caller's arguments unchanged.
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, out) as c_int };
    }
    let now = virtual_now();
    let value = libc::timespec {
        tv_sec: now.as_secs() as libc::time_t,
        tv_nsec: c_long::from(now.subsec_nanos() as i32),
    };
    // SAFETY: the caller promises that `out` is writable.
    unsafe { out.write(value) };
    0
}

/// Whether the functions above are the ones this program calls. Where they are
/// not, runs still work but the equality of two traces must not be asserted.
pub fn is_linked() -> bool {
    let before = RANDOM.replace(Some(0));
    // Not the forbidden wall clock: the question is who answers it.
    #[allow(clippy::disallowed_methods)]
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    RANDOM.set(before);
    now.is_ok_and(|now| now.as_secs().abs_diff(BASE_UNIX_SECONDS) < 1_000_000)
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    /// The first hash key of a fresh thread under `seed`.
    #[allow(clippy::disallowed_methods)]
    fn key(seed: u64) -> u64 {
        let thread = std::thread::spawn(move || {
            super::enter(seed);
            RandomState::new().hash_one(0)
        });
        thread.join().unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn hash_keys_and_clocks_follow_the_seed() {
        // Without this, map orders inside dependencies would differ between two runs of a seed.
        assert!(super::is_linked());
        assert_eq!(key(1), key(1));
        assert_ne!(key(1), key(2));
    }
}
