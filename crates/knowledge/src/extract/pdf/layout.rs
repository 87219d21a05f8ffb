//! From lines on pages to paragraphs, list items and headings.
//!
//! A PDF knows no paragraphs, only glyphs at places. Lines that follow each other at the usual distance in the same type are
//! one paragraph; a short group of lines set clearly larger than the body, or alone in bold, is a heading; what stands at
//! the edge of many pages is furniture and left out.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::extract::writer::Writer;

/// How much larger than the body a heading is set.
const HEADING_RATIO: f32 = 1.15;
/// The longest heading, in characters.
const HEADING_LENGTH: usize = 160;
/// The most lines a heading takes.
const HEADING_LINES: usize = 3;
/// The deepest level of headings told apart by size.
const HEADING_LEVELS: usize = 4;
/// A gap larger than this many font sizes parts paragraphs.
const PARAGRAPH_GAP: f32 = 1.7;
/// On how many pages a line at the edge makes it furniture, and on what share of them.
const FURNITURE_PAGES: usize = 4;
const FURNITURE_SHARE: f64 = 0.3;
/// Signs that begin the items of lists.
const BULLETS: [char; 14] = [
    '•', '●', '○', '◦', '▪', '■', '□', '‣', '∙', '·', '\u{f0b7}', '–', '➢', '✓',
];

/// A line of text and where it stands; lengths in points.
#[derive(Debug, Default, Clone)]
pub(super) struct Line {
    pub(super) text: String,
    /// The last word goes on in the next line; its hyphen is left out.
    pub(super) broken_word: bool,
    /// Set in bold type.
    pub(super) bold: bool,
    /// How many characters it has, blanks not counted.
    count: usize,
    size: f32,
    left: f32,
    bottom: f32,
    measured: bool,
}

impl Line {
    /// Whether nothing is known yet of size and place; the first character tells.
    pub(super) fn needs_measuring(&self) -> bool {
        !self.measured
    }

    /// Sets type and place.
    pub(super) fn measure(&mut self, size: f32, left: f32, bottom: f32, bold: bool) {
        self.measured = true;
        self.size = if size.is_finite() { size.abs() } else { 0.0 };
        self.left = left;
        self.bottom = bottom;
        self.bold = bold;
    }

    /// Adds a character; Latin words run into Arabic or Hebrew only where PDFium has put the space on the wrong side.
    pub(super) fn push(&mut self, c: char) {
        if is_right_to_left(c) && self.text.ends_with(|before: char| before.is_ascii_alphanumeric()) {
            self.text.push(' ');
        }
        self.text.push(c);
        self.count += usize::from(c != ' ');
    }

    /// The line, unless it is blank.
    pub(super) fn finished(mut self) -> Option<Self> {
        self.text.truncate(self.text.trim_end().len());
        (self.count > 0).then_some(self)
    }

    /// Ends with several numbers, as the rows of tables do.
    fn is_row(&self) -> bool {
        self.text
            .split_whitespace()
            .rev()
            .filter(|word| !matches!(*word, "$" | "€" | "%" | ")" | "—"))
            .take(2)
            .all(is_number)
    }

    fn is_item(&self) -> bool {
        self.text.trim_start().starts_with(BULLETS)
    }
}

/// Whether a word is a number with its signs.
fn is_number(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit()) && !word.contains(char::is_alphabetic)
}

/// All pages of a document, kept until the usual type is known.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pages: Vec<(u32, Vec<Line>)>,
}

impl Layout {
    /// Adds a page.
    pub(super) fn page(&mut self, number: u32, lines: Vec<Line>) {
        self.pages.push((number, lines));
    }

    /// Writes all pages.
    pub(super) fn write(mut self, writer: &mut Writer) {
        self.remove_furniture();
        let style = Style::of(&self.pages);
        for (number, lines) in &self.pages {
            writer.page(*number);
            let mut rest = lines.as_slice();
            while !rest.is_empty() {
                let (paragraph, others) = rest.split_at(paragraph_length(rest));
                rest = others;
                let text = join(paragraph);
                match style.heading(paragraph, &text) {
                    Some(level) => writer.heading(level, &text),
                    None if paragraph[0].is_item() => writer.list_item(text.trim_start_matches(BULLETS)),
                    None => writer.paragraph(&text),
                }
            }
        }
    }

