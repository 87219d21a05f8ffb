//! Use cases and job handlers: the only place where the database, knowledge and channels meet.
//!
//! A use case is a method of [`App`]; the first thing it does is turn the caller's [`Access`] into a permit, so none can be reached
//! without its permission, whether the call comes over HTTP, from the terminal or from a model's tool.

pub mod api_key;
pub mod audit;
pub mod error;
pub mod identity;
pub mod invitation;
pub mod mail;
pub mod member;
pub mod operator;
pub mod organization;
mod terminal;

pub use amebo_store::{Access, Actor, Origin, Person};
pub use error::{Error, FieldError, Result};

use amebo_core::Environment;
use amebo_store::Store;
use identity::{Passwords, Tokens};
use mail::Mailer;
use secrecy::SecretBox;

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
}

/// The application: everything Amebo can be asked to do.
#[derive(Debug)]
pub struct App {
    store: Store,
    passwords: Passwords,
    tokens: Tokens,
    identity: identity::Config,
    mailer: Mailer,
}

impl App {
    /// Puts the application together.
    pub fn new(parts: Parts) -> Self {
        let tokens = Tokens::new(&parts.token_key, parts.store.environment().clone());
        Self {
            store: parts.store,
            passwords: Passwords::default(),
            tokens,
            identity: parts.identity,
            mailer: parts.mailer,
        }
    }

    /// Where time, ids and randomness come from.
    pub fn environment(&self) -> &Environment {
        self.store.environment()
    }

    /// Waits for what is still under way in the background; called when stopping.
    pub async fn finish(&self) {
        self.mailer.finish().await;
    }

    /// Whether the database answers; for readiness.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }
}
