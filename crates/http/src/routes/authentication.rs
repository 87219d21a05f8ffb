//! Signing up and signing in.

use amebo_app::identity::SignUp;
use amebo_core::id::{OrganizationId, UserId};
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::extract::Json;
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(sign_in))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignUpRequest {
    /// Your address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// Your name.
    name: String,
    /// At least 12 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// Your company.
    organization: String,
}

#[derive(Serialize, ToSchema)]
struct SignedUpResponse {
    user_id: UserId,
    organization_id: OrganizationId,
}

/// Start using Amebo: makes your account and an organization that you own.
#[utoipa::path(post, path = "/auth/sign-up", tag = "Sign-in", security(()), request_body = SignUpRequest,
    responses((status = 201, body = SignedUpResponse), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn sign_up(
    State(state): State<AppState>,
    Json(request): Json<SignUpRequest>,
) -> Result<(StatusCode, axum::Json<SignedUpResponse>), Problem> {
    let SignUpRequest {
        email,
        name,
        password,
        organization,
    } = request;
    let signed_up = state
        .app
        .sign_up(&SignUp {
            email,
            name,
            password,
            organization,
        })
        .await?;
    Ok((
        StatusCode::CREATED,
        axum::Json(SignedUpResponse {
            user_id: signed_up.user,
            organization_id: signed_up.organization,
        }),
    ))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInRequest {
    /// Your address.
    email: String,
    /// Your password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

#[derive(Serialize, ToSchema)]
struct TokenResponse {
    /// Send it as `Authorization: Bearer …`; serves for 30 minutes.
    access_token: String,
}

/// Sign in with a password.
#[utoipa::path(post, path = "/auth/sign-in", tag = "Sign-in", security(()), request_body = SignInRequest,
    responses((status = 200, body = TokenResponse), (status = 401, body = ProblemDocument)))]
async fn sign_in(
    State(state): State<AppState>,
    Json(request): Json<SignInRequest>,
) -> Result<axum::Json<TokenResponse>, Problem> {
    let access_token = state.app.sign_in(&request.email, &request.password).await?;
    Ok(axum::Json(TokenResponse { access_token }))
}
