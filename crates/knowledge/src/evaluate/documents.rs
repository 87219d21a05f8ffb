//! How well documents are read: words of known texts that come out, and hostile files that end in a clear reason.
//!
//! A set is a folder with `manifest.jsonl`, one file a line: `path`, `class` (normal, encrypted, broken, hostile) and, where
//! the right text is known, `truth`, the path of that text as Markdown.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::extract::{Error, Extractor};

/// What became of a set of documents.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DocumentsReport {
    /// Every file in the order of the manifest.
    pub files: Vec<FileOutcome>,
    /// The mean share of words of the known texts that were found, over all files that were read and have one.
    pub word_recall: f64,
    /// How many files that is.
    pub with_truth: usize,
    /// Files that gave text.
    pub read: usize,
    /// Files that were refused with a reason.
    pub refused: usize,
    /// Files on which the child died or ran out of time; the parent goes on.
    pub failed: usize,
    /// The longest any file took, in seconds.
    pub slowest_seconds: f64,
}

/// What became of one file.
#[derive(Debug, Clone, Serialize)]
pub struct FileOutcome {
    /// Its path in the set.
    pub path: String,
    /// Its class in the manifest.
    pub class: String,
    /// The type found, when it was read.
    pub mime_type: Option<String>,
    /// Bytes of text, when it was read.
    pub text_bytes: usize,
    /// The reason as its owner would see it, when it was not.
    pub reason: Option<String>,
    /// The share of words of its known text that were found, if it has one and was read.
    pub word_recall: Option<f64>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    class: String,
    truth: Option<String>,
}

/// Reads every file of the set in `folder` and measures what comes out; an error only when the set itself cannot be read.
pub async fn documents(folder: &Path, extractor: &Extractor) -> io::Result<DocumentsReport> {
    let manifest = tokio::fs::read_to_string(folder.join("manifest.jsonl")).await?;
    let mut report = DocumentsReport::default();
    let mut recall = 0.0;
    for line in manifest.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Entry = serde_json::from_str(line).map_err(io::Error::other)?;
        let outcome = file(folder, extractor, &entry, &mut report).await?;
        if let Some(share) = outcome.word_recall {
            recall += share;
            report.with_truth += 1;
        }
        report.slowest_seconds = report.slowest_seconds.max(outcome.seconds);
        report.files.push(outcome);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of files")]
    let count = report.with_truth.max(1) as f64;
    report.word_recall = recall / count;
    Ok(report)
}

async fn file(
    folder: &Path,
    extractor: &Extractor,
    entry: &Entry,
    report: &mut DocumentsReport,
) -> io::Result<FileOutcome> {
    let bytes = tokio::fs::read(folder.join(&entry.path)).await?;
    let name = PathBuf::from(&entry.path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let started = Instant::now();
    let result = extractor.extract(name.as_deref(), &bytes).await;
    let mut outcome = FileOutcome {
        path: entry.path.clone(),
        class: entry.class.clone(),
        mime_type: None,
        text_bytes: 0,
        reason: None,
        word_recall: None,
        seconds: started.elapsed().as_secs_f64(),
    };
    match result {
        Ok(extracted) => {
            report.read += 1;
            if let Some(truth) = &entry.truth {
                let truth = tokio::fs::read_to_string(folder.join(truth)).await?;
                outcome.word_recall = Some(word_recall(&visible(&truth), &extracted.text));
            }
            outcome.text_bytes = extracted.text.len();
            outcome.mime_type = Some(extracted.mime_type);
        }
        Err(error) => {
            match &error {
                Error::Refused(_) | Error::TooLarge { .. } => report.refused += 1,
                _ => report.failed += 1,
            }
            outcome.reason = Some(error.to_string());
        }
    }
    Ok(outcome)
}

/// The share of the words of `truth`, counted as often as they occur, that `found` has; 1 when there are none.
pub fn word_recall(truth: &str, found: &str) -> f64 {
    let mut available: HashMap<String, usize> = HashMap::new();
    for word in words(found) {
        *available.entry(word).or_default() += 1;
    }
    let (mut all, mut hits) = (0u32, 0u32);
    for word in words(truth) {
        all += 1;
        if let Some(left) = available.get_mut(&word).filter(|left| **left > 0) {
            *left -= 1;
            hits += 1;
        }
    }
    if all == 0 {
        1.0
    } else {
        f64::from(hits) / f64::from(all)
    }
}

/// Words in lower case; each ideograph or kana is one.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        let alone =
            matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
        if (alone || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if alone {
            words.push(c.to_string());
        } else if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// What a reader sees of Markdown: without comments, link targets and character references.
fn visible(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(at) = rest.find(['<', ']']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with("<!--") {
            rest.find("-->").map(|end| end + 3)
        } else if rest.starts_with("](") {
            rest.find(')').map(|end| end + 1)
        } else {
            None
        };
        let end = end.unwrap_or(1);
        text.push(' ');
        rest = &rest[end..];
    }
    text.push_str(rest);
    [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("\\_", "_"),
    ]
    .iter()
    .fold(text, |text, (reference, character)| {
        text.replace(reference, character)
    })
}
