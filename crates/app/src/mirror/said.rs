//! What Slack's interface and events tell, as it is kept.

use amebo_channels::inbound::{FileAccess, Message, Person, PlaceKind};
use amebo_channels::slack::api::{Conversation, HistoryMessage};
use amebo_channels::slack::transcript::{Attached, Timestamp, is_id};
use amebo_core::slack::SlackChannelKind;
use amebo_store::slack::{NewSlackChannel, NewSlackUser, SlackMessage};
use chrono::{DateTime, Utc};

/// A time as Slack writes it in ids of messages.
pub(super) fn time(id: &str) -> Option<DateTime<Utc>> {
    id.parse::<Timestamp>().ok().map(Timestamp::time)
}

/// What is kept of a message; nothing of what programs and the platform itself write.
pub(super) fn of_message(message: &Message) -> Option<SlackMessage> {
    let author = message.author.id.clone().filter(|id| is_id(id))?;
    let is_ordinary = matches!(
        message.subtype.as_deref(),
        None | Some("file_share" | "me_message" | "thread_broadcast" | "reply_broadcast")
    );
    if !message.spoken || !message.author.is_person() || !is_ordinary || author == "USLACKBOT" {
        return None;
    }
    let files: Vec<Attached> = message
        .files
        .iter()
        .filter(|file| file.access != FileAccess::Gone && is_id(&file.id))
        .filter_map(|file| {
            Some(Attached {
                id: file.id.clone(),
                name: file.name.clone()?,
                media_type: file.media_type.clone(),
                size_bytes: file.size,
                link: file.permalink.as_ref().map(ToString::to_string),
                address: None,
            })
        })
        .collect();
    let content = message.text.replace('\0', "");
    if content.trim().is_empty() && files.is_empty() {
        return None;
    }
    Some(SlackMessage {
        ts: time(&message.id)?,
        thread: message.thread.as_deref().and_then(time),
        author,
        content,
        files: (!files.is_empty())
            .then(|| serde_json::to_value(files).ok())
            .flatten(),
        edited: message.edited_at,
    })
}

/// What is kept of a message of a channel's history, which says whether it begins a thread.
pub(super) fn of_history(item: &HistoryMessage) -> Option<SlackMessage> {
    let mut message = of_message(&item.message)?;
    if item.replies > 0 {
        message.thread = Some(message.ts);
    }
    Some(message)
}

/// A user as they are kept.
pub(super) fn of_person(person: &Person) -> Option<NewSlackUser> {
    let name: String = person
        .name
        .as_deref()
        .unwrap_or(&person.id)
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    is_id(&person.id).then(|| NewSlackUser {
        external: person.id.clone(),
        name: if name.trim().is_empty() {
            person.id.clone()
        } else {
            name
        },
        // An address that is not shown to be theirs makes nobody a member of the organisation.
        email: person
            .email
            .as_deref()
            .filter(|_| person.email_confirmed != Some(false) && !person.foreign)
            .map(|email| email.trim().to_lowercase())
            .filter(|email| (3..=254).contains(&email.len())),
        is_bot: person.is_program,
        is_deleted: person.deactivated,
    })
}

/// A channel as it is kept; direct conversations are none.
pub(super) fn of_place(place: &Conversation) -> Option<NewSlackChannel> {
    let kind = match place.kind {
        PlaceKind::Public => SlackChannelKind::Public,
        PlaceKind::Private => SlackChannelKind::Private,
        _ => return None,
    };
    is_id(&place.id).then(|| NewSlackChannel {
        external: place.id.clone(),
        kind,
        name: title(place.name.as_deref(), &place.id),
        is_archived: place.archived,
        is_shared: place.shared,
        is_open: false,
        members: place.members,
        began_at: place.created,
    })
}

/// A channel's name as people write it.
pub(super) fn title(name: Option<&str>, id: &str) -> String {
    let name: String = name
        .unwrap_or(id)
        .chars()
        .filter(|c| !c.is_control())
        .take(900)
        .collect();
    format!("#{name}")
}
