//! Slash commands.

use serde_json::Value;
use url::Url;

use super::acknowledge;
use super::read::{Read as _, place};
use crate::ChannelKind;
use crate::inbound::{Account, Author, Command, Event, Inbound, InboundEvent, Malformed};
use crate::slack::mrkdwn;

pub(super) fn parse(form: &Value) -> Result<Inbound, Malformed> {
    let required = |pointer, name| form.text(pointer).ok_or(Malformed::Missing(name));
    let person = required("/user_id", "user_id")?;
    let place_id = required("/channel_id", "channel_id")?;
    // Commands have no id of their own, and are not repeated; a trigger is given out once.
    let trigger = required("/trigger_id", "trigger_id")?;
    let account = Account {
        app: form.string("/api_app_id"),
        team: form.string("/team_id"),
        enterprise: form.string("/enterprise_id"),
        org_wide: form.says("/is_enterprise_install"),
    };
    let place_name = form.string("/channel_name");
    let kind = place_name
        .as_deref()
        .map(|name| if name.starts_with("mpdm-") { "mpim" } else { name })
        .filter(|name| matches!(*name, "directmessage" | "privategroup" | "mpim"));
    let command = Command {
        name: required("/command", "command")?.to_owned(),
        text: mrkdwn::plain(form.text("/text").unwrap_or_default().trim(), None),
        place: place(place_id, kind, false),
        place_name,
        person: Author {
            id: Some(person.to_owned()),
            team: account.team.clone(),
            ..Author::default()
        },
        callback: form.text("/response_url").and_then(|url| Url::parse(url).ok()),
        trigger: Some(trigger.to_owned()),
    };
    Ok(acknowledge(vec![InboundEvent {
        channel: ChannelKind::Slack,
        account,
        external_id: format!("command:{trigger}"),
        at: None,
        lane: format!("{place_id}:{person}"),
        event: Event::Command(Box::new(command)),
    }]))
}
