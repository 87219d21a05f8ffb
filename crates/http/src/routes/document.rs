//! Documents: listing, looking, changing, removing. How they come in is in `upload`, how they are followed in `follow`.

mod follow;
mod passage;
mod upload;

use amebo_app::document::DocumentForm;
use amebo_app::store::{Document, DocumentFilter};
use amebo_core::document::{Audience, DocumentStatus};
use amebo_core::failure::Failure;
use amebo_core::id::{DocumentId, KnowledgeBaseId, OrganizationId, SourceId, UserId};
use amebo_core::page::PageQuery;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_documents))
        .routes(routes!(get_document, update_document, delete_document))
        .routes(routes!(reindex_document))
        .routes(routes!(download_document))
        .merge(upload::routes())
        .merge(follow::routes())
        .merge(passage::routes())
}

/// A document.
#[derive(Serialize, ToSchema)]
struct DocumentResponse {
    id: DocumentId,
    knowledge_base_id: KnowledgeBaseId,
    source_id: SourceId,
    title: String,
    original_name: String,
    /// Decided by content; null until the text is extracted.
    mime_type: Option<String>,
    size_bytes: u64,
    /// SHA-256 of the original, hexadecimal.
    content_hash: String,
    /// Where it was fetched from.
    source_url: Option<String>,
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    audience: Audience,
    /// Grows when the content is replaced or processed anew.
    version: i32,
    status: DocumentStatus,
    /// Why processing failed and what to do.
    error: Option<String>,
    /// The same for programs: a code, with the figures that the sentence names. Absent for what failed before there were codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// Pages, slides or sheets; 0 where there are none.
    pages: u32,
    /// Passages.
    chunk_count: u32,
    /// How many of them have been embedded.
    chunks_done: u32,
    uploaded_by: Option<UserId>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// When it last became findable or failed.
    processed_at: Option<DateTime<Utc>>,
}

impl From<Document> for DocumentResponse {
    fn from(document: Document) -> Self {
        Self {
            id: document.id,
            knowledge_base_id: document.knowledge_base,
            source_id: document.source,
            title: document.title,
            original_name: document.original_name,
            mime_type: document.mime_type,
            size_bytes: document.size_bytes,
            content_hash: hex::encode(document.content_hash),
            source_url: document.source_url,
            metadata: document.metadata,
            audience: document.audience,
            version: document.version,
            status: document.status,
            error: document.error,
            failure: document.failure,
            pages: document.pages,
            chunk_count: document.chunk_count,
            chunks_done: document.chunks_done,
            uploaded_by: document.uploaded_by,
            created_at: document.created_at,
            updated_at: document.updated_at,
            processed_at: document.processed_at,
        }
    }
}

/// A page of documents.
#[derive(Serialize, ToSchema)]
struct DocumentPage {
    items: Vec<DocumentResponse>,
    /// What to pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct ListQuery {
    knowledge_base_id: Option<KnowledgeBaseId>,
    status: Option<DocumentStatus>,
    text: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateDocumentRequest {
    /// 1 to 500 characters. A new title is part of what is searched, so the document is processed anew.
    title: Option<String>,
    /// Replaces what was said of the document.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// Who may see it, from now on.
    audience: Option<Audience>,
}

/// The documents you may see, newest first.
#[utoipa::path(get, path = "/organizations/{organization_id}/documents", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = Option<KnowledgeBaseId>, Query),
        ("status" = Option<DocumentStatus>, Query), ("text" = Option<String>, Query, description = "Part of the title or file name"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = DocumentPage), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn list_documents(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<DocumentPage>, Problem> {
    let filter = DocumentFilter {
        knowledge_base: query.knowledge_base_id,
        status: query.status,
        text: query.text.filter(|text| !text.is_empty()),
    };
    let asked = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let found = state
        .app
        .documents(&access, page(&asked)?, &filter)
        .await?
        .map(DocumentResponse::from);
    Ok(axum::Json(DocumentPage {
        items: found.items,
        next_cursor: found.next_cursor,
    }))
}

/// One document.
#[utoipa::path(get, path = "/organizations/{organization_id}/documents/{document_id}", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path)),
    responses((status = 200, body = DocumentResponse), (status = 404, body = ProblemDocument)))]
async fn get_document(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
) -> Result<axum::Json<DocumentResponse>, Problem> {
    let (_, id) = path;
    Ok(axum::Json(state.app.document(&access, id).await?.into()))
}

/// Change what is said of a document or who may see it.
#[utoipa::path(patch, path = "/organizations/{organization_id}/documents/{document_id}", tag = "Documents",
    request_body = UpdateDocumentRequest,
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path)),
    responses((status = 200, body = DocumentResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 422, body = ProblemDocument)))]
async fn update_document(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
    Json(request): Json<UpdateDocumentRequest>,
) -> Result<axum::Json<DocumentResponse>, Problem> {
    let (_, id) = path;
    let form = DocumentForm {
        title: request.title,
        metadata: request.metadata,
        audience: request.audience,
    };
    let document = state.app.update_document(&access, id, &form).await?;
    Ok(axum::Json(document.into()))
}

/// Delete a document: from answers and storage, at once.
#[utoipa::path(delete, path = "/organizations/{organization_id}/documents/{document_id}", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn delete_document(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
) -> Result<StatusCode, Problem> {
    let (_, id) = path;
    state.app.delete_document(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Process a document anew. Its passages stay findable until the new ones are.
#[utoipa::path(post, path = "/organizations/{organization_id}/documents/{document_id}/reindex", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path)),
    responses((status = 202, body = DocumentResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn reindex_document(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
) -> Result<(StatusCode, axum::Json<DocumentResponse>), Problem> {
    let (_, id) = path;
    let document = state.app.reindex_document(&access, id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(document.into())))
}

/// The original of a document. Always sent as a file to be saved, never to be shown by a browser.
#[utoipa::path(get, path = "/organizations/{organization_id}/documents/{document_id}/content", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path)),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"), (status = 404, body = ProblemDocument)))]
async fn download_document(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
) -> Result<(HeaderMap, Body), Problem> {
    let (_, id) = path;
    let download = state.app.download_document(&access, id).await?;
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(download.document.size_bytes),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        attachment(&download.document.original_name),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    Ok((headers, Body::from_stream(download.bytes)))
}

/// The header that has a file saved under its name (RFC 6266, RFC 8187).
fn attachment(name: &str) -> HeaderValue {
    let encoded = urlencoding::encode(name);
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}
