//! Signing up, in and out.

use amebo_app::identity::{ACCESS_LIFETIME, Session, SignUp};
use amebo_app::invitation::Acceptance;
use amebo_core::id::{OrganizationId, TokenFamilyId, UserId};
use amebo_core::permission::Role;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::branding::SocialLinkBody;
use crate::caller::{SignedIn, foreign_page};
use crate::extract::Json;
use crate::origin::{Requested, Visitor};
use crate::problem::{Kind, Problem, ProblemDocument};
use crate::{AppState, cookie};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(sign_in))
        .routes(routes!(sign_in_with_link))
        .routes(routes!(refresh_session))
        .routes(routes!(sign_out))
        .routes(routes!(request_password_reset))
        .routes(routes!(reset_password))
        .routes(routes!(preview_invitation))
        .routes(routes!(accept_invitation))
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
    Visitor(origin): Visitor,
    Json(request): Json<SignUpRequest>,
) -> Result<(StatusCode, axum::Json<SignedUpResponse>), Problem> {
    let sign_up = SignUp {
        email: request.email,
        name: request.name,
        password: request.password,
        organization: request.organization,
    };
    let signed_up = state.app.sign_up(&sign_up, &origin).await?;
    let response = SignedUpResponse {
        user_id: signed_up.user,
        organization_id: signed_up.organization,
    };
    Ok((StatusCode::CREATED, axum::Json(response)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInRequest {
    /// Your address.
    email: String,
    /// Your password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// For browsers: put the tokens into cookies that scripts cannot read, instead of into the answer.
    #[serde(default)]
    cookies: bool,
}

/// A signed-in device.
#[derive(Serialize, ToSchema)]
struct SignedInResponse {
    user_id: UserId,
    /// This device, as listed among your devices.
    device_id: TokenFamilyId,
    /// Send it as `Authorization: Bearer …`. Absent with cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// Exchange it for the next session, once; using it twice signs the device out. Absent with cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// With cookies: send it as `X-CSRF-Token` with whatever changes something.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    /// For how many seconds the access token serves.
    expires_in: i64,
}

fn answer(state: &AppState, jar: CookieJar, session: Session, cookies: bool) -> Response {
    let jar = if cookies {
        cookie::set(jar, state, &session)
    } else {
        jar
    };
    let body = SignedInResponse {
        user_id: session.user,
        device_id: session.device,
        access_token: (!cookies).then_some(session.access_token),
        refresh_token: (!cookies).then_some(session.refresh_token),
        csrf_token: cookies.then_some(session.csrf_token),
        expires_in: ACCESS_LIFETIME.num_seconds(),
    };
    (jar, axum::Json(body)).into_response()
}

/// Sign in with a password.
#[utoipa::path(post, path = "/auth/sign-in", tag = "Sign-in", security(()), request_body = SignInRequest,
    responses((status = 200, body = SignedInResponse), (status = 401, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
async fn sign_in(
    State(state): State<AppState>,
    Visitor(origin): Visitor,
    jar: CookieJar,
    Json(request): Json<SignInRequest>,
) -> Result<Response, Problem> {
    let session = state
        .app
        .sign_in(&request.email, &request.password, &origin)
        .await?;
    Ok(answer(&state, jar, session, request.cookies))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkRequest {
    /// What follows `#token=` in the link.
    token: String,
    /// For browsers: put the tokens into cookies that scripts cannot read, instead of into the answer.
    #[serde(default)]
    cookies: bool,
}

/// Sign in with a link that works once.
#[utoipa::path(post, path = "/auth/link", tag = "Sign-in", security(()), request_body = LinkRequest,
    responses((status = 200, body = SignedInResponse), (status = 401, body = ProblemDocument)))]
async fn sign_in_with_link(
    State(state): State<AppState>,
    Visitor(origin): Visitor,
    jar: CookieJar,
    Json(request): Json<LinkRequest>,
) -> Result<Response, Problem> {
    let session = state.app.sign_in_with_link(&request.token, &origin).await?;
    Ok(answer(&state, jar, session, request.cookies))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    /// The refresh token; absent when it is in a cookie.
    refresh_token: Option<String>,
}

/// Exchange a refresh token for the next session. Take turns: a refresh token that comes twice signs its device out.
#[utoipa::path(post, path = "/auth/refresh", tag = "Sign-in", security(()), request_body = RefreshRequest,
    responses((status = 200, body = SignedInResponse), (status = 401, body = ProblemDocument), (status = 403, body = ProblemDocument)))]
async fn refresh_session(
    State(state): State<AppState>,
    Visitor(origin): Visitor,
    jar: CookieJar,
    headers: HeaderMap,
    Json(request): Json<RefreshRequest>,
) -> Result<Response, Problem> {
    if let Some(token) = request.refresh_token {
        let session = state.app.refresh(&token, &origin).await?;
        return Ok(answer(&state, jar, session, false));
    }
    let token = jar
        .get(cookie::REFRESH)
        .map(|cookie| cookie.value().to_owned())
        .ok_or_else(|| Problem::new(Kind::Unauthenticated, "send a refresh token"))?;
    let csrf = headers
        .get(cookie::CSRF_HEADER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let device = state.app.device_of(&token).await?;
    if device.is_some_and(|device| !state.app.csrf_is_of(csrf, device)) {
        return Err(foreign_page());
    }
    let session = state.app.refresh(&token, &origin).await?;
    Ok(answer(&state, jar, session, true))
}

/// Sign out on this device, at once.
#[utoipa::path(post, path = "/auth/sign-out", tag = "Sign-in",
    responses((status = 204, description = "Signed out"), (status = 401, body = ProblemDocument)))]
async fn sign_out(
    State(state): State<AppState>,
    SignedIn(person): SignedIn,
    jar: CookieJar,
) -> Result<(StatusCode, CookieJar), Problem> {
    state.app.sign_out(&person, person.device).await?;
    Ok((StatusCode::NO_CONTENT, cookie::clear(jar, &state)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordResetRequest {
    /// The address of your account.
    email: String,
}

/// Ask for a link to choose a new password, by mail. The answer does not tell whether there is such an account.
#[utoipa::path(post, path = "/auth/password-reset", tag = "Sign-in", security(()), request_body = PasswordResetRequest,
    responses((status = 202, description = "If there is such an account, a letter is on its way"), (status = 403, body = ProblemDocument)))]
async fn request_password_reset(
    State(state): State<AppState>,
    Visitor(origin): Visitor,
    Json(request): Json<PasswordResetRequest>,
) -> Result<StatusCode, Problem> {
    state.app.request_password_reset(&request.email, &origin).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPasswordRequest {
    /// What follows `#token=` in the link.
    token: String,
    /// At least 12 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// Choose a new password with a link. Signs out every device.
#[utoipa::path(put, path = "/auth/password", tag = "Sign-in", security(()), request_body = NewPasswordRequest,
    responses((status = 204, description = "Changed; sign in"), (status = 401, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn reset_password(
    State(state): State<AppState>,
    Visitor(origin): Visitor,
    Json(request): Json<NewPasswordRequest>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .reset_password(&request.token, &request.password, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewInvitationRequest {
    /// What follows `#token=` in the link.
    token: String,
}

#[derive(Serialize, ToSchema)]
struct InvitationPreviewResponse {
    /// The organization's name.
    organization: String,
    /// Who is invited.
    email: String,
    /// What they will be.
    role: Role,
    /// Whether that address has an account, whose password is then to be proved.
    has_account: bool,
    /// The organization's public profiles.
    social_links: Vec<SocialLinkBody>,
}

/// See what an invitation leads to.
#[utoipa::path(post, path = "/auth/invitation/preview", tag = "Sign-in", security(()), request_body = PreviewInvitationRequest,
    responses((status = 200, body = InvitationPreviewResponse), (status = 404, body = ProblemDocument)))]
async fn preview_invitation(
    State(state): State<AppState>,
    Visitor(origin): Visitor,
    Json(request): Json<PreviewInvitationRequest>,
) -> Result<axum::Json<InvitationPreviewResponse>, Problem> {
    let preview = state.app.preview_invitation(&request.token, &origin).await?;
    Ok(axum::Json(InvitationPreviewResponse {
        organization: preview.organization,
        email: preview.email,
        role: preview.role,
        has_account: preview.has_account,
        social_links: preview
            .social_links
            .into_iter()
            .map(SocialLinkBody::from)
            .collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptInvitationRequest {
    /// What follows `#token=` in the link.
    token: String,
    /// Your name, when you have no account yet.
    name: Option<String>,
    /// The password of your account, or the one it is to have.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// For browsers: put the tokens into cookies that scripts cannot read, instead of into the answer.
    #[serde(default)]
    cookies: bool,
}

/// Accept an invitation, and sign in.
#[utoipa::path(post, path = "/auth/invitation/accept", tag = "Sign-in", security(()), request_body = AcceptInvitationRequest,
    responses((status = 200, body = SignedInResponse), (status = 401, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn accept_invitation(
    State(state): State<AppState>,
    Visitor(origin): Visitor,
    Requested(requested): Requested,
    jar: CookieJar,
    Json(request): Json<AcceptInvitationRequest>,
) -> Result<Response, Problem> {
    let acceptance = Acceptance {
        token: request.token,
        name: request.name,
        password: request.password,
    };
    let session = state
        .app
        .accept_invitation(&acceptance, &origin, requested)
        .await?;
    Ok(answer(&state, jar, session, request.cookies))
}
