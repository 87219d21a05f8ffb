//! How often each method may still be called, per workspace.
//!
//! Every workspace and method has a bucket of its own, refilled at the rate that Slack grants for sure. Slack grants more than it
//! says: a rate that was used up without complaint rises slowly, and being told to wait (429) empties that one bucket, pauses it
//! for the time told, and halves what was added. Nothing here waits, and no workspace sees another's buckets.
//!
//! Since 2025 Slack holds distributed apps outside its Marketplace to one call a minute and 15 messages a call when reading
//! messages. That shows at run time only: a page shorter than asked for although there is more, or being told to wait the
//! better part of a minute.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use super::method::{Method, Tier};

/// How many messages a page holds at most where the limits of 2025 hold.
pub const RESTRICTED_PAGE: usize = 15;
/// Being told to wait this long for reading messages shows the limits of 2025: the ordinary ones never need half a minute.
const TELLING_WAIT: Duration = Duration::from_secs(30);

const SHARDS: usize = 64;
/// A shard with more buckets than this is rid of the idle ones.
const CROWDED: usize = 1_024;
/// How much above the sure rate a rate may rise.
const HIGHEST: f64 = 4.0;
/// How much a rate rises with each call that used it up.
const RISE: f64 = 1.02;

/// Which limits hold for reading messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Regime {
    /// It has not shown yet.
    #[default]
    Unknown,
    /// The ordinary ones.
    Ordinary,
    /// Those of 2025 for distributed apps.
    Restricted,
}

/// What is known of the rates of all workspaces.
#[derive(Debug)]
pub struct Budgets {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Shard {
    buckets: HashMap<Key, Bucket>,
    regimes: HashMap<Arc<str>, Regime>,
}

/// Workspace, method and, where it counts, channel.
type Key = (Arc<str>, Method, Option<Box<str>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    /// How much more than the sure rate is tried.
    factor: f64,
    filled_at: DateTime<Utc>,
    paused_until: Option<DateTime<Utc>>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Budgets {
    /// Takes one call's worth; or else says how long to wait before asking again.
    pub fn take(
        &self,
        account: &Arc<str>,
        method: Method,
        place: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), Duration> {
        let mut shard = self.shard(account);
        let restricted = shard.regime(account) == Regime::Restricted;
        let (rate, burst) = limits(method, restricted);
        if shard.buckets.len() > CROWDED {
            shard
                .buckets
                .retain(|(_, method, _), bucket| !bucket.is_idle(limits(*method, false), now));
        }
        let bucket = shard
            .buckets
            .entry(key(account, method, place))
            .or_insert_with(|| Bucket::full(burst, now));
        bucket.take(rate, burst, now)
    }

    /// Whether a call could be made now. Takes nothing.
    pub fn has(&self, account: &Arc<str>, method: Method, now: DateTime<Utc>) -> bool {
        let shard = self.shard(account);
        let (rate, burst) = limits(method, false);
        shard
            .buckets
            .get(&key(account, method, None))
            .is_none_or(|bucket| { *bucket }.take(rate, burst, now).is_ok())
    }

    /// Notes that Slack asked to wait.
    pub fn pause(
        &self,
        account: &Arc<str>,
        method: Method,
        place: Option<&str>,
        wait: Duration,
        now: DateTime<Utc>,
    ) {
        let mut shard = self.shard(account);
        if method.is_restrictable() && wait >= TELLING_WAIT {
            shard.regimes.insert(account.clone(), Regime::Restricted);
        }
        let bucket = shard
            .buckets
            .entry(key(account, method, place))
            .or_insert_with(|| Bucket::full(0.0, now));
        bucket.tokens = 0.0;
        bucket.factor = (bucket.factor / 2.0).max(1.0);
        let until = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        bucket.paused_until = bucket.paused_until.max(Some(until));
        bucket.filled_at = until;
    }

    /// Notes how long a page of messages was, of how many asked for, and whether there is more.
    pub fn saw_page(&self, account: &Arc<str>, asked: usize, got: usize, more: bool) {
        let mut shard = self.shard(account);
        let regime = shard.regime(account);
        if got > RESTRICTED_PAGE {
            shard.regimes.insert(account.clone(), Regime::Ordinary);
        } else if regime == Regime::Unknown && more && got == RESTRICTED_PAGE && asked > RESTRICTED_PAGE {
            shard.regimes.insert(account.clone(), Regime::Restricted);
        }
    }

    /// Which limits hold for reading a workspace's messages, as far as it has shown.
    pub fn regime(&self, account: &str) -> Regime {
        self.shard(account).regime(account)
    }

    /// Remembers what was found out before a restart.
    pub fn set_regime(&self, account: &str, regime: Regime) {
        self.shard(account).regimes.insert(account.into(), regime);
    }

    /// Forgets a workspace that is no longer connected.
    pub fn forget(&self, account: &str) {
        let mut shard = self.shard(account);
        shard.regimes.remove(account);
        shard.buckets.retain(|(owner, _, _), _| &**owner != account);
    }

    fn shard(&self, account: &str) -> parking_lot::MutexGuard<'_, Shard> {
        let index = usize::try_from(self.hasher.hash_one(account) % SHARDS as u64).unwrap_or(0);
        self.shards[index].lock()
    }
}

impl Shard {
    fn regime(&self, account: &str) -> Regime {
        self.regimes.get(account).copied().unwrap_or_default()
    }
}

fn key(account: &Arc<str>, method: Method, place: Option<&str>) -> Key {
    let place = place.filter(|_| method.tier() == Tier::PerChannel);
    (account.clone(), method, place.map(Box::from))
}

/// Calls a minute, and calls at once.
fn limits(method: Method, restricted: bool) -> (f64, f64) {
    let tier = if restricted && method.is_restrictable() {
        Tier::One
    } else {
        method.tier()
    };
    (f64::from(tier.per_minute()), f64::from(tier.burst()))
}

impl Bucket {
    fn full(tokens: f64, now: DateTime<Utc>) -> Self {
        Self {
            tokens,
            factor: 1.0,
            filled_at: now,
            paused_until: None,
        }
    }