    /// Takes out running heads and page numbers: the highest and the lowest line of a page, where many pages have the same
    /// but for its numbers.
    fn remove_furniture(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (_, lines) in &self.pages {
            let edges: HashSet<String> = edges(lines)
                .into_iter()
                .map(|at| without_numbers(&lines[at].text))
                .collect();
            for edge in edges {
                *seen.entry(edge).or_default() += 1;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of pages")]
        let share = self.pages.len() as f64 * FURNITURE_SHARE;
        #[expect(clippy::cast_precision_loss, reason = "a count of pages")]
        seen.retain(|_, pages| *pages >= FURNITURE_PAGES && *pages as f64 >= share);
        for (_, lines) in &mut self.pages {
            let mut furniture = edges(lines);
            furniture.retain(|at| seen.contains_key(&without_numbers(&lines[*at].text)));
            for at in furniture.into_iter().rev() {
                lines.remove(at);
            }
        }
    }
}

/// The places of the highest and the lowest line, in ascending order; none where little else is on the page.
fn edges(lines: &[Line]) -> Vec<usize> {
    if lines.len() < 3 {
        return Vec::new();
    }
    let by_height = |one: &usize, other: &usize| lines[*one].bottom.total_cmp(&lines[*other].bottom);
    let mut edges: Vec<usize> = (0..lines.len())
        .max_by(by_height)
        .into_iter()
        .chain((0..lines.len()).min_by(by_height))
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// A line with every number replaced by one sign.
fn without_numbers(text: &str) -> String {
    let mut reduced = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if reduced.ends_with('#') => {}
            '0'..='9' => reduced.push('#'),
            _ => reduced.push(c),
        }
    }
    reduced
}

/// The type a document is set in.
struct Style {
    /// The sizes of headings, largest first.
    headings: Vec<u32>,
    body: u32,
    /// Whether bold type stands out.
    bold_stands_out: bool,
}

impl Style {
    fn of(pages: &[(u32, Vec<Line>)]) -> Self {
        let (mut sizes, mut all, mut bold) = (BTreeMap::<u32, usize>::new(), 0, 0);
        for line in pages.iter().flat_map(|(_, lines)| lines) {
            *sizes.entry(key(line.size)).or_default() += line.count;
            all += line.count;
            bold += if line.bold { line.count } else { 0 };
        }
        let body = sizes
            .iter()
            .max_by_key(|(_, count)| **count)
            .map_or(0, |(size, _)| *size);
        let headings = sizes
            .keys()
            .rev()
            .copied()
            .filter(|size| to_points(*size) >= to_points(body) * HEADING_RATIO)
            .collect();
        Self {
            headings,
            body,
            bold_stands_out: bold * 4 < all,
        }
    }

    /// The level of a heading, if these lines are one.
    fn heading(&self, lines: &[Line], text: &str) -> Option<u8> {
        let first = lines.first()?;
        let is_short = lines.len() <= HEADING_LINES && text.chars().count() <= HEADING_LENGTH;
        let is_words = text.chars().filter(|c| c.is_alphabetic()).count() >= 2;
        if !is_short || !is_words || first.is_item() || text.ends_with(['.', ',', ';', '。']) {
            return None;
        }
        let size = key(first.size);
        let level = match self.headings.iter().position(|heading| *heading == size) {
            Some(place) => place.min(HEADING_LEVELS - 1),
            None if self.bold_stands_out && lines.iter().all(|line| line.bold) && size >= self.body => {
                self.headings.len().min(HEADING_LEVELS)
            }
            None => return None,
        };
        u8::try_from(level + 1).ok()
    }
}

/// A font size in half points, so that equal sizes compare equal.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating, and sizes are small and not negative"
)]
fn key(size: f32) -> u32 {
    (size * 2.0).round() as u32
}

#[expect(clippy::cast_precision_loss, reason = "font sizes are small")]
fn to_points(key: u32) -> f32 {
    key as f32 / 2.0
}

/// How many of the lines, at least one, make up the first paragraph.
fn paragraph_length(lines: &[Line]) -> usize {
    let mut length = 1;
    for pair in lines.windows(2) {
        let (above, below) = (&pair[0], &pair[1]);
        let size = above.size.max(1.0);
        let gap = above.bottom - below.bottom;
        let same_line = gap.abs() < size * 0.3;
        let same_type = key(above.size).abs_diff(key(below.size)) <= 1 && above.bold == below.bold;
        let follows = same_type && gap >= 0.0 && gap <= size * PARAGRAPH_GAP;
        if (below.is_item() || !(same_line || follows)) && !above.broken_word {
            break;
        }
        length += 1;
    }
    length
}

