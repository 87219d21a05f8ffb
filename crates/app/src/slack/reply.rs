//! What became of a question, as it is said on Slack.

use std::collections::HashMap;

use amebo_channels::outbound::{Citation, Form, Reply};
use amebo_core::id::{DocumentId, QuestionId};
use amebo_store::answer::{Citation as Cited, NewAnswer, Verdict};
use url::Url;

/// What is said when somebody calls without asking anything.
pub(super) const GREETING: &str = "Ask me anything that is written down here: mention me in a channel, write to me directly, or use `/ask` for \
     an answer only you see. I say where every answer comes from, and I say so when I do not know.";
/// What a command shows until its answer is there.
pub(super) const LOOKING: &str = "Looking it up…";
/// What is said to whoever gives a command where nothing is connected.
pub(super) const NOT_CONNECTED: &str =
    "This workspace is not connected to Amebo (any more). Ask whoever administers Amebo here to connect it.";
/// What is said to whoever gives a command while Amebo has no token for the workspace.
pub(super) const NO_ACCESS: &str = "Amebo's access to this workspace does not work at the moment, so I cannot answer you. Ask whoever administers \
     Amebo here to look at the connection.";
/// What is said to a member whose place is suspended.
pub(super) const SUSPENDED: &str = "Your access to Amebo is suspended, so I cannot answer you. Please ask an administrator of your organization.";
/// What is said to a member who may not ask.
pub(super) const NOT_ALLOWED: &str =
    "Your role in Amebo does not include asking questions. Please ask an administrator of your organization.";
/// What is said when everything else failed.
pub(super) const APOLOGY: &str = "Something went wrong inside Amebo and I could not answer in time. Please ask again; if it happens again, tell \
     whoever administers Amebo here.";
/// What is said when sharing broke.
pub(super) const NOT_SHARED: &str = "I did not share this: something went wrong inside Amebo, or the answer is no longer kept. Please try again, or \
     ask again.";
/// What stands above what is said directly because it cannot be said where it was asked.
pub(super) const NOT_THERE: &str = "I cannot write where you asked, so you read this here.";
/// What is added where somebody among the readers may know only what is public.
pub(super) const PUBLIC_ONLY: &str = "Not everybody who reads this channel is known to be a colleague, so I looked only at what everybody here may \
     read. `/ask` looks at what you may read.";
/// What is added when Slack did not tell in time who the readers are.
pub(super) const READERS_NOT_TOLD: &str = "Slack could not be asked who reads this channel, so I looked only at what anybody may read. Please ask \
     again in a minute, or use `/ask` for an answer only you see.";
/// What is added when Slack did not tell in time who asked.
pub(super) const ASKER_NOT_TOLD: &str = "Slack could not be asked who you are, so I looked only at what anybody may read. Please ask again in a minute.";
/// What is said when an answer cannot be shared because Slack did not tell in time who the readers are.
pub(super) const SHARED_LATER: &str =
    "I did not share this: Slack could not be asked who reads this channel. Please try again in a minute.";
/// What is said when an answer holds more than a channel's readers may know.
pub(super) const NOT_FOR_ALL: &str = "I did not share this: part of the answer rests on documents that not everybody in this channel may read.";

/// What is added in a channel of a workspace of which nothing is kept.
pub(super) const LIVE_ALONE: &str = "Nothing that is said in this workspace is kept, and I search it live only for the one who asks: write to me \
     directly.";
/// What is added where the platform gives nothing to search with.
pub(super) const LIVE_DIRECTLY: &str =
    "To have this workspace searched live as well, write to me directly instead of using a command.";
/// What is kept of an answer that rests on what is not kept.
pub(super) const NOT_KEPT: &str = "(An answer from what was found live in Slack, which is not kept.)";
/// What is said when the reader stopped an answer while it was written.
pub(super) const STOPPED: &str = "I stopped, as you asked. Ask again whenever you like.";
/// What marks an answer that the reader stopped while it was written.
pub(super) const STOPPED_HERE: &str =
    "I stopped here, as you asked: this is not complete, and it was not checked against its sources.";

/// The reply to a question.
pub(super) fn of_answer(
    question: QuestionId,
    answer: &NewAnswer,
    links: &HashMap<DocumentId, Url>,
    notice: Option<&str>,
) -> Reply {
    let mut reply = Reply::new(Form::Notice, answer.verdict.text());
    reply.language.clone_from(&answer.language);
    reply.reference = Some(question.to_string());
    match &answer.verdict {
        Verdict::Answered {
            citations,
            confidence,
            notice,
            ..
        } => {
            reply.form = Form::Answer;
            reply.citations = cited(citations, links);
            reply.confidence = Some(confidence.level());
            reply.notice.clone_from(notice);
            reply.rateable = true;
        }
        Verdict::Declined { closest, .. } => {
            reply.form = Form::Decline;
            reply.citations = cited(closest, links);
            reply.rateable = true;
        }
        Verdict::Escalated { .. } => reply.form = Form::HandOver,
        Verdict::Failed { .. } => reply.form = Form::Failure,
    }
    if let Some(notice) = notice.filter(|_| reply.form == Form::Decline || reply.notice.is_none()) {
        reply.notice = Some(notice.to_owned());
    }
    reply
}

/// Says first what limited the search of an answer or a decline, before what is to be known besides.
pub(super) fn caution(reply: &mut Reply, caution: &str) {
    reply.notice = Some(match reply.notice.take() {
        Some(notice) => format!("{caution} {notice}"),
        None => caution.to_owned(),
    });
}

/// One entry for each source, in the order of the marks.
fn cited(citations: &[Cited], links: &HashMap<DocumentId, Url>) -> Vec<Citation> {
    let mut entries: Vec<Citation> = Vec::new();
    for citation in citations {
        if entries.iter().any(|entry| entry.number == citation.source) {
            continue;
        }
        entries.push(Citation {
            number: citation.source,
            title: citation.document_title.clone(),
            heading_path: citation.heading_path.clone(),
            quote: citation.quote.clone(),
            url: links.get(&citation.document).cloned(),
        });
    }
    entries.sort_by_key(|entry| entry.number);
    entries
}

/// The documents that a verdict names.
pub(super) fn documents(verdict: &Verdict) -> Vec<DocumentId> {
    let citations = match verdict {
        Verdict::Answered { citations, .. } => citations,
        Verdict::Declined { closest, .. } => closest,
        Verdict::Escalated { .. } | Verdict::Failed { .. } => return Vec::new(),
    };
    let mut documents: Vec<DocumentId> = citations.iter().map(|citation| citation.document).collect();
    documents.sort_unstable();
    documents.dedup();
    documents
}