    fn take(&mut self, rate: f64, burst: f64, now: DateTime<Utc>) -> Result<(), Duration> {
        if let Some(until) = self.paused_until {
            if now < until {
                return Err((until - now).to_std().unwrap_or_default());
            }
            self.paused_until = None;
            // The time told is over, so one call is granted.
            self.tokens = self.tokens.max(1.0);
        }
        // A rate of one a minute is meant to be kept exactly.
        let factor = if rate > 1.0 { self.factor } else { 1.0 };
        let per_second = rate * factor / 60.0;
        let passed = (now - self.filled_at).to_std().unwrap_or_default().as_secs_f64();
        self.tokens = passed.mul_add(per_second, self.tokens).min(burst);
        self.filled_at = self.filled_at.max(now);
        if self.tokens < 1.0 {
            let missing = (1.0 - self.tokens) / per_second;
            return Err(Duration::from_secs_f64(missing));
        }
        self.tokens -= 1.0;
        if self.tokens < 1.0 {
            self.factor = (self.factor * RISE).min(HIGHEST);
        }
        Ok(())
    }

    /// Whether nothing would be lost by making it anew.
    fn is_idle(&self, (rate, burst): (f64, f64), now: DateTime<Utc>) -> bool {
        let passed = (now - self.filled_at).to_std().unwrap_or_default().as_secs_f64();
        self.paused_until.is_none_or(|until| until < now) && passed.mul_add(rate / 60.0, self.tokens) >= burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn account(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    /// How many calls are let through in `seconds`, asking all the time.
    fn calls(budgets: &Budgets, account: &Arc<str>, method: Method, from: i64, seconds: i64) -> usize {
        (from..from + seconds)
            .map(|second| {
                (0..200)
                    .take_while(|_| budgets.take(account, method, Some("C1"), at(second)).is_ok())
                    .count()
            })
            .sum()
    }

    #[test]
    fn a_method_is_called_as_often_as_is_granted() {
        let budgets = Budgets::default();
        let first = calls(&budgets, &account("T1"), Method::UsersList, 0, 60);
        // Ten at once, then one every three seconds, and a little more for trying.
        assert!((28..=36).contains(&first), "{first}");
    }

    #[test]
    fn a_rate_that_is_not_complained_about_rises_and_falls_when_it_is() {
        let budgets = Budgets::default();
        let account = account("T1");
        calls(&budgets, &account, Method::UsersInfo, 0, 600);
        let risen = calls(&budgets, &account, Method::UsersInfo, 600, 60);
        assert!(risen > 150, "{risen}");
        for _ in 0..3 {
            budgets.pause(&account, Method::UsersInfo, None, Duration::from_secs(1), at(660));
        }
        let fallen = calls(&budgets, &account, Method::UsersInfo, 662, 30);
        assert!(fallen < risen / 2, "{fallen} of {risen}");
    }

    #[test]
    fn being_told_to_wait_stops_one_method_of_one_workspace_only() {
        let budgets = Budgets::default();
        let (one, other) = (account("T1"), account("T2"));
        budgets.pause(&one, Method::UsersInfo, None, Duration::from_secs(20), at(0));
        assert_eq!(
            budgets.take(&one, Method::UsersInfo, None, at(5)),
            Err(Duration::from_secs(15))
        );
        assert_eq!(budgets.take(&one, Method::ConversationInfo, None, at(5)), Ok(()));
        assert_eq!(budgets.take(&other, Method::UsersInfo, None, at(5)), Ok(()));
        assert_eq!(budgets.take(&one, Method::UsersInfo, None, at(20)), Ok(()));
    }

    #[test]
    fn messages_have_a_rate_in_each_channel() {
        let budgets = Budgets::default();
        let account = account("T1");
        let post = |place| budgets.take(&account, Method::PostMessage, Some(place), at(0));
        for _ in 0..5 {
            assert_eq!(post("C1"), Ok(()));
        }
        assert_eq!(post("C1"), Err(Duration::from_secs_f64(1.0 / 1.02)));
        assert_eq!(post("C2"), Ok(()));
    }

    #[test]
    fn the_limits_for_distributed_apps_are_found_out_and_kept() {
        let budgets = Budgets::default();
        let (short, told) = (account("T1"), account("T2"));
        budgets.saw_page(&short, 200, 15, true);
        budgets.pause(&told, Method::History, None, Duration::from_mins(1), at(0));
        for account in [&short, &told] {
            assert_eq!(budgets.regime(account), Regime::Restricted);
            assert_eq!(calls(&budgets, account, Method::History, 60, 300), 5);
            assert!(calls(&budgets, account, Method::UsersInfo, 60, 60) > 50);
        }
        // The end of a small channel shows nothing, and a full page shows the opposite.
        let small = account("T3");
        budgets.saw_page(&small, 200, 15, false);
        assert_eq!(budgets.regime(&small), Regime::Unknown);
        budgets.saw_page(&short, 200, 200, true);
        assert_eq!(budgets.regime(&short), Regime::Ordinary);
    }

    #[test]
    fn idle_buckets_are_let_go() {
        let budgets = Budgets::default();
        let account = account("T1");
        for channel in 0..5_000 {
            let place = format!("C{channel}");
            assert_eq!(
                budgets.take(&account, Method::PostMessage, Some(&place), at(channel)),
                Ok(())
            );
        }
        assert!(budgets.shard("T1").buckets.len() <= CROWDED + 1);
    }

    proptest! {
        #[test]
        fn whoever_waits_as_told_is_let_through(waits in proptest::collection::vec(0_u32..5_000, 1..200)) {
            let budgets = Budgets::default();
            let account = account("T1");
            let mut now = at(0);
            for wait in waits {
                if let Err(told) = budgets.take(&account, Method::UsersList, None, now) {
                    now += TimeDelta::from_std(told).unwrap() + TimeDelta::milliseconds(1);
                    prop_assert_eq!(budgets.take(&account, Method::UsersList, None, now), Ok(()));
                }
                now += TimeDelta::milliseconds(wait.into());
            }
        }
    }
}
