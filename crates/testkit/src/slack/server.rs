//! The doors of the fake, and what happens at each before and after a method's own work.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{any, get, post};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::caller::{self, Caller};
use super::fault::Fault;
use super::methods;
use super::world::{Ids, Token, TokenState};
use super::{Call, Shared, hooks, oauth, sockets};
use amebo_channels::slack::api::{Method, Tier};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/api/{method}", any(call))
        .route("/oauth/v2/authorize", get(oauth::authorize))
        .route("/hooks/{team}/{number}/{secret}", post(hooks::answer))
        .route("/files-pri/{key}/{name}", get(file))
        .route("/files-pri/{key}/download/{name}", get(download))
        .route("/link/", get(sockets::connect))
        .layer(DefaultBodyLimit::max(16 << 20))
        .with_state(shared)
}

/// What a method answers: the object, or the error with what else is said of it.
pub(super) type Answer = Result<Value, Refused>;

/// An error in the body of an answer.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Value);

impl Refused {
    pub(super) fn new(error: &str) -> Self {
        Self(json!({ "ok": false, "error": error }))
    }

    pub(super) fn because(error: &str, messages: &[String]) -> Self {
        Self(json!({
            "ok": false,
            "error": error,
            "response_metadata": { "messages": messages },
        }))
    }
}

impl From<&str> for Refused {
    fn from(error: &str) -> Self {
        Self::new(error)
    }
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Path(method): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let arguments = Arguments::read(&headers, uri.query(), &body);
    let token = token(&headers, &arguments);
    let account = {
        let world = shared.world.lock();
        token
            .as_deref()
            .and_then(|token| world.tokens.get(token))
            .map(|token| token.account.clone())
    };
    let fault = shared
        .faults
        .lock()
        .take(&method, account.as_deref(), &shared.environment);
    let (fault, after) = match fault {
        Some(Fault::AfterDoing(fault)) => (Some(*fault), true),
        fault => (fault, false),
    };
    let answer = if fault.is_none() || after || matches!(fault, Some(Fault::Slow(_))) {
        do_it(&shared, &method, &arguments, token.as_deref(), &headers)
    } else {
        json_answer(StatusCode::OK, &json!({ "ok": false, "error": "not_done" }))
    };
    let error = match &fault {
        Some(fault) => Some(format!("{fault:?}")),
        None => answer.1.clone(),
    };
    shared.world.lock().calls.push(Call {
        method,
        account,
        arguments: arguments.0,
        error,
    });
    shared.called.notify_waiters();
    match fault {
        None => answer.0,
        Some(fault) => go_wrong(fault, answer.0).await,
    }
}

/// An answer with its error, for the list of calls.
type Answered = (Response, Option<String>);

fn do_it(
    shared: &Shared,
    method: &str,
    arguments: &Arguments,
    token: Option<&str>,
    headers: &HeaderMap,
) -> Answered {
    let mut world = shared.world.lock();
    let known = Method::ALL.iter().find(|known| known.as_str() == method);
    let Some(known) = known else {
        return json_answer(StatusCode::OK, &Refused::new("unknown_method").0);
    };
    if matches!(known, Method::OauthAccess | Method::OauthExchange) {
        return finished(oauth::exchange(&mut world, method, arguments, token, headers));
    }
    let caller = match token {
        None => Err(Refused::new("not_authed")),
        Some(token) if token.starts_with("xapp-") => caller::app_token(&world, token),
        Some(token) => authorize(&world, token),
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(refused) => return json_answer(StatusCode::OK, &refused.0),
    };
    if let Some(wait) = too_fast(&mut world, &caller, *known, arguments) {
        let mut answer = json_answer(
            StatusCode::TOO_MANY_REQUESTS,
            &json!({ "ok": false, "error": "ratelimited" }),
        );
        answer.0.headers_mut().insert(header::RETRY_AFTER, wait.into());
        return answer;
    }
    let mut answered = finished(methods::answer(
        &mut world,
        *known,
        &caller,
        arguments,
        &shared.base,
    ));
    if let Ok(scopes) = caller.scopes.join(",").parse() {
        answered.0.headers_mut().insert("x-oauth-scopes", scopes);
    }
    answered
}

fn finished(answer: Answer) -> Answered {
    match answer {
        Ok(mut object) => {
            object["ok"] = json!(true);
            json_answer(StatusCode::OK, &object)
        }
        Err(refused) => json_answer(StatusCode::OK, &refused.0),
    }
}

