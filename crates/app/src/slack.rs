//! Slack: installing, hearing, answering.
//!
//! What Slack sends is stored with its job before it is acknowledged (`door`); the job (`event`) does what it is about, and whatever is
//! to be said goes through the outbox. What is said in a place is answered for the eyes of everybody who reads that place (`audience`).

pub(crate) mod audience;
mod converse;
pub mod door;
mod draft;
mod event;
mod home;
pub mod install;
mod interaction;
pub mod link;
mod live;
pub mod own_app;
pub(crate) mod people;
mod person;
mod reply;
mod send;
mod socket;
mod token;
mod waiting;
pub mod why;

use amebo_core::id::KnowledgeBaseId;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use audience::{Explained, ReaderStanding};

/// How Slack is reached, and the server's own Slack app.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where Slack is.
    pub api: amebo_channels::slack::api::Settings,
    /// The server's Slack app. Without one, every organisation brings its own.
    pub app: Option<AppConfig>,
}

/// A Slack app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: SecretString,
    /// What its requests are signed with; several while one is being replaced.
    pub signing_secrets: Vec<SecretString>,
}

/// What administrators choose for a connected workspace. Stored as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether the workspace's own people (not its guests, nor people of other companies) may know what every member of the
    /// organisation may know, even if they are no members here. Otherwise they learn what is public.
    pub people_are_colleagues: bool,
    /// What mentions, direct messages and `/ask` search; everything in use when empty.
    pub knowledge_base_ids: Vec<KnowledgeBaseId>,
    /// Whether events come over a socket that Amebo opens, rather than to an address of this server.
    pub socket_mode: bool,
    /// Whether nothing that is said in the workspace is kept: questions to Amebo alone search it live instead.
    pub searches_live: bool,
    /// Whatever else is kept in the configuration, such as what is synchronised.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// What Slack says of a connected workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The workspace; absent for an org-wide installation.
    pub team_id: Option<String>,
    /// Its name.
    pub team_name: Option<String>,
    /// The organisation of workspaces.
    pub enterprise_id: Option<String>,
    /// Whether the app is installed for all workspaces of the organisation.
    pub is_enterprise_install: bool,
    /// The app's own user.
    pub bot_user_id: Option<String>,
    /// The app as an author.
    pub bot_id: Option<String>,
    /// Where people open the workspace.
    pub url: Option<String>,
}

/// The tokens of a connected workspace, as they are sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Tokens {
    /// What the bot shows.
    pub(crate) access_token: String,
    /// What a new one is asked for with.
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
}

/// An organisation's own Slack app, as it is sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OwnApp {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) signing_secret: String,
    /// The secret before it was replaced; good for as long as it is kept here.
    #[serde(default)]
    pub(crate) previous_signing_secret: Option<String>,
    /// What opens sockets.
    #[serde(default)]
    pub(crate) app_token: Option<String>,
}
