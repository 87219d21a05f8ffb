//! Vectors kept on disk between runs: embedding a library takes minutes, and neither texts nor models change meanwhile.
//!
//! One file a model: records of a SHA-256 over purpose and text and the vector in half precision. A cut-off last record is
//! overwritten.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use half::f16;
use sha2::{Digest, Sha256};

use super::Error;
use crate::embed::{Embedder, Purpose};

type Key = [u8; 32];

/// How many texts are embedded before they are written.
const BATCH: usize = 256;

/// Embeds through the cache.
pub(super) struct Vectors {
    model: Arc<dyn Embedder>,
    known: HashMap<Key, Vec<u8>>,
    file: Option<(PathBuf, File)>,
}

impl Vectors {
    /// Vectors of a model, kept in `folder` if one is given.
    pub(super) fn open(model: Arc<dyn Embedder>, folder: Option<&Path>) -> Result<Self, Error> {
        let mut vectors = Self {
            model,
            known: HashMap::new(),
            file: None,
        };
        if let Some(folder) = folder {
            let id = &vectors.model.model().id;
            let name: String = id
                .chars()
                .map(|c| if c.is_alphanumeric() { c } else { '-' })
                .collect();
            let path = folder.join(format!("{name}.vectors"));
            let read = |source| Error::Read {
                path: path.clone(),
                source,
            };
            fs::create_dir_all(folder).map_err(read)?;
            let file = vectors.read(&path).map_err(read)?;
            vectors.file = Some((path, file));
        }
        Ok(vectors)
    }

    /// The model.
    pub(super) fn model(&self) -> &crate::embed::ModelInfo {
        self.model.model()
    }

    /// The vectors of some texts as little-endian f16.
    pub(super) async fn of(&mut self, texts: &[String], purpose: Purpose) -> Result<Vec<Vec<u8>>, Error> {
        let keys: Vec<Key> = texts.iter().map(|text| key(text, purpose)).collect();
        let mut missing: Vec<usize> = (0..texts.len())
            .filter(|&at| !self.known.contains_key(&keys[at]))
            .collect();
        // Texts of like length together: no model wastes time on filling short ones up.
        missing.sort_by_key(|&at| texts[at].len());
        for batch in missing.chunks(BATCH) {
            let inputs: Vec<String> = batch.iter().map(|&at| texts[at].clone()).collect();
            for (&at, vector) in batch.iter().zip(self.model.embed(&inputs, purpose).await?) {
                let bytes: Vec<u8> = vector
                    .iter()
                    .flat_map(|&value| f16::from_f32(value).to_le_bytes())
                    .collect();
                if let Some((path, file)) = &mut self.file {
                    let written = file.write_all(&keys[at]).and_then(|()| file.write_all(&bytes));
                    written.map_err(|source| Error::Read {
                        path: path.clone(),
                        source,
                    })?;
                }
                self.known.insert(keys[at], bytes);
            }
        }
        Ok(keys
            .iter()
            .map(|key| self.known.get(key).cloned().unwrap_or_default())
            .collect())
    }

    fn read(&mut self, path: &Path) -> io::Result<File> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let record = size_of::<Key>() + self.model.model().dimension * 2;
        let whole = bytes.len() / record * record;
        for record in bytes[..whole].chunks_exact(record) {
            if let Some((key, vector)) = record.split_first_chunk() {
                self.known.insert(*key, vector.to_vec());
            }
        }
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    }
}

fn key(text: &str, purpose: Purpose) -> Key {
    let mut digest = Sha256::new();
    digest.update(match purpose {
        Purpose::Query => b"q",
        Purpose::Sentence => b"s",
        Purpose::Passage => b"p",
    });
    digest.update(text);
    digest.finalize().into()
}
