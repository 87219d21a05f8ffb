//! Asking questions, and reading what was asked.

use std::convert::Infallible;
use std::time::Duration;

use amebo_app::analytics::{QuestionFilter, QuestionKey};
use amebo_app::ask::{Ask, AskEvent, Asking, FollowUp};
use amebo_core::answer::{Origin, Outcome, Rating};
use amebo_core::id::{ChunkId, DocumentId, KnowledgeBaseId, OrganizationId, QuestionId, SessionId};
use amebo_core::page::{Page, PageQuery};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use futures::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{AnsweredResponse, QuestionResponse};
use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

/// How often a silent stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(ask_question, list_questions))
        .routes(routes!(get_question))
        .routes(routes!(list_follow_ups))
        .routes(routes!(share_question, unshare_question))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskRequest {
    /// The question, in any language; at most 8,000 characters.
    #[schema(example = "How many days of paid leave do new employees get?")]
    text: String,
    /// The session it belongs to. Follow-up questions are understood from what was asked there before.
    session_id: Option<SessionId>,
    /// The knowledge bases to search; all that are in use when absent or empty.
    #[serde(default)]
    knowledge_base_ids: Vec<KnowledgeBaseId>,
    /// Whether the question says all by itself: then nothing asked before in the session is carried over to it.
    #[serde(default)]
    standalone: bool,
}

