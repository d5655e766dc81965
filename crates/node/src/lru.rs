//! A cache bounded by cost, least recently used out first.

use std::collections::BTreeMap;

/// Values by key, together worth at most a fixed cost.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    capacity: usize,
    used: usize,
    /// Counts uses; the stamp of a use orders the entries by age.
    clock: u64,
    entries: BTreeMap<K, Entry<V>>,
    ages: BTreeMap<u64, K>,
}

#[derive(Debug)]
struct Entry<V> {
    stamp: u64,
    cost: usize,
    value: V,
}

impl<K: Ord + Clone, V: Clone> Lru<K, V> {
    /// An empty cache for entries that together cost at most `capacity`.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, used: 0, clock: 0, entries: BTreeMap::new(), ages: BTreeMap::new() }
    }

    /// The value of `key`, which counts as used now.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.get_mut(key)?;
        self.clock += 1;
        self.ages.remove(&entry.stamp);
        self.ages.insert(self.clock, key.clone());
        entry.stamp = self.clock;
        Some(entry.value.clone())
    }

    /// Keeps a value, at the expense of older ones. One that costs more than a quarter
    /// of the whole is not kept, as it would displace too much.
    pub(crate) fn insert(&mut self, key: K, value: V, cost: usize) {
        self.remove(&key);
        if cost > self.capacity / 4 {
            return;
        }
        self.clock += 1;
        self.used += cost;
        self.ages.insert(self.clock, key.clone());
        self.entries.insert(key, Entry { stamp: self.clock, cost, value });
        while self.used > self.capacity {
            let Some((_, oldest)) = self.ages.pop_first() else { break };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.used -= entry.cost;
            }
        }
    }

    /// Forgets a value.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.used -= entry.cost;
            self.ages.remove(&entry.stamp);
        }
    }

    /// Forgets all values whose keys match.
    pub(crate) fn remove_all(&mut self, matches: impl Fn(&K) -> bool) {
        let keys: Vec<K> = self.entries.keys().filter(|key| matches(key)).cloned().collect();
        for key in keys {
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_leaves_first_and_the_cost_is_bounded() {
        // An unbounded cache would eat the memory; one that forgets what is in use is useless.
        let mut cache = Lru::new(8);
        for key in 0..4 {
            cache.insert(key, key * 10, 2);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.insert(4, 40, 2);
        assert_eq!((cache.get(&0), cache.get(&1), cache.get(&4)), (Some(0), None, Some(40)));
        cache.insert(5, 50, 3);
        assert_eq!(cache.get(&5), None, "too large to be kept");
        cache.remove_all(|key| *key > 2);
        assert_eq!((cache.get(&3), cache.get(&4), cache.get(&0)), (None, None, Some(0)));
        assert_eq!(cache.used, 4);
    }
}
