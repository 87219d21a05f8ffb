//! The language models that write answers: the server's own, and those an organisation brings with its key.

use std::sync::Arc;
use std::time::Duration;

use amebo_core::id::ProviderId;
use amebo_core::permission::{Action, Resource};
use amebo_core::provider::ProviderProtocol;
use amebo_knowledge::provider::{self as language, LanguageModel, Message, Part, Role, Settings};
use amebo_store::OrgTx;
use amebo_store::audit::NewEntry;
use amebo_store::provider::{Endpoint, NewProvider};
use amebo_store::sealing::PROVIDER_KEY;
use futures::StreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

pub use amebo_store::provider::Provider;

use crate::{Access, App, Error, FieldError, Result};

/// How long a test may take.
const TEST_TIME: Duration = Duration::from_secs(20);

/// A provider as an administrator describes it.
#[derive(Debug)]
pub struct ProviderForm {
    /// How the organisation calls it; unique.
    pub name: String,
    /// The interface it speaks.
    pub protocol: ProviderProtocol,
    /// Where it answers; `None` for the vendor's own address.
    pub base_url: Option<String>,
    /// The model asked for.
    pub model: String,
    /// Its key.
    pub key: Key,
    /// Whether it writes the answers from now on.
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

impl App {
    /// Adds a provider.
    pub async fn create_provider(&self, access: &Access, form: &ProviderForm) -> Result<Provider> {
        let permit = access.permit(Resource::Provider, Action::Create)?;
        check(form)?;
        let id = self.environment().id::<ProviderId>();
        let mut tx = self.store.begin(&permit).await?;
        let new = self.sealed(&mut tx, id, form, None).await?;
        tx.providers().insert(id, &new).await.map_err(taken)?;
        tx.audit()
            .append(
                NewEntry::new("provider.create", "provider")
                    .of(id)
                    .details(described(form)),
            )
            .await?;
        let provider = tx.providers().by_id(id).await?;
        tx.commit().await?;
        provider.ok_or(Error::NotFound("provider"))
    }

