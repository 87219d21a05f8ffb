//! Slack's mrkdwn as text that reads without Slack (`docs.slack.dev/messaging/formatting-message-text`).

use std::collections::HashMap;
use std::fmt::Write as _;

/// How users and channels are called.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// By user id.
    pub users: HashMap<String, String>,
    /// By channel id, without `#`.
    pub channels: HashMap<String, String>,
}

impl Names {
    /// How a user is called; their id when nothing is known of them.
    pub fn user<'a>(&'a self, id: &'a str) -> &'a str {
        self.users.get(id).map_or(id, String::as_str)
    }
}

/// The text with mentions as names, links written out and entities decoded. Emphasis and code marks stay as they were typed.
pub fn plain(text: &str, names: &Names) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        decode(&mut out, &rest[..open]);
        let inner = &rest[open + 1..];
        // What Slack writes between angle brackets holds neither bracket nor line break; anything else was not written by Slack.
        match inner.find(['<', '>', '\n']) {
            Some(close) if inner.as_bytes()[close] == b'>' => {
                reference(&mut out, &inner[..close], names);
                rest = &inner[close + 1..];
            }
            _ => {
                out.push('<');
                rest = inner;
            }
        }
    }
    decode(&mut out, rest);
    out
}

fn reference(out: &mut String, inner: &str, names: &Names) {
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.trim().is_empty())),
        None => (inner, None),
    };
    if let Some(id) = target.strip_prefix('@') {
        let name = names.users.get(id).map(String::as_str).or(label).unwrap_or(id);
        out.push('@');
        decode(out, name.trim_start_matches('@'));
    } else if let Some(id) = target.strip_prefix('#') {
        let name = names.channels.get(id).map(String::as_str).or(label).unwrap_or(id);
        out.push('#');
        decode(out, name.trim_start_matches('#'));
    } else if let Some(special) = target.strip_prefix('!') {
        let name = special.split('^').next().unwrap_or(special);
        // Of a user group or a date the label is how it reads.
        if let Some(label) = label {
            decode(out, label);
        } else {
            out.push('@');
            out.push_str(name);
        }
    } else {
        link(out, target, label);
    }
}

/// Keeps the address of a link when its label does not say it.
fn link(out: &mut String, target: &str, label: Option<&str>) {
    let shown = target
        .strip_prefix("mailto:")
        .or_else(|| target.strip_prefix("tel:"))
        .unwrap_or(target);
    match label {
        Some(label) if !shown.contains(label) => {
            decode(out, label);
            out.push_str(" (");
            decode(out, shown);
            out.push(')');
        }
        _ => decode(out, shown),
    }
}

/// Slack escapes exactly these three.
fn decode(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
        if let Some((entity, character)) = known.iter().find(|(entity, _)| rest.starts_with(entity)) {
            out.push(*character);
            rest = &rest[entity.len()..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    let _ = out.write_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> Names {
        Names {
            users: HashMap::from([("U1".to_owned(), "Ada Lovelace".to_owned())]),
            channels: HashMap::from([("C1".to_owned(), "general".to_owned())]),
        }
    }

    #[test]
    fn references_become_what_people_read() {
        let cases = [
            ("<@U1> see <#C1>", "@Ada Lovelace see #general"),
            ("<@U1|old name> <@U9|bob> <@U9>", "@Ada Lovelace @bob @U9"),
            ("<#C9|random> <#C9>", "#random #C9"),
            ("<!here> <!channel> <!subteam^S1|@ops>", "@here @channel @ops"),
            ("<!date^1392734382^{date_short}|Feb 18, 2014>", "Feb 18, 2014"),
            ("<https://a.example/x?a=1&amp;b=2>", "https://a.example/x?a=1&b=2"),
            ("<https://a.example/x|the plan>", "the plan (https://a.example/x)"),
            ("<http://a.example|a.example>", "http://a.example"),
            ("<mailto:a@b.example|a@b.example>", "a@b.example"),
            ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &copy;", "1 < 2 && 3 > 2 &copy;"),
            ("&amp;lt;", "&lt;"),
            ("```if (a &lt; b) { }```", "```if (a < b) { }```"),
            ("a < b and <\nc>", "a < b and <\nc>"),
            ("<", "<"),
        ];
        for (mrkdwn, text) in cases {
            assert_eq!(plain(mrkdwn, &names()), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,200}") {
            plain(&text, &names());
        }

        #[test]
        fn what_slack_escaped_comes_back(text in "[^\u{0}]{0,100}") {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(plain(&escaped, &names()), text);
        }
    }
}
