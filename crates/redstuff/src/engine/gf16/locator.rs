//! The erasure locator: products of differences of points, by logarithms.

use super::tower::{Logarithms, ORDER};

/// For each point `x` below `erased.len()`, a power of two, the logarithm of the product of `x + e` over
/// all erased points `e` other than `x`.
///
/// As differences of points are exclusive ors, the sums of logarithms are a convolution over exclusive
/// or, which the Walsh-Hadamard transform turns into products.
pub(super) fn log_products(erased: &[bool]) -> Vec<u32> {
    let order = i64::from(ORDER);
    let logs = &Logarithms::get().log[..erased.len()];
    let mut sums: Vec<i64> = erased.iter().map(|erased| i64::from(*erased)).collect();
    let mut logs: Vec<i64> = logs.iter().map(|log| i64::from(*log)).collect();
    walsh_hadamard(&mut sums);
    walsh_hadamard(&mut logs);
    for (sum, log) in sums.iter_mut().zip(&logs) {
        *sum = *sum % order * (*log % order) % order;
    }
    walsh_hadamard(&mut sums);
    // The transform is its own inverse up to the length, and 2^16 is 1 modulo the order.
    let scale = (1_i64 << 16) / erased.len() as i64;
    sums.iter().map(|sum| (sum.rem_euclid(order) * scale % order) as u32).collect()
}

fn walsh_hadamard(values: &mut [i64]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
}
