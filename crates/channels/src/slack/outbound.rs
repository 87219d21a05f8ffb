//! What Amebo says, as Slack shows it: Block Kit within its limits (<https://docs.slack.dev/reference/block-kit>).
//!
//! Markdown becomes mrkdwn in sections; a reply too long for one message becomes several, code fences and links never cut, with
//! citations last and the controls below them. The text of answers and of documents can call nobody and be no markup.

pub mod control;
mod markdown;
mod stream;
mod view;
mod wording;

use amebo_core::answer::ConfidenceLevel;
use serde_json::{Value, json};
use url::Url;

pub use stream::{Pace, Pacer, Step};
pub use view::{Home, RecentQuestion, SyncedPlace, ask_form, comment_form, home, suggested_prompts};

use super::limits::{CONTEXT_LENGTH, FALLBACK_LENGTH};
use super::mrkdwn;
use crate::Capabilities;
use crate::capability::BlockLimits;
use crate::outbound::{Citation, Form, OutboundPayload, Reply};
use markdown::length;
use wording::Wording;

/// Room left in every message for what stands below an answer.
const RESERVED_BLOCKS: usize = 5;
/// How much of a quotation is shown.
const QUOTE_LENGTH: usize = 200;
/// How much of a title or of a heading is shown.
const TITLE_LENGTH: usize = 120;
/// The longest address that is linked.
const ADDRESS_LENGTH: usize = 1_500;

/// A reply as messages, to be sent in order.
pub fn render(reply: &Reply, capabilities: &Capabilities) -> Vec<OutboundPayload> {
    let fallback = fallback(&reply.text);
    let Some(limits) = capabilities.blocks else {
        return vec![payload(&fallback, Vec::new())];
    };
    let wording = Wording::of(reply.language.as_deref());
    let blocks = blocks(reply, &limits, wording);
    messages(blocks, &limits)
        .into_iter()
        .enumerate()
        .map(|(number, blocks)| {
            // Whoever hears of the second message has heard of the first.
            let text = if number == 0 { fallback.as_str() } else { "…" };
            payload(text, blocks)
        })
        .collect()
}

/// What stands below an answer whose text was streamed: sources, confidence and controls.
pub fn render_below(reply: &Reply, capabilities: &Capabilities) -> Vec<Value> {
    let Some(limits) = capabilities.blocks else {
        return Vec::new();
    };
    let mut blocks = below(reply, &limits, Wording::of(reply.language.as_deref()));
    let mut room = limits.total_length;
    let fits = blocks.iter().take_while(|block| {
        let cost = length(&block.to_string());
        room = room.saturating_sub(cost);
        room > 0
    });
    let fits = fits.count().min(limits.per_message);
    blocks.truncate(fits);
    blocks
}

/// The words of a message's blocks without the blocks, for where Slack refuses those; `None` of a message that has none.
pub fn plainly(payload: &OutboundPayload) -> Option<OutboundPayload> {
    let words: Vec<&str> = payload.body["blocks"]
        .as_array()?
        .iter()
        .filter_map(|block| match block["type"].as_str()? {
            "section" => block["text"]["text"].as_str(),
            "context" => block["elements"][0]["text"].as_str(),
            // Controls are nothing without their blocks.
            _ => None,
        })
        .collect();
    let text = if words.is_empty() {
        payload.text.clone()
    } else {
        words.join("\n\n")
    };
    Some(OutboundPayload {
        text: payload.text.clone(),
        body: json!({ "text": text }),
    })
}

/// The same message with a remark above it.
#[must_use]
pub fn remarked(payload: &OutboundPayload, remark: &str) -> OutboundPayload {
    let remark = mrkdwn::escape(remark);
    let mut body = payload.body.clone();
    match body["blocks"].as_array_mut() {
        Some(blocks) => blocks.insert(0, context(&remark)),
        None => body["text"] = json!(format!("{remark}\n\n{}", payload.text)),
    }
    OutboundPayload {
        text: payload.text.clone(),
        body,
    }
}

fn payload(text: &str, blocks: Vec<Value>) -> OutboundPayload {
    let mut body = json!({ "text": text });
    if !blocks.is_empty() {
        body["blocks"] = Value::Array(blocks);
    }
    OutboundPayload {
        text: text.to_owned(),
        body,
    }
}

/// What notifications say. It is mrkdwn too.
fn fallback(text: &str) -> String {
    let plain = markdown::plain(text);
    let text = mrkdwn::escape(&shortened(&plain, FALLBACK_LENGTH));
    if text.is_empty() { "…".to_owned() } else { text }
}

