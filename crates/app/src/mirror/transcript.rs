//! Writing down what is stored: messages with the names of those who are in them.

use std::collections::BTreeSet;

use amebo_channels::slack::transcript::{
    Attached, Message, Names, Place, Span, SpanKind, Timestamp, Transcript, render,
};
use amebo_core::id::DocumentId;
use amebo_knowledge::passage::{Block, BlockKind, Extracted};
use amebo_store::slack::{SlackChannel, SlackMessage};
use amebo_store::{OrgTx, Result};

/// A message as it was said.
pub(super) fn said(message: &SlackMessage) -> Message {
    let files: Vec<Attached> = message
        .files
        .as_ref()
        .and_then(|files| serde_json::from_value(files.clone()).ok())
        .unwrap_or_default();
    Message {
        ts: Timestamp::from(message.ts),
        thread: message.thread.map(Timestamp::from),
        user: message.author.clone(),
        text: message.content.clone(),
        files,
        edited: message.edited.map(Timestamp::from),
        latest_reply: None,
    }
}

/// A message as it is kept.
pub(super) fn kept(message: Message) -> SlackMessage {
    SlackMessage {
        ts: message.ts.time(),
        thread: message.thread.map(Timestamp::time),
        author: message.user,
        content: message.text,
        files: (!message.files.is_empty())
            .then(|| serde_json::to_value(message.files).ok())
            .flatten(),
        edited: message.edited.map(Timestamp::time),
    }
}

/// The names of everybody and everything that these messages speak of.
pub(super) async fn names<'a>(
    tx: &mut OrgTx,
    channel: &SlackChannel,
    messages: impl Iterator<Item = &'a SlackMessage>,
) -> Result<Names> {
    let (mut users, mut channels) = (BTreeSet::new(), BTreeSet::new());
    for message in messages {
        users.insert(message.author.as_str());
        for reference in message.content.split('<').skip(1) {
            let inner = reference.split(['>', '|']).next().unwrap_or_default();
            if let Some(user) = inner.strip_prefix('@') {
                users.insert(user);
            } else if let Some(channel) = inner.strip_prefix('#') {
                channels.insert(channel);
            }
        }
    }
    let (users, channels): (Vec<_>, Vec<_>) = (users.into_iter().collect(), channels.into_iter().collect());
    let (users, channels) = tx.slack().names(channel.source, &users, &channels).await?;
    Ok(Names { users, channels })
}

/// Writes down the messages of one document.
pub(super) fn write_down(channel: &SlackChannel, messages: &[Message], names: &Names) -> Transcript {
    let place = Place {
        channel: &channel.described.name,
        channel_id: &channel.described.external,
        workspace: channel.workspace_url.as_deref(),
    };
    render(messages, names, place)
}

/// The text of a document that is made of messages, as extraction would give it; `None` when its messages are gone.
pub(crate) async fn extracted(tx: &mut OrgTx, document: DocumentId) -> Result<Option<Extracted>> {
    let Some(channel) = tx.slack().channel_of(document).await? else {
        return Ok(None);
    };
    let placed = tx.slack().messages_of(channel.id, &[document]).await?;
    let names = names(tx, &channel, placed.iter().map(|placed| &placed.message)).await?;
    let messages: Vec<Message> = placed.iter().map(|placed| said(&placed.message)).collect();
    let transcript = write_down(&channel, &messages, &names);
    let block = |span: Span| Block {
        kind: match span.kind {
            SpanKind::Prose => BlockKind::Paragraph,
            SpanKind::Code => BlockKind::Code,
        },
        range: span.range,
        page: None,
    };
    Ok(Some(Extracted {
        mime_type: "text/plain".to_owned(),
        text: transcript.text,
        blocks: transcript.spans.into_iter().map(block).collect(),
        ..Extracted::default()
    }))
}
