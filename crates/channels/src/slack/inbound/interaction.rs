//! Pressed buttons and sent forms.

use amebo_core::answer::Rating;
use serde_json::Value;
use url::Url;

use super::read::{Read as _, instant, place};
use super::{acknowledge, other};
use crate::ChannelKind;
use crate::inbound::{Account, Action, Author, Event, Inbound, InboundEvent, Interaction, Malformed};
use crate::slack::outbound::control;

/// One event for each pressed button: a payload may hold several.
pub(super) fn parse_actions(payload: &Value) -> Result<Inbound, Malformed> {
    let person = person(payload)?;
    let who = person.id.clone().unwrap_or_default();
    let message = payload
        .text("/container/message_ts")
        .or_else(|| payload.text("/message/ts"))
        .map(str::to_owned);
    let holder = message
        .clone()
        .or_else(|| payload.string("/container/view_id"))
        .or_else(|| payload.string("/view/id"))
        .unwrap_or_default();
    let thread = payload
        .text("/container/thread_ts")
        .or_else(|| payload.text("/message/thread_ts"))
        .map(str::to_owned);
    let place = payload
        .text("/channel/id")
        .or_else(|| payload.text("/container/channel_id"))
        .map(|id| place(id, payload.text("/channel/name"), false));
    let lane = match &place {
        Some(place) => format!("{}:{}", place.id, thread.as_deref().unwrap_or(&holder)),
        None => format!("person:{who}"),
    };
    let account = account(payload);
    let events = payload.items("/actions").iter().map(|action| {
        let name = action.text("/action_id").unwrap_or_default();
        let pressed_at = action.text("/action_ts").unwrap_or_default();
        InboundEvent {
            channel: ChannelKind::Slack,
            account: account.clone(),
            external_id: format!("action:{holder}:{pressed_at}:{who}:{name}"),
            at: instant(pressed_at),
            lane: lane.clone(),
            event: Event::Interaction(Box::new(Interaction {
                action: button(name, value(action)),
                person: person.clone(),
                place: place.clone(),
                message: message.clone(),
                thread: thread.clone(),
                ephemeral: payload.says("/container/is_ephemeral"),
                callback: payload.text("/response_url").and_then(|url| Url::parse(url).ok()),
                trigger: payload.string("/trigger_id"),
            })),
        }
    });
    Ok(acknowledge(events.collect()))
}

/// A sent form.
pub(super) fn parse_form(payload: &Value) -> Result<Inbound, Malformed> {
    let person = person(payload)?;
    let who = person.id.clone().unwrap_or_default();
    let view = payload.text("/view/id").ok_or(Malformed::Missing("view.id"))?;
    let entered = |block: &str| {
        payload
            .string(&format!("/view/state/values/{block}/{}/value", control::INPUT))
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let name = payload.text("/view/callback_id").unwrap_or_default();
    let action = match (name, entered(control::QUESTION), entered(control::COMMENT)) {
        (control::ASK_FORM, Some(text), _) => Action::Ask { text },
        (control::COMMENT_FORM, _, Some(text)) => Action::Comment {
            reference: payload.string("/view/private_metadata").unwrap_or_default(),
            text,
        },
        _ => Action::Other {
            name: name.to_owned(),
            value: None,
        },
    };
    let hash = payload.text("/view/hash").unwrap_or_default();
    Ok(acknowledge(vec![InboundEvent {
        channel: ChannelKind::Slack,
        account: account(payload),
        external_id: format!("form:{view}:{hash}:{who}"),
        at: None,
        lane: format!("person:{who}"),
        event: Event::Interaction(Box::new(Interaction {
            action,
            person,
            place: None,
            message: None,
            thread: None,
            ephemeral: false,
            callback: None,
            trigger: payload.string("/trigger_id"),
        })),
    }]))
}

/// Shortcuts and other interactions that Amebo does not offer.
pub(super) fn parse_other(payload: &Value) -> Result<Inbound, Malformed> {
    let person = person(payload)?;
    let name = payload.text("/type").unwrap_or_default();
    let id = payload
        .text("/trigger_id")
        .or_else(|| payload.text("/view/id"))
        .or_else(|| payload.text("/action_ts"))
        .ok_or(Malformed::Missing("trigger_id"))?;
    Ok(acknowledge(vec![InboundEvent {
        channel: ChannelKind::Slack,
        account: account(payload),
        external_id: format!("{name}:{id}"),
        at: None,
        lane: format!("person:{}", person.id.unwrap_or_default()),
        event: other(name),
    }]))
}

fn account(payload: &Value) -> Account {
    Account {
        app: payload.string("/api_app_id"),
        team: payload.string("/team/id"),
        enterprise: payload
            .string("/enterprise/id")
            .or_else(|| payload.string("/team/enterprise_id")),
        org_wide: payload.says("/is_enterprise_install"),
    }
}

fn person(payload: &Value) -> Result<Author, Malformed> {
    let team = payload.string("/user/team_id");
    let foreign = match (&team, payload.text("/team/id")) {
        // Inside one organisation of workspaces the teams differ and the company does not.
        (Some(theirs), Some(ours)) => theirs != ours && account(payload).enterprise.is_none(),
        _ => false,
    };
    Ok(Author {
        id: Some(payload.string("/user/id").ok_or(Malformed::Missing("user.id"))?),
        team,
        foreign,
        ..Author::default()
    })
}

/// What a button or a choice carries.
fn value(action: &Value) -> Option<String> {
    action
        .string("/value")
        .or_else(|| action.string("/selected_option/value"))
}

fn button(name: &str, value: Option<String>) -> Action {
    let rated = |rating, reference: &str| Action::Rate {
        reference: reference.to_owned(),
        rating,
    };
    match (name, value) {
        (control::RATE | control::RATE_UP | control::RATE_DOWN, Some(value)) => match value.split_once(':') {
            Some(("up", reference)) => rated(Rating::Up, reference),
            Some(("down", reference)) => rated(Rating::Down, reference),
            _ => Action::Other {
                name: name.to_owned(),
                value: Some(value),
            },
        },
        (control::SHARE, Some(reference)) => Action::Share { reference },
        (control::ASK, _) => Action::AskForm,
        (control::LINK, _) => Action::Link,
        (name, value) => Action::Other {
            name: name.to_owned(),
            value,
        },
    }
}
