//! The ring of master keys: the last one wraps, all of them unwrap.
//!
//! A key is named by the beginning of its SHA-256, so that the ring needs no names of its own. The file is written beside its place
//! and moved there, so that it is whole or absent.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use amebo_core::Environment;
use amebo_core::id::{Id, OrganizationId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, MasterKeys, Result, cipher};

const FORMAT: u8 = 1;
const HEADER: usize = 1 + NONCE_LEN;
const PREAMBLE: &str = "# The master keys of Amebo, the last one current. Without this file no stored secret can be read:\n\
                        # keep a copy, apart from the backups of the database.\n";

/// Master keys, oldest first.
#[derive(Debug)]
pub(super) struct Ring(Vec<Master>);

#[derive(Debug)]
struct Master {
    id: String,
    key: LessSafeKey,
}

impl Ring {
    /// Reads the ring, making the file with a first key when there is none.
    pub(super) fn open(source: &MasterKeys, environment: &Environment) -> Result<Self> {
        match source {
            MasterKeys::Given(text) => Self::parse(text, "the configuration"),
            MasterKeys::File(path) => {
                if !path.exists() {
                    create(path, environment)?;
                }
                let owner_only = fs::metadata(path)
                    .map_err(file("read", path))?
                    .mode()
                    .trailing_zeros()
                    >= 6;
                if !owner_only {
                    return Err(Error::Ring {
                        place: path.display().to_string(),
                        reason: "others may read it; allow only its owner to (chmod 600)".to_owned(),
                    });
                }
                Self::parse(&read(path)?, &path.display().to_string())
            }
        }
    }

    /// Appends a new key to the file, which makes it current.
    pub(super) fn append(path: &Path, environment: &Environment) -> Result<()> {
        let mut text = read(path)?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        push_new_key(&mut text, environment);
        replace(path, &text)
    }

    /// Removes from the file every key but the current one and those `needed`; returns how many went.
    pub(super) fn keep_only(path: &Path, needed: &[String]) -> Result<usize> {
        let text = read(path)?;
        let ring = Self::parse(&text, &path.display().to_string())?;
        let current = ring.current(&path.display().to_string())?.id.clone();
        let mut kept = Zeroizing::new(String::new());
        let mut removed = 0;
        for line in text.lines() {
            let is_key = !line.trim_start().starts_with('#') && !line.trim().is_empty();
            let id = if is_key {
                Some(id_of(&decode(line.trim()).unwrap_or_default()))
            } else {
                None
            };
            if id.is_some_and(|id| id != current && !needed.contains(&id)) {
                removed += 1;
            } else {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        if removed > 0 {
            replace(path, &kept)?;
        }
        Ok(removed)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|master| master.id == id)
    }

    /// The name of the key that wraps.
    pub(super) fn current_id(&self) -> Option<&str> {
        self.0.last().map(|master| master.id.as_str())
    }

    /// Wraps a data key under the current master key, and names that one.
    pub(super) fn wrap(
        &self,
        organization: OrganizationId,
        id: Uuid,
        raw: &[u8; 32],
        environment: &Environment,
    ) -> Result<(String, Vec<u8>)> {
        let master = self.current("the ring")?;
        let nonce = environment.bytes::<NONCE_LEN>();
        let mut wrapped = Vec::with_capacity(HEADER + 48);
        wrapped.push(FORMAT);
        wrapped.extend_from_slice(&nonce);
        wrapped.extend_from_slice(raw);
        let tag = master
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                context(organization, id),
                &mut wrapped[HEADER..],
            )
            .map_err(|_| Error::Cipher)?;
        wrapped.extend_from_slice(tag.as_ref());
        Ok((master.id.clone(), wrapped))
    }

    /// Unwraps a data key.
    pub(super) fn unwrap(
        &self,
        master: &str,
        organization: OrganizationId,
        id: Uuid,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>> {
        let key = self.0.iter().find(|known| known.id == master);
        let key = key.ok_or_else(|| Error::NoMasterKey(master.to_owned()))?;
        if wrapped.len() < HEADER || wrapped[0] != FORMAT {
            return Err(Error::Malformed);
        }
        let nonce = Nonce::try_assume_unique_for_key(&wrapped[1..HEADER]).map_err(|_| Error::Malformed)?;
        let mut plain = Zeroizing::new(wrapped[HEADER..].to_vec());
        let opened = key
            .key
            .open_in_place(nonce, context(organization, id), &mut plain)
            .map_err(|_| Error::Refused)?;
        Ok(Zeroizing::new(
            <[u8; 32]>::try_from(&*opened).map_err(|_| Error::Malformed)?,
        ))
    }

    fn current(&self, place: &str) -> Result<&Master> {
        self.0.last().ok_or_else(|| Error::Ring {
            place: place.to_owned(),
            reason: "it is empty".to_owned(),
        })
    }

    fn parse(text: &str, place: &str) -> Result<Self> {
        let refused = |reason: &str| Error::Ring {
            place: place.to_owned(),
            reason: reason.to_owned(),
        };
        let mut ring = Vec::new();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for word in lines
            .flat_map(|line| line.split([',', ' ', '\t']))
            .filter(|word| !word.trim().is_empty())
        {
            let raw = decode(word.trim()).ok_or_else(|| refused("a key is not 32 bytes in base64"))?;
            ring.push(Master {
                id: id_of(&raw),
                key: cipher::cipher(&raw)?,
            });
        }
        if ring.is_empty() {
            return Err(refused("it is empty"));
        }
        Ok(Self(ring))
    }
}

/// What a wrapped key is bound to.
fn context(organization: OrganizationId, id: Uuid) -> Aad<[u8; 33]> {
    let mut context = [FORMAT; 33];
    context[1..17].copy_from_slice(organization.uuid().as_bytes());
    context[17..].copy_from_slice(id.as_bytes());
    Aad::from(context)
}

fn decode(word: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = STANDARD.decode(word).ok()?;
    let raw = <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new);
    bytes.zeroize();
    raw
}

fn id_of(raw: &[u8; 32]) -> String {
    hex::encode(&Sha256::digest(raw)[..8])
}

fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { action, path, source }
}

fn read(path: &Path) -> Result<Zeroizing<String>> {
    fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(file("read", path))
}

fn push_new_key(text: &mut String, environment: &Environment) {
    let raw = Zeroizing::new(environment.bytes::<32>());
    let encoded = Zeroizing::new(STANDARD.encode(*raw));
    text.push_str(&encoded);
    text.push('\n');
}

/// Makes the file with a first key, unless another process is quicker.
fn create(path: &Path, environment: &Environment) -> Result<()> {
    let mut text = Zeroizing::new(PREAMBLE.to_owned());
    push_new_key(&mut text, environment);
    let beside = write_beside(path, &text)?;
    let linked = fs::hard_link(&beside, path);
    let _ = fs::remove_file(&beside);
    match linked {
        Ok(()) => sync_directory(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file("create", path)(error)),
    }
}

fn replace(path: &Path, text: &str) -> Result<()> {
    let beside = write_beside(path, text)?;
    fs::rename(&beside, path).map_err(file("replace", path))?;
    sync_directory(path)
}

fn write_beside(path: &Path, text: &str) -> Result<std::path::PathBuf> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut new = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(file("write", &beside))?;
    new.write_all(text.as_bytes())
        .and_then(|()| new.sync_all())
        .map_err(file("write", &beside))?;
    Ok(beside)
}

fn sync_directory(path: &Path) -> Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(file("write", path))
}
