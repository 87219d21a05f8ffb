//! Slack's Web API: <https://docs.slack.dev/apis/web-api>.
//!
//! [`Api`] is one for the whole process and knows the rates of every workspace; [`Workspace`] is it with one workspace's token. A
//! call waits for its turn no longer than its [`Patience`] and then says when to come back, so that no task is held for minutes
//! and no workspace waits for another, not even for one that does not answer.
//!
//! What must hold: tokens and the addresses of commands are in no error and no log; what may have been done is not done again
//! unless doing it twice is harmless; addresses that came from outside are asked only where Slack itself answers.

mod budget;
mod call;
mod conversations;
mod deliver;
mod files;
mod flight;
mod messages;
mod method;
mod model;
mod oauth;
mod people;
mod search;

use std::sync::Arc;
use std::time::Duration;

use amebo_core::Environment;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

pub use budget::{Budgets, Regime};
pub use call::CallError;
pub use conversations::{HistoryQuery, PlaceFilter};
pub use deliver::{Delivered, Delivery};
pub use files::Download;
pub use messages::{Posted, StreamTarget};
pub use method::{Method, Tier};
pub use model::{Conversation, HistoryMessage, Identity, Page, Team, permalink};
pub use oauth::{AppCredentials, Grant, Installation};
pub use search::{Found, SearchQuery};

/// Where Slack is. Another address serves `GovSlack`, and tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where methods are called; ends with a slash.
    pub api_base: Url,
    /// Where an administrator grants access.
    pub authorize_url: Url,
    /// Hosts, with their subdomains, that files are fetched from and that answers to commands are sent to.
    pub hosts: Vec<String>,
    /// How long one request may take, in seconds.
    pub timeout_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_base: known("https://slack.com/api/"),
            authorize_url: known("https://slack.com/oauth/v2/authorize"),
            hosts: vec!["slack.com".to_owned()],
            timeout_seconds: 15,
        }
    }
}

impl Settings {
    /// Whether an address that came from outside is Slack's own: over https, or wherever methods themselves are called.
    pub fn is_slack(&self, url: &Url) -> bool {
        if url.origin() == self.api_base.origin() {
            return true;
        }
        let named = url.host_str().is_some_and(|host| {
            self.hosts.iter().any(|known| {
                host == known
                    || host
                        .strip_suffix(known.as_str())
                        .is_some_and(|rest| rest.ends_with('.'))
            })
        });
        named && url.scheme() == "https" && url.port().is_none()
    }

    /// The same for the address of a socket.
    pub fn is_slack_socket(&self, url: &Url) -> bool {
        let scheme = match url.scheme() {
            "wss" => "https",
            "ws" => "http",
            _ => return false,
        };
        // The crate `url` does not change the scheme of an address of a kind that has a port of its own.
        let rest = url.as_str().split_once(':').map_or("", |(_, rest)| rest);
        Url::parse(&format!("{scheme}:{rest}")).is_ok_and(|url| self.is_slack(&url))
    }
}

#[expect(clippy::expect_used, reason = "a constant, which a test parses")]
fn known(url: &str) -> Url {
    Url::parse(url).expect("a constant address is valid")
}

/// How long a call may wait, for its turn and between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Patience {
    /// For somebody who waits for the answer.
    pub const INTERACTIVE: Self = Self(Duration::from_secs(5));
    /// For work that is put aside and taken up again.
    pub const NONE: Self = Self(Duration::ZERO);
}

/// Slack's Web API. Cheap to clone; clones share rates.
#[derive(Debug, Clone)]
pub struct Api {
    client: amebo_outbound::Client,
    settings: Arc<Settings>,
    budgets: Arc<Budgets>,
    flights: Arc<flight::Flights>,
    environment: Environment,
}

impl Api {
    /// Slack's Web API at the place that `settings` name.
    pub fn new(client: amebo_outbound::Client, settings: Settings, environment: Environment) -> Self {
        Self {
            client,
            settings: Arc::new(settings),
            budgets: Arc::default(),
            flights: Arc::default(),
            environment,
        }
    }

    /// Where Slack is.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where time and randomness come from.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(super) fn client(&self) -> &amebo_outbound::Client {
        &self.client
    }

    /// What is known of the rates.
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// The API as one workspace's app. `account` keeps the rates of workspaces apart: the connection's external id will do.
    pub fn workspace(&self, account: impl Into<Arc<str>>, token: SecretString) -> Workspace {
        Workspace {
            api: self.clone(),
            account: account.into(),
            token,
            team: None,
            enterprise: None,
            patience: Patience::INTERACTIVE,
        }
    }
}

/// Slack's Web API with the token of one workspace, or of one organisation of workspaces.
#[derive(Debug, Clone)]
pub struct Workspace {
    api: Api,
    account: Arc<str>,
    token: SecretString,
    team: Option<String>,
    enterprise: Option<String>,
    patience: Patience,
}

impl Workspace {
    /// Names the workspace meant, which a token of a whole organisation of workspaces needs.
    #[must_use]
    pub fn of_team(mut self, team: impl Into<String>) -> Self {
        self.team = Some(team.into());
        self
    }

    /// Names the organisation of workspaces that the workspace belongs to, whose people are one company.
    #[must_use]
    pub fn of_enterprise(mut self, enterprise: impl Into<String>) -> Self {
        self.enterprise = Some(enterprise.into());
        self
    }

    /// Sets how long calls may wait.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The account that the rates are kept for.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The API without a token.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Which limits hold for reading messages, as far as it has shown.
    pub fn regime(&self) -> Regime {
        self.api.budgets.regime(&self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slacks_own_addresses_are_asked() {
        let settings = Settings::default();
        let is_slack = |url: &str| settings.is_slack(&Url::parse(url).unwrap());
        assert!(is_slack("https://hooks.slack.com/commands/T1/2/x"));
        assert!(is_slack("https://files.slack.com/files-pri/T1-F1/download/a.pdf"));
        for other in [
            "http://hooks.slack.com/commands/T1/2/x",
            "https://hooks.slack.com.evil.example/x",
            "https://evilslack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://169.254.169.254/latest",
        ] {
            assert!(!is_slack(other), "{other}");
        }
        let is_socket = |url: &str| settings.is_slack_socket(&Url::parse(url).unwrap());
        assert!(is_socket("wss://wss-primary.slack.com/link/?ticket=1"));
        assert!(!is_socket("ws://wss-primary.slack.com/link/?ticket=1"));
        assert!(!is_socket("wss://evil.example/link/?ticket=1"));
    }
}
