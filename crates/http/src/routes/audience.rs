//! For whose eyes an answer was given.

use amebo_app::slack::why::{Source, Why};
use amebo_app::slack::{Explained, ReaderStanding};
use amebo_core::document::Audience;
use amebo_core::id::{DocumentId, OrganizationId, QuestionId};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::Path;
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(explain_audience))
}

/// For whose eyes an answer was given, and why they may see what it rests on.
#[derive(Serialize, ToSchema)]
struct AudienceResponse {
    readers: AudienceReaders,
    /// What it rests on, as far as you may see it.
    sources: Vec<AudienceSourceResponse>,
}

/// For whom an answer was given.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum AudienceReaders {
    /// For the asker alone.
    Asker { standing: AskerStanding },
    /// For everybody who reads a place of a channel.
    Place {
        /// The platform's id of it.
        place: String,
        /// What it is called, as far as that is known and you may see the channels.
        name: Option<String>,
        /// How many people read it, as far as they were looked at.
        people: u32,
        /// How many of them are members of the organization.
        members: u32,
        /// How many more count as colleagues, because administrators said so.
        colleagues: u32,
        /// How many are from outside, or not known.
        outsiders: u32,
        /// Whether people of other companies may be in it.
        shared: bool,
    },
}

/// What an asker is to the organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AskerStanding {
    /// A member, with a role and a place.
    Member,
    /// Somebody who may know what every member may.
    Colleague,
    /// Somebody from outside.
    Outsider,
}

#[derive(Serialize, ToSchema)]
struct AudienceSourceResponse {
    document_id: DocumentId,
    document_title: String,
    audience: Audience,
    /// Whether the answer's readers may see it now.
    holds: bool,
    /// Why, in words.
    because: String,
}

impl AudienceReaders {
    fn new(readers: Explained, name: Option<String>) -> Self {
        match readers {
            Explained::Asker { standing } => Self::Asker {
                standing: match standing {
                    ReaderStanding::Member => AskerStanding::Member,
                    ReaderStanding::Colleague => AskerStanding::Colleague,
                    ReaderStanding::Outsider => AskerStanding::Outsider,
                },
            },
            Explained::Place {
                place,
                people,
                members,
                colleagues,
                outsiders,
                shared,
            } => Self::Place {
                place,
                name,
                people,
                members,
                colleagues,
                outsiders,
                shared,
            },
        }
    }
}

impl From<Source> for AudienceSourceResponse {
    fn from(source: Source) -> Self {
        Self {
            document_id: source.document,
            document_title: source.title,
            audience: source.audience,
            holds: source.holds,
            because: source.because,
        }
    }
}

/// Why the readers of an answer may see what it rests on; for whoever may read the question.
#[utoipa::path(get, path = "/organizations/{organization_id}/questions/{question_id}/audience", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ("question_id" = QuestionId, Path)),
    responses((status = 200, body = AudienceResponse), (status = 404, body = ProblemDocument)))]
async fn explain_audience(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, question)): Path<(OrganizationId, QuestionId)>,
) -> Result<axum::Json<AudienceResponse>, Problem> {
    let Why { readers, sources } = state.app.why_seen(&access, question).await?;
    let name = match &readers {
        Explained::Place { place, .. } => state.app.place_name(&access, question, place).await?,
        Explained::Asker { .. } => None,
    };
    Ok(axum::Json(AudienceResponse {
        readers: AudienceReaders::new(readers, name),
        sources: sources.into_iter().map(AudienceSourceResponse::from).collect(),
    }))
}
