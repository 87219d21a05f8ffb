//! Tables with cells that span rows and columns, laid out so that every cell stands under its header.

use std::collections::BTreeMap;

/// The widest span that is followed; files may claim any number.
const MOST_COLUMNS: usize = 32;
/// The tallest span that is followed.
const MOST_ROWS: usize = 256;
/// How many cells a spanning cell may be repeated into altogether.
const MOST_REPEATED: usize = 200_000;

/// A table under construction.
#[derive(Debug, Default)]
pub(super) struct Grid {
    rows: Vec<Vec<String>>,
    /// By column: what hangs down from rows above, and into how many rows more.
    hanging: BTreeMap<usize, (usize, String)>,
    repeated: usize,
}

impl Grid {
    /// Begins a row.
    pub(super) fn row(&mut self) {
        self.fill_hanging();
        self.rows.push(Vec::new());
    }

    /// Adds a cell to the row; its text stands in every column and row it spans.
    pub(super) fn cell(&mut self, text: &str, columns: usize, rows: usize) {
        self.fill_hanging();
        let Some(row) = self.rows.last_mut() else { return };
        let text = text.trim();
        for _ in 0..columns.clamp(1, MOST_COLUMNS) {
            if rows > 1 && self.repeated < MOST_REPEATED {
                self.hanging
                    .insert(row.len(), (rows.min(MOST_ROWS) - 1, text.to_owned()));
            }
            row.push(text.to_owned());
            self.repeated += 1;
            if self.repeated >= MOST_REPEATED {
                break;
            }
        }
    }

    /// The rows; a row that says one thing only says it once, and columns without text are left out.
    pub(super) fn finish(mut self) -> Vec<Vec<String>> {
        self.fill_hanging();
        let width = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut used = vec![false; width];
        for row in &mut self.rows {
            if let Some((first, others)) = row.split_first_mut()
                && others.iter().all(|cell| cell == first)
            {
                others.iter_mut().for_each(String::clear);
            }
            for (cell, used) in row.iter().zip(&mut used) {
                *used |= !cell.is_empty();
            }
        }
        for row in &mut self.rows {
            let mut columns = used.iter();
            row.retain(|_| columns.next().is_some_and(|used| *used));
        }
        self.rows
    }

    /// Puts what hangs from above into the columns the row has reached.
    fn fill_hanging(&mut self) {
        let Some(row) = self.rows.last_mut() else { return };
        while let Some((left, text)) = self.hanging.get_mut(&row.len()) {
            let column = row.len();
            row.push(text.clone());
            self.repeated += 1;
            *left -= 1;
            if *left == 0 || self.repeated >= MOST_REPEATED {
                self.hanging.remove(&column);
            }
        }
    }
}