fn authorize(world: &super::World, token: &str) -> Result<Caller, Refused> {
    let found: &Token = world.tokens.get(token).ok_or("invalid_auth")?;
    match found.state {
        TokenState::Revoked => return Err("token_revoked".into()),
        TokenState::Uninstalled => return Err("account_inactive".into()),
        TokenState::Good => {}
    }
    if found
        .expires_at
        .is_some_and(|expiry| expiry <= world.environment.now())
    {
        return Err("token_expired".into());
    }
    Ok(Caller {
        token: token.to_owned(),
        app: found.app.clone(),
        account: found.account.clone(),
        org_wide: found.org_wide,
        user: found.user.clone(),
        scopes: found.scopes.clone(),
    })
}

/// For how many seconds the caller has to wait: rates refill evenly, and a whole minute's worth may come at once.
fn too_fast(world: &mut super::World, caller: &Caller, method: Method, arguments: &Arguments) -> Option<u64> {
    if !world.enforce_rates {
        return None;
    }
    let restricted = world
        .teams
        .get(&caller.account)
        .is_some_and(|team| team.restricted);
    let tier = if restricted && method.is_restrictable() {
        Tier::One
    } else {
        method.tier()
    };
    let (per_minute, most) = match tier {
        Tier::PerChannel => (60.0, 10.0),
        tier => (f64::from(tier.per_minute()), f64::from(tier.per_minute())),
    };
    let place = match tier {
        Tier::PerChannel => arguments.text("channel").unwrap_or_default(),
        _ => "",
    };
    let now = world.environment.now();
    let key = (caller.account.clone(), format!("{} {place}", method.as_str()));
    let (left, since) = world.rates.entry(key).or_insert((most, now));
    let passed = (now - *since).max(TimeDelta::zero()).as_seconds_f64();
    *left = passed.mul_add(per_minute / 60.0, *left).min(most);
    *since = now;
    if *left >= 1.0 {
        *left -= 1.0;
        return None;
    }
    let missing = (1.0 - *left) * 60.0 / per_minute;
    // Rounded up, since waiting as told must be enough.
    Some(std::time::Duration::from_secs_f64(missing).as_secs() + 1)
}

pub(super) async fn go_wrong(fault: Fault, answer: Response) -> Response {
    match fault {
        Fault::RateLimited(seconds) => {
            let body = json!({ "ok": false, "error": "ratelimited" });
            let mut answer = json_answer(StatusCode::TOO_MANY_REQUESTS, &body).0;
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            answer
        }
        Fault::Status(status) => {
            let mut answer = Response::new(Body::from("<html>upstream</html>"));
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            answer
        }
        Fault::Error(error) => json_answer(StatusCode::OK, &Refused::new(error).0).0,
        Fault::Silent => std::future::pending().await,
        Fault::HangUp => {
            let pieces: [Result<Bytes, std::io::Error>; 2] = [
                Ok(Bytes::from_static(b"{\"ok\":")),
                Err(std::io::Error::other("hung up")),
            ];
            Response::new(Body::from_stream(futures::stream::iter(pieces)))
        }
        Fault::Slow(time) => {
            tokio::time::sleep(time).await;
            answer
        }
        Fault::AfterDoing(_) => answer,
    }
}

fn json_answer(status: StatusCode, object: &Value) -> Answered {
    let mut response = Response::new(Body::from(object.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json; charset=utf-8"),
    );
    (response, object["error"].as_str().map(str::to_owned))
}

/// The token, which SDKs send in a header and old programs as an argument.
fn token(headers: &HeaderMap, arguments: &Arguments) -> Option<String> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .or_else(|| arguments.text("token"))
        .map(str::to_owned)
}

async fn download(
    State(shared): State<Arc<Shared>>,
    Path((key, _)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    bytes(&shared, &key, &uri, &headers)
}

async fn file(
    State(shared): State<Arc<Shared>>,
    Path((key, _)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    bytes(&shared, &key, &uri, &headers)
}

/// A file's bytes; whoever may not have them gets a page to sign in at, with status 200, as from Slack.
fn bytes(shared: &Shared, key: &str, uri: &Uri, headers: &HeaderMap) -> Response {
    let world = shared.world.lock();
    let caller = token(headers, &Arguments(Value::Null)).and_then(|token| authorize(&world, &token).ok());
    let file = key
        .split_once('-')
        .and_then(|(team, id)| world.teams.get(team)?.files.get(id));
    let exported = uri.query() == Some(format!("t={}", Ids::EXPORT_TOKEN).as_str());
    let permitted =
        exported || caller.is_some_and(|caller| caller.scopes.iter().any(|scope| scope == "files:read"));
    let (kind, body) = match file {
        Some(file) if permitted => (
            file.object["mimetype"].as_str().unwrap_or_default().to_owned(),
            file.bytes.clone(),
        ),
        _ => (
            "text/html; charset=utf-8".to_owned(),
            b"<!DOCTYPE html><html>Sign in</html>".to_vec(),
        ),
    };
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, kind.parse().unwrap());
    response
}
