//! Documents coming in: many files in one form, one file as the body, a web page by address, and other bytes for a document.

use amebo_app::document::{PageAddress, Received, Upload};
use amebo_core::document::Audience;
use amebo_core::id::{DocumentId, KnowledgeBaseId, OrganizationId};
use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::DocumentResponse;
use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem, ProblemDocument};

/// How many files one form may carry.
const MAX_FILES: usize = 1_000;
/// How many bytes a field beside the files may have.
const MAX_FIELD: usize = 32_768;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(upload_documents))
        .routes(routes!(upload_document))
        .routes(routes!(replace_document))
        // What an upload may weigh is the plan's to say, and is checked while it streams.
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(fetch_page))
}

/// What became of the files of an upload, in their order.
#[derive(Serialize, ToSchema)]
struct UploadResponse {
    items: Vec<UploadedFile>,
}

/// What became of one file.
#[derive(Serialize, ToSchema)]
struct UploadedFile {
    /// The file's name.
    name: String,
    /// The document that holds it; absent when it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<DocumentResponse>,
    /// Whether the knowledge base held the same bytes already; they are not processed twice.
    duplicate: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<FileProblem>,
}

/// Why a file was refused.
#[derive(Serialize, ToSchema)]
struct FileProblem {
    #[serde(rename = "type")]
    #[schema(example = "urn:amebo:problem:too-large")]
    kind: String,
    detail: String,
}

/// A document, and whether it is new.
#[derive(Serialize, ToSchema)]
struct ReceivedResponse {
    #[serde(flatten)]
    document: DocumentResponse,
    /// Whether the knowledge base held the same bytes already; they are not processed twice.
    duplicate: bool,
}

/// Files, with what counts for all of them in fields that come first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form to the API description")]
struct UploadForm {
    /// Who may see the documents, as JSON; every member of the organization when absent.
    audience: Option<Audience>,
    /// What is said of the documents, as JSON.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// As many as you like, up to 1,000.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadQuery {
    #[serde(default)]
    name: String,
    title: Option<String>,
    /// As JSON.
    audience: Option<String>,
    /// As JSON.
    metadata: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplaceQuery {
    name: Option<String>,
}

/// A web page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FetchPageRequest {
    #[schema(example = "https://example.com/handbook")]
    url: String,
    /// What the page says when absent.
    title: Option<String>,
    #[serde(default)]
    audience: Audience,
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
}

