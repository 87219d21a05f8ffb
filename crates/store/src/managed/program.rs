//! Finding PostgreSQL's programs and the version they are of.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Error, OLDEST_VERSION};

/// Where packages put versioned programs: `ROOT/VERSION/bin`, or `ROOT-VERSION/bin` beside others.
const VERSIONED: [(&str, &str); 2] = [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];
/// Where programs are put without a version in the path.
const PLAIN: [&str; 3] = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"];

/// The programs of one installed version.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) directory: PathBuf,
    pub(super) version: u32,
}

impl Programs {
    /// The programs in `chosen`; else those of version `wanted`; else the newest that Amebo works with.
    pub(super) fn find(chosen: Option<&Path>, wanted: Option<u32>) -> Result<Self, Error> {
        if let Some(directory) = chosen {
            return Self::at(directory)?.supported();
        }
        let mut found: Vec<_> = candidates()
            .iter()
            .filter_map(|directory| Self::at(directory).ok())
            .collect();
        // The sort keeps the order among equals, in which a package's own directory comes first.
        found.sort_by_key(|programs| Reverse((Some(programs.version) == wanted, programs.version)));
        match found.into_iter().next() {
            Some(programs) if programs.version >= OLDEST_VERSION => Ok(programs),
            _ => Err(Error::ProgramsMissing),
        }
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    fn at(directory: &Path) -> Result<Self, Error> {
        let unusable = |reason: String| Error::ProgramsUnusable {
            directory: directory.to_owned(),
            reason,
        };
        for program in ["initdb", "postgres"] {
            if !directory.join(program).is_file() {
                return Err(unusable(format!("`{program}` is missing")));
            }
        }
        let output = Command::new(directory.join("postgres"))
            .arg("--version")
            .output()
            .map_err(|error| unusable(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = major(&text).ok_or_else(|| unusable(format!("its version is {:?}", text.trim())))?;
        Ok(Self {
            directory: directory.to_owned(),
            version,
        })
    }

    fn supported(self) -> Result<Self, Error> {
        if self.version >= OLDEST_VERSION {
            return Ok(self);
        }
        Err(Error::ProgramsUnusable {
            reason: format!(
                "they are of version {}, and {OLDEST_VERSION} is needed",
                self.version
            ),
            directory: self.directory,
        })
    }
}

fn candidates() -> Vec<PathBuf> {
    let versioned = VERSIONED.iter().flat_map(|(root, prefix)| {
        fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(move |entry| {
                let name = entry.file_name();
                let version = name.to_str()?.strip_prefix(prefix)?;
                version.parse::<u32>().is_ok().then(|| entry.path().join("bin"))
            })
    });
    versioned
        .chain(PLAIN.iter().map(PathBuf::from))
        .filter(|directory| directory.join("postgres").is_file())
        .collect()
}

/// The major version in what `postgres --version` prints: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(text: &str) -> Option<u32> {
    let after = text.split_once("(PostgreSQL) ")?.1;
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_releases_and_betas() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major("sh: not found"), None);
    }
}
