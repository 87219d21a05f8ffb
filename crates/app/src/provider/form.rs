//! What an administrator says of a provider.

use amebo_core::provider::{ProviderKind, ProviderProtocol};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{Error, FieldError, Result};

/// A provider as an administrator describes it.
#[derive(Debug)]
pub struct ProviderForm {
    /// How the organisation calls it; unique.
    pub name: String,
    /// What it is for; stays as it is.
    pub kind: ProviderKind,
    /// The interface it speaks.
    pub protocol: ProviderProtocol,
    /// Where it answers; `None` for the vendor's own address.
    pub base_url: Option<String>,
    /// The model asked for.
    pub model: String,
    /// Its key.
    pub key: Key,
    /// Whether it does the work of its kind from now on: writes the answers, or embeds new knowledge bases.
    pub is_active: bool,
}

/// What becomes of a provider's key.
#[derive(Debug)]
pub enum Key {
    /// It stays as it is; there is none for a new provider.
    Keep,
    /// There is none.
    None,
    /// It is this one.
    Set(SecretString),
}

/// Whether a description can be one of a provider.
pub(super) fn check(form: &ProviderForm) -> Result<()> {
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, pointer: &str, message: &str| {
        if !holds {
            wrong.push(FieldError {
                pointer: pointer.to_owned(),
                message: message.to_owned(),
            });
        }
    };
    let within = |text: &str, most: usize| !text.trim().is_empty() && text.chars().count() <= most;
    demand(within(&form.name, 100), "/name", "a name has 1 to 100 characters");
    demand(
        within(&form.model, 200),
        "/model",
        "a model's name has 1 to 200 characters",
    );
    demand(
        form.protocol.is_for(form.kind),
        "/protocol",
        "language models speak anthropic or openai, embedding models openai or voyage",
    );
    if let Some(base_url) = &form.base_url {
        let url = Url::parse(base_url).ok();
        demand(
            base_url.len() <= 500
                && url.is_some_and(|url| {
                    matches!(url.scheme(), "http" | "https")
                        && url.has_host()
                        && url.username().is_empty()
                        && url.password().is_none()
                }),
            "/base_url",
            "an http or https address without user name, such as https://models.example.com/v1",
        );
    }
    if let Key::Set(key) = &form.key {
        let key = key.expose_secret();
        demand(
            (1..=1_000).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "/key",
            "a key is 1 to 1000 visible ASCII characters",
        );
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(wrong))
    }
}
