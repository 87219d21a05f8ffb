//! How often anybody may call: an organisation as its plan says, a visitor by network address. Counted in each process; guessing
//! passwords is counted in the database besides.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use amebo_app::{Access, Error};
use amebo_core::Environment;
use amebo_core::id::OrganizationId;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

/// Requests of visitors at one address in a minute: signing in, refreshing, opening links.
const VISITS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).unwrap();

/// After how many decisions forgotten callers are dropped from memory.
const SWEEP_EVERY: u32 = 10_000;

/// Every limit.
#[derive(Debug)]
pub(crate) struct Limits {
    clock: EnvironmentClock,
    visitors: Keyed<IpAddr>,
    /// One limiter for each rate that a plan or an agreement allows; there are few.
    organizations: Mutex<HashMap<u32, Arc<Keyed<OrganizationId>>>>,
}

impl Limits {
    pub(crate) fn new(environment: Environment) -> Self {
        let clock = EnvironmentClock(environment);
        Self {
            visitors: Keyed::new(VISITS_PER_MINUTE, clock.clone()),
            organizations: Mutex::default(),
            clock,
        }
    }

    /// Counts a visitor's request.
    pub(crate) fn visitor(&self, address: IpAddr) -> Result<(), Error> {
        self.visitors.admit(&network(address))
    }

    /// Counts a request in an organisation.
    pub(crate) fn organization(&self, access: &Access) -> Result<(), Error> {
        let rate = access.limits().requests_per_minute;
        let Some(per_minute) = NonZeroU32::new(rate) else {
            return Err(Error::QuotaExceeded {
                metric: "requests",
                limit: 0,
            });
        };
        let limiter = Arc::clone(
            self.organizations
                .lock()
                .entry(rate)
                .or_insert_with(|| Arc::new(Keyed::new(per_minute, self.clock.clone()))),
        );
        limiter.admit(&access.organization())
    }
}

#[derive(Debug)]
struct Keyed<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, EnvironmentClock, NoOpMiddleware<Nanos>>,
    decisions: AtomicU32,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(per_minute: NonZeroU32, clock: EnvironmentClock) -> Self {
        Self {
            limiter: RateLimiter::new(Quota::per_minute(per_minute), DashMapStateStore::default(), clock),
            decisions: AtomicU32::new(0),
        }
    }

    fn admit(&self, key: &K) -> Result<(), Error> {
        if self.decisions.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|refused| Error::RateLimited {
            after: refused.wait_time_from(self.limiter.clock().now()),
        })
    }
}

/// An IPv6 caller owns at least a /64, so that is what is counted.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
    }
}

/// Time as the application sees it.
#[derive(Debug, Clone)]
struct EnvironmentClock(Environment);

impl Clock for EnvironmentClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let nanoseconds = self.0.now().timestamp_nanos_opt().unwrap_or_default();
        Nanos::new(u64::try_from(nanoseconds).unwrap_or_default())
    }
}
