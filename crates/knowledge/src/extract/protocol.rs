//! What parent and child say to each other over the child's standard streams.
//!
//! Down: a line of JSON [`Setup`], a line of JSON [`Request`], then exactly [`Request::bytes`] bytes, then the pipe stays
//! open until the answer was read (its closing tells the child that nobody waits any more).
//! Up: the length of the head as 4 little-endian bytes, the head as JSON [`Reply`], then the text of the document as it is:
//! text is the bulk and would only grow by quoting.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::extract::Refusal;
use crate::passage::Extracted;

/// What the child must know before it shuts itself in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Setup {
    /// Where libpdfium lies, if it is installed.
    pub(super) pdfium: Option<PathBuf>,
    /// Address space the child may use.
    pub(super) memory_bytes: u64,
    /// Processor time the child may use.
    pub(super) seconds: u64,
    /// The largest file it will read.
    pub(super) input_bytes: u64,
}

/// The file to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    /// The name it was uploaded under; only chooses between kinds of text.
    pub(super) name: Option<String>,
    /// How many bytes follow.
    pub(super) bytes: u64,
}

/// The head of the answer; [`Extracted::text`] is empty and follows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// The document was read.
    Extracted(Extracted),
    /// It was not, for a reason its owner can act on.
    Refused(Refusal),
}

/// Reads one line of JSON, of at most 64 KiB.
pub(super) fn read_line<T: for<'de> Deserialize<'de>>(input: &mut impl Read) -> io::Result<T> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < 64 * 1024 {
        input.read_exact(&mut byte)?;
        if byte[0] == b'\n' {
            return serde_json::from_slice(&line).map_err(io::Error::other);
        }
        line.push(byte[0]);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"))
}

/// One line of JSON.
pub(super) fn line<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes an answer.
pub(super) fn write_reply(output: &mut impl Write, mut reply: Reply) -> io::Result<()> {
    let text = match &mut reply {
        Reply::Extracted(extracted) => std::mem::take(&mut extracted.text),
        Reply::Refused(_) => String::new(),
    };
    let head = serde_json::to_vec(&reply).map_err(io::Error::other)?;
    let length = u32::try_from(head.len()).map_err(io::Error::other)?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(&head)?;
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Reads an answer out of everything the child wrote; `None` when the child did not keep to the protocol.
///
/// The child may have been taken over by what it read, so nothing is believed: ranges are checked as if they were input.
pub(super) fn parse_reply(bytes: Vec<u8>) -> Option<Reply> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let start = 4usize.checked_add(length)?;
    let reply = serde_json::from_slice(bytes.get(4..start)?).ok()?;
    let Reply::Extracted(mut extracted) = reply else {
        return Some(reply);
    };
    extracted.text = String::from_utf8(bytes.get(start..)?.to_vec()).ok()?;
    drop(bytes);
    let mut end = 0;
    for block in &extracted.blocks {
        if block.range.start < end || extracted.text.get(block.range.clone()).is_none() {
            return None;
        }
        end = block.range.end;
    }
    (!extracted.text.contains('\0')).then_some(Reply::Extracted(extracted))
}
