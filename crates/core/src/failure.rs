//! Why a document is not findable or a web page was not read: a code that programs can decide by and pages can say in any language,
//! beside the sentence in English that everything else shows.

use serde::{Deserialize, Serialize};

use crate::permission::named_enum;

named_enum! {
    /// Why a document was set aside, or a web page could not be read.
    pub enum FailureCode {
        /// The file has no bytes.
        Empty = "empty",
        /// There is no text in it: a scan, or pictures only.
        NoText = "no_text",
        /// An old Word file that could not be read; as `.docx` it can.
        OldWord = "old_word",
        /// An old Excel file that could not be read; as `.xlsx` it can.
        OldExcel = "old_excel",
        /// An old `PowerPoint` file that could not be read; as `.pptx` it can.
        OldPowerPoint = "old_power_point",
        /// An Outlook `.msg` item; as `.eml` it can be read.
        OutlookMessage = "outlook_message",
        /// An old Office file that is damaged or of an unknown kind.
        OldOffice = "old_office",
        /// A password protects it.
        PasswordProtected = "password_protected",
        /// An `OpenDocument` file.
        OpenDocument = "open_document",
        /// Rich Text Format.
        RichText = "rich_text",
        /// `PostScript`.
        PostScript = "post_script",
        /// An EPUB book.
        ElectronicBook = "electronic_book",
        /// A picture.
        Image = "image",
        /// Sound or film.
        Media = "media",
        /// A packed archive.
        Archive = "archive",
        /// No kind of document that is known.
        UnknownKind = "unknown_kind",
        /// The kind is known, but the content makes no sense, or reading it broke the program that reads.
        Damaged = "damaged",
        /// Its parts lie too deeply in each other.
        TooDeep = "too_deep",
        /// Larger than `megabytes`.
        TooLarge = "too_large",
        /// It holds too much text.
        TooMuchText = "too_much_text",
        /// Reading it took longer than `seconds`.
        TimedOut = "timed_out",
        /// This server has nothing that reads PDF files.
        NoPdfEngine = "no_pdf_engine",
        /// The program that reads documents did not start; the file may be fine.
        ReaderUnavailable = "reader_unavailable",
        /// The stored file is not what was stored; it has to be uploaded again.
        OriginalDamaged = "original_damaged",
        /// The stored file could not be fetched.
        StorageUnavailable = "storage_unavailable",
        /// The embedding model was not available; `detail` has what its service said.
        ModelUnavailable = "model_unavailable",
        /// The embedding model refused the text: usually its key or quota; `detail` has what its service said.
        ModelRefused = "model_refused",
        /// The embedding model gave an answer that cannot be used; `detail` says which.
        ModelUnusable = "model_unusable",
        /// The web page's `host` is not on the public internet.
        PageRefused = "page_refused",
        /// The name `host` is not known.
        PageUnresolved = "page_unresolved",
        /// No connection to `host`, or it broke off.
        PageUnreachable = "page_unreachable",
        /// The web page did not come in time.
        PageTimedOut = "page_timed_out",
        /// The web page is larger than `megabytes`.
        PageTooLarge = "page_too_large",
        /// The web page leads on in a circle, or too often.
        PageRedirects = "page_redirects",
        /// The web page answered with `status` rather than its content.
        PageAnswered = "page_answered",
        /// Another document of the knowledge base says the same.
        AlreadyThere = "already_there",
        /// The plan has no room left for documents or storage.
        LimitReached = "limit_reached",
        /// The knowledge base takes no documents at the moment: it is archived or gone.
        KnowledgeBaseClosed = "knowledge_base_closed",
        /// Something broke inside.
        Failed = "failed",
    }
}

/// A reason with what its sentence names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// What it comes down to.
    pub code: FailureCode,
    /// The largest size that is taken, in millions of bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub megabytes: Option<u64>,
    /// How long it was tried, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// The HTTP status that came instead of content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The host that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What another service said, in its own words; not for deciding anything by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<FailureCode> for Failure {
    fn from(code: FailureCode) -> Self {
        Self {
            code,
            megabytes: None,
            seconds: None,
            status: None,
            host: None,
            detail: None,
        }
    }
}

impl Failure {
    /// With the largest size in bytes.
    #[must_use]
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.megabytes = Some(bytes / 1_000_000);
        self
    }

    /// With the time it was tried for, in seconds.
    #[must_use]
    pub fn within(mut self, seconds: u64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    /// With the HTTP status that came.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With the host that was asked.
    #[must_use]
    pub fn at_host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// With what another service said.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}
