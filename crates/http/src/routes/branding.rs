//! What an organisation's pages carry: its logo, and links to its public profiles.

use amebo_app::branding::{LARGEST_LOGO, SocialLink};
use amebo_core::id::OrganizationId;
use amebo_core::organization::SocialPlatform;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path};
use crate::problem::{Kind, Problem, ProblemDocument};

/// A picture is shown and does nothing else, even when somebody opens it by its address.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
/// How long browsers go without asking again.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(fetch_logo))
        .routes(routes!(set_logo, remove_logo))
        // One byte more than allowed, so that what is too large is told so.
        .layer(DefaultBodyLimit::max(LARGEST_LOGO + 1))
        .routes(routes!(list_social_links, set_social_links))
}

/// The logo of the organization at an address, for anybody: the page on which people sign in shows it.
#[utoipa::path(get, path = "/logos/{slug}", tag = "Organization", security(()), params(("slug" = String, Path)),
    responses((status = 200, description = "The picture", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))),
        (status = 304, description = "The caller has it"), (status = 404, body = ProblemDocument)))]
async fn fetch_logo(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let logo = state.app.logo(&slug).await?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", logo.version)).map_err(amebo_app::Error::internal)?;
    let about = [
        (header::CONTENT_TYPE, HeaderValue::from_static(logo.kind.as_str())),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, KEPT),
        (header::ETAG, etag.clone()),
    ];
    if headers.get(header::IF_NONE_MATCH) == Some(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    Ok((about, logo.content).into_response())
}

/// Put a logo on the organization's pages: a PNG, JPEG or WebP picture of at most 256 kB and 2,048 pixels in width and height as the body.
/// Its bytes say what it is, whatever `Content-Type` does.
#[utoipa::path(put, path = "/organizations/{organization_id}/logo", tag = "Organization",
    params(("organization_id" = OrganizationId, Path)), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_logo(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body.map_err(|_| Problem::new(Kind::TooLarge, "a logo has at most 256 kB"))?;
    state.app.set_logo(&access, body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the logo off the organization's pages.
#[utoipa::path(delete, path = "/organizations/{organization_id}/logo", tag = "Organization",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn remove_logo(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<StatusCode, Problem> {
    state.app.remove_logo(&access).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A public profile.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SocialLinkBody {
    platform: SocialPlatform,
    /// An https address on the platform.
    #[schema(example = "https://www.linkedin.com/company/example")]
    url: String,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SocialLinks {
    /// At most one on each platform.
    items: Vec<SocialLinkBody>,
}

impl From<SocialLink> for SocialLinkBody {
    fn from(link: SocialLink) -> Self {
        Self {
            platform: link.platform,
            url: link.url,
        }
    }
}

fn view(links: Vec<SocialLink>) -> axum::Json<SocialLinks> {
    let items = links.into_iter().map(SocialLinkBody::from).collect();
    axum::Json(SocialLinks { items })
}

/// The organization's public profiles.
#[utoipa::path(get, path = "/organizations/{organization_id}/social-links", tag = "Organization",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = SocialLinks), (status = 404, body = ProblemDocument)))]
async fn list_social_links(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<SocialLinks>, Problem> {
    Ok(view(state.app.social_links(&access).await?))
}

/// Put these public profiles in the place of those before.
#[utoipa::path(put, path = "/organizations/{organization_id}/social-links", tag = "Organization",
    params(("organization_id" = OrganizationId, Path)), request_body = SocialLinks,
    responses((status = 200, body = SocialLinks), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_social_links(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<SocialLinks>,
) -> Result<axum::Json<SocialLinks>, Problem> {
    let links = request
        .items
        .into_iter()
        .map(|link| SocialLink {
            platform: link.platform,
            url: link.url,
        })
        .collect();
    Ok(view(state.app.set_social_links(&access, links).await?))
}
