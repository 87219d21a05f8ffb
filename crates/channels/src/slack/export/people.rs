//! Users and channels, as exports and the Web API write them alike.

use amebo_core::slack::SlackChannelKind as ChannelKind;
use serde::Deserialize;

use crate::slack::transcript::Names;

/// A user of a workspace. Fields: the `user` object of the Web API.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// Slack's id.
    pub id: String,
    /// The workspace they belong to.
    pub team_id: Option<String>,
    name: Option<String>,
    real_name: Option<String>,
    /// Whether their account is closed.
    pub deleted: bool,
    is_bot: Option<bool>,
    #[serde(rename = "is_app_user")]
    is_app: Option<bool>,
    profile: Option<Profile>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Profile {
    real_name: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
}

impl User {
    /// How they are called: the name they chose, else their full name, else their account's.
    pub fn display_name(&self) -> &str {
        let profile = self.profile.as_ref();
        [
            profile.and_then(|profile| profile.display_name.as_deref()),
            profile.and_then(|profile| profile.real_name.as_deref()),
            self.real_name.as_deref(),
            self.name.as_deref(),
        ]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|name| !name.is_empty())
        .unwrap_or(&self.id)
    }

    /// Their address, case-folded, where the workspace shows it.
    pub fn email(&self) -> Option<String> {
        let email = self.profile.as_ref()?.email.as_deref()?.trim().to_lowercase();
        (3..=254)
            .contains(&email.len())
            .then_some(email)
            .filter(|email| email.contains('@'))
    }

    /// Whether an app speaks through it.
    pub fn is_bot(&self) -> bool {
        self.is_bot == Some(true) || self.is_app == Some(true) || self.id == "USLACKBOT"
    }
}

/// A channel. Fields: the `conversation` object of the Web API.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Channel {
    /// Slack's id.
    pub id: String,
    name: Option<String>,
    /// Whether nobody can write there any more.
    pub is_archived: bool,
    /// Whether other companies take part (Slack Connect).
    pub is_ext_shared: bool,
    /// Who is in it, where that is written beside it.
    pub members: Vec<String>,
}

impl Channel {
    /// Its name without `#`; direct messages have none.
    pub fn name(&self) -> Option<&str> {
        self.name
            .as_deref()
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    /// How people call it: `#name`, or those who take part in a direct message.
    pub fn title(&self, kind: ChannelKind, names: &Names) -> String {
        match (kind, self.name()) {
            (ChannelKind::Public | ChannelKind::Private, Some(name)) => format!("#{name}"),
            (ChannelKind::Public | ChannelKind::Private, None) => format!("#{}", self.id),
            (ChannelKind::Direct | ChannelKind::Group, _) => {
                let who: Vec<&str> = self.members.iter().map(|id| names.user(id)).collect();
                if who.is_empty() {
                    "Direct message".to_owned()
                } else {
                    who.join(", ")
                }
            }
        }
    }
}
