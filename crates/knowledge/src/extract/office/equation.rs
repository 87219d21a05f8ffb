//! Equations in Word files (Office Math, ECMA-376 part 1, 22.1), which `undoc` leaves out.
//!
//! They are written into the document as ordinary text in one line, `(a+b)/2` or `x^2`, before it is read; the notation is
//! that of Unicode Technical Note 28 as far as a reader knows it without having learned it.

use super::package;

/// The part that holds the text of a Word file.
const DOCUMENT: &str = "word/document.xml";
/// The type of fraction whose parts stand above each other without a line.
const NO_BAR: &str = "noBar";

/// The same Word file with its equations as text; `None` when it has none, or cannot be searched.
pub(super) fn inline(bytes: &[u8]) -> Option<Vec<u8>> {
    package::rewrite(bytes, |name, part| {
        if name != DOCUMENT {
            return None;
        }
        let document = package::text(Vec::new(), part)?;
        document.contains("<m:oMath").then(|| replace(&document))
    })
}

/// Replaces every equation by a run of text.
fn replace(document: &str) -> String {
    let mut replaced = String::with_capacity(document.len());
    let mut rest = document;
    let mut follows = false;
    while let Some(at) = rest.find("<m:oMath") {
        let end = if rest[at..].starts_with("<m:oMathPara") {
            "</m:oMathPara>"
        } else {
            "</m:oMath>"
        };
        let Some(length) = rest[at..].find(end) else { break };
        let before = &rest[..at];
        replaced.push_str(before);
        replaced.push_str("<w:r><w:t xml:space=\"preserve\">");
        // Nothing but markup stands between this equation and the last.
        if follows && !before.contains("<w:t") {
            replaced.push(' ');
        }
        follows = true;
        replaced.push_str(&linear(&rest[at..at + length]));
        replaced.push_str("</w:t></w:r>");
        rest = &rest[at + length + end.len()..];
    }
    replaced.push_str(rest);
    replaced
}

/// An element that is being read.
struct Element<'a> {
    name: &'a str,
    /// Where its text begins.
    start: usize,
    /// The signs before and after what it holds, where it is of a kind that has them.
    delimiters: (&'a str, &'a str),
    /// How many `m:e` it has had.
    parts: usize,
}

/// The text of an equation in one line; character references stay as they are.
fn linear(equation: &str) -> String {
    let mut line = String::new();
    let mut open: Vec<Element<'_>> = Vec::new();
    // Where the last exponent, index or denominator ended: `x^2 y` is not `x^2y`.
    let mut end_of_part = 0;
    for piece in equation.split('<').skip(1) {
        let Some((tag, text)) = piece.split_once('>') else {
            break;
        };
        if let Some(name) = tag.strip_prefix('/') {
            close(&mut line, &mut open, name.trim());
            if matches!(name, "m:den" | "m:sup" | "m:sub" | "m:lim") {
                end_of_part = line.len();
            }
        } else {
            let name = tag
                .split(|c: char| c.is_whitespace() || c == '/')
                .next()
                .unwrap_or_default();
            let is_empty = tag.ends_with('/');
            if !(is_empty && matches!(name, "m:sup" | "m:sub" | "m:lim")) {
                begin(&mut line, &mut open, name, tag);
            }
            if !is_empty {
                open.push(Element {
                    name,
                    start: line.len(),
                    delimiters: match name {
                        "m:acc" => ("", "\u{302}"),
                        "m:bar" => ("", "\u{305}"),
                        _ => ("(", ")"),
                    },
                    parts: 0,
                });
            }
        }
        if open.last().is_some_and(|element| element.name == "m:t") {
            if end_of_part == line.len() && end_of_part > 0 && text.starts_with(char::is_alphanumeric) {
                line.push(' ');
            }
            line.push_str(text);
        }
    }
    line
}

fn begin<'a>(line: &mut String, open: &mut [Element<'a>], name: &str, tag: &'a str) {
    let within = open.last().map_or("", |element| element.name);
    match name {
        "m:sup" => line.push('^'),
        "m:lim" if within == "m:limUpp" => line.push('^'),
        "m:sub" | "m:lim" => line.push('_'),
        "m:den" => {
            let binomial = open
                .last()
                .is_some_and(|fraction| fraction.delimiters.0 == NO_BAR);
            line.push(if binomial { '¦' } else { '/' });
        }
        "m:rad" => line.push('√'),
        "m:oMath" if !line.is_empty() => line.push(' '),
        "m:box" | "m:fName" if line.ends_with(char::is_alphanumeric) => line.push(' '),
        "m:chr" if within == "m:naryPr" => line.push_str(value(tag)),
        "m:chr" | "m:begChr" | "m:endChr" | "m:type" => {
            if let [.., around, _] = open {
                match name {
                    "m:endChr" => around.delimiters.1 = value(tag),
                    "m:chr" if within == "m:accPr" => around.delimiters.1 = value(tag),
                    "m:begChr" | "m:type" => around.delimiters.0 = value(tag),
                    _ => {}
                }
            }
        }
        "m:e" => {
            if let Some(around) = open.last_mut() {
                match (around.name, around.parts) {
                    ("m:d", 0) => line.push_str(around.delimiters.0),
                    ("m:d", _) => line.push(','),
                    ("m:eqArr" | "m:mr", 1..) | ("m:func" | "m:nary", _) => line.push(' '),
                    _ => {}
                }
                around.parts += 1;
            }
        }
        _ => {}
    }
}

