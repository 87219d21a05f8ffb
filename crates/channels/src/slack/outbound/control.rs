//! Buttons: what they are called, and what comes back when they are pressed.

use serde_json::{Value, json};

use super::wording::Wording;
use crate::capability::BlockLimits;
use crate::outbound::Reply;

/// Rates an answer; carries `up:` or `down:` and the answer's reference.
pub const RATE: &str = "amebo_rate";
/// The same as two plain buttons.
pub const RATE_UP: &str = "amebo_rate_up";
/// The same as two plain buttons.
pub const RATE_DOWN: &str = "amebo_rate_down";
/// Shows an answer to everybody; carries its reference.
pub const SHARE: &str = "amebo_share";
/// Opens the form for a question.
pub const ASK: &str = "amebo_ask";
/// Asks for the link by which a member says who they are.
pub const LINK: &str = "amebo_link";
/// Opens a page of the dashboard; needs no answer.
pub const OPEN: &str = "amebo_open";

/// The form for a question.
pub const ASK_FORM: &str = "amebo_ask_form";
/// The form that asks why an answer was not helpful; carries the answer's reference.
pub const COMMENT_FORM: &str = "amebo_comment_form";
/// The field of a question.
pub const QUESTION: &str = "amebo_question";
/// The field of a comment.
pub const COMMENT: &str = "amebo_comment";
/// What is typed into a field.
pub const INPUT: &str = "amebo_input";

/// The longest reference that controls carry.
const REFERENCE_LENGTH: usize = 255;

/// The controls below a reply.
pub(super) fn row(reply: &Reply, limits: &BlockLimits, wording: &Wording) -> Vec<Value> {
    let mut blocks = about_the_answer(reply, limits, wording);
    if reply.linkable {
        blocks.push(json!({ "type": "actions", "elements": [button(LINK, wording.link, "link")] }));
    }
    blocks
}

fn about_the_answer(reply: &Reply, limits: &BlockLimits, wording: &Wording) -> Vec<Value> {
    let Some(reference) = reply
        .reference
        .as_deref()
        .filter(|reference| !reference.is_empty() && reference.len() <= REFERENCE_LENGTH)
    else {
        return Vec::new();
    };
    let mut blocks = Vec::new();
    let mut buttons = Vec::new();
    let (up, down) = (format!("up:{reference}"), format!("down:{reference}"));
    if reply.rateable && limits.rating {
        blocks.push(json!({
            "type": "context_actions",
            "elements": [{
                "type": "feedback_buttons",
                "action_id": RATE,
                "positive_button": { "text": plain_text(wording.helpful), "value": up },
                "negative_button": { "text": plain_text(wording.unhelpful), "value": down },
            }],
        }));
    } else if reply.rateable {
        buttons.push(button(RATE_UP, &format!("👍 {}", wording.helpful), &up));
        buttons.push(button(RATE_DOWN, &format!("👎 {}", wording.unhelpful), &down));
    }
    if reply.shareable {
        buttons.push(button(SHARE, wording.share, reference));
    }
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    blocks
}

pub(super) fn button(action: &str, label: &str, value: &str) -> Value {
    json!({ "type": "button", "action_id": action, "text": plain_text(label), "value": value })
}

pub(super) fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": true })
}
