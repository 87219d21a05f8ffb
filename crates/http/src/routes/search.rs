//! Searching for passages, without an answer.

use amebo_app::ask::checked_text;
use amebo_app::library::{Findings, Search};
use amebo_core::id::{ChunkId, DocumentId, KnowledgeBaseId, OrganizationId};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::Json;
use crate::problem::{Problem, ProblemDocument};

/// How many passages a search may ask for.
const MOST_PASSAGES: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(search_passages))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SearchRequest {
    /// A question, or words of it.
    text: String,
    /// Where to search; everywhere in use when absent or empty.
    #[serde(default)]
    knowledge_base_ids: Vec<KnowledgeBaseId>,
    /// How many passages, 1 to 100; 10 when absent.
    limit: Option<u32>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchResponse {
    /// The passages, best first.
    passages: Vec<FoundPassageResponse>,
    /// How many documents you may see were searched.
    documents_searched: usize,
    /// How many passages those hold.
    passages_searched: usize,
    /// Whether meaning was searched too, and not words alone.
    by_meaning: bool,
}

/// A passage of a document.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundPassageResponse {
    chunk_id: ChunkId,
    document_id: DocumentId,
    knowledge_base_id: KnowledgeBaseId,
    document_title: String,
    source_url: Option<String>,
    /// The headings above it, outermost first.
    heading_path: Vec<String>,
    /// The page it begins on, from 1.
    page: Option<u32>,
    content: String,
    /// Its first byte in the document's extracted text (UTF-8).
    range_start: usize,
    /// The byte after its last.
    range_end: usize,
    /// What ordered the passages; comparable within one search only.
    score: Option<f32>,
}

impl FoundPassageResponse {
    pub(crate) fn new(passage: amebo_app::store::Passage, score: Option<f32>) -> Self {
        Self {
            chunk_id: passage.id,
            document_id: passage.document,
            knowledge_base_id: passage.knowledge_base,
            document_title: passage.title,
            source_url: passage.source_url,
            heading_path: passage.heading_path,
            page: passage.page,
            content: passage.content,
            range_start: passage.range.start,
            range_end: passage.range.end,
            score,
        }
    }
}

impl From<Findings> for SearchResponse {
    fn from(findings: Findings) -> Self {
        Self {
            passages: findings
                .passages
                .into_iter()
                .map(|(hit, passage)| FoundPassageResponse::new(passage, Some(hit.score)))
                .collect(),
            documents_searched: findings.documents_in_scope,
            passages_searched: findings.passages_in_scope,
            by_meaning: findings.by_meaning,
        }
    }
}

/// Find passages you may see, without an answer. Nothing is stored.
#[utoipa::path(post, path = "/organizations/{organization_id}/search", tag = "Questions", request_body = SearchRequest,
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = SearchResponse), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn search_passages(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<SearchRequest>,
) -> Result<axum::Json<SearchResponse>, Problem> {
    let limit = request.limit.unwrap_or(10);
    let search = Search {
        text: checked_text(&request.text, "/text")?,
        knowledge_bases: request.knowledge_base_ids,
        readers: Vec::new(),
        limit: limit.clamp(1, MOST_PASSAGES) as usize,
    };
    Ok(axum::Json(state.app.find(&access, search).await?.into()))
}
