//! How many calls of one workspace are under way, and whether they are answered.
//!
//! Whoever calls holds a place among those who work for somebody waiting. A workspace that does not answer must not take all of these
//! places: only some of its calls are under way at a time, and while one of them waits for its answer for longer than usual, all
//! others are told to come back. Once one got no answer at all, a single call probes whether answers come again, and the others come
//! back the later the longer it lasts.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

/// How many calls of one workspace are under way at a time.
const AT_ONCE: usize = 8;
/// After how long without an answer a call keeps others of its workspace from beginning. Slack answers within a fraction of it.
const LATE: TimeDelta = TimeDelta::seconds(2);
/// When to come again while as many are under way.
const CROWDED: Duration = Duration::from_millis(100);
/// When to come again after the first call without an answer; twice as late after each further one.
const SILENT: Duration = Duration::from_secs(2);
/// When to come again at the latest.
const LONGEST: Duration = Duration::from_mins(1);

/// The calls under way, by account.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Arc<str>, Flight>>);

#[derive(Debug, Default)]
struct Flight {
    /// When the calls under way began, oldest first.
    under_way: VecDeque<DateTime<Utc>>,
    /// Calls since the last answer that got none.
    silent: u32,
}

/// Why a call cannot begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// Others of the account are under way; there is room soon.
    Crowded(Duration),
    /// The account's calls get no answer. Waiting for it would hold up others.
    Silent(Duration),
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Pass {
    flights: Arc<Flights>,
    account: Arc<str>,
    since: DateTime<Utc>,
}

impl Flights {
    /// Lets a call begin now, or says when to come again.
    pub(super) fn enter(self: &Arc<Self>, account: &Arc<str>, now: DateTime<Utc>) -> Result<Pass, Full> {
        let mut flights = self.0.lock();
        let flight = flights.entry(account.clone()).or_default();
        if let Some(oldest) = flight.under_way.front() {
            if flight.silent > 0 || now - *oldest > LATE {
                let later = SILENT.saturating_mul(1 << flight.silent.min(10).saturating_sub(1));
                return Err(Full::Silent(later.min(LONGEST)));
            }
            if flight.under_way.len() >= AT_ONCE {
                return Err(Full::Crowded(CROWDED));
            }
        }
        flight.under_way.push_back(now);
        Ok(Pass {
            flights: Arc::clone(self),
            account: account.clone(),
            since: now,
        })
    }
}

impl Pass {
    /// Ends a call, with an answer or without one.
    pub(super) fn ended(self, answered: bool) {
        if let Some(flight) = self.flights.0.lock().get_mut(&self.account) {
            flight.silent = if answered {
                0
            } else {
                flight.silent.saturating_add(1)
            };
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock();
        if let Some(flight) = flights.get_mut(&self.account) {
            let place = flight.under_way.iter().position(|since| *since == self.since);
            place.and_then(|place| flight.under_way.remove(place));
            if flight.under_way.is_empty() && flight.silent == 0 {
                flights.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_workspace_has_some_calls_under_way_and_others_do_not_count() {
        let flights = Arc::new(Flights::default());
        let (one, other): (Arc<str>, Arc<str>) = ("T1".into(), "T2".into());
        let mut passes: Vec<Pass> = (0..AT_ONCE)
            .map(|_| flights.enter(&one, at(0)).unwrap())
            .collect();
        assert_eq!(flights.enter(&one, at(1)).unwrap_err(), Full::Crowded(CROWDED));
        assert!(flights.enter(&other, at(1)).is_ok());
        passes.pop().unwrap().ended(true);
        assert!(flights.enter(&one, at(1)).is_ok());
        drop(passes);
        assert!(
            flights.0.lock().is_empty(),
            "nothing is kept of accounts that are well"
        );
    }

    #[test]
    fn a_call_that_waits_for_long_keeps_others_back_until_it_is_answered() {
        let flights = Arc::new(Flights::default());
        let account: Arc<str> = "T1".into();
        let slow = flights.enter(&account, at(0)).unwrap();
        assert!(flights.enter(&account, at(2)).is_ok());
        assert_eq!(flights.enter(&account, at(3)).unwrap_err(), Full::Silent(SILENT));
        slow.ended(true);
        assert!(flights.enter(&account, at(3)).is_ok());
    }

    #[test]
    fn one_call_probes_a_workspace_that_is_silent_until_it_answers() {
        let flights = Arc::new(Flights::default());
        let account: Arc<str> = "T1".into();
        let enter = || flights.enter(&account, at(0));
        for doubled in [1, 2, 4] {
            enter().unwrap().ended(false);
            let probe = enter().unwrap();
            assert_eq!(enter().unwrap_err(), Full::Silent(SILENT * doubled));
            drop(probe);
        }
        for _ in 0..20 {
            enter().unwrap().ended(false);
        }
        let probe = enter().unwrap();
        assert_eq!(enter().unwrap_err(), Full::Silent(LONGEST));
        probe.ended(true);
        let first = enter().unwrap();
        assert!(enter().is_ok());
        drop(first);
    }
}
