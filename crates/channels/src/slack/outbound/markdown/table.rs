//! Tables, which mrkdwn lacks, as lines of code.

/// The longest row that is shown as one line.
const ROW_LENGTH: usize = 100;

/// A table as lines with columns of even width; wide ones as a list of their cells.
pub(super) fn aligned(table: &[Vec<String>]) -> String {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = table.iter().map(|row| cell(row, column).chars().count());
            cells.max().unwrap_or(0)
        })
        .collect();
    if widths.iter().sum::<usize>() > ROW_LENGTH {
        let (heads, rows) = table
            .split_first()
            .map_or((&[][..], &[][..]), |(heads, rows)| (heads.as_slice(), rows));
        let entries: Vec<String> = rows
            .iter()
            .map(|row| {
                let cells =
                    (0..columns).map(|column| format!("{}: {}", cell(heads, column), cell(row, column)));
                cells.collect::<Vec<_>>().join("\n")
            })
            .collect();
        return entries.join("\n\n");
    }
    let mut lines: Vec<String> = table
        .iter()
        .map(|row| {
            let cells: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(column, &width)| format!("{:width$}", cell(row, column)))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    if lines.len() > 1 {
        let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        lines.insert(1, rule.join("  "));
    }
    lines.join("\n")
}
