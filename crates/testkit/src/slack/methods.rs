//! What each method of the Web API does.

use amebo_channels::slack::api::Method;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::caller::{Caller, needed};
use super::server::{Answer, Refused};
use super::validation;
use super::world::{Channel, ChannelType, Ids, Team, TokenState, World};

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

fn conversations(world: &World, method: Method, caller: &Caller, arguments: &Arguments) -> Answer {
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

fn channel_object(id: &str, channel: &Channel, team: &str, caller: &Caller) -> Value {
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

fn history(world: &World, caller: &Caller, arguments: &Arguments) -> Answer {
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

fn replies(world: &World, caller: &Caller, arguments: &Arguments) -> Answer {
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

fn page(items: Vec<Value>, arguments: &Arguments, default: usize, name: &str) -> Answer {
    let limit = arguments.number("limit").unwrap_or(default);
    if limit == 0 || limit > 1_000 {
        return Err("invalid_limit".into());
    }
    let start = cursor(arguments)?;
    let more = items.len() > start + limit;
    let shown: Vec<Value> = items.into_iter().skip(start).take(limit).collect();
    let next = if more {
        next_cursor(start + limit)
    } else {
        String::new()
    };
    Ok(json!({ name: shown, "response_metadata": { "next_cursor": next } }))
}

fn next_cursor(start: usize) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("next:{start}"))
}

fn cursor(arguments: &Arguments) -> Result<usize, Refused> {
    use base64::Engine as _;
    let Some(cursor) = arguments.text("cursor") else {
        return Ok(0);
    };
    let decoded = base64::engine::general_purpose::STANDARD.decode(cursor);
    decoded
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok()?.strip_prefix("next:")?.parse().ok())
        .ok_or_else(|| "invalid_cursor".into())
}

fn post_message(world: &mut World, caller: &Caller, arguments: &Arguments) -> Answer {
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

fn update(world: &mut World, caller: &Caller, arguments: &Arguments) -> Answer {
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

fn stream(world: &mut World, method: Method, caller: &Caller, arguments: &Arguments) -> Answer {
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
fn content(arguments: &Arguments) -> Result<Value, Refused> {
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

fn checked_view(arguments: &Arguments, kind: &str) -> Result<Value, Refused> {
    let view = structure(arguments, "view")?.ok_or("invalid_arguments")?;
    if view["type"] != kind {
        return Err("invalid_arguments".into());
    }
    validation::view(&view)?;
    Ok(view)
}

fn structure(arguments: &Arguments, name: &str) -> Result<Option<Value>, Refused> {
    arguments.structure(name).map_err(|_| {
        Refused::new(if name == "blocks" {
            "invalid_blocks_format"
        } else {
            "invalid_arguments"
        })
    })
}

fn search(world: &World, caller: &Caller, arguments: &Arguments) -> Answer {
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

/// The workspaces that a token is good for.
fn teams<'a>(world: &'a World, caller: &'a Caller) -> impl Iterator<Item = &'a Team> {
    world.teams.values().filter(|team| {
        if caller.org_wide {
            team.enterprise.as_deref() == Some(&caller.account)
        } else {
            team.id == caller.account
        }
    })
}

/// The one workspace that a list is asked of; a token of a whole organisation has to name it.
fn named_team<'a>(world: &'a World, caller: &'a Caller, arguments: &Arguments) -> Result<&'a Team, Refused> {
    let named = arguments.text("team_id");
    if caller.org_wide && named.is_none() {
        return Err("missing_argument".into());
    }
    teams(world, caller)
        .find(|team| named.is_none_or(|named| team.id == named))
        .ok_or_else(|| "team_access_not_granted".into())
}

fn team_of_user<'a>(world: &'a World, caller: &'a Caller, user: &str) -> Result<&'a Team, Refused> {
    teams(world, caller)
        .find(|team| team.users.contains_key(user))
        .ok_or_else(|| "user_not_found".into())
}

/// The workspace and id of the place that a call is about.
fn find_channel(world: &World, caller: &Caller, arguments: &Arguments) -> Result<(String, String), Refused> {
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
fn readable(world: &World, caller: &Caller, arguments: &Arguments) -> Result<(String, String), Refused> {
    let (team, id) = find_channel(world, caller, arguments)?;
    if !world.team(&team).channels[&id].members.contains(&caller.user) {
        return Err("not_in_channel".into());
    }
    Ok((team, id))
}

/// The id of a message that the app wrote itself.
fn own_message(
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

fn with_email(user: &Value, caller: &Caller) -> Value {
    let mut user = user.clone();
    if !caller.scopes.iter().any(|scope| scope == "users:read.email") {
        user["profile"].as_object_mut().unwrap().remove("email");
    }
    user
}
