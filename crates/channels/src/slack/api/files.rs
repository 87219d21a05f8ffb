//! Files: what is known of one, and its bytes.

use std::time::Duration;

use amebo_outbound::{Limits, Request, Response};
use http::header;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::call::{Arguments, CallError};
use super::conversations::unexpected;
use super::method::Method;
use super::{Api, Workspace};
use crate::Outcome;
use crate::inbound::{File, FileAccess};
use crate::outcome::Failure;
use crate::slack::inbound::read_file;
use crate::slack::outcome::{classify, classify_failure};

/// How long a download may take.
const DOWNLOAD_TIME: Duration = Duration::from_mins(10);

/// A file whose bytes are about to come.
#[derive(Debug)]
pub struct Download {
    /// Its type, as the server says.
    pub media_type: Option<String>,
    /// Its bytes, still to be read.
    pub response: Response,
}

impl Workspace {
    /// What is known of a file.
    pub async fn file(&self, id: &str) -> Result<File, CallError> {
        let answer: Value = self
            .call(Method::FilesInfo, Arguments::new().with("file", id))
            .await?;
        answer
            .pointer("/file")
            .and_then(read_file)
            .ok_or_else(|| unexpected(Method::FilesInfo, "a file"))
    }

    /// Begins to download a file of at most `most` bytes. A web page instead of the file is how Slack says that access is
    /// missing.
    pub async fn download(&self, file: &File, most: usize) -> Result<Download, CallError> {
        let url = match (&file.url, file.access) {
            (Some(url), FileAccess::Available) => url.clone(),
            (_, FileAccess::Elsewhere) => return Err(refused("file_is_elsewhere")),
            (_, FileAccess::Gone) => return Err(refused("file_deleted")),
            (_, FileAccess::LookUp | FileAccess::Available) => return Err(refused("file_has_no_address")),
        };
        self.api
            .download(&url, Some(&self.token), file.media_type.as_deref(), most)
            .await
    }
}

impl Api {
    /// Begins to download a file of an export, at most `most` bytes, from the address that the export names, which holds its own token.
    pub async fn download_exported(
        &self,
        url: &Url,
        media_type: Option<&str>,
        most: usize,
    ) -> Result<Download, CallError> {
        self.download(url, None, media_type, most).await
    }

    async fn download(
        &self,
        url: &Url,
        token: Option<&SecretString>,
        expected: Option<&str>,
        most: usize,
    ) -> Result<Download, CallError> {
        if !self.settings.is_slack(url) {
            return Err(refused("foreign_address"));
        }
        let idle = Duration::from_secs(self.settings.timeout_seconds);
        let limits = Limits {
            first_byte: idle,
            idle,
            total: DOWNLOAD_TIME,
            body_bytes: most,
            redirects: 3,
            retries: 2,
        };
        let mut request = Request::get(url.clone(), "slack").limits(limits);
        if let Some(token) = token {
            request = request.bearer(token.expose_secret());
        }
        let response = match self.client.send(request).await {
            Ok(response) => response,
            Err(error) => return Err(failed(classify_failure(&error))),
        };
        let status = response.status();
        if !status.is_success() {
            let headers = response.headers().clone();
            return Err(failed(classify(status, &headers, b"")));
        }
        let media_type = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let is_page = |kind: Option<&str>| kind.is_some_and(|kind| kind.starts_with("text/html"));
        if is_page(media_type.as_deref()) && !is_page(expected) {
            return Err(failed(Outcome::PermissionMissing {
                needed: Some("files:read".to_owned()),
                granted: None,
            }));
        }
        Ok(Download { media_type, response })
    }
}

fn failed(outcome: Outcome) -> CallError {
    CallError {
        method: "file download",
        outcome,
    }
}

fn refused(code: &str) -> CallError {
    failed(Outcome::Refused(Failure {
        code: code.to_owned(),
        details: Vec::new(),
    }))
}
