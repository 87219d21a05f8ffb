//! Slack's markup of text: <https://docs.slack.dev/messaging/formatting-message-text>.
//!
//! In it only `&`, `<` and `>` have to be escaped; with them escaped, no text can call people, link or break out. What else it
//! formats (`*bold*`, `_italic_`, `~struck~`, code, quotations) can only look wrong, and is kept apart with a space of no width.

use std::fmt::Write as _;

/// Parts what would otherwise be taken for markup. Shown as nothing.
const APART: char = '\u{200b}';
/// What Slack takes for "everybody" even in text where it was written as a plain word.
const BROADCASTS: [&str; 3] = ["channel", "here", "everyone"];

/// Whether a text names somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mention {
    /// Calls them.
    Called,
    /// Only quotes their name in code.
    InCode,
    /// Does not.
    Absent,
}

/// Whether `text` names `user`, and whether outside of code.
pub fn mentions(text: &str, user: &str) -> Mention {
    let mut found = Mention::Absent;
    for (piece, in_code) in code_spans(text) {
        let named = Tokens(piece).any(|token| matches!(token, Token::Tag(tag) if is_user(tag, user)));
        match (named, in_code) {
            (true, false) => return Mention::Called,
            (true, true) => found = Mention::InCode,
            (false, _) => {}
        }
    }
    found
}

/// The words of `text` without markup, and without the calling of `amebo`: mentions and links by their labels, entities as what
/// they stand for.
pub fn plain(text: &str, amebo: Option<&str>) -> String {
    let mut out = String::with_capacity(text.len());
    for (piece, in_code) in code_spans(text) {
        for token in Tokens(piece) {
            match token {
                Token::Text(text) => unescape(text, &mut out),
                Token::Tag(tag) if !in_code && amebo.is_some_and(|amebo| is_user(tag, amebo)) => {}
                Token::Tag(tag) => tag_words(tag, &mut out),
            }
        }
    }
    out.trim().to_owned()
}

/// Escapes text for mrkdwn so that it is shown as it is written, whatever it is.
pub fn escape(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (index, &character) in characters.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|index| characters.get(index))
            .copied();
        let after = characters.get(index + 1).copied();
        match character {
            '&' | '<' => out.push_str(entity(character)),
            '>' => {
                // Escaped or not, it begins a quotation at the beginning of a line.
                if before.is_none_or(|before| before == '\n') {
                    out.push(APART);
                }
                out.push_str(entity(character));
            }
            '*' | '_' | '~' | '`' => {
                let joins = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
                // Inside a word it is no markup, save the backtick, which always is.
                let inside = joins(before) && joins(after) && character != '`';
                if inside {
                    out.push(character);
                } else {
                    out.extend([APART, character, APART]);
                }
            }
            '@' => {
                out.push('@');
                if is_broadcast(&characters[index + 1..]) {
                    out.push(APART);
                }
            }
            _ if is_unseen(character) => {}
            _ => out.push(character),
        }
    }
    out
}

/// Control characters, and direction overrides, which make text read differently from what it is.
fn is_unseen(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes text for the inside of code, where nothing but its end is markup.
pub fn escape_code(text: &str, block: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut ticks = 0;
    for character in text.chars() {
        match character {
            '&' | '<' | '>' => out.push_str(entity(character)),
            // A backtick would end inline code, and three end a block.
            '`' if !block => out.push('\u{2cb}'),
            '`' if ticks == 2 => {
                out.extend([APART, '`']);
                ticks = 0;
            }
            _ if is_unseen(character) => {}
            _ => out.push(character),
        }
        ticks = if character == '`' { ticks + 1 } else { 0 };
    }
    out
}

/// Escapes the address of a link: what would end it is written in percents.
pub fn escape_url(url: &url::Url) -> String {
    let mut out = String::new();
    for character in url.as_str().chars() {
        match character {
            '|' | '<' | '>' | '`' | ' ' => {
                // Writing to a text cannot fail.
                let _ = write!(out, "%{:02X}", u32::from(character));
            }
            '&' => out.push_str("&amp;"),
            _ => out.push(character),
        }
    }
    out
}

/// Makes Markdown that Slack itself reads call nobody: streams and Markdown blocks take that.
pub fn harmless_markdown(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (index, &character) in characters.iter().enumerate() {
        out.push(character);
        let rest = &characters[index + 1..];
        let tag = character == '<' && matches!(rest.first(), Some('!' | '@' | '#'));
        if tag || (character == '@' && is_broadcast(rest)) {
            out.push(APART);
        }
    }
    out
}

fn entity(character: char) -> &'static str {
    match character {
        '&' => "&amp;",
        '<' => "&lt;",
        _ => "&gt;",
    }
}

