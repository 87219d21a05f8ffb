//! The application, put together as the configuration says.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use amebo_app::ask::Answering;
use amebo_app::embedders::Embedders;
use amebo_app::library::Library;
use amebo_app::mail::Mailer;
use amebo_app::{App, Parts, identity};
use amebo_core::Environment;
use amebo_knowledge::embed::remote::RemoteEmbedder;
use amebo_knowledge::embed::{self, Embedder};
use amebo_knowledge::extract::{self, Extractor};
use amebo_knowledge::index::embedded::Embedded;
use amebo_knowledge::models;
use amebo_outbound::Client;
use amebo_store::Store;
use amebo_store::blob::Storage;
use amebo_store::sealing::Sealer;
use anyhow::{Context as _, Result};
use url::Url;

use crate::commands::keys::master_keys;
use crate::config::{Config, Embedding};
use crate::data_directory::DataDirectory;

/// The application over an open database.
pub async fn assemble(
    config: &Config,
    directory: &DataDirectory,
    store: Store,
    public_url: Url,
    environment: &Environment,
) -> Result<Arc<App>> {
    let data = &config.data.directory;
    let web = Client::new(&config.outbound, environment.clone())?;
    let embedders = embedders(config.embedding.as_ref(), data, &web).await?;
    let language_model = config
        .language_model
        .as_ref()
        .map(|model| model.open(&web))
        .transpose()
        .context("the language model of [language_model] cannot be used")?;
    let sealer = Sealer::open(&store, master_keys(config, directory))?;
    sealer.check().await?;
    let storage = Storage::open(&config.storage, &data.join("files"), environment.clone())?;
    let extractor = Extractor::new(extract::Config {
        pdfium: models::pdfium(data),
        ..extract::Config::default()
    });
    let engine = Arc::new(Embedded::new(config.index));
    let answering = Answering::new(
        environment.clone(),
        config.answers.clone(),
        embedders.first().cloned(),
        language_model,
    );
    Ok(Arc::new(App::new(Parts {
        library: Library::new(store.clone(), engine, embedders),
        storage,
        extractor,
        answering,
        sealer,
        slack: config.slack.clone(),
        web,
        store,
        token_key: directory.token_key(environment)?,
        identity: identity::Config {
            public_url,
            sign_up: config.identity.sign_up,
        },
        mailer: Mailer::new(config.mail.as_ref())?,
    })))
}

/// The embedding models: the configured endpoint first, since the first one is what new knowledge bases get, then the local ones.
async fn embedders(endpoint: Option<&Embedding>, data: &Path, web: &Client) -> Result<Embedders> {
    let mut models: Vec<Arc<dyn Embedder>> = Vec::new();
    if let Some(Embedding { endpoint, key }) = endpoint {
        let model = RemoteEmbedder::open(endpoint.clone(), key.clone(), web.clone()).await;
        models.push(Arc::new(
            model.context("the embedding model of [embedding] cannot be used")?,
        ));
    }
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let data = data.to_owned();
    let installed = tokio::task::spawn_blocking(move || embed::local::installed(&data, threads)).await?;
    models.extend(installed.context("the local embedding model cannot be used")?);
    if models.is_empty() {
        tracing::warn!(
            "no embedding model is installed: searching by words alone; run `amebo models install`"
        );
    }
    Ok(Embedders::new(models))
}