fn blocks(reply: &Reply, limits: &BlockLimits, wording: &Wording) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(asked) = &reply.asked {
        let question = mrkdwn::escape(&shortened(&asked.text, QUOTE_LENGTH * 2)).replace('\n', " ");
        // The one person named is the one who asked; their id is the platform's, not anybody's text.
        let person: String = asked.person.chars().filter(char::is_ascii_alphanumeric).collect();
        blocks.push(context(&format!("<@{person}> {}: {question}", wording.asked)));
    }
    let text = match reply.form {
        Form::Failure => format!("⚠️ {}", reply.text),
        Form::Working => format!("⏳ {}", reply.text),
        Form::HandOver => format!("🙋 {}", reply.text),
        Form::Answer | Form::Decline | Form::Notice => reply.text.clone(),
    };
    let links = |number| {
        let cited = reply
            .citations
            .iter()
            .find(|citation| citation.number == number)?;
        Some(cited.url.as_ref().filter(|url| is_linkable(url)).cloned())
    };
    blocks.extend(
        markdown::sections(&text, limits.block_length, &links)
            .into_iter()
            .map(|text| section(&text)),
    );
    blocks.extend(below(reply, limits, wording));
    blocks
}

fn below(reply: &Reply, limits: &BlockLimits, wording: &Wording) -> Vec<Value> {
    let mut blocks = Vec::new();
    if !reply.citations.is_empty() {
        let title = match reply.form {
            Form::Decline => wording.closest,
            _ => wording.sources,
        };
        let mut lines = vec![format!("*{title}*")];
        lines.extend(reply.citations.iter().map(citation));
        blocks.extend(
            markdown::packed(lines, limits.block_length, "\n")
                .into_iter()
                .map(|text| section(&text)),
        );
    }
    let confidence = reply.confidence.map(|level| {
        match level {
            ConfidenceLevel::High => wording.high,
            ConfidenceLevel::Medium => wording.medium,
            ConfidenceLevel::Low => wording.low,
        }
        .to_owned()
    });
    let notice = reply
        .notice
        .as_deref()
        .map(|notice| mrkdwn::escape(&shortened(notice, CONTEXT_LENGTH / 4)));
    let said: Vec<String> = confidence.into_iter().chain(notice).collect();
    if !said.is_empty() {
        blocks.push(context(&said.join(" · ")));
    }
    blocks.extend(control::row(reply, limits, wording));
    blocks
}

/// A citation as one line.
fn citation(citation: &Citation) -> String {
    let title = mrkdwn::escape(&shortened(&one_line(&citation.title), TITLE_LENGTH));
    let mark = format!("[{}] {title}", citation.number);
    let mut line = match citation.url.as_ref().filter(|url| is_linkable(url)) {
        Some(url) => format!("<{}|{mark}>", mrkdwn::escape_url(url)),
        None => mark,
    };
    // The last heading says most; all of them would say too much.
    if let Some(heading) = citation.heading_path.last() {
        let heading = mrkdwn::escape(&shortened(&one_line(heading), TITLE_LENGTH));
        line.push_str(" › ");
        line.push_str(&heading);
    }
    if !citation.quote.is_empty() {
        let quote = mrkdwn::escape(&shortened(&one_line(&citation.quote), QUOTE_LENGTH));
        line.push_str(" — “");
        line.push_str(&quote);
        line.push('”');
    }
    line
}

fn is_linkable(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "mailto") && url.as_str().len() <= ADDRESS_LENGTH
}

/// Blocks in messages, each within the limits.
fn messages(blocks: Vec<Value>, limits: &BlockLimits) -> Vec<Vec<Value>> {
    let most = limits.per_message.saturating_sub(RESERVED_BLOCKS).max(1);
    let mut messages: Vec<Vec<Value>> = Vec::new();
    let mut room = 0;
    for block in blocks {
        let cost = length(&block.to_string());
        match messages.last_mut() {
            Some(message) if message.len() < most && cost <= room => {
                message.push(block);
                room -= cost;
            }
            _ => {
                messages.push(vec![block]);
                room = limits.total_length.saturating_sub(cost);
            }
        }
    }
    messages
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true }, "expand": true })
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text, "verbatim": true }] })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a text, at most `longest` long, ended at a word and with an ellipsis where something is left out.
fn shortened(text: &str, longest: usize) -> String {
    let text = text.trim();
    if length(text) <= longest {
        return text.to_owned();
    }
    let mut end = 0;
    let mut room = longest.saturating_sub(1);
    for (at, character) in text.char_indices() {
        let cost = character.len_utf16();
        if cost > room {
            break;
        }
        room -= cost;
        end = at + character.len_utf8();
    }
    let kept = &text[..end];
    let at_word = kept
        .rfind(char::is_whitespace)
        .filter(|at| *at * 2 > kept.len())
        .unwrap_or(kept.len());
    format!("{}…", kept[..at_word].trim_end())
}

#[cfg(test)]
mod tests;
