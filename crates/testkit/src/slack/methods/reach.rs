//! What a token reaches: workspaces, people, places, and the app's own messages.

use serde_json::Value;

use crate::slack::arguments::Arguments;
use crate::slack::caller::Caller;
use crate::slack::server::Refused;
use crate::slack::world::{ChannelType, Team, World};

/// The workspaces that a token is good for.
pub(super) fn teams<'a>(world: &'a World, caller: &'a Caller) -> impl Iterator<Item = &'a Team> {
    world.teams.values().filter(|team| {
        if caller.org_wide {
            team.enterprise.as_deref() == Some(&caller.account)
        } else {
            team.id == caller.account
        }
    })
}

/// The one workspace that a list is asked of; a token of a whole organisation has to name it.
pub(super) fn named_team<'a>(
    world: &'a World,
    caller: &'a Caller,
    arguments: &Arguments,
) -> Result<&'a Team, Refused> {
    let named = arguments.text("team_id");
    if caller.org_wide && named.is_none() {
        return Err("missing_argument".into());
    }
    teams(world, caller)
        .find(|team| named.is_none_or(|named| team.id == named))
        .ok_or_else(|| "team_access_not_granted".into())
}

pub(super) fn team_of_user<'a>(
    world: &'a World,
    caller: &'a Caller,
    user: &str,
) -> Result<&'a Team, Refused> {
    teams(world, caller)
        .find(|team| team.users.contains_key(user))
        .ok_or_else(|| "user_not_found".into())
}

/// The workspace and id of the place that a call is about.
pub(super) fn find_channel(
    world: &World,
    caller: &Caller,
    arguments: &Arguments,
) -> Result<(String, String), Refused> {
    let id = arguments.text("channel").ok_or("channel_not_found")?;
    // Messages to a person go to the direct conversation with them.
    let direct = id.strip_prefix('U').map(|rest| format!("D{rest}"));
    let id = direct.as_deref().unwrap_or(id);
    let team = teams(world, caller).find(|team| {
        team.channels.get(id).is_some_and(|channel| {
            channel.kind == ChannelType::Public || channel.members.contains(&caller.user)
        })
    });
    let team = team.ok_or("channel_not_found")?;
    Ok((team.id.clone(), id.to_owned()))
}

/// The same, where the app may read.
pub(super) fn readable(
    world: &World,
    caller: &Caller,
    arguments: &Arguments,
) -> Result<(String, String), Refused> {
    let (team, id) = find_channel(world, caller, arguments)?;
    if !world.team(&team).channels[&id].members.contains(&caller.user) {
        return Err("not_in_channel".into());
    }
    Ok((team, id))
}

/// The id of a message that the app wrote itself.
pub(super) fn own_message(
    world: &World,
    caller: &Caller,
    team: &str,
    channel: &str,
    arguments: &Arguments,
    foreign: &str,
) -> Result<String, Refused> {
    let ts = arguments.text("ts").ok_or("message_not_found")?;
    let message = world.team(team).channels[channel]
        .messages
        .get(ts)
        .ok_or("message_not_found")?;
    if message["user"] != caller.user.as_str() {
        return Err(foreign.into());
    }
    Ok(ts.to_owned())
}

pub(super) fn with_email(user: &Value, caller: &Caller) -> Value {
    let mut user = user.clone();
    if !caller.scopes.iter().any(|scope| scope == "users:read.email") {
        user["profile"].as_object_mut().unwrap().remove("email");
    }
    user
}
