//! The Events API: an envelope with one event.

use chrono::DateTime;
use serde_json::Value;

use super::message::{self, Us};
use super::read::{Read as _, instant, place};
use super::{acknowledge, other, person};
use crate::ChannelKind;
use crate::inbound::{
    Account, Author, Event, FileChange, Inbound, InboundEvent, Malformed, MessageChange, Place, PlaceChange,
};

/// An envelope with what an event is judged by.
struct Envelope<'a> {
    event: &'a Value,
    account: Account,
    us: Us,
    /// Whether people of other companies may be in the place.
    shared: bool,
}

pub(super) fn parse(envelope: &Value) -> Result<Inbound, Malformed> {
    let inner = envelope.pointer("/event").ok_or(Malformed::Missing("event"))?;
    let name = inner.text("/type").ok_or(Malformed::Missing("event.type"))?;
    let external_id = envelope.text("/event_id").ok_or(Malformed::Missing("event_id"))?;
    let account = account(envelope);
    let us = Us {
        app: account.app.clone(),
        user: envelope
            .string("/authorizations/0/user_id")
            .filter(|_| envelope.says("/authorizations/0/is_bot")),
        bot: None,
        team: account.team.clone(),
    };
    let envelope_of = Envelope {
        event: inner,
        shared: shared(envelope),
        account,
        us,
    };
    let (event, lane) = envelope_of.read(name)?;
    let at = inner
        .text("/event_ts")
        .and_then(instant)
        .or_else(|| DateTime::from_timestamp(envelope.pointer("/event_time")?.as_i64()?, 0));
    Ok(acknowledge(vec![InboundEvent {
        channel: ChannelKind::Slack,
        account: envelope_of.account,
        external_id: external_id.to_owned(),
        at,
        lane,
        event,
    }]))
}

/// Slack stopped sending a workspace's events, since there were more than 30,000 in an hour.
pub(super) fn parse_rate_limit(notice: &Value) -> Result<Inbound, Malformed> {
    let team = notice.text("/team_id").ok_or(Malformed::Missing("team_id"))?;
    let minute = notice.pointer("/minute_rate_limited").and_then(Value::as_i64);
    let since = minute.and_then(|minute| DateTime::from_timestamp(minute, 0));
    Ok(acknowledge(vec![InboundEvent {
        channel: ChannelKind::Slack,
        account: Account {
            app: notice.string("/api_app_id"),
            team: Some(team.to_owned()),
            enterprise: notice.string("/enterprise_id"),
            org_wide: false,
        },
        external_id: format!("app_rate_limited:{team}:{}", minute.unwrap_or_default()),
        at: since,
        lane: "account".to_owned(),
        event: Event::EventsMissed { since },
    }]))
}

fn account(envelope: &Value) -> Account {
    // Where the app is installed counts; in a channel of several companies the envelope's own team may be another.
    let installed = |field: &str| envelope.string(&format!("/authorizations/0/{field}"));
    Account {
        app: envelope.string("/api_app_id"),
        team: installed("team_id").or_else(|| envelope.string("/team_id")),
        enterprise: installed("enterprise_id").or_else(|| envelope.string("/enterprise_id")),
        org_wide: envelope.says("/authorizations/0/is_enterprise_install"),
    }
}

fn shared(envelope: &Value) -> bool {
    let differ = |context: &str, own: &str| {
        envelope.text(context).is_some() && envelope.text(context) != envelope.text(own)
    };
    let same_company = envelope.text("/enterprise_id").is_some()
        && envelope.text("/context_enterprise_id") == envelope.text("/enterprise_id");
    envelope.says("/is_ext_shared_channel")
        || envelope.says("/event/channel/is_ext_shared")
        || (differ("/context_team_id", "/team_id") && !same_company)
}

