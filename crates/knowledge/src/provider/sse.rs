//! Server-sent events (WHATWG HTML, section 9.2), as far as model providers use them.

use std::mem;

/// No event of a model comes near this; more means that it is something else.
const LARGEST_EVENT: usize = 1 << 20;

/// Cuts bytes into events, however the bytes were cut before.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    data: Option<String>,
    after_return: bool,
}

/// An event larger than any model sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Parser {
    /// Takes in some bytes and returns the data of the events they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLarge> {
        let mut events = Vec::new();
        for &byte in bytes {
            // A line ends with \n, \r or \r\n.
            let second_half = mem::replace(&mut self.after_return, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > LARGEST_EVENT {
                return Err(TooLarge);
            }
        }
        Ok(events)
    }

    /// The event that lacks only its closing empty line, which some servers forget at the very end.
    pub(super) fn finish(mut self) -> Option<String> {
        self.end_line();
        self.data
    }

    fn end_line(&mut self) -> Option<String> {
        let line = mem::take(&mut self.line);
        if line.is_empty() {
            return self.data.take();
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        // Comments have an empty name; `event`, `id` and `retry` say nothing that the data does not say too.
        if let Some(value) = line.strip_prefix("data") {
            let value = match value.strip_prefix(':') {
                Some(value) => value.strip_prefix(' ').unwrap_or(value),
                None if value.is_empty() => "",
                None => return None,
            };
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = "\u{feff}: hello\r\n\r\nevent: x\ndata: {\"a\":\"größe ñ 日本\"}\n\n:keep-alive\n\n\
        data:one\rdata: two\r\rdata\n\ndatabase: no\n\ndata: [DONE]";

    fn parse(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut events: Vec<String> = pieces
            .iter()
            .flat_map(|piece| parser.push(piece).unwrap())
            .collect();
        events.extend(parser.finish());
        events
    }

    #[test]
    fn comments_line_ends_and_missing_ends_are_understood() {
        let expected = ["{\"a\":\"größe ñ 日本\"}", "one\ntwo", "", "[DONE]"];
        assert_eq!(parse(&[STREAM.as_bytes()]), expected);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(mut cuts in prop::collection::vec(0..STREAM.len(), 0..12)) {
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for cut in cuts {
                pieces.push(&STREAM.as_bytes()[start..cut]);
                start = cut;
            }
            pieces.push(&STREAM.as_bytes()[start..]);
            prop_assert_eq!(parse(&pieces), parse(&[STREAM.as_bytes()]));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            parse(&[&bytes]);
        }
    }

    #[test]
    fn an_endless_line_is_given_up() {
        assert_eq!(
            Parser::default().push(&vec![b'x'; LARGEST_EVENT + 1]),
            Err(TooLarge)
        );
    }
}
