//! What each method of the Web API does.

mod history;
mod message;
mod page;
mod place;
mod reach;
mod search;

use amebo_channels::slack::api::Method;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::caller::{Caller, needed};
use super::server::{Answer, Refused};
use super::validation;
use super::world::{ChannelType, Ids, TokenState, World};
use history::{history, replies};
use message::{content, post_message, stream, structure, update};
use page::page;
use place::{channel_object, conversations};
use reach::{find_channel, named_team, own_message, team_of_user, teams, with_email};
use search::search;

pub(super) fn answer(
    world: &mut World,
    method: Method,
    caller: &Caller,
    arguments: &Arguments,
    base: &str,
) -> Answer {
    let needed = needed(method);
    if !needed.is_empty()
        && !needed
            .iter()
            .any(|scope| caller.scopes.iter().any(|has| has == scope))
    {
        return Err(Refused(json!({
            "ok": false,
            "error": "missing_scope",
            "needed": needed[0],
            "provided": caller.scopes.join(","),
        })));
    }
    match method {
        Method::AuthTest => Ok(auth_test(world, caller)),
        Method::AuthRevoke => {
            let token = world.tokens.get_mut(&caller.token).unwrap();
            token.state = TokenState::Revoked;
            Ok(json!({ "revoked": true }))
        }
        Method::AppsUninstall => {
            let app = world.app();
            let fits = arguments.text("client_id") == Some(&app.client_id)
                && arguments.text("client_secret") == Some(&app.client_secret);
            if !fits {
                return Err("bad_client_secret".into());
            }
            world.uninstall(&caller.account);
            Ok(json!({}))
        }
        Method::AuthTeamsList => {
            let teams = world.teams.values();
            let approved = teams.filter(|team| team.enterprise.as_deref() == Some(&caller.account));
            let items = approved
                .map(|team| json!({ "id": team.id, "name": team.name }))
                .collect();
            page(items, arguments, 100, "teams")
        }
        Method::AppsConnectionsOpen => {
            let ticket = world.count();
            let socket = base.replace("http://", "ws://");
            Ok(json!({ "url": format!("{socket}/link/?ticket=fake-{ticket}&app_id={}", caller.app) }))
        }
        Method::TeamInfo => {
            let id = arguments.text("team").unwrap_or(&caller.account);
            let team = world.teams.get(id).ok_or("team_not_found")?;
            Ok(json!({ "team": {
                "id": team.id,
                "name": team.name,
                "domain": team.domain,
                "email_domain": format!("{}.example", team.domain),
                "enterprise_id": team.enterprise,
                "icon": { "image_default": true },
            } }))
        }
        Method::UsersInfo => {
            let id = arguments.text("user").ok_or("user_not_found")?;
            let team = team_of_user(world, caller, id)?;
            Ok(json!({ "user": with_email(&team.users[id], caller) }))
        }
        Method::LookupByEmail => {
            let email = arguments.text("email").ok_or("users_not_found")?;
            let found = teams(world, caller)
                .flat_map(|team| team.users.values())
                .find(|user| user["profile"]["email"] == email && user["deleted"] == false);
            Ok(json!({ "user": found.ok_or("users_not_found")? }))
        }
        Method::UsersList => {
            let team = named_team(world, caller, arguments)?;
            let items = team.users.values().map(|user| with_email(user, caller)).collect();
            let mut answer = page(items, arguments, 1_000, "members")?;
            answer["cache_ts"] = json!(world.environment.now().timestamp());
            Ok(answer)
        }
        Method::ConversationList | Method::UsersConversations => {
            conversations(world, method, caller, arguments)
        }
        Method::ConversationInfo => {
            let (team, id) = find_channel(world, caller, arguments)?;
            let channel = &world.team(&team).channels[&id];
            let mut object = channel_object(&id, channel, &team, caller);
            if arguments.says("include_num_members") {
                object["num_members"] = json!(channel.members.len());
            }
            Ok(json!({ "channel": object }))
        }
        Method::ConversationMembers => {
            let (team, id) = find_channel(world, caller, arguments)?;
            let members = &world.team(&team).channels[&id].members;
            let items = members.iter().map(|member| json!(member)).collect();
            page(items, arguments, 100, "members")
        }
        Method::ConversationJoin => {
            let (team, id) = find_channel(world, caller, arguments)?;
            let channel = world.channel_mut(&team, &id);
            if channel.kind != ChannelType::Public {
                return Err("method_not_supported_for_channel_type".into());
            }
            if channel.archived {
                return Err("is_archived".into());
            }
            if !channel.members.contains(&caller.user) {
                channel.members.push(caller.user.clone());
            }
            let object = channel_object(&id, channel, &team, caller);
            Ok(json!({ "channel": object }))
        }
        Method::ConversationOpen => {
            let users = arguments
                .text("users")
                .ok_or("users_list_not_supplied")?
                .to_owned();
            let team = team_of_user(world, caller, &users)?;
            if team.users[&users]["deleted"] == true {
                return Err("user_disabled".into());
            }
            let team = team.id.clone();
            let id = world.direct(&team, &users);
            Ok(json!({ "channel": { "id": id } }))
        }
        Method::History => history(world, caller, arguments),
        Method::Replies => replies(world, caller, arguments),
        Method::PostMessage => post_message(world, caller, arguments),
        Method::PostEphemeral => {
            let (team, id) = find_channel(world, caller, arguments)?;
            let user = arguments.text("user").ok_or("user_not_in_channel")?.to_owned();
            let channel = &world.team(&team).channels[&id];
            if !channel.members.contains(&caller.user) {
                return Err("not_in_channel".into());
            }
            if !channel.members.contains(&user) {
                return Err("user_not_in_channel".into());
            }
            let content = content(arguments)?;
            world.ephemerals.push((id, user, content));
            Ok(json!({ "message_ts": world.next_ts() }))
        }
        Method::ChatUpdate => update(world, caller, arguments),
        Method::ChatDelete => {
            let (team, id) = find_channel(world, caller, arguments)?;
            let ts = own_message(world, caller, &team, &id, arguments, "cant_delete_message")?;
            world.channel_mut(&team, &id).messages.remove(&ts);
            Ok(json!({ "channel": id, "ts": ts }))
        }
        Method::StartStream | Method::AppendStream | Method::StopStream => {
            stream(world, method, caller, arguments)
        }
        Method::GetPermalink => {
            let (team, id) = find_channel(world, caller, arguments)?;
            let ts = arguments.text("message_ts").ok_or("message_not_found")?;
            if !world.team(&team).channels[&id].messages.contains_key(ts) {
                return Err("message_not_found".into());
            }
            let domain = &world.team(&team).domain;
            let number = ts.replace('.', "");
            Ok(json!({
                "channel": id,
                "permalink": format!("https://{domain}.slack.com/archives/{id}/p{number}"),
            }))
        }
        Method::SetStatus => {
            let key = assistant(world, caller, arguments, true)?;
            let status = arguments.text("status").unwrap_or_default().to_owned();
            world.statuses.insert(key, status);
            Ok(json!({}))
        }
        Method::SetTitle => {
            let key = assistant(world, caller, arguments, true)?;
            let title = arguments.text("title").ok_or("invalid_arguments")?.to_owned();
            world.titles.insert(key, title);
            Ok(json!({}))
        }
        Method::SetSuggestedPrompts => {
            let key = assistant(world, caller, arguments, false)?;
            let prompts = structure(arguments, "prompts")?.ok_or("invalid_arguments")?;
            let fits = prompts.as_array().is_some_and(|prompts| {
                (1..=4).contains(&prompts.len())
                    && prompts
                        .iter()
                        .all(|prompt| prompt["title"].is_string() && prompt["message"].is_string())
            });
            if !fits {
                return Err("invalid_arguments".into());
            }
            world.prompts.insert(key, prompts);
            Ok(json!({}))
        }
        Method::ViewsPublish => {
            let user = arguments.text("user_id").ok_or("user_not_found")?.to_owned();
            let mut view = checked_view(arguments, "home")?;
            let current = world.homes.get(&user).and_then(|view| view["hash"].as_str());
            if arguments.text("hash").is_some_and(|hash| Some(hash) != current) {
                return Err("hash_conflict".into());
            }
            let count = world.count();
            view["id"] = json!(format!("V{user}"));
            view["hash"] = json!(format!("{count}.fake"));
            world.homes.insert(user, view.clone());
            Ok(json!({ "view": view }))
        }
        Method::ViewsOpen => {
            let view = checked_view(arguments, "modal")?;
            let trigger = arguments.text("trigger_id").ok_or("invalid_trigger_id")?;
            let made_at = world.triggers.remove(trigger).ok_or("exchanged_trigger_id")?;
            if (world.environment.now() - made_at).num_seconds() > 3 {
                return Err("expired_trigger_id".into());
            }
            let mut view = view;
            view["id"] = json!(format!("V{}", world.count()));
            world.forms.push(view.clone());
            Ok(json!({ "view": view }))
        }
        Method::FilesInfo => {
            let id = arguments.text("file").ok_or("file_not_found")?;
            let file = teams(world, caller).find_map(|team| team.files.get(id));
            Ok(json!({ "file": file.ok_or("file_not_found")?.object }))
        }
        Method::SearchContext => search(world, caller, arguments),
        Method::OauthAccess | Method::OauthExchange => Err("unknown_method".into()),
    }
}

