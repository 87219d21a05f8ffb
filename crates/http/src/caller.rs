//! Who calls: the extractors that every handler of a protected route takes.

use amebo_app::Access;
use amebo_core::id::{OrganizationId, UserId};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header;
use axum::http::request::Parts;

use crate::AppState;
use crate::problem::{Kind, Problem};

/// A signed-in person, whatever the organisation.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn(pub UserId);

/// Somebody who may act in the organisation that the path names.
#[derive(Debug, Clone)]
pub struct InOrganization(pub Access);

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| {
                Problem::new(
                    Kind::Unauthenticated,
                    "send an access token or an API key as Authorization: Bearer …",
                )
            })?;
        Ok(Self(state.app.authenticate(token)?))
    }
}

impl FromRequestParts<AppState> for InOrganization {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, state).await?;
        let missing = || Problem::new(Kind::NotFound, "there is no such organization");
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| missing())?;
        let organization: OrganizationId = params
            .iter()
            .find(|(name, _)| *name == "organization_id")
            .and_then(|(_, id)| id.parse().ok())
            .ok_or_else(missing)?;
        Ok(Self(state.app.access(user, organization).await?))
    }
}
