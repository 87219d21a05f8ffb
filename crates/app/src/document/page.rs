//! Web pages: fetched once by address, or read again for a source.

use amebo_core::document::{Audience, SourceKind};
use amebo_core::failure::{Failure, FailureCode};
use amebo_core::id::KnowledgeBaseId;
use amebo_core::permission::{Action, Resource};
use amebo_outbound as outbound;
use amebo_store::Permit;
use amebo_store::blob::Stored;
use amebo_store::source::Source;
use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use super::limits;
use super::receive::{Origin, Received, Refused, Upload, check, discard, file_name, insert, replace};
use crate::reason::Reason;
use crate::{Access, App, Error, Result};

/// A web page to be taken in.
#[derive(Debug, Clone)]
pub struct PageAddress {
    /// The knowledge base it goes to.
    pub knowledge_base: KnowledgeBaseId,
    /// Where it is.
    pub url: String,
    /// As people see it; from the address when absent.
    pub title: Option<String>,
    /// What is said of it.
    pub metadata: Map<String, Value>,
    /// Who may see it.
    pub audience: Audience,
}

/// Why a page was not read.
#[derive(Debug)]
pub(crate) struct Unread {
    /// What to tell.
    pub(crate) reason: Reason,
    /// Whether it may be readable shortly.
    pub(crate) is_temporary: bool,
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        let is_temporary = matches!(
            error,
            Error::Unavailable(_) | Error::Internal(_) | Error::RateLimited { .. }
        );
        Self {
            reason: Reason::from(&error),
            is_temporary,
        }
    }
}

impl From<amebo_store::Error> for Unread {
    fn from(error: amebo_store::Error) -> Self {
        Error::from(error).into()
    }
}

impl App {
    /// Fetches a web page and takes it in. A page that is known already is replaced when it has changed.
    pub async fn receive_page(&self, access: &Access, page: &PageAddress) -> Result<Received> {
        let permit = access.permit(Resource::Document, Action::Create)?;
        let url = web_address(&page.url)?;
        let upload = page_upload(
            page.knowledge_base,
            &url,
            page.title.clone(),
            page.metadata.clone(),
            page.audience.clone(),
        );
        check(&upload, access)?;
        let _pass = self.uploads.enter(access.organization()).await?;
        self.open_knowledge_base(&permit, page.knowledge_base).await?;
        let limit = limits(self, &permit).await?.upload_bytes;
        let body = self.fetch_web_page(&url, limit).await.map_err(not_fetched)?;
        let bytes = futures::stream::iter([Ok::<_, std::io::Error>(body)]);
        let stored = self.keep(&permit, page.knowledge_base, bytes).await?;
        let origin = Origin {
            kind: SourceKind::Web,
            source: None,
            url: Some(&url),
        };
        let received = self.accept(access, &permit, &upload, origin, &stored).await;
        self.unless_refused(&permit, &stored, received).await
    }

    /// Reads the page of a source again. Whether it says something new.
    pub(crate) async fn read_page(
        &self,
        permit: &Permit,
        source: &Source,
        address: &str,
    ) -> Result<bool, Unread> {
        let url = web_address(address)?;
        self.open_knowledge_base(permit, source.knowledge_base)
            .await
            .map_err(closed)?;
        let _pass = self.uploads.enter(permit.organization()).await?;
        let limit = limits(self, permit).await?.upload_bytes;
        let body = self
            .fetch_web_page(&url, limit)
            .await
            .map_err(NotFetched::unread)?;
        let bytes = futures::stream::iter([Ok::<_, std::io::Error>(body)]);
        let stored = self.keep(permit, source.knowledge_base, bytes).await?;
        let taken = self.take_page(permit, source, &url, &stored).await;
        let taken = self.unless_refused(permit, &stored, taken).await?;
        Ok(taken.is_new)
    }

