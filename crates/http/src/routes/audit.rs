//! Who did what in an organisation.

use amebo_app::Actor;
use amebo_app::audit::{AuditEntry, Filter, Reason, Verified};
use amebo_core::id::{AuditEntryId, OrganizationId};
use amebo_core::page::{Page, PageQuery};
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_audit_entries))
        .routes(routes!(verify_audit))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Done by this person or API key.
    actor_id: Option<Uuid>,
    /// This action, such as `member.update`.
    action: Option<String>,
    /// To this kind of thing, such as `member`.
    resource_type: Option<String>,
    /// To this one.
    resource_id: Option<Uuid>,
    /// Not before.
    since: Option<DateTime<Utc>>,
    /// Before.
    until: Option<DateTime<Utc>>,
    /// Where to continue; from `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct AuditEntryResponse {
    id: AuditEntryId,
    /// Its place in the chain, from 1.
    number: i64,
    actor: ActorResponse,
    action: String,
    resource_type: String,
    resource_id: Option<Uuid>,
    /// What changed.
    #[schema(value_type = Option<Object>)]
    details: Option<serde_json::Value>,
    ip: Option<String>,
    request_id: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ActorResponse {
    /// A signed-in person.
    User { id: Uuid },
    /// A program with an API key.
    ApiKey { id: Uuid },
    /// Amebo itself.
    System,
}

impl From<Actor> for ActorResponse {
    fn from(actor: Actor) -> Self {
        use amebo_core::id::Id as _;
        match actor {
            Actor::User(id) => Self::User { id: id.uuid() },
            Actor::ApiKey(id) => Self::ApiKey { id: id.uuid() },
            Actor::System => Self::System,
        }
    }
}

impl From<AuditEntry> for AuditEntryResponse {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            number: entry.number,
            actor: entry.actor.into(),
            action: entry.action,
            resource_type: entry.resource_type,
            resource_id: entry.resource_id,
            details: entry.details,
            ip: entry.ip,
            request_id: entry.request_id,
            created_at: entry.created_at,
        }
    }
}

/// What was done in the organization, newest first.
#[utoipa::path(get, path = "/organizations/{organization_id}/audit", tag = "Audit",
    params(("organization_id" = OrganizationId, Path), AuditQuery),
    responses((status = 200, body = Page<AuditEntryResponse>), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_audit_entries(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Query(query): Query<AuditQuery>,
) -> Result<axum::Json<Page<AuditEntryResponse>>, Problem> {
    let request = page(&PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    })?;
    let filter = Filter {
        actor: query.actor_id,
        action: query.action,
        resource_type: query.resource_type,
        resource_id: query.resource_id,
        since: query.since,
        until: query.until,
    };
    let entries = state.app.list_audit_entries(&access, &filter, &request).await?;
    Ok(axum::Json(entries.map(AuditEntryResponse::from)))
}

#[derive(Serialize, ToSchema)]
struct AuditVerificationResponse {
    /// Whether every entry follows from the one before.
    whole: bool,
    /// How many entries there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<i64>,
    /// Of how many the details were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<i64>,
    /// The hash at the head of the chain: kept elsewhere, it proves later that nothing up to here was rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    /// The first entry that does not follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<i64>,
    /// What is wrong with it, for programs and for pages in any language.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<AuditProblem>,
    /// The same in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// How a chain of entries breaks.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AuditProblem {
    /// The entry is not there, and later ones or the head are.
    Missing,
    /// It names another predecessor.
    Unlinked,
    /// It was changed after it was written.
    Altered,
    /// Its details or address were changed.
    DetailsAltered,
    /// It comes after the head, or the head is another.
    BeyondHead,
}

impl From<Reason> for AuditProblem {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Missing => Self::Missing,
            Reason::Unlinked => Self::Unlinked,
            Reason::Altered => Self::Altered,
            Reason::DetailsAltered => Self::DetailsAltered,
            Reason::BeyondHead => Self::BeyondHead,
        }
    }
}

/// Prove that nobody altered the audit log, or find the first entry that somebody did.
#[utoipa::path(get, path = "/organizations/{organization_id}/audit/verification", tag = "Audit",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = AuditVerificationResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn verify_audit(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
) -> Result<axum::Json<AuditVerificationResponse>, Problem> {
    let verified = state.app.verify_audit(&access).await?;
    Ok(axum::Json(match verified {
        Verified::Whole {
            entries,
            erased,
            head,
        } => AuditVerificationResponse {
            whole: true,
            entries: Some(entries),
            erased: Some(erased),
            head: Some(head),
            broken_at: None,
            problem: None,
            reason: None,
        },
        Verified::Broken { entry, reason } => AuditVerificationResponse {
            whole: false,
            entries: None,
            erased: None,
            head: None,
            broken_at: Some(entry),
            problem: Some(reason.into()),
            reason: Some(reason.to_string()),
        },
    }))
}