    /// All providers, by name.
    pub async fn providers(&self, access: &Access) -> Result<Vec<Provider>> {
        let permit = access.permit(Resource::Provider, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let providers = tx.providers().list().await?;
        tx.commit().await?;
        Ok(providers)
    }

    /// One provider.
    pub async fn provider(&self, access: &Access, id: ProviderId) -> Result<Provider> {
        let permit = access.permit(Resource::Provider, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let provider = tx.providers().by_id(id).await?;
        tx.commit().await?;
        provider.ok_or(Error::NotFound("provider"))
    }

    /// Changes a provider. A key is kept only where it was meant to go: with another address it has to be given again.
    pub async fn change_provider(
        &self,
        access: &Access,
        id: ProviderId,
        form: &ProviderForm,
    ) -> Result<Provider> {
        let permit = access.permit(Resource::Provider, Action::Update)?;
        check(form)?;
        let mut tx = self.store.begin(&permit).await?;
        let before = tx
            .providers()
            .by_id(id)
            .await?
            .ok_or(Error::NotFound("provider"))?;
        let moved =
            (before.protocol, before.base_url.as_deref()) != (form.protocol, form.base_url.as_deref());
        if moved && before.sealed_key.is_some() && matches!(form.key, Key::Keep) {
            return Err(Error::invalid(
                "/key",
                "give the key again: it was meant for another address",
            ));
        }
        let new = self.sealed(&mut tx, id, form, before.sealed_key).await?;
        tx.providers().update(id, &new).await.map_err(taken)?;
        tx.audit()
            .append(
                NewEntry::new("provider.update", "provider")
                    .of(id)
                    .details(described(form)),
            )
            .await?;
        let provider = tx.providers().by_id(id).await?;
        tx.commit().await?;
        provider.ok_or(Error::NotFound("provider"))
    }

    /// Removes a provider with its key.
    pub async fn delete_provider(&self, access: &Access, id: ProviderId) -> Result<()> {
        let permit = access.permit(Resource::Provider, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        if !tx.providers().delete(id).await? {
            return Err(Error::NotFound("provider"));
        }
        tx.audit()
            .append(NewEntry::new("provider.delete", "provider").of(id))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Asks a provider for a word, and keeps what came of it. The answer is the provider with the outcome.
    pub async fn test_provider(&self, access: &Access, id: ProviderId) -> Result<Provider> {
        let permit = access.permit(Resource::Provider, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let provider = tx
            .providers()
            .by_id(id)
            .await?
            .ok_or(Error::NotFound("provider"))?;
        let endpoint = Endpoint {
            id,
            protocol: provider.protocol,
            base_url: provider.base_url,
            model: provider.model,
            sealed_key: provider.sealed_key,
        };
        let model = self.open_model(&mut tx, &endpoint).await?;
        tx.commit().await?;
        let failure = match tokio::time::timeout(TEST_TIME, greet(&*model)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_elapsed) => Some(format!("no answer within {} seconds", TEST_TIME.as_secs())),
        };
        let mut tx = self.store.begin(&permit).await?;
        tx.providers().tested(id, failure.as_deref()).await?;
        let provider = tx.providers().by_id(id).await?;
        tx.commit().await?;
        provider.ok_or(Error::NotFound("provider"))
    }

    /// The model that writes an organisation's answers: its own, or else the server's. Without any, answers quote.
    pub(crate) async fn language_model(
        &self,
        tx: &mut OrgTx,
        own: Option<&Endpoint>,
    ) -> Result<Option<Arc<dyn LanguageModel>>> {
        match own {
            Some(endpoint) => Ok(Some(self.open_model(tx, endpoint).await?)),
            None => Ok(self.answering.language_model()),
        }
    }

    async fn open_model(&self, tx: &mut OrgTx, endpoint: &Endpoint) -> Result<Arc<dyn LanguageModel>> {
        let key = match &endpoint.sealed_key {
            None => None,
            Some(sealed) => {
                let plain = tx
                    .secrets(&self.sealer)
                    .open(PROVIDER_KEY.row(endpoint.id), sealed, "provider.request")
                    .await
                    .map_err(Error::internal)?;
                Some(String::from_utf8(plain.to_vec()).map_err(Error::internal)?.into())
            }
        };
        let settings = settings(endpoint.protocol, endpoint.base_url.as_deref(), &endpoint.model)?;
        language::open(&settings, key, self.web.clone()).map_err(Error::internal)
    }

    async fn sealed(
        &self,
        tx: &mut OrgTx,
        id: ProviderId,
        form: &ProviderForm,
        before: Option<Vec<u8>>,
    ) -> Result<NewProvider> {
        let sealed_key = match &form.key {
            Key::Keep => before,
            Key::None => None,
            Key::Set(key) => Some(
                tx.secrets(&self.sealer)
                    .seal(PROVIDER_KEY.row(id), key.expose_secret().as_bytes())
                    .await
                    .map_err(Error::internal)?,
            ),
        };
        Ok(NewProvider {
            name: form.name.trim().to_owned(),
            protocol: form.protocol,
            base_url: form.base_url.clone(),
            model: form.model.trim().to_owned(),
            sealed_key,
            is_active: form.is_active,
        })
    }
}

async fn greet(model: &dyn LanguageModel) -> Result<(), language::Error> {
    let request = language::Request {
        messages: vec![Message {
            role: Role::User,
            content: vec![Part::new("Answer with the word: yes")],
        }],
        max_tokens: 16,
        ..language::Request::default()
    };
    let mut deltas = model.complete(&request).await?;
    while let Some(delta) = deltas.next().await {
        delta?;
    }
    Ok(())
}

fn settings(protocol: ProviderProtocol, base_url: Option<&str>, model: &str) -> Result<Settings> {
    Ok(Settings {
        format: match protocol {
            ProviderProtocol::Anthropic => language::Format::Anthropic,
            ProviderProtocol::OpenAi => language::Format::Openai,
        },
        base_url: base_url
            .map(Url::parse)
            .transpose()
            .map_err(|error| Error::invalid("/base_url", format!("not an address: {error}")))?,
        model: model.trim().to_owned(),
    })
}

fn check(form: &ProviderForm) -> Result<()> {
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

fn described(form: &ProviderForm) -> serde_json::Value {
    json!({
        "name": form.name, "protocol": form.protocol, "base_url": form.base_url, "model": form.model,
        "is_active": form.is_active, "key_changed": !matches!(form.key, Key::Keep),
    })
}

fn taken(error: amebo_store::Error) -> Error {
    if error.is_conflict_on("providers_organization_id_name_key") {
        Error::Conflict("there is already a provider of this name".to_owned())
    } else {
        error.into()
    }
}

/// The server's own language model, as the operator configures it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The interface it speaks.
    pub protocol: ProviderProtocol,
    /// Where it answers; the vendor's own address when absent.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The model asked for.
    pub model: String,
    /// Its key, if it needs one.
    #[serde(default)]
    pub key: Option<SecretString>,
}

impl ModelConfig {
    /// The model.
    pub fn open(&self, outbound: &amebo_outbound::Client) -> Result<Arc<dyn LanguageModel>> {
        let settings = settings(self.protocol, self.base_url.as_deref(), &self.model)?;
        language::open(&settings, self.key.clone(), outbound.clone()).map_err(Error::internal)
    }
}
