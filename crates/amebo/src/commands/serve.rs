//! `amebo serve`: the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use amebo_app::App;
use amebo_core::Environment;
use amebo_store::Store;
use anyhow::{Context as _, Result};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::assembly::assemble;
use crate::config::Config;
use crate::data_directory::{DataDirectory, write_private};
use crate::database::RunningDatabase;
use crate::demo;
use crate::terminal::{Announcement, Credential};

/// How often gauges are brought up to date.
const GAUGES: Duration = Duration::from_secs(15);
/// How often files that no row owns are looked for.
const SWEEP: Duration = Duration::from_hours(24);

/// How long open requests may take to end once the server was asked to stop.
const GRACE: Duration = Duration::from_secs(25);

/// Flags of `amebo serve`.
#[derive(clap::Args)]
pub struct Options {
    /// Listen here instead of server.listen.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Load sample documents of a company that does not exist, once.
    #[arg(long)]
    demo: bool,
}

/// Starts everything, serves until told to stop, stops everything.
pub async fn run(config: &Config, options: Options) -> Result<()> {
    let environment = Environment::system();
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .context("metrics could not be started")?;
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
    let app = assemble(config, &directory, store, public_url, &environment).await?;
    announce(&app, &config.identity).await?;
    open_to_terminal(&app, &config.data.directory, listener.local_addr()?).await?;
    let stop = CancellationToken::new();
    let mut work = JoinSet::new();
    let (worker, stopped) = (app.worker(config.jobs.clone()), stop.clone());
    work.spawn(async move { worker.run(stopped).await });
    work.spawn(look_after(Arc::clone(&app), metrics.clone(), stop.clone()));
    let (sockets, stopped) = (Arc::clone(&app), stop.clone());
    work.spawn(async move { sockets.keep_slack_sockets(&stopped).await });
    if options.demo {
        work.spawn(load_samples(config.data.directory.clone(), stop.clone()));
    }
    let http = amebo_http::Config {
        trusted_proxies: config.server.trusted_proxies.clone(),
    };
    let figures = amebo_http::metrics::router(
        Arc::new(move || metrics.render()),
        config.server.metrics_token.clone(),
    );
    let service = amebo_http::router(Arc::clone(&app), http)
        .merge(figures)
        .into_make_service_with_connect_info::<SocketAddr>();
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

/// What is due every few seconds or once a day, beside the work of the queue.
async fn look_after(app: Arc<App>, metrics: PrometheusHandle, stop: CancellationToken) {
    let (mut gauges, mut sweep) = (interval(GAUGES), interval(SWEEP));
    loop {
        let failed = tokio::select! {
            () = stop.cancelled() => return,
            _ = gauges.tick() => {
                metrics.run_upkeep();
                app.update_gauges().await.err()
            }
            _ = sweep.tick() => app.sweep_files().await.err(),
        };
        if let Some(error) = failed {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "upkeep failed and will be tried again"
            );
        }
    }
}

async fn load_samples(data: PathBuf, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        loaded = demo::load(&data) => if let Err(error) = loaded {
            tracing::error!("{error:#}");
        }
    }
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
