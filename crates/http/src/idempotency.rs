//! `Idempotency-Key`: a write in an organisation that is repeated under one key is done once, and its answer is given again.
//!
//! The key belongs to whoever calls. What is kept is the answer to a write that was done; a request that was refused or failed may be
//! tried again under its key. Answers that show a secret are not kept, so a repetition is told only that it was done. Uploads and streams
//! take no key: the same bytes are not processed twice anyway.

use amebo_app::Access;
use amebo_app::idempotency::Claim;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::AppState;
use crate::caller::InOrganization;
use crate::problem::{Kind, Problem};

/// Names a write, 1 to 200 visible characters.
const KEY: &str = "idempotency-key";

/// Tells that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The most bytes of a body that is compared and of an answer that is kept.
const LIMIT: usize = 2 << 20;

/// Marks an answer that shows a secret and so is not kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShowsSecret;

/// Does a write once.
pub(crate) async fn once(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(key) = request.headers().get(KEY).cloned() else {
        return Ok(next.run(request).await);
    };
    if request.method().is_safe() || !takes_key(&request) {
        return Ok(next.run(request).await);
    }
    let key = key
        .to_str()
        .ok()
        .filter(|key| (1..=200).contains(&key.len()))
        .ok_or_else(|| {
            Problem::new(
                Kind::MalformedRequest,
                "an Idempotency-Key has 1 to 200 visible ASCII characters",
            )
        })?;
    let (mut parts, body) = request.into_parts();
    let InOrganization(access) = InOrganization::from_request_parts(&mut parts, &state).await?;
    parts.extensions.insert(access.clone());
    let body = to_bytes(body, LIMIT)
        .await
        .map_err(|_| Problem::new(Kind::TooLarge, "the body is too large for this request"))?;
    let hash = Sha256::new()
        .chain_update(parts.method.as_str())
        .chain_update([0])
        .chain_update(parts.uri.to_string())
        .chain_update([0])
        .chain_update(&body)
        .finalize()
        .into();
    match state.app.claim_request(&access, key, &hash).await? {
        Claim::New => {
            let request = Request::from_parts(parts, Body::from(body));
            settle(&state, &access, key, next.run(request).await).await
        }
        Claim::Done(answer) => replay(&answer),
        Claim::UnderWay => Err(Problem::new(
            Kind::Conflict,
            "the first request with this Idempotency-Key is still under way; try again shortly",
        )),
        Claim::Mismatch => Err(Problem::new(
            Kind::InvalidFields,
            "this Idempotency-Key was used for another request; take a new one for each write",
        )),
    }
}

/// Whether the route acts in an organisation and the body is one that can be compared.
fn takes_key(request: &Request) -> bool {
    let in_organization = request
        .extensions()
        .get::<axum::extract::MatchedPath>()
        .is_some_and(|path| path.as_str().contains("{organization_id}"));
    let comparable = request.headers().get(header::CONTENT_TYPE).is_none_or(is_json);
    in_organization && comparable
}

fn is_json(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().starts_with(b"application/json")
}

/// Keeps the answer to what was done; gives the key back when nothing was.
async fn settle(
    state: &AppState,
    access: &Access,
    key: &str,
    response: Response,
) -> Result<Response, Problem> {
    let status = response.status();
    let has_body = response.headers().contains_key(header::CONTENT_TYPE);
    let keeps = status.is_success()
        && (!has_body || response.headers().get(header::CONTENT_TYPE).is_some_and(is_json));
    if !keeps {
        state.app.release_request(access, key).await?;
        return Ok(response);
    }
    let shows_secret = response.extensions().get::<ShowsSecret>().is_some();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, LIMIT).await.map_err(amebo_app::Error::internal)?;
    let answer = if shows_secret {
        Value::Null
    } else {
        let body: Value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(amebo_app::Error::internal)?
        };
        json!({ "status": status.as_u16(), "body": body })
    };
    state.app.record_answer(access, key, &answer).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(answer: &Value) -> Result<Response, Problem> {
    if answer.is_null() {
        return Err(Problem::new(
            Kind::Conflict,
            "this was done already; its answer showed a secret, which is not kept and cannot be shown again",
        ));
    }
    let status = answer["status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok())
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::OK);
    let mut response = if answer["body"].is_null() {
        status.into_response()
    } else {
        let body = Bytes::from(answer["body"].to_string());
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
