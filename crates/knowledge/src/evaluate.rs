//! Replaying questions with known answers: how good is retrieval, how fast, and better or worse than before.
//!
//! Nothing here is a shortcut: a set's documents are split by the real splitter, embedded by the real model, searched by the
//! real engine. What is reported is never what constants were fitted on without saying so (docs/quality.md).

pub mod answers;
pub mod documents;
pub mod library;
pub mod metric;
pub mod report;
pub mod retrieval;
pub mod set;
mod vectors;

pub use library::Library;
pub use report::{Measure, Report};
pub use retrieval::{Mode, evaluate};
pub use set::Set;

use std::io;
use std::path::PathBuf;

/// Why a set could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the set cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line of the set is not what its format says.
    #[error("{} line {line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Texts could not be embedded.
    #[error("the texts of the set could not be embedded")]
    Embed(#[from] crate::embed::Error),
    /// The engine refused.
    #[error("the set could not be indexed or searched")]
    Index(#[from] crate::index::Error),
}
