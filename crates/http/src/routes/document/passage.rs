//! The text of documents and their passages.

use amebo_app::store::{Passage, TextWindow};
use amebo_core::id::{ChunkId, DocumentId, KnowledgeBaseId, OrganizationId};
use amebo_core::page::PageQuery;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_document_text))
        .routes(routes!(list_passages))
        .routes(routes!(get_passage))
}

/// A stretch of a document's extracted text.
#[derive(Serialize, ToSchema)]
struct TextResponse {
    /// Whole characters only.
    content: String,
    /// Where it begins, in bytes of the whole text.
    start: usize,
    /// Where it ends.
    end: usize,
    /// How many bytes the whole text has.
    length: usize,
    /// What extraction left out and why.
    warnings: Vec<String>,
}

/// A passage: what is found and cited.
#[derive(Serialize, ToSchema)]
struct PassageResponse {
    id: ChunkId,
    document_id: DocumentId,
    knowledge_base_id: KnowledgeBaseId,
    document_title: String,
    source_url: Option<String>,
    /// Its place among the document's passages, from 0.
    index: u32,
    content: String,
    /// Where it begins in the document's text, in bytes.
    start: usize,
    /// Where it ends.
    end: usize,
    /// The page it begins on, counted from 1.
    page: Option<u32>,
    /// The headings above it, outermost first.
    heading_path: Vec<String>,
}

/// A passage with the text around it.
#[derive(Serialize, ToSchema)]
struct PassageInContextResponse {
    #[serde(flatten)]
    passage: PassageResponse,
    /// The document's text around it, the passage included.
    surrounding: Option<TextResponse>,
}

/// A page of passages.
#[derive(Serialize, ToSchema)]
struct PassagePage {
    items: Vec<PassageResponse>,
    /// What to pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

impl From<TextWindow> for TextResponse {
    fn from(window: TextWindow) -> Self {
        Self {
            content: window.content,
            start: window.range.start,
            end: window.range.end,
            length: window.length,
            warnings: window.warnings,
        }
    }
}

impl From<Passage> for PassageResponse {
    fn from(passage: Passage) -> Self {
        Self {
            id: passage.id,
            document_id: passage.document,
            knowledge_base_id: passage.knowledge_base,
            document_title: passage.title,
            source_url: passage.source_url,
            index: passage.index,
            content: passage.content,
            start: passage.range.start,
            end: passage.range.end,
            page: passage.page,
            heading_path: passage.heading_path,
        }
    }
}

#[derive(Deserialize)]
struct TextQuery {
    #[serde(default)]
    start: usize,
    #[serde(default = "whole_window")]
    length: usize,
}

fn whole_window() -> usize {
    20_000
}

/// A stretch of the text that was extracted from a document.
#[utoipa::path(get, path = "/organizations/{organization_id}/documents/{document_id}/text", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path),
        ("start" = Option<usize>, Query, description = "In bytes; 0 when absent"),
        ("length" = Option<usize>, Query, description = "In bytes, at most 200,000; 20,000 when absent")),
    responses((status = 200, body = TextResponse), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn get_document_text(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
    Query(query): Query<TextQuery>,
) -> Result<axum::Json<TextResponse>, Problem> {
    let (_, id) = path;
    let range = query.start..query.start.saturating_add(query.length);
    let window = state.app.document_text(&access, id, range).await?;
    Ok(axum::Json(window.into()))
}

/// The passages of a document, in order.
#[utoipa::path(get, path = "/organizations/{organization_id}/documents/{document_id}/passages", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path), ("cursor" = Option<String>, Query),
        ("limit" = Option<u32>, Query)),
    responses((status = 200, body = PassagePage), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn list_passages(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<PassagePage>, Problem> {
    let (_, id) = path;
    let found = state
        .app
        .passages(&access, id, page(&query)?)
        .await?
        .map(PassageResponse::from);
    Ok(axum::Json(PassagePage {
        items: found.items,
        next_cursor: found.next_cursor,
    }))
}

/// One passage, with the text around it.
#[utoipa::path(get, path = "/organizations/{organization_id}/passages/{passage_id}", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("passage_id" = ChunkId, Path)),
    responses((status = 200, body = PassageInContextResponse), (status = 404, body = ProblemDocument)))]
async fn get_passage(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, ChunkId)>,
) -> Result<axum::Json<PassageInContextResponse>, Problem> {
    let (_, id) = path;
    let found = state.app.passage(&access, id).await?;
    Ok(axum::Json(PassageInContextResponse {
        passage: found.passage.into(),
        surrounding: found.surrounding.map(TextResponse::from),
    }))
}
