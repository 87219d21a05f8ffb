//! Installing the app: the page an administrator sees, and the exchange of codes and refresh tokens.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::arguments::Arguments;
use super::server::{Answer, Refused};
use super::world::{Code, FakeApp, Ids, Token, TokenState, World};

/// How long a token that runs out lasts, in seconds.
const LIFETIME: i64 = 43_200;

/// What the app is installed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallAs {
    /// A workspace.
    Workspace(String),
    /// A whole organisation of workspaces.
    Organization(String),
    /// A person of a workspace alone, without a user of the app's own.
    Person(String, String),
    /// Nothing: the administrator says no.
    Nothing,
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    client_id: String,
    #[serde(default)]
    scope: String,
    redirect_uri: String,
    state: Option<String>,
}

/// The page where an administrator grants access; this one does at once.
pub(super) async fn authorize(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    let mut world = shared.world.lock();
    let install = world.next_install.clone();
    let mut redirect = url::Url::parse(&asked.redirect_uri).unwrap();
    if install == InstallAs::Nothing {
        redirect.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        let code = format!("code-{}", world.count());
        redirect.query_pairs_mut().append_pair("code", &code);
        world.codes.insert(
            code,
            Code {
                client_id: asked.client_id,
                redirect: Some(asked.redirect_uri),
                scopes: asked.scope.split(',').map(str::to_owned).collect(),
                install,
            },
        );
    }
    if let Some(state) = asked.state {
        redirect.query_pairs_mut().append_pair("state", &state);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    response
        .headers_mut()
        .insert(header::LOCATION, redirect.as_str().parse().unwrap());
    response
}

impl World {
    /// The code that was given out last and not used yet.
    pub fn last_code(&self) -> Option<String> {
        let number = |code: &&String| code.trim_start_matches("code-").parse::<u64>().unwrap_or(0);
        self.codes.keys().max_by_key(number).cloned()
    }

    /// A code as an administrator would bring it back, without the page.
    pub fn grant_code(&mut self, client_id: &str, scopes: &[&str], install: InstallAs) -> String {
        let code = format!("code-{}", self.count());
        self.codes.insert(
            code.clone(),
            Code {
                client_id: client_id.to_owned(),
                redirect: None,
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                install,
            },
        );
        code
    }
}

pub(super) fn exchange(
    world: &mut World,
    method: &str,
    arguments: &Arguments,
    token: Option<&str>,
    headers: &HeaderMap,
) -> Answer {
    let app = app(world, arguments, headers)?;
    if method == "oauth.v2.exchange" {
        let token = token.ok_or("not_authed")?;
        let mut held = world.tokens.remove(token).ok_or("invalid_token")?;
        if held.expires_at.is_some() {
            return Err("token_already_exchanged".into());
        }
        held.state = TokenState::Good;
        return Ok(renewed(world, &app, held));
    }
    if arguments.text("grant_type") == Some("refresh_token") {
        let refresh = arguments.text("refresh_token").ok_or("invalid_refresh_token")?;
        let held = world
            .refresh_tokens
            .remove(refresh)
            .ok_or("invalid_refresh_token")?;
        return Ok(renewed(world, &app, held));
    }
    let code = arguments.text("code").ok_or("invalid_code")?;
    let code = world.codes.remove(code).ok_or("invalid_code")?;
    if code.client_id != app.client_id {
        return Err("invalid_code".into());
    }
    let redirect = arguments.text("redirect_uri");
    if code.redirect.is_some() && code.redirect.as_deref() != redirect {
        return Err("bad_redirect_uri".into());
    }
    Ok(installation(world, &app, code))
}

fn installation(world: &mut World, app: &FakeApp, code: Code) -> Value {
    let (account, team, person) = match code.install {
        InstallAs::Workspace(team) => (team.clone(), Some(team), None),
        InstallAs::Organization(enterprise) => (enterprise, None, None),
        InstallAs::Person(team, person) => (team.clone(), Some(team), Some(person)),
        InstallAs::Nothing => unreachable!("nothing was granted"),
    };
    let team = team.map(|id| world.team(&id));
    let enterprise = match team {
        Some(team) => team.enterprise.clone(),
        None => Some(account.clone()),
    };
    let named = team.map(|team| json!({ "id": team.id, "name": team.name }));
    let org_wide = named.is_none();
    let held = Token {
        app: app.id.clone(),
        account,
        org_wide,
        user: person.clone().unwrap_or_else(|| Ids::BOT_USER.to_owned()),
        scopes: code.scopes,
        expires_at: None,
        state: TokenState::Good,
    };
    let tokens = issue(world, app, held);
    let mut answer = json!({
        "app_id": app.id,
        "authed_user": { "id": person.clone().unwrap_or_else(|| Ids::ADMIN.to_owned()) },
        "team": named,
        "enterprise": enterprise.map(|id| json!({ "id": id, "name": "Corp" })),
        "is_enterprise_install": org_wide,
    });
    let holder = if person.is_some() {
        &mut answer["authed_user"]
    } else {
        answer["bot_user_id"] = json!(Ids::BOT_USER);
        &mut answer
    };
    holder
        .as_object_mut()
        .unwrap()
        .extend(tokens.as_object().unwrap().clone());
    answer
}

/// The next pair for whoever held the last one.
fn renewed(world: &mut World, app: &FakeApp, held: Token) -> Value {
    let team = world
        .teams
        .get(&held.account)
        .map(|team| json!({ "id": team.id, "name": team.name }));
    let mut app = app.clone();
    app.rotates = true;
    let mut answer = issue(world, &app, held);
    answer["app_id"] = json!(app.id);
    answer["bot_user_id"] = json!(Ids::BOT_USER);
    answer["team"] = json!(team);
    answer["enterprise"] = Value::Null;
    answer["is_enterprise_install"] = json!(team.is_none());
    answer
}

fn issue(world: &mut World, app: &FakeApp, mut held: Token) -> Value {
    let number = world.count();
    let kind = if held.user == Ids::BOT_USER { "bot" } else { "user" };
    let letter = if kind == "bot" { 'b' } else { 'p' };
    let mut answer = json!({ "token_type": kind, "scope": held.scopes.join(",") });
    let token = if app.rotates {
        held.expires_at = Some(world.environment.now() + TimeDelta::seconds(LIFETIME));
        let refresh = format!("xoxe-1-fake-{number}");
        answer["refresh_token"] = json!(refresh);
        answer["expires_in"] = json!(LIFETIME);
        world.refresh_tokens.insert(refresh, held.clone());
        format!("xoxe.xox{letter}-1-fake-{number}")
    } else {
        format!("xox{letter}-fake-{number}")
    };
    answer["access_token"] = json!(token);
    world.tokens.insert(token, held);
    answer
}

/// The app that shows its id and secret, in a header or among the arguments.
fn app(world: &World, arguments: &Arguments, headers: &HeaderMap) -> Result<FakeApp, Refused> {
    use base64::Engine as _;
    let basic = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|pair| base64::engine::general_purpose::STANDARD.decode(pair).ok())
        .and_then(|pair| String::from_utf8(pair).ok());
    let (id, secret) = match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (arguments.text("client_id"), arguments.text("client_secret")),
    };
    let app = world
        .apps
        .iter()
        .find(|app| Some(app.client_id.as_str()) == id)
        .ok_or("invalid_client_id")?;
    if Some(app.client_secret.as_str()) != secret {
        return Err("bad_client_secret".into());
    }
    Ok(app.clone())
}
