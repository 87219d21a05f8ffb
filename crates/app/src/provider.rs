//! The services an organisation brings with its key: language models that write answers, and embedding models (`embedders`). And the
//! server's own language model.

mod form;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use amebo_core::id::ProviderId;
use amebo_core::permission::{Action, Resource};
use amebo_core::provider::{ProviderKind, ProviderProtocol};
use amebo_knowledge::embed::remote::{self, RemoteEmbedder};
use amebo_knowledge::embed::{Embedder as _, Purpose};
use amebo_knowledge::provider::{self as language, LanguageModel, Message, Part, Role, Settings};
use amebo_store::audit::NewEntry;
use amebo_store::provider::{Endpoint, NewProvider};
use amebo_store::sealing::PROVIDER_KEY;
use amebo_store::{OrgTx, Permit};
use futures::StreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

pub use amebo_store::provider::Provider;
pub use form::{Key, ProviderForm};

use self::form::check;
use crate::{Access, App, Error, Result};

/// How long a test may take.
const TEST_TIME: Duration = Duration::from_secs(20);
/// How many numbers a vector may have at most.
const MOST_NUMBERS: u32 = 16_384;

impl App {
    /// Adds a provider.
    pub async fn create_provider(&self, access: &Access, form: &ProviderForm) -> Result<Provider> {
        let permit = access.permit(Resource::Provider, Action::Create)?;
        check(form)?;
        let dimension = self.dimension(&permit, form, None).await?;
        let id = self.environment().id::<ProviderId>();
        let mut tx = self.store.begin(&permit).await?;
        let new = NewProvider {
            dimension,
            ..self.sealed(&mut tx, id, form, None).await?
        };
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
        self.provider_under(&permit, id).await
    }

