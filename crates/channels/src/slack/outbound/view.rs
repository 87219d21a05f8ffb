//! Amebo's own page in Slack, its forms, and the questions it suggests.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::Url;

use super::control::{self, button, plain_text};
use super::{context, is_linkable, one_line, section, shortened};
use crate::slack::limits;
use crate::slack::mrkdwn;

/// How many recent questions are shown.
const MOST_QUESTIONS: usize = 10;
/// How many places are shown.
const MOST_PLACES: usize = 20;
/// How many sentences of a kind are shown.
const MOST_SENTENCES: usize = 6;
/// How many questions are suggested; the platform takes no more.
const MOST_SUGGESTIONS: usize = 4;
/// The longest question that can be typed; the platform's limit.
const QUESTION_LENGTH: usize = 3_000;

/// What Amebo's own page shows one person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Home {
    /// The organisation.
    pub organization: String,
    /// What stands in the way, as a sentence, such as a missing permission.
    pub problem: Option<String>,
    /// What this person asked lately, newest first.
    pub recent: Vec<RecentQuestion>,
    /// The places whose messages Amebo follows, as far as this person may know of them.
    pub places: Vec<SyncedPlace>,
    /// How far each kind of places is, in a sentence each.
    pub groups: Vec<String>,
    /// What holds for this person here, in a sentence each: where answers go, what is kept, who they are taken for.
    pub settings: Vec<String>,
    /// Whether they can say who they are in the organisation.
    pub can_link: bool,
    /// The dashboard, for those who may use it.
    pub dashboard: Option<Url>,
}

/// A question asked lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentQuestion {
    /// The question.
    pub text: String,
    /// What became of it, in words.
    pub outcome: String,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// Where it can be read.
    pub url: Option<Url>,
}

/// A place whose messages Amebo follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncedPlace {
    /// The platform's id of it.
    pub place: String,
    /// How far it is, in words.
    pub state: String,
}

/// Amebo's own page.
pub fn home(home: &Home) -> Value {
    let mut blocks = vec![json!({ "type": "header", "text": plain_text("Amebo") })];
    let organization = mrkdwn::escape(&shortened(&one_line(&home.organization), 150));
    blocks.push(section(&format!(
        "Ask me anything that {organization} has written down. I say where every answer comes from.\n\
         Mention me in a channel, write to me directly, or use `/ask` for an answer only you see."
    )));
    if let Some(problem) = &home.problem {
        blocks.push(section(&format!(
            "⚠️ {}",
            mrkdwn::escape(&shortened(problem, 500))
        )));
    }
    let mut buttons = vec![button(control::ASK, "Ask a question", "ask")];
    buttons[0]["style"] = json!("primary");
    if let Some(url) = home.dashboard.as_ref().filter(|url| is_linkable(url)) {
        let mut open = button(control::OPEN, "Settings", "dashboard");
        open["url"] = json!(url);
        buttons.push(open);
    }
    if home.can_link {
        buttons.push(button(control::LINK, "Link my Amebo account", "link"));
    }
    blocks.push(json!({ "type": "actions", "elements": buttons }));
    if !home.settings.is_empty() {
        blocks.push(json!({ "type": "divider" }));
        blocks.push(section("*How it works for you here*"));
        blocks.extend(sentences(&home.settings));
    }
    if !home.recent.is_empty() {
        blocks.push(json!({ "type": "divider" }));
        blocks.push(section("*Your recent questions*"));
        blocks.extend(home.recent.iter().take(MOST_QUESTIONS).map(recent));
    }
    if !home.places.is_empty() {
        blocks.push(json!({ "type": "divider" }));
        blocks.push(section("*Channels I read*"));
        blocks.extend(sentences(&home.groups));
        blocks.extend(home.places.iter().take(MOST_PLACES).map(|place| {
            let id: String = place.place.chars().filter(char::is_ascii_alphanumeric).collect();
            context(&format!(
                "<#{id}> {}",
                mrkdwn::escape(&shortened(&place.state, 200))
            ))
        }));
        if let Some(more) = home
            .places
            .len()
            .checked_sub(MOST_PLACES)
            .filter(|more| *more > 0)
        {
            blocks.push(context(&format!("and {more} more")));
        }
    }
    json!({ "type": "home", "blocks": blocks })
}

/// The form for a question.
pub fn ask_form() -> Value {
    form(
        control::ASK_FORM,
        "Ask a question",
        "Ask",
        &field(control::QUESTION, "Your question", QUESTION_LENGTH),
    )
}

/// The form that asks why an answer was not helpful.
pub fn comment_form(reference: &str) -> Value {
    let mut form = form(
        control::COMMENT_FORM,
        "What was wrong?",
        "Send",
        &field(control::COMMENT, "What should it have said?", 1_000),
    );
    form["private_metadata"] = json!(reference);
    form
}

/// The questions that are suggested where a conversation begins: the `prompts` of `assistant.threads.setSuggestedPrompts`.
pub fn suggested_prompts(questions: &[String]) -> Value {
    questions
        .iter()
        .map(|question| one_line(question))
        .filter(|question| !question.is_empty())
        .take(MOST_SUGGESTIONS)
        .map(|question| json!({ "title": shortened(&question, 75), "message": shortened(&question, 500) }))
        .collect()
}

fn sentences(sentences: &[String]) -> impl Iterator<Item = Value> {
    sentences
        .iter()
        .take(MOST_SENTENCES)
        .map(|sentence| context(&mrkdwn::escape(&shortened(&one_line(sentence), 300))))
}

fn recent(question: &RecentQuestion) -> Value {
    let text = mrkdwn::escape(&shortened(&one_line(&question.text), 200));
    let text = match question.url.as_ref().filter(|url| is_linkable(url)) {
        Some(url) => format!("<{}|{text}>", mrkdwn::escape_url(url)),
        None => text,
    };
    let seconds = question.asked_at.timestamp();
    let date = question.asked_at.format("%Y-%m-%d");
    let outcome = mrkdwn::escape(&shortened(&one_line(&question.outcome), 100));
    section(&format!(
        "{text}\n{outcome} · <!date^{seconds}^{{date_short_pretty}}|{date}>"
    ))
}

fn field(block: &str, label: &str, longest: usize) -> Value {
    json!({
        "type": "input",
        "block_id": block,
        "label": plain_text(label),
        "element": {
            "type": "plain_text_input",
            "action_id": control::INPUT,
            "multiline": true,
            "max_length": longest,
        },
    })
}

fn form(callback: &str, title: &str, submit: &str, field: &Value) -> Value {
    json!({
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(&shortened(title, limits::TITLE_LENGTH)),
        "submit": plain_text(submit),
        "close": plain_text("Cancel"),
        "blocks": [field],
    })
}
