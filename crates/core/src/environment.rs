//! Time, randomness and new ids, handed in as one parameter so that behaviour can be replayed.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use parking_lot::Mutex;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use uuid::Builder;

use crate::id::Id;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that moves only when told to; for tests and replays.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock()
    }
}

/// Where time, ids and randomness come from. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<ChaCha20Rng>>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl Environment {
    /// The machine's clock and a generator seeded by the operating system.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), ChaCha20Rng::from_rng(&mut rand::rng()))
    }

    /// A replayable environment: the given clock, and randomness that follows from `seed` alone. Never for production.
    pub fn replayable(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self::new(clock, ChaCha20Rng::seed_from_u64(seed))
    }

    fn new(clock: Arc<dyn Clock>, random: ChaCha20Rng) -> Self {
        Self {
            clock,
            random: Arc::new(Mutex::new(random)),
        }
    }

    /// The present instant, in whole microseconds, which is what PostgreSQL can store.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    /// A new identifier (UUIDv7, RFC 9562): ordered by time, unguessable in its 74 random bits.
    pub fn id<T: Id>(&self) -> T {
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        T::from_uuid(Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid())
    }

    /// `N` random bytes, fit for keys and nonces.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.lock().fill_bytes(&mut bytes);
        bytes
    }

    /// A secret of 256 random bits as 43 URL-safe characters: for links, tokens and API keys.
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// A number between 0 and 1, evenly distributed; for jitter.
    pub fn fraction(&self) -> f64 {
        self.random.lock().random::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DocumentId;

    fn environment() -> (Arc<ManualClock>, Environment) {
        let clock = Arc::new(ManualClock::starting_at(DateTime::UNIX_EPOCH));
        (clock.clone(), Environment::replayable(clock, 1))
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (_, first) = environment();
        let (_, second) = environment();
        assert_eq!(first.id::<DocumentId>(), second.id::<DocumentId>());
        assert_eq!(first.token(), second.token());
    }

    #[test]
    fn later_ids_sort_later() {
        let (clock, environment) = environment();
        let early = environment.id::<DocumentId>();
        clock.advance(TimeDelta::milliseconds(1));
        assert!(early < environment.id::<DocumentId>());
    }

    #[test]
    fn tokens_are_43_characters_and_differ() {
        let (_, environment) = environment();
        let (first, second) = (environment.token(), environment.token());
        assert_eq!(first.len(), 43);
        assert_ne!(first, second);
    }
}
