//! `amebo ask`: a question, answered in the terminal.

use std::fmt::Display;
use std::io::{Write as _, stdout};

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::json;

use crate::terminal::{Api, Target};

/// Flags of `amebo ask`.
#[derive(clap::Args)]
pub struct Options {
    /// The question.
    question: String,
    /// Print the whole outcome as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Deserialize)]
struct Outcome {
    answer: Answer,
}

#[derive(Deserialize)]
struct Answer {
    outcome: String,
    text: String,
    notice: Option<String>,
    citations: Vec<Citation>,
    closest: Vec<Citation>,
    confidence: Option<f64>,
    confidence_level: Option<String>,
    searched: Searched,
}

#[derive(Deserialize)]
struct Citation {
    source: u32,
    document_title: String,
    heading_path: Vec<String>,
    page: Option<u32>,
    quote: String,
}

#[derive(Deserialize)]
struct Searched {
    knowledge_bases: u32,
    documents: u32,
}

/// Asks, and prints the answer as it comes.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn run(api: &Api, options: &Options) -> Result<()> {
    let body = json!({ "text": options.question });
    if options.json {
        println!("{:#}", api.post::<serde_json::Value>("/questions", &body).await?);
        return Ok(());
    }
    let mut events = api.post_for_events("/questions", &body).await?;
    let mut written = String::new();
    while let Some(event) = events.next().await? {
        match event.name.as_str() {
            "token" => {
                let token: serde_json::Value = event.json()?;
                let text = token["text"].as_str().unwrap_or_default();
                print!("{text}");
                stdout().flush()?;
                written.push_str(text);
            }
            "restart" => {
                println!();
                written.clear();
            }
            "verdict" => {
                show(&event.json::<Outcome>()?.answer, &written);
                return Ok(());
            }
            "error" => bail!(
                "{}",
                event.json::<serde_json::Value>()?["detail"]
                    .as_str()
                    .unwrap_or("the question failed")
            ),
            _ => {}
        }
    }
    bail!("the server stopped before the answer was complete")
}

/// Prints what was not printed while it came: the checked text where it differs, its sources, how sure Amebo is.
#[expect(clippy::print_stdout, reason = "the command's output")]
fn show(answer: &Answer, written: &str) {
    if !written.is_empty() {
        println!();
    }
    if answer.text.trim() != written.trim() {
        if !written.is_empty() {
            println!("\nAfter checking the citations:");
        }
        println!("{}", answer.text.trim());
    }
    if let Some(notice) = &answer.notice {
        println!("\n{notice}");
    }
    let mut shown = Vec::new();
    for citation in &answer.citations {
        if !shown.contains(&citation.source) {
            println!(
                "{}[{}] {}",
                if shown.is_empty() { "\n" } else { "" },
                citation.source,
                place(citation)
            );
            shown.push(citation.source);
        }
    }
    if answer.outcome != "answered" && !answer.closest.is_empty() {
        println!("\nClosest:");
        for citation in &answer.closest {
            println!("  {}: “{}”", place(citation), citation.quote.trim());
        }
    }
    if let (Some(confidence), Some(level)) = (answer.confidence, &answer.confidence_level) {
        let Searched {
            knowledge_bases,
            documents,
        } = answer.searched;
        println!(
            "\nConfidence: {level} ({:.0} %). Searched {} in {}.",
            confidence * 100.0,
            counted(documents, "document"),
            counted(knowledge_bases, "knowledge base"),
        );
    }
}

fn counted(count: impl Display, what: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn place(citation: &Citation) -> String {
    let mut place = citation.document_title.clone();
    for heading in citation
        .heading_path
        .iter()
        .filter(|heading| **heading != citation.document_title)
    {
        place.push_str(" › ");
        place.push_str(heading);
    }
    if let Some(page) = citation.page {
        place.push_str(", page ");
        place.push_str(&page.to_string());
    }
    place
}