    async fn provider_under(&self, permit: &Permit, id: ProviderId) -> Result<Provider> {
        let mut tx = self.store.begin(permit).await?;
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
        let before = self.provider_under(&permit, id).await?;
        may_become(&before, form)?;
        let dimension = self.dimension(&permit, form, Some(&before)).await?;
        let mut tx = self.store.begin(&permit).await?;
        let before = tx
            .providers()
            .lock(id)
            .await?
            .ok_or(Error::NotFound("provider"))?;
        may_become(&before, form)?;
        let same = (before.protocol, before.model.as_str(), before.dimension)
            == (form.protocol, form.model.trim(), dimension);
        if !same {
            unused(&mut tx, &before).await?;
        }
        let new = NewProvider {
            dimension,
            ..self.sealed(&mut tx, id, form, before.sealed_key).await?
        };
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

    /// Removes a provider with its key. An embedding model stays as long as knowledge bases use it.
    pub async fn delete_provider(&self, access: &Access, id: ProviderId) -> Result<()> {
        let permit = access.permit(Resource::Provider, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        let provider = tx
            .providers()
            .lock(id)
            .await?
            .ok_or(Error::NotFound("provider"))?;
        unused(&mut tx, &provider).await?;
        tx.providers().delete(id).await?;
        tx.audit()
            .append(NewEntry::new("provider.delete", "provider").of(id))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Asks a provider for a word or a vector, and keeps what came of it. The answer is the provider with the outcome.
    pub async fn test_provider(&self, access: &Access, id: ProviderId) -> Result<Provider> {
        let permit = access.permit(Resource::Provider, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let provider = tx
            .providers()
            .by_id(id)
            .await?
            .ok_or(Error::NotFound("provider"))?;
        let failure = if let Some(embedder) = self.open_embedder(&mut tx, &provider).await? {
            tx.commit().await?;
            failure(embedder.embed(&["yes".to_owned()], Purpose::Query)).await
        } else {
            let model = self.open_model(&mut tx, &provider.endpoint()).await?;
            tx.commit().await?;
            failure(greet(&*model)).await
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
        let key = self.open_key(tx, endpoint).await?;
        let settings = settings(endpoint.protocol, endpoint.base_url.as_deref(), &endpoint.model)?;
        language::open(&settings, key, self.web.clone()).map_err(Error::internal)
    }

    /// The key to call a provider with, unsealed.
    pub(crate) async fn open_key(&self, tx: &mut OrgTx, endpoint: &Endpoint) -> Result<Option<SecretString>> {
        let Some(sealed) = &endpoint.sealed_key else {
            return Ok(None);
        };
        let plain = tx
            .secrets(&self.sealer)
            .open(PROVIDER_KEY.row(endpoint.id), sealed, "provider.request")
            .await
            .map_err(Error::internal)?;
        let key = String::from_utf8(plain.to_vec()).map_err(Error::internal)?;
        Ok(Some(key.into()))
    }

    /// How many numbers a vector of the embedding model described has; `None` for a language model. The model is asked, unless it was
    /// asked `before` and nothing that matters changed.
    async fn dimension(
        &self,
        permit: &Permit,
        form: &ProviderForm,
        before: Option<&Provider>,
    ) -> Result<Option<u32>> {
        if form.kind == ProviderKind::Language {
            return Ok(None);
        }
        let key = match (&form.key, before) {
            (Key::Set(key), _) => Some(key.clone()),
            (Key::None, _) | (Key::Keep, None) => None,
            (Key::Keep, Some(before)) => {
                let place = (before.protocol, before.base_url.as_deref(), before.model.as_str());
                if place == (form.protocol, form.base_url.as_deref(), form.model.trim()) {
                    return Ok(before.dimension);
                }
                let mut tx = self.store.begin(permit).await?;
                let key = self.open_key(&mut tx, &before.endpoint()).await?;
                tx.commit().await?;
                key
            }
        };
        let settings = embedding(form.protocol, form.base_url.as_deref(), &form.model)?;
        let opened = tokio::time::timeout(TEST_TIME, RemoteEmbedder::open(settings, key, self.web.clone()));
        let wrong = |reason: String| Error::invalid("/model", format!("it gave no vector: {reason}"));
        let embedder = opened
            .await
            .map_err(|_elapsed| wrong(no_answer()))?
            .map_err(|error| wrong(error.to_string()))?;
        let dimension = u32::try_from(embedder.model().dimension).unwrap_or(u32::MAX);
        if dimension > MOST_NUMBERS {
            return Err(wrong(format!(
                "its vectors have more than {MOST_NUMBERS} numbers"
            )));
        }
        Ok(Some(dimension))
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
            kind: form.kind,
            protocol: form.protocol,
            base_url: form.base_url.clone(),
            model: form.model.trim().to_owned(),
            sealed_key,
            dimension: None,
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

/// What came of asking a provider for something: `None` when it gave it.
async fn failure<T, E: Display>(asked: impl Future<Output = Result<T, E>>) -> Option<String> {
    match tokio::time::timeout(TEST_TIME, asked).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_elapsed) => Some(no_answer()),
    }
}

fn no_answer() -> String {
    format!("no answer within {} seconds", TEST_TIME.as_secs())
}

fn settings(protocol: ProviderProtocol, base_url: Option<&str>, model: &str) -> Result<Settings> {
    Ok(Settings {
        format: match protocol {
            ProviderProtocol::Anthropic => language::Format::Anthropic,
            ProviderProtocol::OpenAi => language::Format::Openai,
            ProviderProtocol::Voyage => return Err(unspoken()),
        },
        base_url: address(base_url)?,
        model: model.trim().to_owned(),
    })
}

/// The embedding model of this name, there.
pub(crate) fn embedding(
    protocol: ProviderProtocol,
    base_url: Option<&str>,
    model: &str,
) -> Result<remote::Settings> {
    let format = match protocol {
        ProviderProtocol::OpenAi => remote::Format::Openai,
        ProviderProtocol::Voyage => remote::Format::Voyage,
        ProviderProtocol::Anthropic => return Err(unspoken()),
    };
    Ok(remote::Settings::new(
        format,
        address(base_url)?,
        model.trim().to_owned(),
    ))
}

fn unspoken() -> Error {
    Error::invalid("/protocol", "no model of this kind speaks it")
}

fn address(base_url: Option<&str>) -> Result<Option<Url>> {
    base_url
        .map(Url::parse)
        .transpose()
        .map_err(|error| Error::invalid("/base_url", format!("not an address: {error}")))
}

/// Whether a provider can be changed so: its kind stays, and a key goes only where it was meant to go.
fn may_become(before: &Provider, form: &ProviderForm) -> Result<()> {
    if before.kind != form.kind {
        return Err(Error::invalid(
            "/kind",
            "what a provider is for cannot change; add another one",
        ));
    }
    let moved = (before.protocol, before.base_url.as_deref()) != (form.protocol, form.base_url.as_deref());
    if moved && before.sealed_key.is_some() && matches!(form.key, Key::Keep) {
        return Err(Error::invalid(
            "/key",
            "give the key again: it was meant for another address",
        ));
    }
    Ok(())
}

/// Whether no knowledge base is embedded with a provider's model.
async fn unused(tx: &mut OrgTx, provider: &Provider) -> Result<()> {
    if let Some(model) = provider.embedding_model()
        && tx.knowledge_bases().uses(&model).await?
    {
        return Err(Error::Conflict(
            "knowledge bases are embedded with this model; move them to another one first".to_owned(),
        ));
    }
    Ok(())
}

fn described(form: &ProviderForm) -> serde_json::Value {
    json!({
        "name": form.name, "kind": form.kind, "protocol": form.protocol, "base_url": form.base_url, "model": form.model,
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
