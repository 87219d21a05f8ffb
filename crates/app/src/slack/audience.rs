//! For whose eyes something is answered on Slack.
//!
//! What is said in a place is read by everybody in it, now and later, so only what each of them may see goes into an answer there. A
//! command's answer and a direct message are read by the asker alone. Whoever is not known to belong to the organisation counts as
//! somebody from outside, and one such reader is enough. While Slack does not tell who they are, the answer waits as long as its
//! deadline allows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use amebo_channels::inbound::{Place, PlaceKind};
use amebo_channels::slack::api::CallError;
use amebo_core::channel::Standing;
use amebo_core::document::Reader;
use amebo_core::id::ChannelConnectionId;
use amebo_store::Permit;
use amebo_store::channel_identity::{ChannelIdentity, Who};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::people::{KnowPeople, Stop};
use super::token::Workspace;
use super::waiting::Waiting;
use crate::{App, Result};

/// For how long the readers of a place are not looked up again. Who comes later can read what was said before anyway.
const KNOWN_FOR: TimeDelta = TimeDelta::seconds(60);
/// How many places are remembered.
const MOST_KNOWN: usize = 20_000;
/// How many people Slack is asked about for one answer. With more unknown ones a place counts as one of strangers.
const MOST_ASKED: usize = 40;
/// How many readers of a place are looked at.
const MOST_READERS: usize = 5_000;

/// For whom something is answered.
#[derive(Debug, Clone)]
pub(super) struct Audience {
    pub(super) readers: Vec<Reader>,
    pub(super) explained: Explained,
    /// Whether Slack told who they are; otherwise it may tell later, and they count as strangers until then.
    pub(super) is_told: bool,
}

/// For whom something was answered, as it is stored with the question and told to whoever asks why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Explained {
    /// For the asker alone.
    Asker {
        /// What they are to the organisation.
        standing: ReaderStanding,
    },
    /// For everybody who reads a place.
    Place {
        /// The platform's id of it.
        place: String,
        /// How many people read it, as far as they were looked at.
        people: u32,
        /// How many of them are members of the organisation.
        members: u32,
        /// How many more count as colleagues, because administrators said so.
        colleagues: u32,
        /// How many are from outside, or not known.
        outsiders: u32,
        /// Whether people of other companies may be in it.
        shared: bool,
    },
}

/// What a reader is to the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderStanding {
    /// A member, with a role and a place.
    Member,
    /// One of the workspace's own people, whom administrators let know what every member may.
    Colleague,
    /// Somebody from outside.
    Outsider,
}

impl Explained {
    /// Whether somebody from outside reads it.
    pub fn has_outsiders(&self) -> bool {
        match self {
            Self::Asker { standing } => *standing == ReaderStanding::Outsider,
            Self::Place {
                outsiders, shared, ..
            } => *outsiders > 0 || *shared,
        }
    }
}

/// The readers of places, for a short while.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Who reads a place of a workspace, and since when that is known.
    readers: HashMap<(ChannelConnectionId, String), (Explained, DateTime<Utc>)>,
    /// When Slack said last that somebody came to a place or left it, by Slack's id of the place. It is said at the door, since the event's
    /// own job may run after that of the next question.
    changes: HashMap<String, DateTime<Utc>>,
}

impl Places {
    fn readers(&self, key: &(ChannelConnectionId, String), now: DateTime<Utc>) -> Option<Explained> {
        let known = self.0.lock();
        let (explained, since) = known.readers.get(key)?;
        let is_current = known.changes.get(&key.1).is_none_or(|change| change < since);
        (is_current && now - *since < KNOWN_FOR).then(|| explained.clone())
    }

    /// Keeps who reads a place, as it was found when `since` was the time.
    fn keep(&self, key: (ChannelConnectionId, String), explained: Explained, since: DateTime<Utc>) {
        let mut known = self.0.lock();
        if known.readers.len() >= MOST_KNOWN {
            known.readers.clear();
        }
        known.readers.insert(key, (explained, since));
    }

