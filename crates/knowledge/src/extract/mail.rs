//! E-mail messages (RFC 5322, MIME).

use encoding_rs::Encoding;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use crate::extract::text::decode;
use crate::extract::writer::Writer;
use crate::extract::{Kind, Refusal, html, plain};
use crate::passage::Extracted;

/// Reads a message: who, to whom, when, about what, and the text; attachments are named, not read.
pub(super) fn extract(bytes: &[u8]) -> Result<Extracted, Refusal> {
    // Mail is bytes; one saved as UTF-16 text has to become bytes again.
    let (text, _) = decode(bytes);
    let utf16 =
        std::str::from_utf8(bytes).is_err() && Encoding::for_bom(bytes).is_some() || bytes.contains(&0);
    let bytes = if utf16 { text.as_bytes() } else { bytes };
    let message = MessageParser::default().parse(bytes).ok_or(Refusal::Damaged)?;
    let mut writer = Writer::default();
    write_head(&mut writer, &message);
    write_body(&mut writer, &message)?;
    for part in message.attachments() {
        let name = part.attachment_name().unwrap_or("without a name");
        writer.warn(format!(
            "The attachment \"{name}\" was not read; upload it as a document of its own."
        ));
    }
    writer.finish(Kind::Mail)
}

fn write_head(writer: &mut Writer, message: &Message<'_>) {
    let subject = message.subject().unwrap_or_default().trim().to_owned();
    let date = message
        .date()
        .map(mail_parser::DateTime::to_rfc3339)
        .unwrap_or_default();
    let fields = [
        ("from", "From", addresses(message.from())),
        ("to", "To", addresses(message.to())),
        ("cc", "Cc", addresses(message.cc())),
        ("date", "Date", date),
        ("subject", "Subject", subject.clone()),
    ];
    let mut head = String::new();
    for (name, label, text) in fields {
        writer.metadata(name, &text);
        if !text.is_empty() {
            head.push_str(label);
            head.push_str(": ");
            head.push_str(&text);
            head.push('\n');
        }
    }
    writer.title(&subject);
    writer.paragraph(&head);
}

fn write_body(writer: &mut Writer, message: &Message<'_>) -> Result<(), Refusal> {
    // `text_bodies` also yields HTML parts where no text alternative exists.
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => plain::paragraphs(writer, text),
            PartType::Html(page) => html::write(writer, page)?,
            _ => {}
        }
    }
    Ok(())
}

fn addresses(address: Option<&Address<'_>>) -> String {
    let each = address
        .into_iter()
        .flat_map(Address::iter)
        .map(|one| match (one.name(), one.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (Some(only), None) | (None, Some(only)) => only.to_owned(),
            (None, None) => String::new(),
        });
    each.filter(|one| !one.is_empty()).collect::<Vec<_>>().join(", ")
}
