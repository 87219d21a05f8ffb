//! Which words follow one another in which passage.
//!
//! Not inverted: pairs only refine the order of passages that their words have found already, so they are looked up by passage.
//! That costs two bytes a pair instead of the dozens a posting of a rare term takes.

/// The fingerprints of neighbouring words, by passage.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Where the pairs of each passage end.
    ends: Vec<u32>,
    fingerprints: Vec<u16>,
}

impl Pairs {
    /// Adds the next passage; its pairs ascend.
    pub(super) fn push(&mut self, pairs: impl Iterator<Item = u16>) {
        self.fingerprints.extend(pairs);
        self.ends
            .push(u32::try_from(self.fingerprints.len()).unwrap_or(u32::MAX));
    }

    /// The pairs of a passage, ascending.
    pub(super) fn of(&self, passage: u32) -> &[u16] {
        let passage = passage as usize;
        let start = passage.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.fingerprints[start as usize..self.ends[passage] as usize]
    }

    /// How much memory they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.fingerprints.len() * 2 + self.ends.len() * 4
    }
}