    /// Notes that somebody came to a place or left it, so that nothing found before counts.
    pub(super) fn changed(&self, place: &str, now: DateTime<Utc>) {
        let mut known = self.0.lock();
        if known.changes.len() >= MOST_KNOWN {
            (known.changes, known.readers) = Default::default();
        }
        known.changes.insert(place.to_owned(), now);
    }

    /// Forgets who reads a place.
    pub(super) fn forget(&self, connection: ChannelConnectionId, place: &str) {
        self.0.lock().readers.remove(&(connection, place.to_owned()));
    }

    /// Forgets who reads the places of a connection, after somebody became known or unknown.
    pub(super) fn forget_all(&self, connection: ChannelConnectionId) {
        self.0.lock().readers.retain(|(of, _), _| *of != connection);
    }
}

impl Audience {
    /// The asker alone.
    pub(super) fn of_asker(reader: &Reader) -> Self {
        let standing = match reader {
            Reader::Member { .. } => ReaderStanding::Member,
            Reader::Machine => ReaderStanding::Colleague,
            Reader::SlackChannel { .. } | Reader::Outsider => ReaderStanding::Outsider,
        };
        Self {
            readers: vec![reader.clone()],
            explained: Explained::Asker { standing },
            is_told: true,
        }
    }
}

impl App {
    /// Everybody who reads a place. While Slack does not tell, whoever can wait is told when to ask again by
    /// [`Error::RateLimited`](crate::Error::RateLimited).
    pub(super) async fn slack_audience(
        self: &Arc<Self>,
        workspace: &Workspace,
        permit: &Permit,
        place: &Place,
        waiting: Waiting,
    ) -> Result<Audience> {
        let key = (workspace.id, place.id.clone());
        let now = self.environment().now();
        let (explained, is_told) = match self.slack_places.readers(&key, now) {
            Some(explained) => (explained, true),
            None => match self.look_around(workspace, permit, place).await {
                Ok(explained) => {
                    self.slack_places.keep(key, explained.clone(), now);
                    (explained, true)
                }
                Err(Stop::Slack(error)) => {
                    self.wait_for_slack(permit, workspace.id, &error, waiting).await?;
                    tracing::warn!(
                        connection = %workspace.id,
                        error = &error as &dyn std::error::Error,
                        "Slack did not tell in time who reads a channel; answering as for strangers"
                    );
                    (unknown(place, false), false)
                }
                Err(Stop::Failed(error)) => return Err(error),
            },
        };
        // What the event itself shows counts even where the list of readers does not show it.
        let insiders = !place.shared && !explained.has_outsiders();
        let reader = self
            .reader_of_place(permit, workspace.id, &place.id, insiders)
            .await?;
        Ok(Audience {
            readers: vec![reader],
            explained,
            is_told,
        })
    }

    /// Through whose eyes everybody who reads a place sees documents: what was said there is theirs, and what every member may know
    /// only if all of them are insiders.
    pub(super) async fn reader_of_place(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
        place: &str,
        insiders: bool,
    ) -> Result<Reader> {
        let mut tx = self.store.begin(permit).await?;
        let mirrored = tx.slack().channel_called(connection, place).await?;
        tx.commit().await?;
        Ok(match mirrored {
            Some(channel) => Reader::SlackChannel { channel, insiders },
            None if insiders => Reader::Machine,
            None => Reader::Outsider,
        })
    }

    /// Who is in a place, by Slack's ids, as many as `most`.
    async fn slack_members(
        &self,
        workspace: &Workspace,
        place: &str,
        most: usize,
    ) -> Result<Vec<String>, CallError> {
        let mut people = Vec::new();
        let mut cursor = None;
        loop {
            let page = workspace.api.members(place, cursor.as_deref()).await?;
            people.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || people.len() >= most {
                return Ok(people);
            }
        }
    }