/// Puts lines together: full lines run on, short ones (of tables, addresses, verse) stay lines.
fn join(lines: &[Line]) -> String {
    let widest = lines.iter().map(|line| line.count).max().unwrap_or(0);
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            let above = &lines[index - 1];
            if above.broken_word {
                // The word goes on.
            } else if !above.is_row()
                && above.count * 3 >= widest * 2
                && (line.left - above.left).abs() < above.size.max(1.0) * 3.0
            {
                if !(ends_without_space(&above.text) && starts_without_space(&line.text)) {
                    text.push(' ');
                }
            } else {
                text.push('\n');
            }
        }
        text.push_str(line.text.trim());
    }
    text
}

fn ends_without_space(text: &str) -> bool {
    text.chars().next_back().is_some_and(is_spaceless)
}

fn starts_without_space(text: &str) -> bool {
    text.chars().next().is_some_and(is_spaceless)
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{5d0}'..='\u{5ea}' | '\u{620}'..='\u{64a}' | '\u{671}'..='\u{6d3}')
}

/// Characters of scripts that put no space between words: Chinese, Japanese and their punctuation, Thai, Lao, Khmer, Burmese.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3000}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Kind;
    use crate::passage::BlockKind;

    /// A line in the given size, `above` points over the foot of the page.
    fn line(text: &str, size: f32, above: f32, bold: bool) -> Line {
        let mut line = Line::default();
        line.measure(size, 72.0, above, bold);
        text.chars().for_each(|c| line.push(c));
        line
    }

    fn blocks(pages: Vec<Vec<Line>>) -> Vec<(BlockKind, String)> {
        let mut layout = Layout::default();
        for (lines, number) in pages.into_iter().zip(1..) {
            layout.page(number, lines);
        }
        let mut writer = Writer::default();
        layout.write(&mut writer);
        let extracted = writer.finish(Kind::Pdf).expect("there is text");
        extracted
            .blocks
            .iter()
            .map(|block| (block.kind, extracted.text[block.range.clone()].to_owned()))
            .collect()
    }

    #[test]
    fn size_and_bold_type_make_headings_and_lines_make_paragraphs() {
        let mut broken = line(
            "The shop is open on weekdays and also on Satur",
            11.0,
            660.0,
            false,
        );
        broken.broken_word = true;
        let page = vec![
            line("Opening hours", 20.0, 700.0, false),
            line("In summer", 11.0, 675.0, true),
            broken,
            line("days until noon.", 11.0, 647.0, false),
            line("• Bring a bag", 11.0, 620.0, false),
            line("• Pay in cash", 11.0, 607.0, false),
        ];
        let expected = [
            (BlockKind::Heading(1), "Opening hours"),
            (BlockKind::Heading(2), "In summer"),
            (
                BlockKind::Paragraph,
                "The shop is open on weekdays and also on Saturdays until noon.",
            ),
            (BlockKind::ListItem, "Bring a bag"),
            (BlockKind::ListItem, "Pay in cash"),
        ];
        assert_eq!(
            blocks(vec![page]),
            expected.map(|(kind, text)| (kind, text.to_owned()))
        );
    }

    #[test]
    fn running_heads_and_page_numbers_are_left_out() {
        let words = ["alpha", "beta", "gamma", "delta", "epsilon"];
        let pages = words.iter().zip(1..).map(|(word, number)| {
            vec![
                line("Annual report", 9.0, 800.0, false),
                line(&format!("All about {word}."), 11.0, 400.0, false),
                line(&format!("Page {number}"), 9.0, 30.0, false),
            ]
        });
        let texts: Vec<String> = blocks(pages.collect())
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, words.map(|word| format!("All about {word}.")));
    }

    #[test]
    fn pages_with_little_on_them_keep_it() {
        let pages = (1..7).map(|number| vec![line(&format!("Slide {number}"), 9.0, 800.0, false)]);
        assert_eq!(blocks(pages.collect()).len(), 6);
    }

    #[test]
    fn rows_of_numbers_stay_lines() {
        let page = vec![
            line("Balance on January 1 1,900 1,527", 10.0, 700.0, false),
            line("Additions this year 202 116", 10.0, 687.0, false),
        ];
        assert_eq!(
            blocks(vec![page])[0].1,
            "Balance on January 1 1,900 1,527\nAdditions this year 202 116"
        );
    }
}
