//! `amebo search`: passages, without an answer.

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;

use crate::terminal::{Api, Target};

/// Flags of `amebo search`.
#[derive(clap::Args)]
pub struct Options {
    /// A question, or words of it.
    text: String,
    /// How many passages, 1 to 100.
    #[arg(long, short = 'n', default_value_t = 5)]
    limit: u32,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Deserialize)]
struct Findings {
    passages: Vec<Passage>,
    documents_searched: usize,
    by_meaning: bool,
}

#[derive(Deserialize)]
struct Passage {
    document_title: String,
    heading_path: Vec<String>,
    page: Option<u32>,
    content: String,
}

/// Searches and prints what was found.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn run(api: &Api, options: &Options) -> Result<()> {
    let body = json!({ "text": options.text, "limit": options.limit });
    if options.json {
        println!("{:#}", api.post::<serde_json::Value>("/search", &body).await?);
        return Ok(());
    }
    let findings: Findings = api.post("/search", &body).await?;
    for (number, passage) in (1..).zip(&findings.passages) {
        let page = passage
            .page
            .map_or(String::new(), |page| format!(", page {page}"));
        let mut place = vec![passage.document_title.as_str()];
        place.extend(
            passage
                .heading_path
                .iter()
                .map(String::as_str)
                .filter(|heading| *heading != passage.document_title),
        );
        println!(
            "{number}. {}{page}\n{}\n",
            place.join(" › "),
            passage.content.trim()
        );
    }
    let how = if findings.by_meaning {
        "words and meaning"
    } else {
        "words alone, since there is no embedding model"
    };
    println!("Searched {} documents by {how}.", findings.documents_searched);
    Ok(())
}