    /// Who reads a place, as far as Slack tells; it may tell later when it stops for [`Stop::Slack`].
    async fn look_around(
        self: &Arc<Self>,
        workspace: &Workspace,
        permit: &Permit,
        place: &Place,
    ) -> Result<Explained, Stop> {
        if place.shared {
            return Ok(unknown(place, true));
        }
        let people = match self.slack_members(workspace, &place.id, MOST_READERS).await {
            Ok(mut people) if people.len() < MOST_READERS => {
                people.retain(|person| Some(person) != workspace.bot_user.as_ref());
                people
            }
            Ok(_) => return Ok(unknown(place, false)),
            Err(error) if error.outcome.is_repeatable() => return Err(Stop::Slack(error)),
            Err(error) => {
                tracing::warn!(
                    connection = %workspace.id,
                    error = &error as &dyn std::error::Error,
                    "Slack does not tell who reads a channel; answering as for strangers"
                );
                return Ok(unknown(place, false));
            }
        };
        let identities = self.identities(workspace, permit, place, &people).await?;
        let users: Vec<_> = identities
            .iter()
            .filter_map(|identity| match identity.who {
                Who::Member(user) => Some(user),
                Who::Contact(_) => None,
            })
            .collect();
        let mut tx = self.store.begin(permit).await?;
        let active = tx.channel_identities(workspace.id).active_members(&users).await?;
        tx.commit().await?;
        // Thousands may be in a channel, so nobody is looked for among the others one by one.
        let active: HashSet<_> = active.into_iter().collect();
        let by_id: HashMap<&str, &ChannelIdentity> = identities
            .iter()
            .map(|identity| (identity.external_id.as_str(), identity))
            .collect();
        let (mut members, mut colleagues, mut outsiders) = (0, 0, 0);
        for person in &people {
            match by_id.get(person.as_str()).copied() {
                Some(identity) if identity.standing == Standing::Bot => {}
                Some(ChannelIdentity {
                    who: Who::Member(user),
                    ..
                }) if active.contains(user) => members += 1,
                Some(identity)
                    if workspace.settings.people_are_colleagues
                        && identity.standing == Standing::Colleague =>
                {
                    colleagues += 1;
                }
                _ => outsiders += 1,
            }
        }
        Ok(Explained::Place {
            place: place.id.clone(),
            people: u32::try_from(people.len()).unwrap_or(u32::MAX),
            members,
            colleagues,
            outsiders,
            shared: false,
        })
    }

    /// Who these people are; Slack is asked about a few unknown ones, and about more than that in the background, for the next answer.
    async fn identities(
        self: &Arc<Self>,
        workspace: &Workspace,
        permit: &Permit,
        place: &Place,
        people: &[String],
    ) -> Result<Vec<ChannelIdentity>, Stop> {
        let mut tx = self.store.begin(permit).await?;
        let mut known = tx.channel_identities(workspace.id).of(people).await?;
        tx.commit().await?;
        known.retain(ChannelIdentity::is_told);
        let names: HashSet<&str> = known
            .iter()
            .map(|identity| identity.external_id.as_str())
            .collect();
        let unknown: Vec<&String> = people
            .iter()
            .filter(|person| !names.contains(person.as_str()))
            .collect();
        if unknown.len() <= MOST_ASKED {
            for person in unknown {
                let (identity, untold) = self.slack_identity(workspace, permit, person, false).await?;
                if let Some(error) = untold {
                    return Err(Stop::Slack(error));
                }
                known.push(identity);
            }
        } else {
            let mut tx = self.store.begin(permit).await?;
            tx.jobs().push(KnowPeople::job(workspace.id, &place.id)).await?;
            tx.commit().await?;
        }
        Ok(known)
    }
}

/// What is said of a place whose readers are not known; `shared` says that some may be of other companies.
fn unknown(place: &Place, shared: bool) -> Explained {
    Explained::Place {
        place: place.id.clone(),
        people: 0,
        members: 0,
        colleagues: 0,
        outsiders: 1,
        shared,
    }
}

/// Whether what is said there is read by the asker alone.
pub(super) fn is_private(place: &Place) -> bool {
    place.kind == Some(PlaceKind::Direct)
}
