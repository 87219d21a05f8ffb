//! Reading what was said.

use serde_json::{Value, json};

use super::page::{cursor, next_cursor};
use super::reach::readable;
use crate::slack::arguments::Arguments;
use crate::slack::caller::Caller;
use crate::slack::server::Answer;
use crate::slack::world::World;

pub(super) fn history(world: &World, caller: &Caller, arguments: &Arguments) -> Answer {
    let (team, id) = readable(world, caller, arguments)?;
    let messages = world.team(&team).channels[&id].messages.values();
    let items: Vec<Value> = messages
        .filter(|message| in_window(message, arguments))
        .filter(|message| {
            let ts = &message["ts"];
            message.get("thread_ts").is_none_or(|thread| thread == ts)
                || message["subtype"] == "thread_broadcast"
        })
        .rev()
        .cloned()
        .collect();
    messages_page(world, &team, items, arguments, 100, None)
}

pub(super) fn replies(world: &World, caller: &Caller, arguments: &Arguments) -> Answer {
    let (team, id) = readable(world, caller, arguments)?;
    let root = arguments.text("ts").ok_or("thread_not_found")?;
    let messages = &world.team(&team).channels[&id].messages;
    let parent = messages.get(root).ok_or("thread_not_found")?;
    let items: Vec<Value> = messages
        .values()
        .filter(|message| message["thread_ts"] == root && message["ts"] != root)
        .filter(|message| in_window(message, arguments))
        .cloned()
        .collect();
    messages_page(world, &team, items, arguments, 1_000, Some(parent))
}

fn in_window(message: &Value, arguments: &Arguments) -> bool {
    let ts = message["ts"].as_str().unwrap_or_default();
    let inclusive = arguments.says("inclusive");
    let after = arguments
        .text("oldest")
        .filter(|oldest| *oldest != "0")
        .is_none_or(|oldest| ts > oldest || (inclusive && ts == oldest));
    let before = arguments
        .text("latest")
        .is_none_or(|latest| ts < latest || (inclusive && ts == latest));
    after && before
}

fn messages_page(
    world: &World,
    team: &str,
    items: Vec<Value>,
    arguments: &Arguments,
    default: usize,
    parent: Option<&Value>,
) -> Answer {
    let most = if world.team(team).restricted { 15 } else { 999 };
    let limit = arguments.number("limit").unwrap_or(default).clamp(1, most);
    let start = cursor(arguments)?;
    let more = items.len() > start + limit;
    let mut shown: Vec<Value> = items.into_iter().skip(start).take(limit).collect();
    if !arguments.says("include_all_metadata") {
        for message in &mut shown {
            message.as_object_mut().unwrap().remove("metadata");
        }
    }
    if let Some(parent) = parent {
        shown.insert(0, parent.clone());
    }
    let mut answer = json!({ "messages": shown, "has_more": more, "pin_count": 0 });
    if more {
        answer["response_metadata"] = json!({ "next_cursor": next_cursor(start + limit) });
    }
    Ok(answer)
}
