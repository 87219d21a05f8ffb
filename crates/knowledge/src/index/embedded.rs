//! The embedded engine: exact hybrid search in process.
//!
//! Every organisation has its own index, made of segments that never change (`segment`). Applying a change writes a new
//! small segment, marks what it replaces as dead, and merges neighbours of similar size, so that each passage is
//! copied a logarithmic number of times; then the new version takes the place of the old one in one step. Searches hold the
//! version they began with and are never held up, and one organisation's loading never holds up another's.
//!
//! The index is a cache: under [`Settings::memory_bytes`] the organisations longest not asked are forgotten.

mod budget;
mod pairs;
mod postings;
mod scan;
mod segment;
mod vectors;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amebo_core::id::{DocumentId, OrganizationId};
use async_trait::async_trait;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use self::segment::{Part, Segment};
use super::fusion::Fusion;
use super::{Change, Engine, Error, Hits, IndexedDocument, Query};

/// From this many passages on, a search or a change takes long enough (about a millisecond) to leave the async threads.
const LONG_SCAN: usize = 20_000;
/// See [`LONG_SCAN`]; building costs more per passage.
const LONG_BUILD: usize = 200;

/// How the embedded engine is set up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How much memory the indexes of all organisations may take together, in bytes; a quarter of the memory there is unless said.
    pub memory_bytes: usize,
    /// How the signals of a passage are weighed.
    pub fusion: Fusion,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            memory_bytes: budget::quarter_of_memory(),
            fusion: Fusion::default(),
        }
    }
}

/// What the engine holds, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Organisations whose index is loaded.
    pub organizations: usize,
    /// Passages in them.
    pub passages: usize,
    /// The memory they take, in bytes, roughly.
    pub bytes: usize,
}

/// The engine.
#[derive(Debug)]
pub struct Embedded {
    settings: Settings,
    tenants: Mutex<HashMap<OrganizationId, Arc<Tenant>>>,
    /// Counts searches and changes; what an index was last used at.
    turn: AtomicU64,
}

#[derive(Debug, Default)]
struct Tenant {
    /// Held while a change is prepared, so that changes follow one another.
    changing: Mutex<()>,
    current: Mutex<Option<Arc<Version>>>,
    used: AtomicU64,
}

/// An index as it stands at one revision.
#[derive(Debug)]
struct Version {
    revision: i64,
    parts: Vec<Part>,
    passages: usize,
    bytes: usize,
}

impl Embedded {
    /// An engine that holds nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            tenants: Mutex::default(),
            turn: AtomicU64::new(0),
        }
    }

    /// What is held now.
    pub fn usage(&self) -> Usage {
        let tenants = self.tenants.lock();
        let versions = tenants
            .values()
            .filter_map(|tenant| tenant.current.lock().clone());
        versions.fold(Usage::default(), |usage, version| Usage {
            organizations: usage.organizations + 1,
            passages: usage.passages + version.passages,
            bytes: usage.bytes + version.bytes,
        })
    }

    fn tenant(&self, organization: OrganizationId) -> Option<Arc<Tenant>> {
        let tenant = self.tenants.lock().get(&organization).cloned()?;
        tenant
            .used
            .store(self.turn.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(tenant)
    }

    /// Forgets the indexes longest not used, except `keep`, until the rest fits.
    fn evict(&self, keep: OrganizationId) {
        let mut tenants = self.tenants.lock();
        let bytes_of = |tenant: &Tenant| tenant.current.lock().as_ref().map_or(0, |version| version.bytes);
        let mut total: usize = tenants.values().map(|tenant| bytes_of(tenant)).sum();
        while total > self.settings.memory_bytes {
            let oldest = tenants
                .iter()
                .filter(|(id, tenant)| **id != keep && bytes_of(tenant) > 0)
                .min_by_key(|(_, tenant)| tenant.used.load(Ordering::Relaxed))
                .map(|(id, _)| *id);
            let Some(tenant) = oldest.and_then(|id| tenants.remove(&id)) else {
                return;
            };
            total -= bytes_of(&tenant);
        }
    }
}

#[async_trait]
impl Engine for Embedded {
    async fn revision(&self, organization: OrganizationId) -> Result<Option<i64>, Error> {
        let tenant = self.tenant(organization);
        Ok(tenant.and_then(|tenant| tenant.current.lock().as_ref().map(|version| version.revision)))
    }