/// Upload files. Each is durable once it is answered and is processed in the background; one that is refused does not keep the others
/// out.
#[utoipa::path(post, path = "/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}/documents", tag = "Documents",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = KnowledgeBaseId, Path)),
    responses((status = 201, body = UploadResponse, description = "At least one document is new"),
        (status = 200, body = UploadResponse, description = "None is new"), (status = 403, body = ProblemDocument),
        (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 413, body = ProblemDocument),
        (status = 422, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
async fn upload_documents(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, KnowledgeBaseId)>,
    request: Request,
) -> Result<(StatusCode, axum::Json<UploadResponse>), Problem> {
    let (_, knowledge_base) = path;
    state.app.check_upload(&access, knowledge_base).await?;
    let mut form = Multipart::from_request(request, &state).await.map_err(|_| {
        Problem::new(
            Kind::UnsupportedMediaType,
            "send files as multipart/form-data, or one file as the body to …/documents/raw?name=…",
        )
    })?;
    let mut upload = Upload {
        knowledge_base,
        name: String::new(),
        title: None,
        metadata: Map::new(),
        audience: Audience::default(),
    };
    let mut files = Vec::new();
    let mut refused = None;
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        match field.name().unwrap_or_default() {
            "audience" => upload.audience = setting(field, "/audience").await?,
            "metadata" => upload.metadata = setting(field, "/metadata").await?,
            "file" => {
                if files.len() == MAX_FILES {
                    return Err(amebo_app::Error::invalid(
                        "/file",
                        "at most 1,000 files in one request; those before were taken",
                    )
                    .into());
                }
                upload.name = field.file_name().unwrap_or_default().to_owned();
                let received = state.app.receive_document(&access, &upload, field).await;
                let (file, problem) = outcome(&upload.name, received);
                files.push(file);
                refused = problem.or(refused);
            }
            other => {
                return Err(amebo_app::Error::invalid(
                    format!("/{other}"),
                    "unknown field; there are audience, metadata and file",
                )
                .into());
            }
        }
    }
    match (files.len(), refused) {
        (0, _) => Err(amebo_app::Error::invalid("/file", "send at least one file").into()),
        (1, Some(problem)) => Err(problem),
        _ => {
            let is_new = files
                .iter()
                .any(|file| file.document.is_some() && !file.duplicate);
            let status = if is_new {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            Ok((status, axum::Json(UploadResponse { items: files })))
        }
    }
}

/// Upload one file as the body of the request.
#[utoipa::path(post, path = "/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}/documents/raw", tag = "Documents",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = KnowledgeBaseId, Path),
        ("name" = Option<String>, Query, description = "The file's name; document when absent"), ("title" = Option<String>, Query),
        ("audience" = Option<String>, Query, description = "As JSON"), ("metadata" = Option<String>, Query, description = "As JSON")),
    responses((status = 201, body = ReceivedResponse), (status = 200, body = ReceivedResponse, description = "It was there already"),
        (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument),
        (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
async fn upload_document(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, KnowledgeBaseId)>,
    Query(query): Query<UploadQuery>,
    body: Body,
) -> Result<(StatusCode, axum::Json<ReceivedResponse>), Problem> {
    let (_, knowledge_base) = path;
    let upload = Upload {
        knowledge_base,
        name: query.name,
        title: query.title,
        metadata: parsed(query.metadata.as_deref(), "/metadata")?,
        audience: parsed(query.audience.as_deref(), "/audience")?,
    };
    let received = state
        .app
        .receive_document(&access, &upload, body.into_data_stream())
        .await?;
    Ok(answer(received))
}

/// Put other bytes in a document's place. Its passages stay findable until the new ones are.
#[utoipa::path(put, path = "/organizations/{organization_id}/documents/{document_id}/content", tag = "Documents",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path),
        ("name" = Option<String>, Query, description = "The file's new name")),
    responses((status = 200, body = ReceivedResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn replace_document(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
    Query(query): Query<ReplaceQuery>,
    body: Body,
) -> Result<axum::Json<ReceivedResponse>, Problem> {
    let (_, id) = path;
    let received = state
        .app
        .replace_document(&access, id, query.name.as_deref(), body.into_data_stream())
        .await?;
    Ok(answer(received).1)
}

/// Fetch a web page. One that is known already is replaced when it has changed.
#[utoipa::path(post, path = "/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}/documents/web-page", tag = "Documents",
    request_body = FetchPageRequest,
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = KnowledgeBaseId, Path)),
    responses((status = 201, body = ReceivedResponse), (status = 200, body = ReceivedResponse, description = "It has not changed"),
        (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument),
        (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn fetch_page(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, KnowledgeBaseId)>,
    Json(request): Json<FetchPageRequest>,
) -> Result<(StatusCode, axum::Json<ReceivedResponse>), Problem> {
    let (_, knowledge_base) = path;
    let page = PageAddress {
        knowledge_base,
        url: request.url,
        title: request.title,
        metadata: request.metadata,
        audience: request.audience,
    };
    let received = state.app.receive_page(&access, &page).await?;
    Ok(answer(received))
}

fn answer(received: Received) -> (StatusCode, axum::Json<ReceivedResponse>) {
    let status = if received.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let response = ReceivedResponse {
        document: received.document.into(),
        duplicate: !received.is_new,
    };
    (status, axum::Json(response))
}

fn outcome(name: &str, received: amebo_app::Result<Received>) -> (UploadedFile, Option<Problem>) {
    match received {
        Ok(received) => {
            let file = UploadedFile {
                name: name.to_owned(),
                document: Some(received.document.into()),
                duplicate: !received.is_new,
                problem: None,
            };
            (file, None)
        }
        Err(error) => {
            let problem = Problem::from(error);
            let file = UploadedFile {
                name: name.to_owned(),
                document: None,
                duplicate: false,
                problem: Some(FileProblem {
                    kind: problem.kind().urn(),
                    detail: problem.detail().to_owned(),
                }),
            };
            (file, Some(problem))
        }
    }
}

/// A small field of the form, as JSON.
async fn setting<T: DeserializeOwned + Default>(mut field: Field<'_>, pointer: &str) -> Result<T, Problem> {
    let mut bytes = Vec::new();
    while let Some(part) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&part);
        if bytes.len() > MAX_FIELD {
            return Err(amebo_app::Error::invalid(pointer, "at most 32,768 bytes").into());
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| amebo_app::Error::invalid(pointer, "not UTF-8"))?;
    parsed(Some(&text), pointer)
}

fn parsed<T: DeserializeOwned + Default>(text: Option<&str>, pointer: &str) -> Result<T, Problem> {
    match text {
        None => Ok(T::default()),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| amebo_app::Error::invalid(pointer, error.to_string()).into()),
    }
}

fn broken(error: &MultipartError) -> Problem {
    Problem::new(
        Kind::MalformedRequest,
        format!("the form could not be read to its end: {}", error.body_text()),
    )
}