/// Ask a question. It ends in exactly one stored outcome, even if you do not wait for it.
///
/// With `Accept: text/event-stream` the answer comes as events: `question` (its id), `sources` (what may be cited), any number of
/// `token`s, `restart` when the text so far does not count, and `verdict` with what a plain request would answer.
#[utoipa::path(post, path = "/organizations/{organization_id}/questions", tag = "Questions", request_body = AskRequest,
    params(("organization_id" = OrganizationId, Path)),
    responses(
        (status = 200, description = "The outcome", content((AnsweredResponse = "application/json"), (String = "text/event-stream"))),
        (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn ask_question(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<AskRequest>,
) -> Result<Response, Problem> {
    let ask = Ask {
        origin: match request.session_id {
            Some(_) => Origin::Session,
            None if access.is_terminal() => Origin::Terminal,
            None => Origin::Api,
        },
        text: request.text,
        session: request.session_id,
        knowledge_bases: request.knowledge_base_ids,
        history: Vec::new(),
        is_standalone: request.standalone,
    };
    let asking = state.app.ask(&access, ask).await?;
    if wants_events(&headers) {
        let events = Sse::new(events(asking)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
        return Ok(events.into_response());
    }
    let settled = asking.settled().await?;
    Ok(axum::Json(AnsweredResponse::from(settled)).into_response())
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"))
}

#[derive(Serialize)]
struct SourceEvent {
    /// As in the marks `[1]`, `[2]` of the text.
    number: usize,
    chunk_id: ChunkId,
    document_id: DocumentId,
    document_title: String,
    heading_path: Vec<String>,
}

fn events(asking: Asking) -> impl Stream<Item = Result<Event, Infallible>> {
    let began = event("question", &serde_json::json!({ "question_id": asking.question }));
    let rest = stream::unfold(Some(asking), |asking| async move {
        let mut asking = asking?;
        Some(match asking.next().await {
            Some(AskEvent::Sources(sources)) => {
                let sources: Vec<SourceEvent> = sources
                    .into_iter()
                    .map(|source| SourceEvent {
                        number: source.number,
                        chunk_id: source.chunk,
                        document_id: source.document,
                        document_title: source.title,
                        heading_path: source.heading_path,
                    })
                    .collect();
                (event("sources", &sources), Some(asking))
            }
            Some(AskEvent::Token(text)) => {
                (event("token", &serde_json::json!({ "text": text })), Some(asking))
            }
            Some(AskEvent::Restart) => (event("restart", &serde_json::json!({})), Some(asking)),
            Some(AskEvent::Settled(settled)) => (event("verdict", &AnsweredResponse::from(*settled)), None),
            None => (
                event(
                    "error",
                    &serde_json::json!({ "detail": "the outcome could not be stored; ask again shortly" }),
                ),
                None,
            ),
        })
    });
    stream::once(async { began }).chain(rest).map(Ok)
}

fn event(name: &'static str, data: &impl Serialize) -> Event {
    // Serialising our own plain structures does not fail; if it did, the event would come without data.
    let event = Event::default().event(name);
    match serde_json::to_string(data) {
        Ok(json) => event.data(json),
        Err(_) => event,
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuestionsQuery {
    /// Only those that ended so.
    outcome: Option<Outcome>,
    /// Only those whose answer was rated so.
    rating: Option<Rating>,
    /// Only those asked there.
    origin: Option<Origin>,
    /// Where to continue; from `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// What everybody asked, the latest first; for those who may read transcripts.
#[utoipa::path(get, path = "/organizations/{organization_id}/questions", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ListQuestionsQuery),
    responses((status = 200, body = Page<QuestionResponse>), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_questions(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<ListQuestionsQuery>,
) -> Result<axum::Json<Page<QuestionResponse>>, Problem> {
    let filter = QuestionFilter {
        outcome: query.outcome,
        rating: query.rating,
        origin: query.origin,
    };
    let request = page::<QuestionKey>(&PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    })?;
    let questions = state.app.transcripts(&access, &filter, &request).await?;
    Ok(axum::Json(questions.map(QuestionResponse::from)))
}

/// One question with its answer: your own, one that was shared, or anybody's if you may read transcripts. What rests on documents you
/// may not see is left out; of a shared one of which nothing is left there is no such question for you.
#[utoipa::path(get, path = "/organizations/{organization_id}/questions/{question_id}", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ("question_id" = QuestionId, Path)),
    responses((status = 200, body = QuestionResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn get_question(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, question)): Path<(OrganizationId, QuestionId)>,
) -> Result<axum::Json<QuestionResponse>, Problem> {
    let question = state.app.question(&access, question).await?;
    Ok(axum::Json(question.into()))
}

/// A part of a document to ask about next.
#[derive(Serialize, ToSchema)]
struct FollowUpResponse {
    document_id: DocumentId,
    document_title: String,
    /// The part's own heading.
    heading: String,
    /// The headings above it and its own, outermost first.
    heading_path: Vec<String>,
}

impl From<FollowUp> for FollowUpResponse {
    fn from(follow_up: FollowUp) -> Self {
        Self {
            document_id: follow_up.document,
            document_title: follow_up.document_title,
            heading: follow_up.heading_path.last().cloned().unwrap_or_default(),
            heading_path: follow_up.heading_path,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct FollowUpList {
    items: Vec<FollowUpResponse>,
}

/// What could be asked after an answer: at most three parts of documents near it that it does not rest on, by their headings.
#[utoipa::path(get, path = "/organizations/{organization_id}/questions/{question_id}/follow-ups", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ("question_id" = QuestionId, Path)),
    responses((status = 200, body = FollowUpList), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_follow_ups(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, question)): Path<(OrganizationId, QuestionId)>,
) -> Result<axum::Json<FollowUpList>, Problem> {
    let found = state.app.follow_ups(&access, question).await?;
    Ok(axum::Json(FollowUpList {
        items: found.into_iter().map(FollowUpResponse::from).collect(),
    }))
}

/// Share your question and its answer with the organization: members who may see the documents it rests on can open it. The audit log
/// shows it.
#[utoipa::path(put, path = "/organizations/{organization_id}/questions/{question_id}/share", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ("question_id" = QuestionId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn share_question(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, question)): Path<(OrganizationId, QuestionId)>,
) -> Result<StatusCode, Problem> {
    state.app.share_question(&access, question, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keep a shared question to yourself again.
#[utoipa::path(delete, path = "/organizations/{organization_id}/questions/{question_id}/share", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ("question_id" = QuestionId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn unshare_question(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, question)): Path<(OrganizationId, QuestionId)>,
) -> Result<StatusCode, Problem> {
    state.app.share_question(&access, question, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
