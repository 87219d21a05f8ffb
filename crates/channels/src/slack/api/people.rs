//! People, and the workspaces they are in.

use amebo_outbound::Request;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::Workspace;
use super::call::{Arguments, CallError, Sent, read};
use super::conversations::unexpected;
use super::method::Method;
use super::model::{Identity, Page, Team};
use crate::Outcome;
use crate::inbound::Person;
use crate::slack::inbound::{Home, Read as _, read_person};

/// How many people a page holds. Without a limit Slack fails on large workspaces.
const PAGE: usize = 200;
/// Where an answer names what the token may do.
const SCOPES: &str = "x-oauth-scopes";

impl Workspace {
    /// Who the token belongs to.
    pub async fn auth_test(&self) -> Result<Identity, CallError> {
        let answer: Value = self.call(Method::AuthTest, Arguments::new()).await?;
        Ok(Identity::read(&answer))
    }

    /// The same with what the token may do, which Slack tells in a header. It is asked once, for somebody who waits.
    pub async fn auth_test_with_scopes(&self) -> Result<Identity, CallError> {
        let method = Method::AuthTest.as_str();
        let failed = |outcome| CallError { method, outcome };
        let url = self.api.settings.api_base.join(method);
        let url = url.map_err(|_| unexpected(Method::AuthTest, "an address"))?;
        let request = Request::post(url, "slack").bearer(self.token.expose_secret());
        let Sent {
            outcome,
            headers,
            body,
            ..
        } = self.api.send_request(request).await;
        if !matches!(outcome, Outcome::Accepted { .. }) {
            return Err(failed(outcome));
        }
        let mut identity = Identity::read(&read(method, &body)?);
        identity.scopes = headers
            .get(SCOPES)
            .and_then(|scopes| scopes.to_str().ok())
            .into_iter()
            .flat_map(|scopes| scopes.split(','))
            .map(|scope| scope.trim().to_owned())
            .filter(|scope| !scope.is_empty())
            .collect();
        Ok(identity)
    }

    /// The workspace; `team` names another one of the same organisation.
    pub async fn team(&self, team: Option<&str>) -> Result<Team, CallError> {
        let team = team.or(self.team.as_deref());
        let answer: Value = self
            .call(Method::TeamInfo, Arguments::new().with_some("team", team))
            .await?;
        answer
            .pointer("/team")
            .and_then(Team::read)
            .ok_or_else(|| unexpected(Method::TeamInfo, "a team"))
    }

    /// The workspaces that an organisation-wide installation is approved for, one page.
    pub async fn teams(&self, cursor: Option<&str>) -> Result<Page<Team>, CallError> {
        let arguments = Arguments::new().with("limit", PAGE).with_some("cursor", cursor);
        let answer: Value = self.call(Method::AuthTeamsList, arguments).await?;
        Ok(Page::read(&answer, "/teams", Team::read))
    }

    /// One person.
    pub async fn person(&self, id: &str) -> Result<Person, CallError> {
        let arguments = Arguments::new().with("user", id).with("include_locale", true);
        let answer: Value = self.call(Method::UsersInfo, arguments).await?;
        self.person_in(Method::UsersInfo, &answer)
    }

    /// The person with an e-mail address; `None` where nobody has it.
    pub async fn person_by_email(&self, email: &str) -> Result<Option<Person>, CallError> {
        let arguments = Arguments::new().with("email", email);
        match self.call::<Value>(Method::LookupByEmail, arguments).await {
            Ok(answer) => self.person_in(Method::LookupByEmail, &answer).map(Some),
            Err(error) if error.code() == Some("users_not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everybody, one page.
    pub async fn people(&self, cursor: Option<&str>) -> Result<Page<Person>, CallError> {
        let arguments = Arguments::new()
            .with("limit", PAGE)
            .with("include_locale", true)
            .with_some("cursor", cursor)
            .with_some("team_id", self.team.as_deref());
        let answer: Value = self.call(Method::UsersList, arguments).await?;
        let home = self.home();
        Ok(Page::read(&answer, "/members", |user| read_person(user, &home)))
    }

    /// Opens Socket Mode with an app-level token: where to connect, once and soon.
    pub async fn open_socket(&self) -> Result<url::Url, CallError> {
        let answer: Value = self.call(Method::AppsConnectionsOpen, Arguments::new()).await?;
        answer
            .text("/url")
            .and_then(|url| url.parse().ok())
            .ok_or_else(|| unexpected(Method::AppsConnectionsOpen, "an address"))
    }

    fn person_in(&self, method: Method, answer: &Value) -> Result<Person, CallError> {
        answer
            .pointer("/user")
            .and_then(|user| read_person(user, &self.home()))
            .ok_or_else(|| unexpected(method, "a user"))
    }

    /// The company whose people are no strangers here. The account of an org-wide installation is the organisation itself.
    fn home(&self) -> Home {
        let is_organization = self.account.starts_with('E');
        Home {
            team: self
                .team
                .clone()
                .or_else(|| (!is_organization).then(|| self.account.to_string())),
            enterprise: self
                .enterprise
                .clone()
                .or_else(|| is_organization.then(|| self.account.to_string())),
        }
    }
}
