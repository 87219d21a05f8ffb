//! Use cases and job handlers: the only place where the database, knowledge and channels meet.
//!
//! A use case is a method of [`App`]; the first thing it does is turn the caller's [`Access`] into a permit, so none can be reached
//! without its permission, whether the call comes over HTTP, from the terminal or from a model's tool.

pub mod analytics;
pub mod api_key;
pub mod ask;
pub mod audit;
pub mod branding;
pub mod channel;
pub mod document;
pub mod embedders;
pub mod error;
pub mod evaluation;
mod feedback;
mod gate;
pub mod idempotency;
pub mod identity;
pub mod ingest;
pub mod invitation;
mod jobs;
pub mod knowledge_base;
pub mod library;
pub mod mail;
pub mod member;
pub mod mirror;
pub mod operator;
pub mod organization;
pub mod provider;
mod reason;
pub mod session;
mod share;
pub mod slack;
pub mod source;
mod terminal;
mod upkeep;

/// What use cases hand out as it is stored.
pub mod store {
    pub use amebo_store::{Document, DocumentFilter, KnowledgeBase, Passage, TextWindow};
}

pub use amebo_store::{Access, Actor, Origin, Person, RequestOrigin};
pub use error::{Error, FieldError, Result};

use amebo_core::Environment;
use amebo_knowledge::extract::Extractor;
use amebo_store::Store;
use amebo_store::blob::Storage;
use amebo_store::sealing::Sealer;
use ask::Answering;
use gate::Gate;
use identity::{Passwords, Tokens};
use library::Library;
use mail::Mailer;
use secrecy::SecretBox;
use tokio::sync::Semaphore;

/// How many uploads are taken at once, how many of one organisation, and how many more of it may wait.
const UPLOADS: (usize, usize, usize) = (16, 4, 512);

/// What the application is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The key that signs access tokens; at least 32 bytes, used for nothing else.
    pub token_key: SecretBox<[u8]>,
    /// How people come to Amebo.
    pub identity: identity::Config,
    /// Sends letters.
    pub mailer: Mailer,
    /// What organisations know.
    pub library: Library,
    /// Where originals are kept.
    pub storage: Storage,
    /// Reads documents.
    pub extractor: Extractor,
    /// Fetches web pages.
    pub web: amebo_outbound::Client,
    /// Answers questions.
    pub answering: Answering,
    /// Seals and opens secrets.
    pub sealer: Sealer,
    /// How Slack is reached.
    pub slack: slack::Config,
}

/// The application: everything Amebo can be asked to do.
#[derive(Debug)]
pub struct App {
    store: Store,
    passwords: Passwords,
    tokens: Tokens,
    identity: identity::Config,
    mailer: Mailer,
    library: Library,
    storage: Storage,
    extractor: Extractor,
    web: amebo_outbound::Client,
    answering: Answering,
    sealer: Sealer,
    slack: slack::Config,
    slack_api: amebo_channels::slack::api::Api,
    slack_known: slack::door::Known,
    slack_places: slack::audience::Places,
    intake: channel::intake::Intake,
    uploads: Gate,
    /// Mebibytes of originals that may be processed at a time.
    ingest_room: Semaphore,
}

impl App {
    /// Puts the application together.
    pub fn new(parts: Parts) -> Self {
        let environment = parts.store.environment().clone();
        let tokens = Tokens::new(&parts.token_key, environment.clone());
        let slack_api =
            amebo_channels::slack::api::Api::new(parts.web.clone(), parts.slack.api.clone(), environment);
        Self {
            store: parts.store,
            passwords: Passwords::default(),
            tokens,
            identity: parts.identity,
            mailer: parts.mailer,
            library: parts.library,
            storage: parts.storage,
            extractor: parts.extractor,
            web: parts.web,
            answering: parts.answering,
            sealer: parts.sealer,
            slack_api,
            slack_places: slack::audience::Places::default(),
            slack: parts.slack,
            slack_known: slack::door::Known::default(),
            intake: channel::intake::Intake::default(),
            uploads: Gate::new(UPLOADS.0, UPLOADS.1, UPLOADS.2),
            ingest_room: Semaphore::new(ingest::ROOM as usize),
        }
    }

    /// Where time, ids and randomness come from.
    pub fn environment(&self) -> &Environment {
        self.store.environment()
    }

    /// Waits for what is still under way in the background; called when stopping.
    pub async fn finish(&self) {
        self.intake.finish().await;
        self.answering.finish().await;
        self.mailer.finish().await;
    }

    /// Whether the database answers; for readiness.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }
}
