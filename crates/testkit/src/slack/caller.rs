//! Who calls a method, and what it needs.

use amebo_channels::slack::api::Method;

use super::server::Refused;
use super::world::{Ids, World};

/// Whose token a call came with.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) token: String,
    pub(super) app: String,
    pub(super) account: String,
    pub(super) org_wide: bool,
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
}

/// An app-level token, which opens sockets and nothing else.
pub(super) fn app_token(world: &World, token: &str) -> Result<Caller, Refused> {
    if token != Ids::APP_TOKEN {
        return Err("invalid_auth".into());
    }
    Ok(Caller {
        token: token.to_owned(),
        app: world.app().id,
        account: world.app().id,
        org_wide: false,
        user: String::new(),
        scopes: vec!["connections:write".to_owned()],
    })
}

/// One of these scopes is needed.
pub(super) fn needed(method: Method) -> &'static [&'static str] {
    match method {
        Method::AppsConnectionsOpen => &["connections:write"],
        Method::SearchContext => &["search:read.public"],
        Method::SetSuggestedPrompts | Method::SetTitle => &["assistant:write"],
        Method::AppendStream
        | Method::ChatDelete
        | Method::PostEphemeral
        | Method::PostMessage
        | Method::SetStatus
        | Method::StartStream
        | Method::StopStream
        | Method::ChatUpdate => &["chat:write"],
        Method::History | Method::Replies => {
            &["channels:history", "groups:history", "im:history", "mpim:history"]
        }
        Method::ConversationInfo
        | Method::ConversationList
        | Method::ConversationMembers
        | Method::UsersConversations => &["channels:read", "groups:read", "im:read", "mpim:read"],
        Method::ConversationJoin => &["channels:join"],
        Method::ConversationOpen => &["im:write"],
        Method::FilesInfo => &["files:read"],
        Method::TeamInfo => &["team:read"],
        Method::UsersInfo | Method::UsersList => &["users:read"],
        Method::LookupByEmail => &["users:read.email"],
        Method::AppsUninstall
        | Method::AuthRevoke
        | Method::AuthTeamsList
        | Method::AuthTest
        | Method::GetPermalink
        | Method::OauthAccess
        | Method::OauthExchange
        | Method::ViewsOpen
        | Method::ViewsPublish => &[],
    }
}
