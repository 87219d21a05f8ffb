//! The account PostgreSQL runs under: Amebo's own, except that PostgreSQL refuses root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Uid, User, chown, getegid, geteuid};

use super::Error;

#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    uid: Uid,
    gid: Gid,
    /// Amebo is root and PostgreSQL must not be.
    borrowed: bool,
}

impl Account {
    pub(super) fn choose() -> Result<Self, Error> {
        let uid = geteuid();
        if !uid.is_root() {
            // `initdb` needs a passwd entry for its own account; without one it says so, so that a made-up name serves.
            let name = User::from_uid(uid)
                .ok()
                .flatten()
                .map_or_else(|| uid.to_string(), |user| user.name);
            return Ok(Self {
                name,
                uid,
                gid: getegid(),
                borrowed: false,
            });
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self {
                name: user.name,
                uid: user.uid,
                gid: user.gid,
                borrowed: true,
            })
            .ok_or(Error::NoAccount)
    }

    /// Makes `command` run under this account.
    pub(super) fn run(&self, command: &mut Command) {
        if self.borrowed {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
    }

    /// Gives `path`, which this process made, to the account.
    pub(super) fn give(&self, path: &Path) -> Result<(), Error> {
        if self.borrowed {
            chown(path, Some(self.uid), Some(self.gid)).map_err(Error::errno("change the owner of", path))?;
        }
        Ok(())
    }

    /// Whether `path` is a directory, not a link, that belongs to the account and that nobody else may enter.
    pub(super) fn alone_in(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|found| {
            found.is_dir() && found.uid() == self.uid.as_raw() && found.mode() & 0o7777 == 0o700
        })
    }

    /// Refuses when the account cannot enter `directory` or one above it.
    pub(super) fn require_entry(&self, directory: &Path) -> Result<(), Error> {
        for ancestor in directory
            .ancestors()
            .filter(|ancestor| !ancestor.as_os_str().is_empty())
        {
            let found = fs::metadata(ancestor).map_err(Error::io("read", ancestor))?;
            let execute = if found.uid() == self.uid.as_raw() {
                0o100
            } else if found.gid() == self.gid.as_raw() {
                0o010
            } else {
                0o001
            };
            if self.borrowed && found.mode() & execute == 0 {
                return Err(Error::Untraversable {
                    directory: ancestor.to_owned(),
                    account: self.name.clone(),
                });
            }
        }
        Ok(())
    }
}
