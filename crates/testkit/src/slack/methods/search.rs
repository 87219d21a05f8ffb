//! Searching live.

use serde_json::{Value, json};

use super::page::page;
use super::reach::teams;
use crate::slack::arguments::Arguments;
use crate::slack::caller::Caller;
use crate::slack::server::Answer;
use crate::slack::world::{Channel, ChannelType, Team, World};

pub(super) fn search(world: &World, caller: &Caller, arguments: &Arguments) -> Answer {
    let query = arguments.text("query").ok_or("missing_query")?;
    arguments.text("action_token").ok_or("invalid_action_token")?;
    let words: Vec<String> = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect();
    let mut found = Vec::new();
    for team in teams(world, caller) {
        for (id, channel) in &team.channels {
            if channel.kind != ChannelType::Public {
                continue;
            }
            for message in channel.messages.values() {
                let text = message["text"].as_str().unwrap_or_default().to_lowercase();
                let hits = words.iter().filter(|word| text.contains(*word)).count();
                if hits > 0 {
                    found.push((hits, search_hit(team, id, channel, message)));
                }
            }
        }
    }
    found.sort_by_key(|(hits, _)| std::cmp::Reverse(*hits));
    let items: Vec<Value> = found.into_iter().map(|(_, hit)| hit).collect();
    let mut answer = page(items, arguments, 20, "messages")?;
    let messages = answer["messages"].take();
    Ok(json!({ "results": { "messages": messages }, "response_metadata": answer["response_metadata"] }))
}

fn search_hit(team: &Team, id: &str, channel: &Channel, message: &Value) -> Value {
    let author = message["user"].as_str().unwrap_or_default();
    let ts = message["ts"].as_str().unwrap_or_default();
    json!({
        "author_user_id": author,
        "author_name": team.users.get(author).map(|user| user["real_name"].clone()),
        "team_id": team.id,
        "channel_id": id,
        "channel_name": channel.name,
        "message_ts": ts,
        "content": message["text"],
        "is_author_bot": message.get("bot_id").is_some(),
        "permalink": format!("https://{}.slack.com/archives/{id}/p{}", team.domain, ts.replace('.', "")),
    })
}
