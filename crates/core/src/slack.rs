//! What a mirrored Slack workspace consists of.

use crate::permission::named_enum;

named_enum! {
    /// What a channel is: who can come in.
    pub enum SlackChannelKind {
        /// Open to the workspace.
        Public = "public",
        /// By invitation.
        Private = "private",
        /// A direct message of two.
        Direct = "direct",
        /// A direct message of several.
        Group = "group",
    }
}

named_enum! {
    /// How far the import of an export has come.
    pub enum SlackImportState {
        /// The archive is stored; a job will take it up.
        Waiting = "waiting",
        /// Messages are being stored.
        Running = "running",
        /// All messages are stored; documents may still be in work.
        Done = "done",
        /// Given up, with a reason.
        Failed = "failed",
    }
}
