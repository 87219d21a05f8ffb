//! The embedding models at hand: the server's, and those an organisation brings.

use std::fmt;
use std::sync::Arc;

use amebo_core::permission::{Action, Resource};
use amebo_core::provider::{ProviderKind, provider_of};
use amebo_knowledge::embed::remote::RemoteEmbedder;
use amebo_knowledge::embed::{Embedder, Languages};
use amebo_knowledge::retrieve::{self, Prepared, Turn};
use amebo_store::provider::Provider;
use amebo_store::{OrgTx, Permit};

use crate::library::Scope;
use crate::provider::embedding;
use crate::{Access, App, Error, Result};

/// The server's embedding models, by name. There may be none: then passages are found by their words alone, unless an organisation
/// brings a model.
#[derive(Clone, Default)]
pub struct Embedders(Vec<Arc<dyn Embedder>>);

impl Embedders {
    /// These models; new knowledge bases take the first.
    pub fn new(models: Vec<Arc<dyn Embedder>>) -> Self {
        Self(models)
    }

    /// The model that new knowledge bases take.
    pub fn first(&self) -> Option<&Arc<dyn Embedder>> {
        self.0.first()
    }

    /// The model of this name.
    pub fn get(&self, model: &str) -> Option<&Arc<dyn Embedder>> {
        self.0.iter().find(|embedder| embedder.model().id == model)
    }

    /// All, in the order in which they are preferred.
    pub fn all(&self) -> &[Arc<dyn Embedder>] {
        &self.0
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|embedder| embedder.model().id.as_str())
    }
}

impl fmt::Debug for Embedders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// An embedding model that a knowledge base can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What knowledge bases call it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The organisation's provider that it belongs to; `None` for one of the server's.
    pub provider: Option<String>,
    /// How many numbers its vectors have.
    pub dimension: u32,
    /// The languages it was made for, as ISO 639-1 codes; `None` when it does not say.
    pub languages: Option<Vec<String>>,
    /// Whether new knowledge bases take it when nobody names one.
    pub is_first: bool,
}

