//! Who calls: the extractors that every handler of a protected route takes, and the one path by which a credential is accepted.
//!
//! A credential is an access token or an API key in `Authorization: Bearer …`, or else the access cookie of a browser. With a cookie,
//! whatever changes something must also carry the CSRF header. There is no other way in, on no route.

use amebo_app::identity::Caller;
use amebo_app::operator::Operator as Proof;
use amebo_app::{Access, Person};
use amebo_core::id::OrganizationId;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;

use crate::origin::Requested;
use crate::problem::{Kind, Problem};
use crate::{AppState, cookie};

/// A signed-in person, whatever the organisation.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn(pub Person);

/// Somebody who may act in the organisation that the path names.
#[derive(Debug, Clone)]
pub struct InOrganization(pub Access);

/// The operator of the platform.
#[derive(Debug, Clone, Copy)]
pub struct Operator(pub Proof);

/// A program with an API key, whose organisation the key itself names; for interfaces whose paths name none.
#[derive(Debug, Clone)]
pub struct Program(pub Access);

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        match authenticate(parts, state).await? {
            Caller::Person(person) => Ok(Self(person)),
            Caller::Program(_) => Err(Problem::new(
                Kind::Forbidden,
                "this needs a signed-in person; an API key acts only inside its organization",
            )),
        }
    }
}

impl FromRequestParts<AppState> for InOrganization {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        // Set by our own middleware, when it had to know before.
        if let Some(access) = parts.extensions.get::<Access>() {
            return Ok(Self(access.clone()));
        }
        let caller = authenticate(parts, state).await?;
        let missing = || Problem::new(Kind::NotFound, "there is no such organization");
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| missing())?;
        let organization: OrganizationId = params
            .iter()
            .find(|(name, _)| *name == "organization_id")
            .and_then(|(_, id)| id.parse().ok())
            .ok_or_else(missing)?;
        let access = state.app.access_of(caller, organization).await?;
        state.limits.organization(&access)?;
        Ok(Self(access))
    }
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let SignedIn(person) = SignedIn::from_request_parts(parts, state).await?;
        Ok(Self(Proof::of(person)?))
    }
}

impl FromRequestParts<AppState> for Program {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        match authenticate(parts, state).await? {
            Caller::Program(access) => {
                state.limits.organization(&access)?;
                Ok(Self(access))
            }
            Caller::Person(_) => Err(Problem::new(
                Kind::Forbidden,
                "this needs an API key, which names the organization; make one there",
            )),
        }
    }
}

async fn authenticate(parts: &mut Parts, state: &AppState) -> Result<Caller, Problem> {
    let Ok(Requested(request)) = Requested::from_request_parts(parts, state).await;
    if let Some(authorization) = parts.headers.get(header::AUTHORIZATION) {
        let token = authorization
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(unauthenticated)?;
        return Ok(state.app.authenticate(token, request).await?);
    }
    let jar = CookieJar::from_headers(&parts.headers);
    let token = jar.get(cookie::ACCESS).ok_or_else(unauthenticated)?.value();
    // A cookie carries what a sign-in put there, never an API key.
    let person = state.app.authenticate_cookie(token, request).await?;
    if !parts.method.is_safe() {
        let header = parts
            .headers
            .get(cookie::CSRF_HEADER)
            .and_then(|value| value.to_str().ok());
        if !header.is_some_and(|token| state.app.csrf_is_of(token, person.device)) {
            return Err(foreign_page());
        }
    }
    Ok(Caller::Person(person))
}

fn unauthenticated() -> Problem {
    Problem::new(
        Kind::Unauthenticated,
        "send an access token or an API key as Authorization: Bearer …",
    )
}

/// A request with cookies that does not prove to come from one of our pages.
pub(crate) fn foreign_page() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "with cookies, send the value of the cookie amebo_csrf in the header X-CSRF-Token",
    )
}
