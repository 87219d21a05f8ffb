//! The data directory and the keys in it, made at the first start.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use amebo_core::Environment;
use anyhow::{Context as _, Result};
use secrecy::SecretBox;

/// Where this installation keeps what it owns.
#[derive(Debug, Clone)]
pub struct DataDirectory(PathBuf);

impl DataDirectory {
    /// Opens the directory, making it when it is missing. The managed database may run under another account, so others may
    /// pass through, but not look.
    pub fn open(path: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(path)
            .with_context(|| format!("could not make the data directory {}", path.display()))?;
        Ok(Self(path.to_owned()))
    }

    /// The managed database's own directory.
    pub fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// The ring of master keys, under which data keys are wrapped.
    pub fn master_keys(&self) -> PathBuf {
        self.0.join("master.keys")
    }

    /// The key that signs access tokens, made when it is missing. It is used for nothing else.
    pub fn token_key(&self, environment: &Environment) -> Result<SecretBox<[u8]>> {
        let path = self.0.join("token.key");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let bytes = environment.bytes::<32>().to_vec();
                write_private(&path, &bytes)?;
                tracing::info!(path = %path.display(), "made a key that signs access tokens");
                bytes
            }
            Err(error) => return Err(error).with_context(|| format!("could not read {}", path.display())),
        };
        anyhow::ensure!(
            bytes.len() >= 32,
            "{} holds fewer than 32 bytes; remove it to have a new one made",
            path.display()
        );
        Ok(SecretBox::from(bytes))
    }
}

/// Writes a file that only its owner may read; refuses to replace one.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("could not write {}", path.display()))
}
