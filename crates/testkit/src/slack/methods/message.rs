//! Saying something: messages, changes of them, and streams.

use amebo_channels::slack::api::Method;
use serde_json::{Value, json};

use super::reach::{find_channel, own_message};
use crate::slack::arguments::Arguments;
use crate::slack::caller::Caller;
use crate::slack::server::{Answer, Refused};
use crate::slack::validation;
use crate::slack::world::{ChannelType, Ids, World};

pub(super) fn post_message(world: &mut World, caller: &Caller, arguments: &Arguments) -> Answer {
    let (team, id) = find_channel(world, caller, arguments)?;
    let channel = &world.team(&team).channels[&id];
    if channel.archived {
        return Err("is_archived".into());
    }
    let public = caller.scopes.iter().any(|scope| scope == "chat:write.public");
    let may = channel.members.contains(&caller.user) || (public && channel.kind == ChannelType::Public);
    if !may {
        let hidden = channel.kind != ChannelType::Public;
        return Err(if hidden {
            "channel_not_found"
        } else {
            "not_in_channel"
        }
        .into());
    }
    let content = content(arguments)?;
    let mut message = own(world, caller, &team, content);
    if let Some(thread) = arguments.text("thread_ts") {
        message["thread_ts"] = json!(thread);
    }
    if let Some(metadata) = structure(arguments, "metadata")? {
        message["metadata"] = metadata;
    }
    let message = world.store(&team, &id, message);
    Ok(json!({ "channel": id, "ts": message["ts"], "message": message }))
}

/// A message of the app with this content.
fn own(world: &mut World, caller: &Caller, team: &str, content: Value) -> Value {
    let mut message = json!({
        "type": "message",
        "user": caller.user,
        "bot_id": Ids::BOT,
        "app_id": caller.app,
        "team": team,
        "ts": world.next_ts(),
        "bot_profile": {
            "id": Ids::BOT,
            "app_id": caller.app,
            "name": "amebo",
            "deleted": false,
            "team_id": team,
        },
    });
    let (Some(fields), Value::Object(content)) = (message.as_object_mut(), content) else {
        return message;
    };
    fields.extend(content);
    message
}

pub(super) fn update(world: &mut World, caller: &Caller, arguments: &Arguments) -> Answer {
    let (team, id) = find_channel(world, caller, arguments)?;
    let ts = own_message(world, caller, &team, &id, arguments, "cant_update_message")?;
    if world.streams.get(&ts) == Some(&true) {
        return Err("streaming_state_conflict".into());
    }
    let content = content(arguments)?;
    let metadata = structure(arguments, "metadata")?;
    let message = world.channel_mut(&team, &id).messages.get_mut(&ts).unwrap();
    let fields = message.as_object_mut().unwrap();
    fields.remove("blocks");
    if let Value::Object(content) = content {
        fields.extend(content);
    }
    if let Some(metadata) = metadata {
        fields.insert("metadata".to_owned(), metadata);
    }
    let message = message.clone();
    Ok(json!({ "channel": id, "ts": ts, "text": message["text"], "message": message }))
}

pub(super) fn stream(world: &mut World, method: Method, caller: &Caller, arguments: &Arguments) -> Answer {
    let (team, id) = find_channel(world, caller, arguments)?;
    let markdown = arguments.text("markdown_text").unwrap_or_default().to_owned();
    if markdown.chars().count() > 12_000 {
        return Err("msg_too_long".into());
    }
    if method == Method::StartStream {
        let thread = arguments.text("thread_ts").ok_or("invalid_arguments")?;
        let channel = &world.team(&team).channels[&id];
        if !channel.members.contains(&caller.user) {
            return Err("not_in_channel".into());
        }
        if channel.kind != ChannelType::Direct {
            arguments
                .text("recipient_user_id")
                .ok_or("missing_recipient_user_id")?;
            arguments
                .text("recipient_team_id")
                .ok_or("missing_recipient_team_id")?;
        }
        let mut message = own(world, caller, &team, json!({ "text": markdown }));
        message["thread_ts"] = json!(thread);
        let message = world.store(&team, &id, message);
        let ts = message["ts"].as_str().unwrap().to_owned();
        world.streams.insert(ts.clone(), true);
        return Ok(json!({ "channel": id, "ts": ts }));
    }
    let ts = own_message(world, caller, &team, &id, arguments, "message_not_owned_by_app")?;
    if world.streams.get(&ts) != Some(&true) {
        return Err("message_not_in_streaming_state".into());
    }
    if method == Method::AppendStream && markdown.is_empty() {
        return Err("no_text".into());
    }
    let blocks = structure(arguments, "blocks")?;
    if let Some(blocks) = &blocks {
        validation::blocks(blocks, 50)?;
    }
    let metadata = structure(arguments, "metadata")?;
    let message = world.channel_mut(&team, &id).messages.get_mut(&ts).unwrap();
    let text = format!("{}{markdown}", message["text"].as_str().unwrap_or_default());
    message["text"] = json!(text);
    if method == Method::StopStream {
        if let Some(blocks) = blocks {
            message["blocks"] = blocks;
        }
        if let Some(metadata) = metadata {
            message["metadata"] = metadata;
        }
        world.streams.insert(ts.clone(), false);
    }
    Ok(json!({ "channel": id, "ts": ts }))
}

/// The content of a message: text, or Markdown, and blocks, within the limits.
pub(super) fn content(arguments: &Arguments) -> Result<Value, Refused> {
    let blocks = structure(arguments, "blocks")?;
    let markdown = arguments.text("markdown_text");
    let text = arguments.text("text");
    if markdown.is_some() && (text.is_some() || blocks.is_some()) {
        return Err("markdown_text_conflict".into());
    }
    let text = text.or(markdown);
    let nothing = blocks
        .as_ref()
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty);
    if text.is_none() && nothing {
        return Err("no_text".into());
    }
    let mut content = json!({ "text": text.unwrap_or_default() });
    if let Some(blocks) = blocks {
        validation::blocks(&blocks, 50)?;
        content["blocks"] = blocks;
    }
    Ok(content)
}

pub(super) fn structure(arguments: &Arguments, name: &str) -> Result<Option<Value>, Refused> {
    arguments.structure(name).map_err(|_| {
        Refused::new(if name == "blocks" {
            "invalid_blocks_format"
        } else {
            "invalid_arguments"
        })
    })
}