impl Envelope<'_> {
    /// The event with its lane.
    fn read(&self, name: &str) -> Result<(Event, String), Malformed> {
        let event = self.event;
        let account = || "account".to_owned();
        Ok(match name {
            "message" => return self.message(),
            "app_mention" => {
                let place = self.place(event.text("/channel_type"))?;
                let message =
                    message::read(event, place, &self.us, true).ok_or(Malformed::Missing("event.ts"))?;
                let lane = lane(&message.place, Some(message.root()));
                (Event::Message(Box::new(message)), lane)
            }
            "app_home_opened" => return self.home_opened(),
            "assistant_thread_started" => {
                let thread = |field: &str| event.string(&format!("/assistant_thread/{field}"));
                let place = place(
                    &thread("channel_id").ok_or(Malformed::Missing("event.assistant_thread.channel_id"))?,
                    Some("im"),
                    false,
                );
                let root = thread("thread_ts");
                let lane = lane(&place, root.as_deref());
                let opened = Event::ConversationOpened {
                    place,
                    thread: root,
                    person: self.author(thread("user_id")),
                    context: thread("context/channel_id"),
                };
                (opened, lane)
            }
            "agent_session_stopped" => {
                let channel = event.text("/channel").or_else(|| event.text("/channel_id"));
                let place = place(
                    channel.ok_or(Malformed::Missing("event.channel"))?,
                    None,
                    self.shared,
                );
                let thread = event.string("/thread_ts");
                // It does not wait behind the answer that it is to stop.
                let lane = format!("stop:{}", lane(&place, thread.as_deref()));
                (Event::StopRequested { place, thread }, lane)
            }
            "member_joined_channel" | "member_left_channel" => {
                let place = self.place(event.text("/channel_type"))?;
                let lane = lane(&place, None);
                let person = self.author(event.string("/user"));
                let joined = name == "member_joined_channel";
                (
                    Event::Membership {
                        place,
                        person,
                        joined,
                    },
                    lane,
                )
            }
            "user_change" | "team_join" | "user_profile_changed" => {
                let home = person::Home {
                    team: self.us.team.clone(),
                    enterprise: self.account.enterprise.clone(),
                };
                let user = event.pointer("/user").and_then(|user| person::read(user, &home));
                let user = user.ok_or(Malformed::Missing("event.user.id"))?;
                let lane = format!("person:{}", user.id);
                (Event::PersonChanged(Box::new(user)), lane)
            }
            "file_shared" => return self.file(FileChange::Shared),
            "file_change" | "file_public" => return self.file(FileChange::Changed),
            "file_unshared" => return self.file(FileChange::Unshared),
            "file_deleted" => return self.file(FileChange::Deleted),
            "app_uninstalled" => (Event::Uninstalled, account()),
            "tokens_revoked" => {
                let revoked = Event::TokensRevoked {
                    bots: event.strings("/tokens/bot"),
                    people: event.strings("/tokens/oauth"),
                };
                (revoked, account())
            }
            "team_access_granted" | "team_access_revoked" => {
                let changed = Event::TeamsChanged {
                    teams: event.strings("/team_ids"),
                    granted: name == "team_access_granted",
                };
                (changed, account())
            }
            "team_rename" | "team_domain_change" => {
                let name = event.text("/name").or_else(|| event.text("/domain"));
                let name = name.ok_or(Malformed::Missing("event.name"))?.to_owned();
                (Event::AccountRenamed { name }, account())
            }
            "grid_migration_started" => (Event::Migration { finished: false }, account()),
            "grid_migration_finished" => (Event::Migration { finished: true }, account()),
            _ => match self.place_change(name) {
                Some(change) => return self.place_changed(name, change),
                None => (other(name), account()),
            },
        })
    }

    fn message(&self) -> Result<(Event, String), Malformed> {
        let event = self.event;
        let place = self.place(event.text("/channel_type"))?;
        match event.text("/subtype") {
            Some("message_changed") => {
                let body = event
                    .pointer("/message")
                    .ok_or(Malformed::Missing("event.message"))?;
                let message = message::read(body, place, &self.us, false);
                let message = message.ok_or(Malformed::Missing("event.message.ts"))?;
                let lane = lane(&message.place, Some(message.root()));
                let change = MessageChange {
                    previous_text: event
                        .pointer("/previous_message/text")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    removed: message.subtype.as_deref() == Some("tombstone"),
                    message,
                };
                Ok((Event::MessageChanged(Box::new(change)), lane))
            }
            Some("message_deleted") => {
                let id = event
                    .text("/deleted_ts")
                    .or_else(|| event.text("/previous_message/ts"));
                let id = id.ok_or(Malformed::Missing("event.deleted_ts"))?.to_owned();
                let thread = event
                    .string("/previous_message/thread_ts")
                    .filter(|root| *root != id);
                let lane = lane(&place, Some(thread.as_deref().unwrap_or(&id)));
                let deleted = Event::MessageDeleted {
                    place,
                    message: id,
                    thread,
                };
                Ok((deleted, lane))
            }
            Some("channel_convert_to_private" | "channel_convert_to_public") => {
                let lane = lane(&place, None);
                let change = PlaceChange::VisibilityChanged;
                Ok((Event::PlaceChanged { place, change }, lane))
            }
            // A note that a thread grew; the reply itself comes as well.
            Some("message_replied") => Ok((other("message_replied"), lane(&place, None))),
            _ => {
                let message = message::read(event, place, &self.us, false);
                let message = message.ok_or(Malformed::Missing("event.ts"))?;
                let root = message.root();
                // What is said directly without threads is one conversation.
                let direct = message.place.kind == Some(crate::inbound::PlaceKind::Direct);
                let lane = lane(
                    &message.place,
                    (!direct || message.thread.is_some()).then_some(root),
                );
                Ok((Event::Message(Box::new(message)), lane))
            }
        }
    }

    fn home_opened(&self) -> Result<(Event, String), Malformed> {
        let event = self.event;
        let person = self.author(event.string("/user"));
        let who = person.id.clone().ok_or(Malformed::Missing("event.user"))?;
        if event.text("/tab") == Some("messages") {
            let place = self.place(Some("im"))?;
            let lane = lane(&place, None);
            let opened = Event::ConversationOpened {
                place,
                thread: None,
                person,
                context: None,
            };
            return Ok((opened, lane));
        }
        let revision = event.string("/view/hash");
        Ok((Event::HomeOpened { person, revision }, format!("person:{who}")))
    }

    fn file(&self, change: FileChange) -> Result<(Event, String), Malformed> {
        let id = self
            .event
            .text("/file_id")
            .or_else(|| self.event.text("/file/id"));
        let file = id.ok_or(Malformed::Missing("event.file_id"))?.to_owned();
        let lane = format!("file:{file}");
        Ok((Event::FileChanged { file, change }, lane))
    }

    /// How a place changes by an event of this name.
    fn place_change(&self, name: &str) -> Option<PlaceChange> {
        let event = self.event;
        let (_, what) = name
            .split_once('_')
            .filter(|(kind, _)| matches!(*kind, "channel" | "group" | "im"))?;
        Some(match what {
            "created" => PlaceChange::Created {
                name: event.string("/channel/name"),
            },
            "rename" => PlaceChange::Renamed {
                name: event.string("/channel/name"),
            },
            "archive" => PlaceChange::Archived,
            "unarchive" => PlaceChange::Unarchived,
            "deleted" => PlaceChange::Deleted,
            "shared" => PlaceChange::Shared,
            "unshared" => PlaceChange::Unshared,
            "left" => PlaceChange::Left,
            "history_changed" => PlaceChange::HistoryChanged,
            "id_changed" => PlaceChange::Moved {
                to: event.string("/new_channel_id")?,
            },
            _ => return None,
        })
    }

    fn place_changed(&self, name: &str, change: PlaceChange) -> Result<(Event, String), Malformed> {
        let id = ["/channel", "/channel/id", "/old_channel_id"]
            .into_iter()
            .find_map(|pointer| self.event.text(pointer))
            .ok_or(Malformed::Missing("event.channel"))?;
        // An event about a group says so in its name; what is called a channel may have become private.
        let kind = name.split('_').next().filter(|kind| *kind != "channel");
        let place = place(id, kind, self.shared);
        let lane = lane(&place, None);
        Ok((Event::PlaceChanged { place, change }, lane))
    }

    fn place(&self, kind: Option<&str>) -> Result<Place, Malformed> {
        let id = self
            .event
            .text("/channel")
            .ok_or(Malformed::Missing("event.channel"))?;
        Ok(place(id, kind, self.shared))
    }

    fn author(&self, id: Option<String>) -> Author {
        let team = self.event.string("/team");
        Author {
            is_amebo: id.is_some() && id == self.us.user,
            foreign: self.shared && team.is_some() && team != self.us.team,
            id,
            team,
            program: None,
        }
    }
}

/// A thread has a lane of its own; what concerns a place as a whole has the place's.
fn lane(place: &Place, root: Option<&str>) -> String {
    match root {
        Some(root) => format!("{}:{root}", place.id),
        None => place.id.clone(),
    }
}
