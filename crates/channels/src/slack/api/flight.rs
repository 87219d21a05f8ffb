//! How many calls of one workspace are under way, and whether they are answered.
//!
//! Whoever calls holds a place among those who work for somebody waiting. A workspace that does not answer must not take all of these
//! places: only some of its calls are under way at a time, and once one got no answer, a single call probes whether answers come
//! again while all others are told to come back later, the later the longer it lasts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// How many calls of one workspace are under way at a time.
const AT_ONCE: u32 = 8;
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
    under_way: u32,
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
}

impl Flights {
    /// Lets a call begin, or says when to come again.
    pub(super) fn enter(self: &Arc<Self>, account: &Arc<str>) -> Result<Pass, Full> {
        let mut flights = self.0.lock();
        let flight = flights.entry(account.clone()).or_default();
        match (flight.silent, flight.under_way) {
            (0, under_way) if under_way >= AT_ONCE => return Err(Full::Crowded(CROWDED)),
            (silent, 1..) if silent > 0 => {
                let later = SILENT.saturating_mul(1 << silent.min(10).saturating_sub(1));
                return Err(Full::Silent(later.min(LONGEST)));
            }
            _ => flight.under_way += 1,
        }
        Ok(Pass {
            flights: Arc::clone(self),
            account: account.clone(),
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
            flight.under_way -= 1;
            if flight.under_way == 0 && flight.silent == 0 {
                flights.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_has_some_calls_under_way_and_others_do_not_count() {
        let flights = Arc::new(Flights::default());
        let (one, other): (Arc<str>, Arc<str>) = ("T1".into(), "T2".into());
        let mut passes: Vec<Pass> = (0..AT_ONCE).map(|_| flights.enter(&one).unwrap()).collect();
        assert_eq!(flights.enter(&one).unwrap_err(), Full::Crowded(CROWDED));
        assert!(flights.enter(&other).is_ok());
        passes.pop().unwrap().ended(true);
        assert!(flights.enter(&one).is_ok());
        drop(passes);
        assert!(
            flights.0.lock().is_empty(),
            "nothing is kept of accounts that are well"
        );
    }

    #[test]
    fn one_call_probes_a_workspace_that_is_silent_until_it_answers() {
        let flights = Arc::new(Flights::default());
        let account: Arc<str> = "T1".into();
        for doubled in [1, 2, 4] {
            flights.enter(&account).unwrap().ended(false);
            let probe = flights.enter(&account).unwrap();
            assert_eq!(
                flights.enter(&account).unwrap_err(),
                Full::Silent(SILENT * doubled)
            );
            drop(probe);
        }
        for _ in 0..20 {
            flights.enter(&account).unwrap().ended(false);
        }
        let probe = flights.enter(&account).unwrap();
        assert_eq!(flights.enter(&account).unwrap_err(), Full::Silent(LONGEST));
        probe.ended(true);
        let first = flights.enter(&account).unwrap();
        assert!(flights.enter(&account).is_ok());
        drop(first);
    }
}
