//! Passwords, hashed with Argon2id (RFC 9106): 19 MiB, two passes, one lane, as OWASP recommends.

use std::sync::{Arc, LazyLock};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// Hashing takes about 45 ms of a core and 19 MiB, so only this many run at once; others wait their turn.
const CONCURRENT_HASHES: usize = 2;

/// What is verified when there is no such person, so that the answer takes as long.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash("nobody has this password").ok());

/// Hashes and verifies passwords off the async threads, a bounded number at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(CONCURRENT_HASHES)),
        }
    }
}

impl Passwords {
    /// The Argon2id hash in PHC form.
    pub async fn hash(&self, password: &SecretString) -> Result<String> {
        let password = password.clone();
        self.run(move || hash(password.expose_secret()))
            .await?
            .map_err(Error::internal)
    }

    /// Whether the password is the one that was hashed. Takes as long when there is no hash.
    pub async fn verify(&self, password: &SecretString, hash: Option<&str>) -> Result<bool> {
        let (password, hash) = (password.clone(), hash.map(str::to_owned));
        self.run(move || {
            let Some(text) = hash.as_ref().or(NOBODY.as_ref()) else {
                return false;
            };
            let Ok(parsed) = PasswordHash::new(text) else {
                return false;
            };
            let matches = Argon2::default()
                .verify_password(password.expose_secret().as_bytes(), &parsed)
                .is_ok();
            matches && hash.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _slot = self.slots.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}