fn close(line: &mut String, open: &mut Vec<Element<'_>>, name: &str) {
    let Some(element) = open.pop() else { return };
    let within = open.last().map_or("", |element| element.name);
    let is_script = matches!(name, "m:sup" | "m:sub" | "m:lim");
    let wraps = is_script || matches!(name, "m:num" | "m:den") || (name == "m:e" && within == "m:rad");
    let length = line[element.start..].chars().take(2).count();
    match name {
        _ if wraps && length > 1 => {
            line.insert(element.start, '(');
            line.push(')');
        }
        // The sign of an exponent or index that is not there.
        _ if is_script && length == 0 => {
            line.pop();
        }
        "m:naryPr" if length == 0 => line.push('∫'),
        "m:d" | "m:acc" | "m:bar" => line.push_str(element.delimiters.1),
        "m:mr" => line.push(';'),
        _ => {}
    }
}

/// The attribute `m:val` of a tag.
fn value(tag: &str) -> &str {
    tag.split_once("m:val=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> String {
        format!("<m:r><m:t>{text}</m:t></m:r>")
    }

    fn element(name: &str, parts: &[(&str, &str)]) -> String {
        let parts = parts
            .iter()
            .map(|(part, content)| format!("<m:{part}>{content}</m:{part}>"));
        format!("<m:{name}>{}</m:{name}>", parts.collect::<Vec<_>>().concat())
    }

    fn line(content: &str) -> String {
        linear(&format!("<m:oMath>{content}"))
    }

    #[test]
    fn fractions_powers_and_brackets_read_as_one_line() {
        let fraction = element("f", &[("num", &run("a+b")), ("den", &run("2"))]);
        let power = element("sSup", &[("e", &run("x")), ("sup", &run("2"))]);
        let properties = "<m:begChr m:val=\"[\"/><m:endChr m:val=\"]\"/>";
        let bracket = element("d", &[("dPr", properties), ("e", &run("y"))]);
        let equation = format!("{power}{}{fraction}{bracket}", run("="));
        assert_eq!(line(&equation), "x^2=(a+b)/2[y]");
        assert_eq!(line(&format!("{power}{}", run("y"))), "x^2 y");
        let binomial = element(
            "f",
            &[
                ("fPr", "<m:type m:val=\"noBar\"/>"),
                ("num", &run("n")),
                ("den", &run("k")),
            ],
        );
        assert_eq!(line(&element("d", &[("e", &binomial)])), "(n¦k)");
    }

    #[test]
    fn operators_keep_their_sign_and_lose_limits_that_are_not_there() {
        let sum = element(
            "nary",
            &[
                ("naryPr", "<m:chr m:val=\"∑\"/>"),
                ("sub", &run("k=0")),
                ("sup", &run("n")),
                ("e", &run("k")),
            ],
        );
        assert_eq!(line(&sum), "∑_(k=0)^n k");
        let integral = "<m:nary><m:naryPr><m:ctrlPr/></m:naryPr><m:sub/><m:sup></m:sup><m:e>";
        assert_eq!(line(&format!("{integral}{}", run("dx"))), "∫ dx");
        let hat = element("acc", &[("e", &run("x"))]);
        let vector = element(
            "acc",
            &[("accPr", "<m:chr m:val=\"\u{20d7}\"/>"), ("e", &run("v"))],
        );
        assert_eq!(line(&format!("{hat}{vector}")), "x\u{302}v\u{20d7}");
        let below = element("limUpp", &[("e", &run("max")), ("lim", &run("i"))]);
        assert_eq!(line(&below), "max^i");
    }

    #[test]
    fn equations_become_runs_of_their_paragraph() {
        let equation = |text: &str| format!("<m:oMath>{}</m:oMath>", run(text));
        let paragraph = format!("<w:p>{}{}<w:r/></w:p>", equation("a=b"), equation("c=d"));
        assert_eq!(
            replace(&paragraph),
            "<w:p><w:r><w:t xml:space=\"preserve\">a=b</w:t></w:r>\
             <w:r><w:t xml:space=\"preserve\"> c=d</w:t></w:r><w:r/></w:p>"
        );
    }
}
