//! The description of an app that an administrator pastes into Slack to make one of their own
//! (<https://docs.slack.dev/reference/app-manifest>). Slack reads JSON there as well as YAML.

use serde_json::{Value, json};
use url::Url;

use super::scope::{Need, required};

/// What an app of one's own is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The app's name, as people will see it.
    pub name: String,
    /// What it is to do.
    pub needs: Vec<Need>,
    /// Where Slack reaches Amebo; `None` for Socket Mode, where Amebo reaches Slack.
    pub endpoints: Option<Endpoints>,
    /// Whether it is to be installed for a whole organisation of workspaces.
    pub org_wide: bool,
}

/// Where Slack reaches Amebo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Events.
    pub events: Url,
    /// Slash commands.
    pub commands: Url,
    /// Buttons and forms.
    pub interactions: Url,
    /// Where administrators come back to after granting access.
    pub redirect: Url,
}

/// Events about being asked. Those of all messages are needed to follow threads in which Amebo is not named again.
const ASKING: [&str; 14] = [
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.mpim",
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.im",
    "team_join",
    "tokens_revoked",
    "user_change",
    "team_domain_change",
];
/// Events about what is read.
const SYNCHRONISING: [&str; 15] = [
    "channel_archive",
    "channel_created",
    "channel_deleted",
    "channel_id_changed",
    "channel_rename",
    "channel_shared",
    "channel_unarchive",
    "channel_unshared",
    "file_change",
    "file_deleted",
    "file_shared",
    "group_archive",
    "group_deleted",
    "group_rename",
    "group_unarchive",
];

impl Manifest {
    /// The manifest as JSON, to be pasted.
    pub fn to_json(&self) -> Value {
        let mut events = ASKING.to_vec();
        if self.needs.contains(&Need::Synchronising) {
            events.extend(SYNCHRONISING);
        }
        let endpoints = self.endpoints.as_ref();
        let mut manifest = json!({
            "display_information": {
                "name": self.name,
                "description": "Answers from what your company knows, with sources.",
            },
            "features": {
                "app_home": {
                    "home_tab_enabled": true,
                    "messages_tab_enabled": true,
                    "messages_tab_read_only_enabled": false,
                },
                "bot_user": { "display_name": self.name, "always_online": true },
                "slash_commands": [
                    command("/ask", "Ask; only you see the answer", endpoints),
                    command("/askall", "Ask everything you may see in your organisation", endpoints),
                ],
            },
            "oauth_config": { "scopes": { "bot": required(&self.needs) } },
            "settings": {
                "event_subscriptions": { "bot_events": events },
                "interactivity": { "is_enabled": true },
                "org_deploy_enabled": self.org_wide,
                "socket_mode_enabled": endpoints.is_none(),
                // A token that is not renewed is good for Socket Mode, where nobody comes back with a code.
                "token_rotation_enabled": endpoints.is_some(),
            },
        });
        if let Some(endpoints) = endpoints {
            manifest["oauth_config"]["redirect_urls"] = json!([endpoints.redirect]);
            manifest["settings"]["event_subscriptions"]["request_url"] = json!(endpoints.events);
            manifest["settings"]["interactivity"]["request_url"] = json!(endpoints.interactions);
        }
        manifest
    }
}

fn command(name: &str, description: &str, endpoints: Option<&Endpoints>) -> Value {
    let mut command = json!({
        "command": name,
        "description": description,
        "usage_hint": "your question",
        "should_escape": false,
    });
    if let Some(endpoints) = endpoints {
        command["url"] = json!(endpoints.commands);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        Url::parse("https://amebo.example/").unwrap().join(path).unwrap()
    }

    #[test]
    fn an_app_that_slack_reaches_names_every_door() {
        let manifest = Manifest {
            name: "Amebo".into(),
            needs: vec![Need::Asking, Need::Synchronising],
            endpoints: Some(Endpoints {
                events: url("events"),
                commands: url("commands"),
                interactions: url("interactions"),
                redirect: url("callback"),
            }),
            org_wide: true,
        }
        .to_json();
        let text = manifest.to_string();
        for door in ["events", "commands", "interactions", "callback"] {
            assert!(text.contains(&format!("https://amebo.example/{door}")), "{door}");
        }
        assert_eq!(manifest["settings"]["socket_mode_enabled"], false);
        let events = manifest["settings"]["event_subscriptions"]["bot_events"]
            .as_array()
            .unwrap();
        assert!(events.contains(&json!("message.channels")) && events.contains(&json!("app_mention")));
    }

    #[test]
    fn an_app_behind_a_wall_uses_socket_mode_and_asks_for_no_more_than_it_needs() {
        let manifest = Manifest {
            name: "Amebo".into(),
            needs: vec![Need::Asking],
            endpoints: None,
            org_wide: false,
        }
        .to_json();
        assert_eq!(manifest["settings"]["socket_mode_enabled"], true);
        let text = manifest.to_string();
        assert!(!text.contains("url\":\"http"));
        assert!(!text.contains("channels:join") && !text.contains("file_shared"));
    }
}
