//! `amebo serve`: the server.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amebo_app::ask::Answering;
use amebo_app::embedders::Embedders;
use amebo_app::library::Library;
use amebo_app::mail::Mailer;
use amebo_app::{App, Parts, identity};
use amebo_core::Environment;
use amebo_knowledge::embed::local::LocalEmbedder;
use amebo_knowledge::extract::{self, Extractor};
use amebo_knowledge::index::embedded::{self, Embedded};
use amebo_knowledge::models;
use amebo_store::blob::{self, Storage};
use amebo_store::sealing::{MasterKeys, Sealer};
use amebo_store::{Store, job};
use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::data_directory::{DataDirectory, write_private};
use crate::database::RunningDatabase;
use crate::terminal::{Announcement, Credential};

/// How long open requests may take to end once the server was asked to stop.
const GRACE: Duration = Duration::from_secs(25);

/// Flags of `amebo serve`.
#[derive(clap::Args)]
pub struct Options {
    /// Listen here instead of server.listen.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<std::net::SocketAddr>,
}

/// Starts everything, serves until told to stop, stops everything.
pub async fn run(config: &Config, options: Options) -> Result<()> {
    let environment = Environment::system();
    let directory = DataDirectory::open(&config.data.directory)?;
    let database = RunningDatabase::start(config, &directory).await?;
    let store = Store::connect(&database.store_config, environment.clone())
        .await
        .context("the database cannot be used")?;
    let listen = options.listen.unwrap_or(config.server.listen);
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("could not listen on {listen}"))?;
    let public_url = match &config.server.public_url {
        Some(url) => url.clone(),
        None => format!("http://{}", listener.local_addr()?)
            .parse()
            .context("the address listened on has no URL; set server.public_url")?,
    };
    let web = amebo_outbound::Client::new(&config.outbound, environment.clone())?;
    let embedders = local_model(&config.data.directory)?;
    let language_model = config
        .language_model
        .as_ref()
        .map(|model| model.open(&web))
        .transpose()
        .context("the language model of [language_model] cannot be used")?;
    let sealer = Sealer::open(&store, MasterKeys::File(directory.master_keys()))?;
    sealer.check().await?;
    let engine = Arc::new(Embedded::new(embedded::Settings::default()));
    let app = Arc::new(App::new(Parts {
        library: Library::new(store.clone(), engine, embedders.clone()),
        storage: Storage::open(
            &blob::Settings::default(),
            &config.data.directory.join("files"),
            environment.clone(),
        )?,
        extractor: Extractor::new(extract::Config {
            pdfium: models::pdfium(&config.data.directory),
            ..extract::Config::default()
        }),
        answering: Answering::new(
            environment.clone(),
            config.answers.clone(),
            embedders.first().cloned(),
            language_model,
        ),
        sealer,
        web,
        store,
        token_key: directory.token_key(&environment)?,
        identity: identity::Config {
            public_url,
            sign_up: config.identity.sign_up,
        },
        mailer: Mailer::new(config.mail.as_ref())?,
    }));
    announce(&app, &config.identity).await?;
    open_to_terminal(&app, &config.data.directory, listener.local_addr()?).await?;
    let stop = CancellationToken::new();
    let mut work = JoinSet::new();
    let (worker, stopped) = (app.worker(job::Settings::default()), stop.clone());
    work.spawn(async move { worker.run(stopped).await });
    let http = amebo_http::Config {
        trusted_proxies: config.server.trusted_proxies.clone(),
    };
    let service =
        amebo_http::router(Arc::clone(&app), http).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(asked_to_stop());
    tokio::select! {
        served = served => served.context("the server ended")?,
        () = async { asked_to_stop().await; tokio::time::sleep(GRACE).await } => {
            tracing::warn!("stopping although some requests have not ended");
        }
    }
    Announcement::remove(&config.data.directory);
    stop.cancel();
    work.join_all().await;
    app.finish().await;
    database.stop().await;
    Ok(())
}

/// Lets the commands on this machine find the server, and gives them a key the first time.
async fn open_to_terminal(app: &App, data: &Path, address: SocketAddr) -> Result<()> {
    let path = Credential::path(data);
    if !path.exists()
        && let Some((organization_id, api_key)) = app.create_terminal_key().await?
    {
        write_private(
            &path,
            &serde_json::to_vec(&Credential {
                organization_id,
                api_key,
            })?,
        )?;
    }
    Announcement {
        url: format!("http://{address}"),
        process: std::process::id(),
    }
    .write(data)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn announce(app: &App, config: &crate::config::Identity) -> Result<()> {
    println!("Amebo is at {}", app.public_url());
    let link = app
        .first_administrator_link(&config.first_administrator, &config.first_organization)
        .await?;
    if let Some(link) = link {
        println!("Sign in as the first administrator, once, within a day: {link}");
    }
    Ok(())
}

/// The embedding model of the data directory, if it is installed.
fn local_model(directory: &Path) -> Result<Embedders> {
    let Some(folder) = models::local_default(directory) else {
        tracing::warn!(
            "no embedding model is installed: searching by words alone; run `amebo models install`"
        );
        return Ok(Embedders::default());
    };
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let model = LocalEmbedder::open(&folder, threads).context("the embedding model cannot be used")?;
    Ok(Embedders::new(vec![Arc::new(model)]))
}

async fn asked_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