    async fn apply(
        &self,
        organization: OrganizationId,
        from: Option<i64>,
        to: i64,
        changes: Vec<Change>,
    ) -> Result<(), Error> {
        let tenant = {
            let mut tenants = self.tenants.lock();
            tenants.entry(organization).or_default().clone()
        };
        tenant
            .used
            .store(self.turn.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let work = changes.iter().map(|change| match change {
            Change::Put(document) => document.passages.len() + 1,
            Change::Remove(_) => 1,
        });
        if work.sum::<usize>() < LONG_BUILD {
            tenant.change(from, to, &changes)?;
        } else {
            unpanicked(tokio::task::spawn_blocking(move || tenant.change(from, to, &changes)).await)?;
        }
        self.evict(organization);
        Ok(())
    }

    async fn search(&self, organization: OrganizationId, query: &Query) -> Result<Hits, Error> {
        let version = self
            .tenant(organization)
            .and_then(|tenant| tenant.current.lock().clone());
        let Some(version) = version else {
            return Ok(Hits::default());
        };
        let fusion = self.settings.fusion;
        if version.passages < LONG_SCAN {
            return Ok(scan::search(&version.parts, query, &fusion));
        }
        let query = query.clone();
        Ok(unpanicked(
            tokio::task::spawn_blocking(move || scan::search(&version.parts, &query, &fusion)).await,
        ))
    }

    async fn forget(&self, organization: OrganizationId) -> Result<(), Error> {
        self.tenants.lock().remove(&organization);
        Ok(())
    }

    fn usage(&self) -> Option<Usage> {
        Some(Embedded::usage(self))
    }
}

impl Tenant {
    fn change(&self, from: Option<i64>, to: i64, changes: &[Change]) -> Result<(), Error> {
        let _one_at_a_time = self.changing.lock();
        let current = self.current.lock().clone();
        let standing = current.as_ref().map(|version| version.revision);
        let parts = match (from, current) {
            // Somebody else loaded as far or further meanwhile.
            (None, Some(version)) if version.revision >= to => return Ok(()),
            (None, _) => Vec::new(),
            (Some(_), Some(version)) if standing == from => version.parts.clone(),
            _ => return Err(Error::Moved),
        };
        let version = Version::new(to, changed(parts, changes));
        *self.current.lock() = Some(Arc::new(version));
        Ok(())
    }
}

impl Version {
    fn new(revision: i64, parts: Vec<Part>) -> Self {
        let passages = parts.iter().map(Part::passages).sum();
        let bytes = parts.iter().map(|part| part.segment.bytes()).sum();
        Self {
            revision,
            parts,
            passages,
            bytes,
        }
    }
}

/// The parts of an index after some changes, of which the last for each document counts.
fn changed(mut parts: Vec<Part>, changes: &[Change]) -> Vec<Part> {
    let mut touched: HashSet<DocumentId> = HashSet::with_capacity(changes.len());
    let mut put: Vec<&IndexedDocument> = Vec::with_capacity(changes.len());
    for change in changes.iter().rev() {
        match change {
            Change::Put(document) if touched.insert(document.id) => put.push(document),
            Change::Put(_) => {}
            Change::Remove(id) => {
                touched.insert(*id);
            }
        }
    }
    put.reverse();
    for part in &mut parts {
        part.remove(touched.iter());
    }
    if !put.is_empty() {
        parts.push(Part::new(Segment::build(&put)));
    }
    settle(parts)
}

/// Writes worn segments anew and merges each with the one before while that is not at least twice as large.
fn settle(parts: Vec<Part>) -> Vec<Part> {
    let mut settled: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts {
        if part.is_worn() {
            part = Part::new(Segment::merge(&[&part]));
        }
        while let Some(before) = settled.pop_if(|before| before.passages() < 2 * part.passages().max(1)) {
            part = Part::new(Segment::merge(&[&before, &part]));
        }
        if part.alive().next().is_some() {
            settled.push(part);
        }
    }
    settled
}

/// The result of a blocking task; a panic in it goes on here, since nobody cancels these tasks.
fn unpanicked<T>(result: Result<T, tokio::task::JoinError>) -> T {
    result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
