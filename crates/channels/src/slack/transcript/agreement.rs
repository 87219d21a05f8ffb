//! How well a grouping agrees with a known one: the usual measures of conversation disentanglement.
//!
//! One-to-one overlap and exact matches are those of Elsner and Charniak (2008) and Kummerfeld et al. (2019), the variation of information is
//! Meilă's (2007), scaled as Kummerfeld et al. do, Shen-F is that of Shen et al. (2006).

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// The measures, each from 0 to 1; higher is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The share of messages that lie in the group paired with their known one. Pairs are made from the largest overlap downwards, which
    /// finds at least half of the best pairing and in practice nearly all of it; so this never flatters.
    pub one_to_one: f64,
    /// One minus the variation of information over its largest possible value, the logarithm of the number of messages.
    pub variation: f64,
    /// For each known group the best F1 that any group has with it, weighted by its messages.
    pub shen_f: f64,
    /// F1 of the groups of two messages and more that are the same to the message.
    pub exact_f: f64,
    /// How many groups there are.
    pub groups: usize,
    /// How many there should be.
    pub known: usize,
}

/// Compares for each message the group it was put in with the one it is known to belong to. All measures are 0 without messages.
#[expect(clippy::cast_precision_loss, reason = "counts of messages are far below 2^52")]
pub fn agreement<P: Hash + Eq + Clone, K: Hash + Eq + Clone>(pairs: &[(P, K)]) -> Agreement {
    let (mut put, mut known, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (p, k) in pairs {
        *put.entry(p).or_insert(0_usize) += 1;
        *known.entry(k).or_insert(0_usize) += 1;
        *both.entry((p, k)).or_insert(0_usize) += 1;
    }
    let all = pairs.len().max(1) as f64;
    let share = |count: usize| count as f64 / all;
    let entropy = |sizes: &mut dyn Iterator<Item = usize>| -> f64 {
        sizes.map(|size| -share(size) * share(size).log2()).sum()
    };
    let mutual: f64 = both
        .iter()
        .map(|((p, k), &n)| share(n) * (share(n) / (share(put[p]) * share(known[k]))).log2())
        .sum();
    let variation =
        entropy(&mut put.values().copied()) + entropy(&mut known.values().copied()) - 2.0 * mutual;
    let mut best: HashMap<&K, f64> = HashMap::new();
    for ((p, k), &n) in &both {
        let f = 2.0 * n as f64 / (put[p] + known[k]) as f64;
        let best = best.entry(k).or_default();
        *best = best.max(f);
    }
    let matched = both
        .iter()
        .filter(|((p, k), n)| **n > 1 && put[p] == **n && known[k] == **n)
        .count();
    let of_several = several(put.values()) + several(known.values());
    Agreement {
        one_to_one: share(paired(&both)),
        variation: if pairs.len() > 1 {
            1.0 - variation / all.log2()
        } else {
            share(pairs.len())
        },
        shen_f: best.iter().map(|(k, f)| share(known[*k]) * f).sum(),
        exact_f: 2.0 * matched as f64 / of_several.max(1) as f64,
        groups: put.len(),
        known: known.len(),
    }
}

/// How many groups have two messages and more.
fn several<'a>(sizes: impl Iterator<Item = &'a usize>) -> usize {
    sizes.filter(|size| **size > 1).count()
}

/// How many messages lie in paired groups, when groups are paired from the largest overlap downwards.
fn paired<P: Hash + Eq, K: Hash + Eq>(both: &HashMap<(&P, &K), usize>) -> usize {
    let mut overlaps: Vec<_> = both.iter().collect();
    overlaps.sort_by(|a, b| b.1.cmp(a.1));
    let (mut used_put, mut used_known) = (HashSet::new(), HashSet::new());
    let mut total = 0;
    for ((p, k), n) in overlaps {
        if !used_put.contains(p) && !used_known.contains(k) {
            used_put.insert(*p);
            used_known.insert(*k);
            total += n;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_grouping_agrees_fully_whatever_its_names() {
        let pairs = [(1, "a"), (2, "b"), (1, "a"), (3, "c"), (2, "b")];
        let same = agreement(&pairs);
        assert_eq!((same.groups, same.known), (3, 3));
        for measure in [same.one_to_one, same.variation, same.shen_f, same.exact_f] {
            assert!((measure - 1.0).abs() < 1e-9, "{same:?}");
        }
    }

    #[test]
    fn one_group_of_everything_agrees_little() {
        let pairs = [(0, "a"), (0, "a"), (0, "b"), (0, "b")];
        let one = agreement(&pairs);
        assert!((one.one_to_one - 0.5).abs() < 1e-9);
        // H(known) is one bit of at most two.
        assert!((one.variation - 0.5).abs() < 1e-9);
        assert!((one.shen_f - 2.0 / 3.0).abs() < 1e-9);
        assert!(one.exact_f.abs() < 1e-9);
    }

    #[test]
    fn nothing_agrees_with_nothing() {
        let none = agreement::<u8, u8>(&[]);
        assert!(none.one_to_one == 0.0 && none.shen_f == 0.0 && none.exact_f == 0.0);
    }
}
