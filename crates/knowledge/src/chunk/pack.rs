//! Filling passages with pieces.

use std::ops::Range;

use crate::chunk::oversize::cut;
use crate::chunk::sentence::trim;
use crate::chunk::{Settings, width};
use crate::passage::Passage;

/// The longest heading in a heading path, in characters.
const HEADING_LENGTH: usize = 200;

/// A sentence, a row, a line: what is not parted unless it is too large.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) page: Option<u32>,
    /// Running text, of which the last sentence may be repeated.
    pub(super) prose: bool,
}

/// A passage under construction.
#[derive(Debug)]
struct Open {
    range: Range<usize>,
    width: usize,
    page: Option<u32>,
    path: Vec<String>,
    /// Where the headings at its end begin, if it ends with some; they belong to what follows.
    trailing_headings: Option<(usize, Option<u32>)>,
    /// Whether there is more than headings.
    has_body: bool,
    /// Whether there is more than what was repeated.
    has_news: bool,
    /// The last sentence, if it is one.
    last: Option<Piece>,
}

/// Takes pieces in order and gives passages.
pub(super) struct Packer<'a> {
    text: &'a str,
    settings: Settings,
    headings: Vec<(u8, String)>,
    table_header: Option<Range<usize>>,
    open: Option<Open>,
    passages: Vec<Passage>,
}

impl<'a> Packer<'a> {
    pub(super) fn new(text: &'a str, settings: Settings) -> Self {
        Self {
            text,
            settings,
            headings: Vec::new(),
            table_header: None,
            open: None,
            passages: Vec::new(),
        }
    }

    /// The last passages are closed.
    pub(super) fn finish(mut self) -> Vec<Passage> {
        if let Some(open) = self.open.take() {
            self.emit(open);
        }
        self.passages
    }

    /// A heading begins a passage, unless the one before is still so small that it may as well go on.
    pub(super) fn heading(&mut self, level: u8, range: Range<usize>, page: Option<u32>) {
        let range = trim(self.text, range);
        if range.is_empty() {
            return;
        }
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.has_body && open.width * 4 >= self.settings.target)
        {
            self.close(false);
        }
        self.headings.retain(|(above, _)| *above < level);
        self.headings.push((
            level,
            self.text[range.clone()].chars().take(HEADING_LENGTH).collect(),
        ));
        for part in cut(self.text, range, self.settings.target, self.settings.max) {
            self.place(
                &Piece {
                    range: part,
                    page,
                    prose: false,
                },
                true,
            );
        }
    }

    /// Rows that follow belong under this one.
    pub(super) fn table_header(&mut self, range: Range<usize>) {
        self.table_header = Some(trim(self.text, range));
    }

    /// No more rows follow.
    pub(super) fn end_table(&mut self) {
        self.table_header = None;
    }

    /// Adds a piece of any size.
    pub(super) fn add(&mut self, piece: &Piece) {
        let range = trim(self.text, piece.range.clone());
        if range.is_empty() {
            return;
        }
        // No text is wider than it has bytes.
        if range.len() <= self.settings.max || width(&self.text[range.clone()]) <= self.settings.max {
            self.place(
                &Piece {
                    range,
                    ..piece.clone()
                },
                false,
            );
        } else {
            for part in cut(self.text, range, self.settings.target, self.settings.max) {
                self.place(
                    &Piece {
                        range: part,
                        ..piece.clone()
                    },
                    false,
                );
            }
        }
    }

    /// Adds a piece that fits into a passage.
    fn place(&mut self, piece: &Piece, is_heading: bool) {
        let wide = width(&self.text[piece.range.clone()]);
        if let Some(open) = &self.open {
            let gap = width(&self.text[open.range.end..piece.range.start.max(open.range.end)]);
            let total = open.width + gap + wide;
            let fits = total <= self.settings.target
                || (total <= self.settings.max && (open.width * 2 < self.settings.target || !open.has_news));
            if !fits {
                let repeatable = piece.prose && !is_heading;
                self.close(repeatable);
                // What was carried over may still be too much together with this piece.
                if let Some(carried) = &self.open {
                    let gap = width(&self.text[carried.range.end..piece.range.start.max(carried.range.end)]);
                    if carried.width + gap + wide > self.settings.max {
                        self.drop_or_emit_carried();
                    }
                }
            }
        }
        let path = self.path(piece, is_heading);
        match &mut self.open {
            Some(open) => {
                let gap = width(&self.text[open.range.end..piece.range.start]);
                open.range.end = piece.range.end;
                open.width += gap + wide;
                if is_heading {
                    open.trailing_headings
                        .get_or_insert((piece.range.start, piece.page));
                } else {
                    open.trailing_headings = None;
                }
                if !open.has_body {
                    open.path = path;
                }
                open.has_body |= !is_heading;
                open.has_news = true;
                open.last = piece.prose.then(|| piece.clone());
            }
            None => {
                self.open = Some(Open {
                    range: piece.range.clone(),
                    width: wide,
                    page: piece.page,
                    path,
                    trailing_headings: is_heading.then_some((piece.range.start, piece.page)),
                    has_body: !is_heading,
                    has_news: true,
                    last: piece.prose.then(|| piece.clone()),
                });
            }
        }
    }

    /// The headings in force, and the header row for a row that stands without it.
    fn path(&self, piece: &Piece, is_heading: bool) -> Vec<String> {
        let mut path: Vec<String> = self.headings.iter().map(|(_, heading)| heading.clone()).collect();
        if let Some(header) = self
            .table_header
            .as_ref()
            .filter(|header| !is_heading && header.end <= piece.range.start)
        {
            let seen = self
                .open
                .as_ref()
                .is_some_and(|open| open.range.contains(&header.start));
            if !seen {
                path.push(self.text[header.clone()].chars().take(HEADING_LENGTH).collect());
            }
        }
        path
    }

    /// Closes the open passage; headings at its end, or else its last sentence, begin the next.
    fn close(&mut self, repeat: bool) {
        let Some(mut open) = self.open.take() else { return };
        if let Some((start, page)) = open.trailing_headings.filter(|_| open.has_body) {
            let headings = start..open.range.end;
            open.range = trim(self.text, open.range.start..start);
            self.open = Some(Open {
                width: width(&self.text[headings.clone()]),
                range: headings,
                page,
                path: Vec::new(),
                trailing_headings: Some((start, page)),
                has_body: false,
                has_news: true,
                last: None,
            });
        } else if let Some(last) = open
            .last
            .clone()
            .filter(|last| repeat && last.range != open.range)
        {
            let wide = width(&self.text[last.range.clone()]);
            if wide <= self.settings.overlap {
                self.open = Some(Open {
                    range: last.range.clone(),
                    width: wide,
                    page: last.page,
                    path: self.headings.iter().map(|(_, heading)| heading.clone()).collect(),
                    trailing_headings: None,
                    has_body: true,
                    has_news: false,
                    last: None,
                });
            }
        }
        self.emit(open);
    }

    /// Makes room when what was carried over does not fit with the next piece.
    fn drop_or_emit_carried(&mut self) {
        if let Some(open) = self.open.take().filter(|open| open.has_news) {
            self.emit(open);
        }
    }

    fn emit(&mut self, open: Open) {
        // Carried over from the passage before and nothing came after.
        if !open.has_news || open.range.is_empty() {
            return;
        }
        self.passages.push(Passage {
            index: u32::try_from(self.passages.len()).unwrap_or(u32::MAX),
            content: self.text[open.range.clone()].to_owned(),
            range: open.range,
            heading_path: open.path,
            page: open.page,
        });
    }
}
