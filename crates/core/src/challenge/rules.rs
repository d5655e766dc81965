//! How many samples there are, and how many may be missing.

use walrus_redstuff::SliverType;

/// The tunables of a challenge, as the parameter registry holds them for an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRules {
    /// Log entries for each sample.
    pub entries_per_sample: u32,
    /// Fewest samples.
    pub min_samples: u16,
    /// Most samples; wins over the fewest.
    pub max_samples: u16,
    /// Samples that spare a node the strike when it proves them on chain.
    pub rescue_samples: u16,
}

impl Default for SampleRules {
    fn default() -> Self {
        Self { entries_per_sample: 32, min_samples: 16, max_samples: 640, rescue_samples: 32 }
    }
}

impl SampleRules {
    /// Most rescue samples the contract keeps note of.
    const MAX_RESCUE: u16 = 128;

    /// The number `k` of samples exchanged between peers when the log has so many
    /// candidates, dead ones counted.
    pub fn sample_count(&self, entries: usize) -> u16 {
        let wanted = entries / self.entries_per_sample.max(1) as usize;
        let wanted = u16::try_from(wanted).unwrap_or(u16::MAX);
        wanted.max(self.min_samples).min(self.max_samples)
    }

    /// How many of `k` samples, from 0 on, spare a node the strike.
    pub fn rescue_count(&self, k: u16) -> u16 {
        self.rescue_samples.min(Self::MAX_RESCUE).min(k)
    }
}

/// How many of `k` answers a peer may miss and still sign: one in a hundred.
pub fn tolerated_missing(k: u16) -> u16 {
    k / 100
}

/// The samples that every member proves on chain and never shows to a peer, and the
/// sliver each asks for.
pub fn spot_checks(k: u16) -> [(u16, SliverType); 2] {
    [(k, SliverType::Primary), (k.saturating_add(1), SliverType::Secondary)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_the_size_of_the_log() {
        // The table of docs/protocol/onchain.md section 2.9.
        let rules = SampleRules::default();
        for (entries, k, tolerated) in [
            (0, 16, 0),
            (512, 16, 0),
            (1000, 31, 0),
            (3200, 100, 1),
            (20_480, 640, 6),
            (1 << 40, 640, 6),
        ] {
            assert_eq!(rules.sample_count(entries), k, "{entries} entries");
            assert_eq!(tolerated_missing(k), tolerated, "{k} samples");
        }
        assert_eq!(rules.rescue_count(16), 16);
        assert_eq!(rules.rescue_count(640), 32);
        let wide = SampleRules { rescue_samples: 640, ..rules };
        assert_eq!(wide.rescue_count(640), 128);
    }
}
