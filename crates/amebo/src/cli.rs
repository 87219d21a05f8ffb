//! The command line.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::config::Config;
use crate::terminal::Api;

/// Ask what your company already knows.
#[derive(Parser)]
#[command(name = "amebo", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Global {
    /// A configuration file; amebo.toml in the current directory when absent.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the managed database, files, keys and models live.
    #[arg(long, global = true, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve(commands::serve::Options),
    /// Put files and folders into a knowledge base, and wait until they are findable.
    Ingest(commands::ingest::Options),
    /// Read in what was said elsewhere.
    #[command(subcommand)]
    Import(commands::import::Command),
    /// Ask a question.
    Ask(commands::ask::Options),
    /// Find passages.
    Search(commands::search::Options),
    /// Bring the database schema up to date.
    Migrate(commands::migrate::Options),
    /// Measure how good retrieval, answers, extraction and the grouping of chat are, on sets with known answers.
    Eval(commands::eval::Options),
    /// Look at everything the installation needs, and say how to mend what is wrong.
    Doctor,
    /// Prove that audit logs were not altered.
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// Rotate the keys that seal secrets.
    #[command(subcommand)]
    Keys(commands::keys::Command),
    /// Install the embedding model and the PDF library.
    #[command(subcommand)]
    Models(commands::models::Command),
    /// Print the API description (OpenAPI 3.1).
    Openapi,
    /// Read one document on standard input in a sandbox; started by the server.
    #[command(hide = true)]
    ExtractWorker,
}

/// Reads the command line and does what it says.
pub fn run() -> Result<()> {
    let Cli { global, command } = Cli::parse();
    // The sandbox must be entered before anything else runs in the process.
    if matches!(command, Command::ExtractWorker) {
        return commands::extract_worker::run();
    }
    if matches!(command, Command::Openapi) {
        return commands::openapi::run();
    }
    let config = Config::load(global.config.as_deref(), global.data.as_deref())?;
    if let Command::Models(command) = command {
        return commands::models::run(&config.data.directory, command);
    }
    crate::telemetry::start(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    let (file, data) = (global.config.as_deref(), config.data.directory.as_path());
    runtime.block_on(async {
        match command {
            Command::Serve(options) => commands::serve::run(&config, options).await,
            Command::Ingest(options) => {
                let api = Api::connect(&options.target, file, data).await?;
                commands::ingest::run(api, &options).await
            }
            Command::Import(command) => {
                let commands::import::Command::Slack(options) = &command;
                let api = Api::connect(&options.target, file, data).await?;
                commands::import::run(api, &command).await
            }
            Command::Ask(options) => {
                commands::ask::run(&Api::connect(&options.target, file, data).await?, &options).await
            }
            Command::Search(options) => {
                commands::search::run(&Api::connect(&options.target, file, data).await?, &options).await
            }
            Command::Eval(options) => commands::eval::run(data, &options).await,
            Command::Doctor => commands::doctor::run(&config).await,
            Command::Audit(command) => commands::audit::run(&config, command).await,
            Command::Keys(command) => commands::keys::run(&config, command).await,
            Command::Migrate(options) => commands::migrate::run(&config, options).await,
            Command::Models(_) | Command::Openapi | Command::ExtractWorker => Ok(()),
        }
    })
}

/// Tells a person what went wrong, with its causes.
#[expect(clippy::print_stderr, reason = "the command line speaks to a person")]
pub fn complain(error: &anyhow::Error) {
    eprintln!("amebo: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because {cause}");
    }
}