fn auth_test(world: &World, caller: &Caller) -> Value {
    let team = world.teams.get(&caller.account);
    json!({
        "url": team.map(|team| format!("https://{}.slack.com/", team.domain)),
        "team": team.map(|team| team.name.clone()),
        "user": "amebo",
        "team_id": team.map(|team| team.id.clone()),
        "user_id": caller.user,
        "bot_id": Ids::BOT,
        "app_id": caller.app,
        "enterprise_id": team.map_or(Some(caller.account.clone()), |team| team.enterprise.clone()),
        "is_enterprise_install": caller.org_wide,
    })
}

fn checked_view(arguments: &Arguments, kind: &str) -> Result<Value, Refused> {
    let view = structure(arguments, "view")?.ok_or("invalid_arguments")?;
    if view["type"] != kind {
        return Err("invalid_arguments".into());
    }
    validation::view(&view)?;
    Ok(view)
}

/// The conversation of the assistant's container that a call is about.
fn assistant(
    world: &World,
    caller: &Caller,
    arguments: &Arguments,
    threaded: bool,
) -> Result<String, Refused> {
    let id = arguments.text("channel_id").ok_or("channel_not_found")?;
    let known = teams(world, caller).any(|team| team.channels.contains_key(id));
    if !known {
        return Err("channel_not_found".into());
    }
    match arguments.text("thread_ts") {
        Some(thread) => Ok(format!("{id}:{thread}")),
        None if threaded => Err("invalid_thread_ts".into()),
        None => Ok(id.to_owned()),
    }
}
