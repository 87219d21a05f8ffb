//! How many of a kind of request are worked on at once, shared fairly between organisations.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use amebo_core::id::OrganizationId;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, Result};

/// How long somebody is asked to wait who finds the line full.
const COME_BACK: Duration = Duration::from_secs(2);

/// Lets in so many at once, of one organisation fewer, and keeps a line of bounded length before the door.
#[derive(Debug)]
pub(crate) struct Gate {
    all: Arc<Semaphore>,
    of_one: usize,
    longest_line: usize,
    organizations: Mutex<HashMap<OrganizationId, Arc<Door>>>,
}

#[derive(Debug)]
struct Door {
    room: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The right to go on; given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Gate {
    pub(crate) fn new(all: usize, of_one: usize, longest_line: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            of_one,
            longest_line,
            organizations: Mutex::default(),
        }
    }

    /// Waits for its turn; refuses at once when the organisation's line is full.
    pub(crate) async fn enter(&self, organization: OrganizationId) -> Result<Pass> {
        let door = self.door(organization);
        let place = Place::take(&door, self.longest_line)?;
        let closed = |_| Error::Unavailable("the server");
        let own = Arc::clone(&door.room).acquire_owned().await.map_err(closed)?;
        let all = Arc::clone(&self.all).acquire_owned().await.map_err(closed)?;
        drop(place);
        Ok(Pass { _own: own, _all: all })
    }

    fn door(&self, organization: OrganizationId) -> Arc<Door> {
        let mut organizations = self.organizations.lock();
        if organizations.len() > 1_000 {
            let of_one = self.of_one;
            organizations
                .retain(|_, door| Arc::strong_count(door) > 1 || door.room.available_permits() < of_one);
        }
        let door = organizations.entry(organization).or_insert_with(|| {
            Arc::new(Door {
                room: Arc::new(Semaphore::new(self.of_one)),
                waiting: AtomicUsize::new(0),
            })
        });
        Arc::clone(door)
    }
}

/// A place in the line.
struct Place<'a>(&'a Door);

impl<'a> Place<'a> {
    fn take(door: &'a Door, longest_line: usize) -> Result<Self> {
        if door.waiting.fetch_add(1, Ordering::Relaxed) < longest_line {
            Ok(Self(door))
        } else {
            door.waiting.fetch_sub(1, Ordering::Relaxed);
            Err(Error::RateLimited { after: COME_BACK })
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amebo_core::Environment;

    #[tokio::test]
    async fn a_busy_organization_leaves_room_for_another() {
        let gate = Gate::new(4, 2, 1);
        let environment = Environment::system();
        let (busy, other): (OrganizationId, OrganizationId) = (environment.id(), environment.id());
        let (one, _two) = (gate.enter(busy).await.unwrap(), gate.enter(busy).await.unwrap());
        let waiting = gate.enter(busy);
        tokio::pin!(waiting);
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        assert!(matches!(gate.enter(busy).await, Err(Error::RateLimited { .. })));
        gate.enter(other).await.unwrap();
        drop(one);
        waiting.await.unwrap();
    }
}