    /// Makes the document of a source's page, or puts what the page says now in its place.
    async fn take_page(
        &self,
        permit: &Permit,
        source: &Source,
        url: &Url,
        stored: &Stored,
    ) -> Result<Received> {
        let limits = limits(self, permit).await?;
        let mut tx = self.store.begin(permit).await?;
        let before = tx
            .documents()
            .by_source_url(source.knowledge_base, url.as_str())
            .await?;
        let received = if let Some(before) = before {
            tx.sources().adopt(source.id, before.id).await?;
            replace(
                &mut tx,
                &before,
                stored,
                file_name(&page_name(url)),
                limits.storage_bytes,
            )
            .await?
        } else if let Some(known) = tx
            .documents()
            .by_content(source.knowledge_base, &stored.sha256)
            .await?
        {
            discard(&mut tx, stored).await?;
            tx.commit().await?;
            tracing::debug!(document = %known.id, "a page says what another document says already");
            return Ok(Received {
                document: known,
                is_new: false,
            });
        } else {
            let upload = page_upload(
                source.knowledge_base,
                url,
                source.title().map(str::to_owned),
                Map::new(),
                source.audience.clone().unwrap_or_default(),
            );
            let origin = Origin {
                kind: source.kind,
                source: Some(source.id),
                url: Some(url),
            };
            match insert(&mut tx, &upload, origin, stored, &limits).await {
                Ok(document) => Received {
                    document,
                    is_new: true,
                },
                Err(Refused::Raced) => return Err(Error::Unavailable("the page's document")),
                Err(Refused::Error(error)) => return Err(error),
            }
        };
        tx.commit().await?;
        Ok(received)
    }

    async fn fetch_web_page(&self, url: &Url, limit: u64) -> Result<Bytes, NotFetched> {
        let page = self
            .web
            .page(url.clone(), usize::try_from(limit).unwrap_or(usize::MAX))
            .await
            .map_err(NotFetched::Failed)?;
        if page.status.is_success() {
            Ok(page.body)
        } else {
            Err(NotFetched::Answered(page.status.as_u16()))
        }
    }
}

/// Why a page did not come.
#[derive(Debug)]
enum NotFetched {
    /// The request brought nothing.
    Failed(outbound::Error),
    /// It answered with this status instead.
    Answered(u16),
}

impl NotFetched {
    fn reason(&self) -> Reason {
        match self {
            Self::Failed(error) => Reason::from(error),
            Self::Answered(status) => Reason::new(
                format!("the page answered {status} instead of its content"),
                Failure::from(FailureCode::PageAnswered).with_status(*status),
            ),
        }
    }

    fn unread(self) -> Unread {
        Unread {
            is_temporary: match &self {
                Self::Failed(error) => matches!(
                    error,
                    outbound::Error::Unresolved { .. }
                        | outbound::Error::Connect { .. }
                        | outbound::Error::Socket { .. }
                        | outbound::Error::Timeout { .. }
                        | outbound::Error::Interrupted(_)
                ),
                Self::Answered(status) => *status == 429 || *status >= 500,
            },
            reason: self.reason(),
        }
    }
}

fn not_fetched(failure: NotFetched) -> Error {
    match failure {
        NotFetched::Failed(outbound::Error::TooLarge { limit }) => Error::TooLarge { limit: limit as u64 },
        other => Error::invalid("/url", other.reason().sentence),
    }
}

/// A knowledge base that is archived or gone takes no page.
fn closed(error: Error) -> Unread {
    match error {
        Error::Conflict(_) | Error::NotFound(_) => Unread {
            reason: Reason::new(error.to_string(), FailureCode::KnowledgeBaseClosed),
            is_temporary: false,
        },
        other => other.into(),
    }
}

fn page_upload(
    knowledge_base: KnowledgeBaseId,
    url: &Url,
    title: Option<String>,
    metadata: Map<String, Value>,
    audience: Audience,
) -> Upload {
    Upload {
        knowledge_base,
        name: page_name(url),
        title: title.or_else(|| Some(title_of_address(url.as_str()))),
        metadata,
        audience,
    }
}

/// The address of a web page, without the part that names a place in it.
pub(crate) fn web_address(text: &str) -> Result<Url> {
    let wrong = || {
        Error::invalid(
            "/url",
            "give the address of a web page, such as https://example.com/handbook",
        )
    };
    let mut url = Url::parse(text.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.as_str().len() > 2_000 {
        return Err(wrong());
    }
    url.set_fragment(None);
    Ok(url)
}

/// What a web page is called until it is read.
pub(crate) fn title_of_address(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.trim_end_matches('/').chars().take(500).collect()
}

fn page_name(url: &Url) -> String {
    let last = url
        .path_segments()
        .and_then(|mut segments| segments.next_back())
        .unwrap_or_default();
    if last.contains('.') {
        file_name(last)
    } else {
        "page.html".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_fetched_and_fragments_do_not_make_another_page() {
        assert!(web_address("file:///etc/passwd").is_err());
        assert!(web_address("example.com").is_err());
        assert_eq!(
            web_address("https://example.com/a#part").unwrap().as_str(),
            "https://example.com/a"
        );
    }
}
