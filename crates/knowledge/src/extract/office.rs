//! Word, PowerPoint and Excel files: Office Open XML (ECMA-376), and the binary formats of before 2007.
//!
//! `undoc` bounds what it unpacks and how deep it nests; what it cannot bound, the limits of the process do.

mod comment;
mod equation;
mod package;
mod prefix;

use undoc::model::RevisionType;
use undoc::{Block, Cell, Document, Error, ErrorKind, ListType, Paragraph, Section, Table, TextRun};

use crate::extract::grid::Grid;
use crate::extract::writer::Writer;
use crate::extract::{Kind, Refusal};
use crate::passage::Extracted;

/// How deep tables in tables are followed.
const NESTING: usize = 8;

/// Reads an Office document.
pub(super) fn extract(bytes: &[u8], kind: Kind) -> Result<Extracted, Refusal> {
    let rewritten = match kind {
        Kind::Docx => equation::inline(bytes),
        Kind::Xlsx => prefix::strip(bytes),
        _ => None,
    };
    let document =
        undoc::parse_bytes(rewritten.as_deref().unwrap_or(bytes)).map_err(|error| refusal(&error, kind))?;
    let mut comments = comment::read(bytes, kind).into_iter();
    let mut writer = Writer::default();
    describe(&mut writer, &document);
    for (section, number) in document.sections.iter().zip(1..) {
        match kind {
            Kind::Pptx | Kind::Ppt => writer.page(number),
            Kind::Xlsx | Kind::Xls => {
                writer.page(number);
                if !section.content.is_empty() {
                    writer.heading(1, section.name.as_deref().unwrap_or_default());
                }
            }
            _ => {}
        }
        write_section(&mut writer, section);
        if matches!(kind, Kind::Pptx | Kind::Xlsx) {
            write_comments(&mut writer, comments.next().unwrap_or_default());
        }
    }
    write_comments(&mut writer, comments.flatten());
    writer.finish(kind)
}

fn refusal(error: &Error, kind: Kind) -> Refusal {
    match (error.kind(), kind) {
        (ErrorKind::Encrypted, _) => Refusal::PasswordProtected,
        (_, Kind::Doc) => Refusal::OldWord,
        (_, Kind::Xls) => Refusal::OldExcel,
        (_, Kind::Ppt) => Refusal::OldPowerPoint,
        _ => Refusal::Damaged,
    }
}

fn write_comments(writer: &mut Writer, comments: impl IntoIterator<Item = String>) {
    for comment in comments {
        writer.paragraph(&comment);
    }
}

fn describe(writer: &mut Writer, document: &Document) {
    let metadata = &document.metadata;
    let fields = [
        ("author", &metadata.author),
        ("subject", &metadata.subject),
        ("description", &metadata.description),
        ("created", &metadata.created),
        ("modified", &metadata.modified),
    ];
    writer.title(metadata.title.as_deref().unwrap_or_default());
    for (name, text) in fields {
        writer.metadata(name, text.as_deref().unwrap_or_default());
    }
    writer.metadata("keywords", &metadata.keywords.join(", "));
}

fn write_section(writer: &mut Writer, section: &Section) {
    for block in &section.content {
        match block {
            Block::Paragraph(paragraph) => write_paragraph(writer, paragraph),
            Block::Table(table) => write_table(writer, table, 0),
            Block::Note { content, .. } => {
                for paragraph in content {
                    write_paragraph(writer, paragraph);
                }
            }
            Block::Image { alt_text, .. } => writer.paragraph(alt_text.as_deref().unwrap_or_default()),
            Block::PageBreak | Block::SectionBreak => {}
        }
    }
    for note in section.notes.iter().flatten() {
        write_paragraph(writer, note);
    }
}

fn write_paragraph(writer: &mut Writer, paragraph: &Paragraph) {
    let text = text_of(&paragraph.runs);
    if paragraph.is_heading() {
        writer.heading(paragraph.heading.level(), &text);
    } else if paragraph.is_list_item() {
        let number = paragraph
            .list_info
            .as_ref()
            .filter(|list| list.list_type == ListType::Numbered)
            .and_then(|list| list.number);
        match number {
            Some(number) if !text.trim().is_empty() => writer.list_item(&format!("{number}. {text}")),
            _ => writer.list_item(&text),
        }
    } else if !text.trim().is_empty()
        && paragraph
            .runs
            .iter()
            .all(|run| run.style.code || run.text.trim().is_empty())
    {
        writer.code(&text);
    } else {
        writer.paragraph(&text);
    }
}

/// The text as it stands once tracked changes are accepted.
fn text_of(runs: &[TextRun]) -> String {
    let mut text = String::new();
    for run in runs.iter().filter(|run| run.revision != RevisionType::Deleted) {
        text.push_str(&run.text);
        if run.line_break || run.page_break {
            text.push('\n');
        }
    }
    text
}

fn write_table(writer: &mut Writer, table: &Table, depth: usize) {
    writer.paragraph(table.caption.as_deref().unwrap_or_default());
    // An empty row parts a sheet into tables of their own, each with its header row.
    for rows in table.rows.split(|row| row.cells.iter().all(Cell::is_empty)) {
        let mut grid = Grid::default();
        for row in rows {
            grid.row();
            for cell in &row.cells {
                grid.cell(&cell_text(cell), cell.col_span as usize, cell.row_span as usize);
            }
        }
        writer.table(grid.finish());
    }
    if depth < NESTING {
        for nested in table
            .rows
            .iter()
            .flat_map(|row| &row.cells)
            .flat_map(|cell| &cell.nested_tables)
        {
            write_table(writer, nested, depth + 1);
        }
    }
}

/// The text of a cell; what `undoc` adds to the cells of Excel files is written with the other comments.
fn cell_text(cell: &Cell) -> String {
    let paragraphs: Vec<String> = cell
        .content
        .iter()
        .map(|paragraph| match paragraph.runs.split_last() {
            Some((last, before)) if last.style.italic && last.text.starts_with(" [Comment: ") => {
                text_of(before)
            }
            _ => text_of(&paragraph.runs),
        })
        .collect();
    paragraphs.join("\n")
}
