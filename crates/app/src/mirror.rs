//! Mirrored chat: from messages to documents.
//!
//! Messages come from an import, a backfill or live events, and are only ever stored by those; `compose` then decides which of them
//! make up which document and has the documents processed like any other. So wherever messages come from and whenever anything
//! stops, the documents end up the same.

mod choose;
mod compose;
mod file;
mod follow;
mod import;
mod live;
mod readers;
mod said;
mod transcript;

pub(crate) use choose::give_back;
pub use choose::{FollowedChannel, FollowedChannels};
pub use compose::{Compose, ComposeHandler};
pub use file::{FetchFiles, FetchFilesHandler};
pub use follow::{
    FollowChannel, FollowChannelHandler, FollowWorkspace, FollowWorkspaceHandler, Synchronisation,
};
pub(crate) use follow::{SYNCHRONISATION, chosen as synchronisation_of};
pub use import::{ImportSlack, ImportSlackHandler, ImportStatus, NewImport};
pub use readers::DocumentReaders;
pub(crate) use transcript::extracted;

/// What the mirror hands out as it is stored.
pub use amebo_store::slack::{SlackImport, SlackImportProblem, SlackImportProgress};
