//! Parts of an Office file changed before it is read, where its reader does not take them as they are.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The largest part that is changed, in bytes.
const LIMIT: u64 = 64 << 20;

/// The same file with other text in the parts that `edit` gives one for; `None` when that is no part, or the file cannot be
/// searched.
pub(super) fn rewrite(bytes: &[u8], edit: impl Fn(&str, &mut dyn Read) -> Option<String>) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut edited = BTreeMap::new();
    for index in 0..archive.len() {
        let Ok(mut part) = archive.by_index(index) else {
            continue;
        };
        let name = part.name().ok()?.to_string();
        if let Some(text) = edit(&name, &mut part) {
            edited.insert(index, (name, text));
        }
    }
    if edited.is_empty() {
        return None;
    }
    let mut copy = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    for index in 0..archive.len() {
        if let Some((name, text)) = edited.remove(&index) {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            copy.start_file(name, options).ok()?;
            copy.write_all(text.as_bytes()).ok()?;
        } else {
            copy.raw_copy_file(archive.by_index_raw(index).ok()?).ok()?;
        }
    }
    Some(copy.finish().ok()?.into_inner())
}

/// The rest of a part after `head`; `None` when it is too large or not UTF-8.
pub(super) fn text(mut head: Vec<u8>, part: &mut dyn Read) -> Option<String> {
    part.take(LIMIT).read_to_end(&mut head).ok()?;
    if head.len() as u64 >= LIMIT {
        return None;
    }
    String::from_utf8(head).ok()
}
