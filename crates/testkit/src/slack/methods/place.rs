//! Places, as lists and calls about one show them.

use amebo_channels::slack::api::Method;
use serde_json::{Value, json};

use super::page::page;
use super::reach::named_team;
use crate::slack::arguments::Arguments;
use crate::slack::caller::Caller;
use crate::slack::server::Answer;
use crate::slack::world::{Channel, ChannelType, Ids, World};

pub(super) fn conversations(world: &World, method: Method, caller: &Caller, arguments: &Arguments) -> Answer {
    let team = named_team(world, caller, arguments)?;
    let types = arguments.text("types").unwrap_or("public_channel");
    let mut kinds = Vec::new();
    for kind in types.split(',') {
        kinds.push(match kind.trim() {
            "public_channel" => ChannelType::Public,
            "private_channel" => ChannelType::Private,
            "im" => ChannelType::Direct,
            "mpim" => continue,
            _ => return Err("invalid_types".into()),
        });
    }
    let joined = |channel: &Channel| channel.members.contains(&caller.user);
    let visible = |channel: &Channel| match (method, channel.kind) {
        (Method::UsersConversations, _) | (_, ChannelType::Private | ChannelType::Direct) => joined(channel),
        (_, ChannelType::Public) => true,
    };
    let items = team
        .channels
        .iter()
        .filter(|(_, channel)| kinds.contains(&channel.kind) && visible(channel))
        .filter(|(_, channel)| !(arguments.says("exclude_archived") && channel.archived))
        .map(|(id, channel)| {
            let mut object = channel_object(id, channel, &team.id, caller);
            if method == Method::UsersConversations {
                // There it is not said.
                object.as_object_mut().unwrap().remove("is_member");
            } else {
                object["num_members"] = json!(channel.members.len());
            }
            object
        })
        .collect();
    page(items, arguments, 100, "channels")
}

pub(super) fn channel_object(id: &str, channel: &Channel, team: &str, caller: &Caller) -> Value {
    let private = channel.kind == ChannelType::Private;
    let mut object = json!({
        "id": id,
        "created": 1_763_000_000,
        "is_archived": channel.archived,
        "is_im": channel.kind == ChannelType::Direct,
        "is_org_shared": false,
        "context_team_id": team,
    });
    if channel.kind == ChannelType::Direct {
        object["user"] = json!(channel.name);
    } else {
        object["name"] = json!(channel.name);
        object["name_normalized"] = json!(channel.name);
        object["is_channel"] = json!(!private);
        object["is_group"] = json!(private);
        object["is_mpim"] = json!(false);
        object["is_private"] = json!(private);
        object["is_general"] = json!(id == Ids::GENERAL);
        object["is_shared"] = json!(channel.shared);
        object["is_ext_shared"] = json!(channel.shared);
        object["is_member"] = json!(channel.members.contains(&caller.user));
        object["topic"] = json!({ "value": "", "creator": "", "last_set": 0 });
        object["purpose"] = json!({ "value": "", "creator": "", "last_set": 0 });
        object["previous_names"] = json!([]);
    }
    object
}
