//! A workspace export (`slack.com/help/articles/220556107`): a zip of `users.json`, `channels.json`, `groups.json`, `dms.json`, `mpims.json` and one
//! file of messages for each day of each channel, `<channel>/<YYYY-MM-DD>.json`.
//!
//! Memory is bounded whatever the size: the list of files, one day of one channel, nothing else. Nothing is unpacked to disk, and names in
//! the archive are only ever compared. What is broken in one file is told and leaves the others alone; an archive made to
//! exhaust its reader is refused as a whole.

mod archive;
mod people;

#[cfg(test)]
mod tests;

pub use archive::{Day, Error, Export, Limits, MAX_ENTRIES, Messages, Problem};
pub use people::{Channel, User};