fn is_broadcast(after: &[char]) -> bool {
    BROADCASTS.iter().any(|word| {
        let length = word.len();
        after.len() >= length
            && word
                .chars()
                .zip(after)
                .all(|(wanted, found)| found.eq_ignore_ascii_case(&wanted))
            && after.get(length).is_none_or(|next| !next.is_alphanumeric())
    })
}

/// Text in pieces, each in code or not. Code that is not ended is none.
fn code_spans(text: &str) -> Vec<(&str, bool)> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let fence = if rest[start..].starts_with("```") {
            "```"
        } else {
            "`"
        };
        let inside = start + fence.len();
        let Some(length) = rest[inside..].find(fence) else {
            break;
        };
        // Inline code does not go over the end of a line.
        if fence == "`" && rest[inside..inside + length].contains('\n') {
            let (piece, after) = rest.split_at(inside);
            spans.push((piece, false));
            rest = after;
            continue;
        }
        let end = inside + length + fence.len();
        spans.push((&rest[..start], false));
        spans.push((&rest[start..end], true));
        rest = &rest[end..];
    }
    spans.push((rest, false));
    spans
}

enum Token<'a> {
    Text(&'a str),
    /// What stands between `<` and `>`.
    Tag(&'a str),
}

/// Text and tags in order.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.0.is_empty() {
            return None;
        }
        if let Some(tag) = self.0.strip_prefix('<')
            && let Some(end) = tag.find(['<', '>', '\n'])
            && tag[end..].starts_with('>')
        {
            self.0 = &tag[end + 1..];
            return Some(Token::Tag(&tag[..end]));
        }
        // From the second character on, so that a lone `<` is text.
        let first = self.0.chars().next().map_or(0, char::len_utf8);
        let end = self.0[first..].find('<').map_or(self.0.len(), |at| at + first);
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(Token::Text(text))
    }
}

fn is_user(tag: &str, user: &str) -> bool {
    tag.strip_prefix('@')
        .is_some_and(|rest| rest.split('|').next() == Some(user))
}

/// What a tag says to a reader.
fn tag_words(tag: &str, out: &mut String) {
    let (target, label) = match tag.split_once('|') {
        Some((target, label)) if !label.is_empty() => (target, Some(label)),
        Some((target, _)) => (target, None),
        None => (tag, None),
    };
    let named = |out: &mut String, sign: char, name: &str| {
        if !name.starts_with(sign) {
            out.push(sign);
        }
        unescape(name, out);
    };
    match target.chars().next() {
        Some('@') => named(out, '@', label.unwrap_or(&target[1..])),
        Some('#') => named(out, '#', label.unwrap_or(&target[1..])),
        Some('!') => {
            let word = target[1..].split('^').next().unwrap_or_default();
            match label {
                // A date and the like: the label is the words.
                Some(label) if target.contains('^') && !label.starts_with('@') && word == "date" => {
                    unescape(label, out);
                }
                label => named(out, '@', label.unwrap_or(word)),
            }
        }
        _ => {
            let address = target.strip_prefix("mailto:").unwrap_or(target);
            match label {
                Some(label) if label != address => {
                    unescape(label, out);
                    out.push_str(" (");
                    unescape(address, out);
                    out.push(')');
                }
                _ => unescape(address, out),
            }
        }
    }
}

fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (character, length) = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&')]
            .into_iter()
            .find(|(entity, _)| rest[at..].starts_with(entity))
            .map_or(('&', 1), |(entity, character)| (character, entity.len()));
        out.push(character);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_question_is_read_without_the_name_it_calls() {
        assert_eq!(
            plain("<@U0BOT> what does &lt;b&gt; mean, <@U1|ada>?", Some("U0BOT")),
            "what does <b> mean, @ada?"
        );
        assert_eq!(
            plain(
                "<!here> see <#C1|general> and <https://a.example/?x=1&amp;y=2|the page>",
                None
            ),
            "@here see #general and the page (https://a.example/?x=1&y=2)"
        );
        assert_eq!(
            plain("<!subteam^S1|@support> <!date^1^{date}|May 5>", None),
            "@support May 5"
        );
        assert_eq!(
            plain("<mailto:a@b.example|a@b.example> 3 < 4", None),
            "a@b.example 3 < 4"
        );
    }

    #[test]
    fn a_name_in_code_is_not_called() {
        assert_eq!(mentions("hi <@U1>", "U1"), Mention::Called);
        assert_eq!(mentions("hi <@U1|amebo>", "U1"), Mention::Called);
        assert_eq!(mentions("run `ping <@U1>`", "U1"), Mention::InCode);
        assert_eq!(mentions("```\n<@U1>\n``` <@U2>", "U1"), Mention::InCode);
        assert_eq!(mentions("an open ` and <@U1>", "U1"), Mention::Called);
        assert_eq!(mentions("<@U12>", "U1"), Mention::Absent);
        assert_eq!(plain("`<@U1>` says", Some("U1")), "`@U1` says");
    }

    #[test]
    fn nobody_is_called_by_text_that_looks_like_a_call() {
        for text in ["<!channel>", "<@U1>", "<https://evil.example|bank>", "<#C1>"] {
            let escaped = escape(text);
            assert!(!escaped.contains('<'), "{escaped}");
        }
        assert_eq!(
            escape("@channel @here, @Everyone @hereby"),
            "@\u{200b}channel @\u{200b}here, @\u{200b}Everyone @hereby"
        );
        assert_eq!(harmless_markdown("<!channel> a < b"), "<\u{200b}!channel> a < b");
    }

    #[test]
    fn words_with_underscores_stay_whole_and_markup_is_kept_apart() {
        assert_eq!(escape("snake_case_name"), "snake_case_name");
        assert_eq!(escape("*x*"), "\u{200b}*\u{200b}x\u{200b}*\u{200b}");
        assert_eq!(escape(">x"), "\u{200b}&gt;x");
        assert_eq!(escape_code("a```b", true), "a``\u{200b}`b");
        assert_eq!(escape_code("a`b", false), "a\u{2cb}b");
    }

    /// What a reader sees of text that was escaped.
    fn seen(text: &str) -> String {
        let mut out = String::new();
        unescape(text, &mut out);
        out.replace(APART, "")
    }

    proptest! {
        #[test]
        fn escaped_text_holds_no_tag_and_reads_the_same(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>']));
            let shown: String = text
                .chars()
                .filter(|c| !is_unseen(*c) && *c != APART)
                .collect();
            prop_assert_eq!(seen(&escaped), shown);
        }

        #[test]
        fn code_cannot_end_early(text in any::<String>()) {
            prop_assert!(!escape_code(&text, true).contains("```"));
            prop_assert!(!escape_code(&text, false).contains('`'));
            prop_assert!(!escape_code(&text, true).contains(['<', '>']));
        }

        #[test]
        fn any_text_can_be_read(text in any::<String>()) {
            plain(&text, Some("U1"));
            mentions(&text, "U1");
        }

        #[test]
        fn markdown_for_streams_calls_nobody(text in "[<!@a-z>\\[ ]{0,40}|.*(<!channel>|@here).*") {
            let harmless = harmless_markdown(&text);
            prop_assert!(!harmless.contains("<!"));
            prop_assert!(!harmless.contains("<@"));
            prop_assert!(!harmless.contains("@here") || text.contains("@here"));
        }
    }
}