impl App {
    /// The embedding models that knowledge bases can be given: the organisation's own by name, then the server's as they are preferred.
    pub async fn embedding_models(&self, access: &Access) -> Result<Vec<Choice>> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let providers = tx.providers().list().await?;
        let first = self.first_model(&mut tx).await?;
        tx.commit().await?;
        let own = providers.into_iter().filter_map(|provider| {
            Some(Choice {
                id: provider.embedding_model()?,
                dimension: provider.dimension?,
                name: provider.model,
                provider: Some(provider.name),
                languages: None,
                is_first: false,
            })
        });
        let servers = self.library.embedders().all().iter().map(|embedder| {
            let model = embedder.model();
            Choice {
                id: model.id.clone(),
                name: model.id.clone(),
                provider: None,
                dimension: u32::try_from(model.dimension).unwrap_or(u32::MAX),
                languages: match &model.languages {
                    Languages::Any => None,
                    Languages::Only(codes) => Some(codes.clone()),
                },
                is_first: false,
            }
        });
        let mut choices: Vec<Choice> = own.chain(servers).collect();
        for choice in &mut choices {
            choice.is_first = first.as_ref() == Some(&choice.id);
        }
        Ok(choices)
    }

    /// Makes a question ready for the models of a scope. A model that does not know the question's language, or that is away, is left
    /// out: what it would have found by meaning may still be found by words.
    pub(crate) async fn prepare(
        &self,
        permit: &Permit,
        scope: &Scope,
        question: &str,
        history: &[Turn],
    ) -> Result<Prepared> {
        let (own, servers): (Vec<&str>, Vec<&str>) =
            scope.models().partition(|model| provider_of(model).is_some());
        let mut models: Vec<Arc<dyn Embedder>> = Vec::new();
        for model in servers {
            if let Some(embedder) = self.library.embedders().get(model) {
                models.push(embedder.clone());
            } else {
                tracing::warn!(
                    model,
                    "an embedding model that knowledge bases use is not installed; searching by words alone"
                );
            }
        }
        if !own.is_empty() {
            let mut tx = self.store.begin(permit).await?;
            for model in own {
                match self.embedder(&mut tx, model).await {
                    Ok(embedder) => models.extend(embedder),
                    Err(error) => tracing::warn!(
                        model,
                        error = &error as &dyn std::error::Error,
                        "an embedding model cannot be called; searching by words alone"
                    ),
                }
            }
            tx.commit().await?;
        }
        let prepared = retrieve::prepare(question, history, &models).await;
        for (model, error) in &prepared.failed {
            tracing::warn!(
                model,
                error = error as &dyn std::error::Error,
                "a question is searched by its words alone"
            );
        }
        Ok(prepared)
    }

    /// The embedding model of this name, of the server or the organisation; `None` when it is not at hand.
    pub(crate) async fn embedder(&self, tx: &mut OrgTx, model: &str) -> Result<Option<Arc<dyn Embedder>>> {
        let Some((id, name)) = provider_of(model) else {
            return Ok(self.library.embedders().get(model).cloned());
        };
        let provider = tx.providers().by_id(id).await?;
        match provider.filter(|provider| provider.model == name) {
            Some(provider) => self.open_embedder(tx, &provider).await,
            None => Ok(None),
        }
    }

    /// Whether the embedding model of this name, of the server or the organisation, can be called.
    pub(crate) async fn is_at_hand(&self, tx: &mut OrgTx, model: &str) -> Result<bool> {
        let Some((id, name)) = provider_of(model) else {
            return Ok(self.library.embedders().get(model).is_some());
        };
        let provider = tx.providers().by_id(id).await?;
        Ok(provider.is_some_and(|provider| provider.model == name))
    }

    /// The model that knowledge bases of the organisation take when nobody names one: its own, or else the server's first.
    pub(crate) async fn first_model(&self, tx: &mut OrgTx) -> Result<Option<String>> {
        let own = tx.providers().active(ProviderKind::Embedding).await?;
        let servers = self.library.embedders().first();
        Ok(own
            .and_then(|provider| provider.embedding_model())
            .or_else(|| servers.map(|embedder| embedder.model().id.clone())))
    }

    /// Checks that a model can be taken for a knowledge base; an own one stays until this transaction ends.
    pub(crate) async fn known_model(&self, tx: &mut OrgTx, wanted: &str) -> Result<String> {
        let own = match provider_of(wanted) {
            Some((id, _)) => tx.providers().lock(id).await?,
            None => None,
        };
        let own = own.and_then(|provider| provider.embedding_model());
        if own.as_deref() == Some(wanted) || self.library.embedders().get(wanted).is_some() {
            return Ok(wanted.to_owned());
        }
        let mut known: Vec<String> = self.library.embedders().names().map(str::to_owned).collect();
        let providers = tx.providers().list().await?;
        known.extend(providers.iter().filter_map(Provider::embedding_model));
        let message = if known.is_empty() {
            "there is no embedding model on this server; ask its operator to run `amebo models install`, or add a provider of your own"
                .to_owned()
        } else {
            format!(
                "there is no such embedding model; choose one of {}",
                known.join(", ")
            )
        };
        Err(Error::invalid("/embedding_model", message))
    }

    /// The embedding model of a provider; `None` for one of language models.
    pub(crate) async fn open_embedder(
        &self,
        tx: &mut OrgTx,
        provider: &Provider,
    ) -> Result<Option<Arc<dyn Embedder>>> {
        let (Some(id), Some(dimension)) = (provider.embedding_model(), provider.dimension) else {
            return Ok(None);
        };
        let key = self.open_key(tx, &provider.endpoint()).await?;
        let settings = embedding(provider.protocol, provider.base_url.as_deref(), &provider.model)?;
        let embedder = RemoteEmbedder::known(settings, id, dimension as usize, key, self.web.clone());
        Ok(Some(Arc::new(embedder.map_err(Error::internal)?)))
    }
}
