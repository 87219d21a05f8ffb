//! Addresses that came with commands and buttons: five uses within half an hour. What goes wrong here is planned for `response_url`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::fault::Fault;
use super::server::go_wrong;
use super::world::Ids;
use super::{Call, Shared, validation};

const USES: u32 = 5;
const MINUTES: i64 = 30;

pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    Path(hook): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let fault = shared.faults.lock().planned("response_url");
    let (fault, after) = match fault {
        Some(Fault::AfterDoing(fault)) => (Some(*fault), true),
        fault => (fault, false),
    };
    let answer = if fault.is_none() || after {
        take(&shared, hook, &body)
    } else {
        (StatusCode::OK, "ok".to_owned())
    };
    match fault {
        None => answer.into_response(),
        Some(fault) => go_wrong(fault, answer.into_response()).await,
    }
}

fn take(
    shared: &Shared,
    (team, number, secret): (String, String, String),
    body: &[u8],
) -> (StatusCode, String) {
    let mut world = shared.world.lock();
    let world = &mut *world;
    let body: Value = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(_) => return (StatusCode::BAD_REQUEST, "invalid_payload".to_owned()),
    };
    world.calls.push(Call {
        method: "response_url".to_owned(),
        account: Some(team.clone()),
        arguments: body.clone(),
        error: None,
    });
    // Whoever waits looks once this one lets go of the world.
    shared.called.notify_waiters();
    let now = world.environment.now();
    let Some(hook) = world.hooks.get_mut(&format!("{team}/{number}/{secret}")) else {
        return (StatusCode::NOT_FOUND, "no_service".to_owned());
    };
    if (now - hook.made_at).num_minutes() >= MINUTES {
        return (StatusCode::NOT_FOUND, "expired_url".to_owned());
    }
    if hook.uses >= USES {
        return (StatusCode::NOT_FOUND, "used_url".to_owned());
    }
    hook.uses += 1;
    if let Some(blocks) = body.get("blocks")
        && validation::blocks(blocks, 50).is_err()
    {
        return (StatusCode::BAD_REQUEST, "invalid_blocks".to_owned());
    }
    let hook = hook.clone();
    world.callbacks.push(body.clone());
    if body["response_type"] == "in_channel" {
        let ts = world.next_ts();
        let message = json!({
            "type": "message",
            "subtype": "bot_message",
            "bot_id": Ids::BOT,
            "user": Ids::BOT_USER,
            "text": body["text"],
            "blocks": body["blocks"],
            "ts": ts,
        });
        if world.team(&hook.team).channels.contains_key(&hook.channel) {
            world.store(&hook.team, &hook.channel, message);
        }
    } else if let (Some(shown), true) = (hook.shown, body["replace_original"] == true) {
        world.ephemerals[shown].2 = body;
    } else {
        world.ephemerals.push((hook.channel, hook.user, body));
    }
    (StatusCode::OK, "ok".to_owned())
}
