//! Proving a chain.

use std::fmt;

use amebo_core::id::{Id, OrganizationId};
use sqlx::PgConnection;

use super::chain::{Entry, ORIGIN};
use crate::error::Result;

/// How many entries are held at a time.
const BATCH: i64 = 1_000;

/// What a walk over the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// Every entry follows from the one before, up to the head.
    Whole {
        /// How many there are.
        entries: i64,
        /// Of how many the details were erased.
        erased: i64,
        /// The head's hash, in hexadecimal: kept elsewhere, it proves later that nothing up to here was rewritten.
        head: String,
    },
    /// The chain does not hold.
    Broken {
        /// The first entry that does not follow.
        entry: i64,
        /// What is wrong with it.
        reason: Reason,
    },
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is not there, and later ones or the head are.
    Missing,
    /// It names another predecessor.
    Unlinked,
    /// It was changed after it was written.
    Altered,
    /// Its details or address were changed.
    DetailsAltered,
    /// It comes after the head, or the head is another.
    BeyondHead,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is missing",
            Self::Unlinked => "it does not follow from the entry before",
            Self::Altered => "it was altered",
            Self::DetailsAltered => "its details were altered",
            Self::BeyondHead => "the head of the chain is not the last entry",
        })
    }
}

pub(super) async fn verify(connection: &mut PgConnection, organization: OrganizationId) -> Result<Verified> {
    let head: Option<(i64, Vec<u8>)> =
        sqlx::query_as("select number, hash from audit_heads where organization_id = $1")
            .bind(organization.uuid())
            .fetch_optional(&mut *connection)
            .await?;
    let (last, head) = head.unwrap_or((0, ORIGIN.to_vec()));
    let (mut seen, mut previous, mut erased) = (0, ORIGIN.to_vec(), 0);
    loop {
        let entries: Vec<Entry> = sqlx::query_as(
            "select id, number, actor_kind, actor_id, action, resource_type, resource_id, details::text, ip, request_id,
                    salt, details_digest, previous_hash, hash, created_at
             from audit_log where organization_id = $1 and number > $2 order by number limit $3",
        )
        .bind(organization.uuid())
        .bind(seen)
        .bind(BATCH)
        .fetch_all(&mut *connection)
        .await?;
        let mut complete = entries.is_empty();
        for entry in entries {
            if entry.number > last {
                // Added since the head was read, or by somebody who did not move the head.
                complete = true;
                break;
            }
            if let Some(reason) = fault(&entry, organization, seen, &previous) {
                let entry = if reason == Reason::Missing {
                    seen + 1
                } else {
                    entry.number
                };
                return Ok(Verified::Broken { entry, reason });
            }
            erased += i64::from(entry.salt.is_none());
            seen = entry.number;
            previous = entry.hash;
        }
        if seen >= last || complete {
            break;
        }
    }
    if seen < last {
        return Ok(Verified::Broken {
            entry: seen + 1,
            reason: Reason::Missing,
        });
    }
    if previous != head {
        return Ok(Verified::Broken {
            entry: last,
            reason: Reason::BeyondHead,
        });
    }
    Ok(Verified::Whole {
        entries: last,
        erased,
        head: hex::encode(head),
    })
}

fn fault(entry: &Entry, organization: OrganizationId, seen: i64, previous: &[u8]) -> Option<Reason> {
    if entry.number != seen + 1 {
        Some(Reason::Missing)
    } else if entry.previous_hash != previous {
        Some(Reason::Unlinked)
    } else if entry.hash != entry.computed_hash(organization) {
        Some(Reason::Altered)
    } else if entry
        .computed_digest()
        .is_some_and(|digest| digest != entry.details_digest)
        || (entry.salt.is_none() && (entry.details.is_some() || entry.ip.is_some()))
    {
        Some(Reason::DetailsAltered)
    } else {
        None
    }
}
