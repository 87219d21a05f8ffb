//! Documents in work, followed live (server-sent events).
//!
//! Each event tells the whole present state of one document, read from the database, so it does not matter which process does the
//! work, and a repeated event does no harm. The id of an event is where to go on after a broken connection. Whether the caller may
//! still follow is asked again every few seconds.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use amebo_app::Access;
use amebo_app::document::Progress;
use amebo_core::id::{DocumentId, KnowledgeBaseId, OrganizationId};
use axum::extract::{FromRequestParts as _, State};
use axum::http::request::Parts;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use chrono::{DateTime, TimeDelta, Utc};
use futures::Stream;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::DocumentResponse;
use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::Query;
use crate::problem::{Problem, ProblemDocument};

/// How often the database is asked.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is asked whether the caller may still follow.
const CHECK: Duration = Duration::from_secs(5);
/// How long a connection is kept; the client then connects anew.
const LONGEST: Duration = Duration::from_mins(10);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    // A query parameter's type does not register itself, and neither does the second event of a stream.
    #[derive(OpenApi)]
    #[openapi(components(schemas(Until, SummaryEvent)))]
    struct Types;
    OpenApiRouter::with_openapi(Types::openapi()).routes(routes!(follow_documents))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowQuery {
    knowledge_base_id: Option<KnowledgeBaseId>,
    until: Option<Until>,
}

/// When a stream ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Until {
    /// When nothing waits or is in work any more.
    Settled,
}

/// The event `document`.
#[derive(Serialize, ToSchema)]
struct DocumentEvent {
    document: DocumentResponse,
    /// How much of its passages is embedded, 0 to 1.
    fraction: f64,
    /// How long it may still take.
    remaining_seconds: Option<i64>,
}

/// The event `summary`: what is left of the whole organization's work.
#[derive(Serialize, ToSchema, PartialEq, Clone, Copy)]
struct SummaryEvent {
    /// Documents that wait or are in work.
    waiting: u64,
    /// How long they may still take altogether; null while there is nothing to go by.
    remaining_seconds: Option<i64>,
}

/// Follow documents in work: their status, progress and remaining time. Events are `document` and `summary`; after a broken connection
/// send the last id as `Last-Event-ID`.
#[utoipa::path(get, path = "/organizations/{organization_id}/documents/events", tag = "Documents",
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = Option<KnowledgeBaseId>, Query),
        ("until" = Option<Until>, Query), ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, body = DocumentEvent, content_type = "text/event-stream"), (status = 403, body = ProblemDocument),
        (status = 404, body = ProblemDocument)))]
async fn follow_documents(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<FollowQuery>,
    parts: Parts,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let since = parts
        .headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.parse().ok())
        .and_then(DateTime::from_timestamp_micros);
    let mut following = Following {
        state,
        parts,
        access,
        knowledge_base: query.knowledge_base_id,
        until: query.until,
        since,
        begun: Instant::now(),
        checked: Instant::now(),
        told: HashMap::new(),
        summary: None,
        pending: VecDeque::new(),
        ended: false,
    };
    // The first look is answered with a problem document when it fails.
    following.look().await?;
    let events = futures::stream::unfold(following, |mut following| async {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

struct Following {
    state: AppState,
    parts: Parts,
    access: Access,
    knowledge_base: Option<KnowledgeBaseId>,
    until: Option<Until>,
    since: Option<DateTime<Utc>>,
    begun: Instant,
    checked: Instant,
    /// What was last told of each document that changed lately.
    told: HashMap<DocumentId, DateTime<Utc>>,
    summary: Option<SummaryEvent>,
    pending: VecDeque<Event>,
    ended: bool,
}

impl Following {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if self.ended || self.begun.elapsed() > LONGEST {
                return None;
            }
            sleep(LOOK).await;
            if self.checked.elapsed() > CHECK {
                self.checked = Instant::now();
                let InOrganization(access) =
                    InOrganization::from_request_parts(&mut self.parts.clone(), &self.state)
                        .await
                        .ok()?;
                self.access = access;
            }
            self.look().await.ok()?;
        }
    }

    async fn look(&mut self) -> Result<(), Problem> {
        let progress = self
            .state
            .app
            .document_progress(&self.access, self.knowledge_base, self.since)
            .await?;
        self.since = Some(progress.cursor);
        let summary = SummaryEvent {
            waiting: progress.waiting,
            remaining_seconds: progress.remaining.map(seconds),
        };
        self.tell_documents(progress);
        if self.summary != Some(summary) {
            self.summary = Some(summary);
            self.push("summary", &summary);
        }
        self.ended = self.until == Some(Until::Settled) && summary.waiting == 0;
        Ok(())
    }

    fn tell_documents(&mut self, progress: Progress) {
        let forgotten = progress.cursor - TimeDelta::minutes(1);
        self.told.retain(|_, updated| *updated > forgotten);
        for (document, remaining) in progress.documents {
            if self.told.insert(document.id, document.updated_at) == Some(document.updated_at) {
                continue;
            }
            let event = DocumentEvent {
                fraction: fraction(document.chunks_done, document.chunk_count),
                remaining_seconds: remaining.map(seconds),
                document: document.into(),
            };
            self.push("document", &event);
        }
    }

    fn push(&mut self, name: &str, data: &impl Serialize) {
        let cursor = self
            .since
            .map(|since| since.timestamp_micros())
            .unwrap_or_default();
        match Event::default()
            .event(name)
            .id(cursor.to_string())
            .json_data(data)
        {
            Ok(event) => self.pending.push_back(event),
            Err(error) => tracing::error!(%error, "an event could not be written"),
        }
    }
}

fn seconds(time: TimeDelta) -> i64 {
    (time.num_milliseconds() + 999) / 1_000
}

fn fraction(done: u32, of: u32) -> f64 {
    if of == 0 {
        0.0
    } else {
        f64::from(done) / f64::from(of)
    }
}
