//! How much weight is enough (docs/protocol/encoding.md section 7.6).
//!
//! A member's weight is the number of shards it holds; all weights add up to
//! `n = n_shards`, of which at most `f = floor((n - 1) / 3)` may be faulty. The four
//! rules below coincide in pairs for `n = 3f + 1` and differ by little otherwise, so
//! each is written as defined and none replaces another.

use serde::{Deserialize, Serialize};

/// Most shards that may be faulty: `f = floor((n - 1) / 3)`; 0 for `n = 0`.
pub fn max_faulty(n_shards: u16) -> u16 {
    n_shards.saturating_sub(1) / 3
}

/// The contract's rule for certificates: `3w >= 2n + 1`.
pub fn is_certificate_quorum(weight: u32, n_shards: u16) -> bool {
    3 * u64::from(weight) > 2 * u64::from(n_shards)
}

/// The contract's rule for "at least one correct node said so": `3w >= n + 1`.
pub fn is_one_honest(weight: u32, n_shards: u16) -> bool {
    3 * u64::from(weight) > u64::from(n_shards)
}

/// The readers' quorum, for reads and for believing that something is absent:
/// `w > 2f`.
pub fn is_read_quorum(weight: u32, n_shards: u16) -> bool {
    weight > 2 * u32::from(max_faulty(n_shards))
}

/// The readers' validity rule, at least one of the answers is honest: `w > f`.
pub fn is_validity(weight: u32, n_shards: u16) -> bool {
    weight > u32::from(max_faulty(n_shards))
}

/// How much weight a certificate must carry; the contract's `Threshold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Threshold {
    /// Two thirds and more: [`is_certificate_quorum`]. Storage confirmations.
    Quorum,
    /// More than one third: [`is_one_honest`]. Attestations of an invalid blob id.
    OneHonest,
}

impl Threshold {
    /// Whether `weight` of `n_shards` reaches this threshold.
    pub fn is_reached(self, weight: u32, n_shards: u16) -> bool {
        match self {
            Self::Quorum => is_certificate_quorum(weight, n_shards),
            Self::OneHonest => is_one_honest(weight, n_shards),
        }
    }

    /// The least weight that reaches this threshold.
    pub fn min_weight(self, n_shards: u16) -> u32 {
        let n = u32::from(n_shards);
        match self {
            Self::Quorum => (2 * n + 1).div_ceil(3),
            Self::OneHonest => (n + 1).div_ceil(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The definitions are written as the protocol has them.
    #[allow(clippy::int_plus_one)]
    #[test]
    fn every_rule_matches_its_definition() {
        // A rule off by one would let a certificate through with too few shards
        // behind it, or refuse one that the contract accepts.
        for n in 1..=200u16 {
            let f = (0..n).filter(|f| 3 * f < n).max().unwrap_or(0);
            assert_eq!(max_faulty(n), f);
            let (n32, f32) = (u32::from(n), u32::from(f));
            for w in 0..=n32 {
                assert_eq!(is_certificate_quorum(w, n), 3 * w >= 2 * n32 + 1, "n {n} w {w}");
                assert_eq!(is_certificate_quorum(w, n), w >= n32 - f32, "n {n} w {w}");
                assert_eq!(is_one_honest(w, n), 3 * w >= n32 + 1, "n {n} w {w}");
                assert_eq!(is_read_quorum(w, n), w > 2 * f32, "n {n} w {w}");
                assert_eq!(is_validity(w, n), w > f32, "n {n} w {w}");
                for threshold in [Threshold::Quorum, Threshold::OneHonest] {
                    let reached = w >= threshold.min_weight(n);
                    assert_eq!(threshold.is_reached(w, n), reached, "n {n} w {w}");
                }
            }
            if n % 3 == 1 {
                assert_eq!(Threshold::Quorum.min_weight(n), 2 * f32 + 1);
                assert_eq!(Threshold::OneHonest.min_weight(n), f32 + 1);
            }
        }
        assert_eq!(Threshold::Quorum.min_weight(1000), 667);
        assert_eq!(Threshold::OneHonest.min_weight(1000), 334);
    }
}
