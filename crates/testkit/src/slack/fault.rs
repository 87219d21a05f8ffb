//! What goes wrong, when asked to.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use amebo_core::Environment;

/// Something that goes wrong with a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Too many requests; to come back after so many seconds.
    RateLimited(u64),
    /// This status and no JSON.
    Status(u16),
    /// This error in the body of an answer with status 200.
    Error(&'static str),
    /// No answer at all.
    Silent,
    /// The connection ends in the middle of the answer.
    HangUp,
    /// The answer comes late.
    Slow(Duration),
    /// What was asked for is done, and then this goes wrong.
    AfterDoing(Box<Fault>),
}

impl Fault {
    /// The same, after what was asked for is done.
    #[must_use]
    pub fn after_doing(self) -> Self {
        Self::AfterDoing(Box::new(self))
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    accounts: HashMap<String, Fault>,
    share: f64,
}

impl Faults {
    pub(super) fn next(&mut self, method: &str, fault: Fault) {
        self.next.entry(method.to_owned()).or_default().push_back(fault);
    }

    pub(super) fn account(&mut self, account: &str, fault: Fault) {
        self.accounts.insert(account.to_owned(), fault);
    }

    pub(super) fn often(&mut self, share: f64) {
        self.share = share;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What was planned to go wrong with this call.
    pub(super) fn planned(&mut self, method: &str) -> Option<Fault> {
        self.next.get_mut(method)?.pop_front()
    }

    /// What goes wrong with this call.
    pub(super) fn take(
        &mut self,
        method: &str,
        account: Option<&str>,
        environment: &Environment,
    ) -> Option<Fault> {
        if let Some(fault) = self.planned(method) {
            return Some(fault);
        }
        if let Some(fault) = account.and_then(|account| self.accounts.get(account)) {
            return Some(fault.clone());
        }
        if self.share <= 0.0 || environment.fraction() >= self.share {
            return None;
        }
        let fault = match environment.bytes::<1>()[0] % 6 {
            0 => Fault::RateLimited(1),
            1 => Fault::Status(503),
            2 => Fault::Error("internal_error"),
            3 => Fault::Silent,
            4 => Fault::HangUp,
            _ => Fault::Status(500),
        };
        let done = environment.fraction() < 0.3 && !matches!(fault, Fault::RateLimited(_));
        Some(if done { fault.after_doing() } else { fault })
    }
}
