//! The stored form of a passage's terms.
//!
//! Byte 0 is the version of form and analysis; then, as LEB128 numbers, the length of the passage in words, the number of
//! distinct terms, and for each term in ascending order the distance of its hash to the one before and its frequency; then
//! the fingerprints of neighbouring words, ascending, two bytes each, little-endian.
//! Hashes have 40 bits: in a library of ten million distinct terms one question word in a hundred thousand would share
//! its hash with another term.

use std::collections::HashMap;

/// The version of form and analysis; terms stored under another are not read.
pub const VERSION: u8 = 1;

const HASH_BITS: u32 = 40;

/// The hash that stands for a term: FNV-1a, mixed, cut to 40 bits. Stored, so it must never change within a version.
pub fn hash(term: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in term.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash & ((1 << HASH_BITS) - 1)
}

/// The fingerprint of two words that follow one another. One in 65,536 pairs looks like another, which is why a pair only ever
/// adds to what its words count.
pub(super) fn pair(first: u64, second: u64) -> u16 {
    let mixed = (first ^ second.rotate_left(31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u16::from_le_bytes([mixed.to_le_bytes()[6], mixed.to_le_bytes()[7]])
}

/// Writes the stored form.
pub(super) fn encode(length: u32, counts: HashMap<u64, u32>, mut pairs: Vec<u16>) -> Vec<u8> {
    let mut terms: Vec<(u64, u32)> = counts.into_iter().collect();
    terms.sort_unstable();
    let mut bytes = Vec::with_capacity(terms.len() * 6 + 8);
    bytes.push(VERSION);
    put(&mut bytes, u64::from(length));
    put(&mut bytes, terms.len() as u64);
    let mut before = 0;
    for (term, frequency) in terms {
        put(&mut bytes, term - before);
        put(&mut bytes, u64::from(frequency));
        before = term;
    }
    pairs.sort_unstable();
    pairs.dedup();
    bytes.extend(pairs.into_iter().flat_map(u16::to_le_bytes));
    bytes
}

/// Reads the stored form without copying: an iterator over terms, and what follows them.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    rest: &'a [u8],
    left: u64,
    before: u64,
    /// The length of the passage in words, fields weighted.
    pub length: u32,
}

impl<'a> Terms<'a> {
    /// The terms in `bytes`; none when there are none or they are of another version.
    pub fn read(bytes: &'a [u8]) -> Self {
        let nothing = Self {
            rest: &[],
            left: 0,
            before: 0,
            length: 0,
        };
        let Some((&VERSION, mut rest)) = bytes.split_first() else {
            return nothing;
        };
        let (Some(length), Some(left)) = (take(&mut rest), take(&mut rest)) else {
            return nothing;
        };
        Self {
            rest,
            left,
            before: 0,
            length: u32::try_from(length).unwrap_or(u32::MAX),
        }
    }
}

impl<'a> Terms<'a> {
    /// The fingerprints of neighbouring words, ascending; to be asked for when the terms have been read.
    pub fn pairs(self) -> impl Iterator<Item = u16> + 'a {
        let rest = if self.left == 0 { self.rest } else { &[] };
        rest.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes))
    }
}

impl Iterator for Terms<'_> {
    type Item = (u64, u32);

    fn next(&mut self) -> Option<(u64, u32)> {
        self.left = self.left.checked_sub(1)?;
        let term = self.before.wrapping_add(take(&mut self.rest)?);
        let frequency = take(&mut self.rest)?;
        self.before = term;
        Some((term, u32::try_from(frequency).unwrap_or(u32::MAX)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(self.rest.len() / 2);
        (0, Some(most))
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stored_terms_are_read_as_written(
            length: u32, counts in prop::collection::hash_map(0_u64..1 << 40, 1_u32.., 0..50),
            pairs in prop::collection::btree_set(any::<u16>(), 0..50),
        ) {
            let bytes = encode(length, counts.clone(), pairs.iter().rev().copied().collect());
            let mut terms = Terms::read(&bytes);
            prop_assert_eq!(terms.length, length);
            prop_assert_eq!(terms.by_ref().collect::<HashMap<_, _>>(), counts);
            prop_assert_eq!(terms.pairs().collect::<std::collections::BTreeSet<_>>(), pairs);
        }

        #[test]
        fn any_bytes_are_read_without_failing(mut bytes: Vec<u8>) {
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            prop_assert!(Terms::read(&bytes).count() <= bytes.len());
        }
    }

    #[test]
    fn terms_of_another_version_are_not_read() {
        assert_eq!(Terms::read(&[VERSION + 1, 3, 1, 5, 1]).count(), 0);
    }
}
