//! Where Slack reaches Amebo: `/channels/slack/…` for the server's app, `/channels/slack/{connection}/…` for an organisation's own.
//!
//! Not part of the API: Slack's requests are signed, not authenticated, and their shape is Slack's.

use amebo_app::slack::door::{LARGEST_BODY, Refused, Told};
use amebo_core::id::ChannelConnectionId;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::channel_connection::{CALLBACK, finish_slack_installation};
use crate::AppState;
use crate::extract::Path;
use crate::problem::{Kind, Problem};

pub(super) fn routes() -> Router<AppState> {
    let mut router = Router::new().route(CALLBACK, get(finish_slack_installation));
    // One door would do, since a request says what it is; Slack's settings ask for an address each.
    for door in ["events", "commands", "interactions"] {
        router = router
            .route(&format!("/channels/slack/{door}"), post(hear))
            .route(
                &format!("/channels/slack/{{connection_id}}/{door}"),
                post(hear_own_app),
            );
    }
    router
}

async fn hear(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take(&state, None, &headers, body).await
}

async fn hear_own_app(
    State(state): State<AppState>,
    Path(connection): Path<ChannelConnectionId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    take(&state, Some(connection), &headers, body).await
}

async fn take(
    state: &AppState,
    connection: Option<ChannelConnectionId>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let told = match to_bytes(body, LARGEST_BODY).await {
        Ok(body) => state.app.hear_slack(connection, headers, body).await?,
        Err(_) => state.app.too_large_for_slack(connection).await,
    };
    Ok(match told {
        Told::Accepted => StatusCode::OK.into_response(),
        Told::Text(text) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response(),
        Told::Json(json) => axum::Json(json).into_response(),
        Told::Refused(refused) => return Err(problem(refused)),
    })
}

fn problem(refused: Refused) -> Problem {
    let (kind, detail) = match refused {
        Refused::NotBelieved(refusal) => (Kind::Unauthenticated, refusal.to_string()),
        Refused::NoSuchDoor => (
            Kind::NotFound,
            "there is no Slack app behind this address".to_owned(),
        ),
        Refused::TooLarge => (
            Kind::TooLarge,
            format!("a request of Slack has at most {LARGEST_BODY} bytes"),
        ),
        Refused::Malformed => (
            Kind::MalformedRequest,
            "this is nothing that Slack is known to send".to_owned(),
        ),
        Refused::UnknownAccount => (Kind::NotFound, "this workspace is not connected".to_owned()),
        Refused::Disconnected => (Kind::NotFound, "this workspace was disconnected".to_owned()),
    };
    Problem::new(kind, detail).not_to_be_repeated()
}
