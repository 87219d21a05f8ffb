//! Why a file is not read, said to the person who uploaded it.

use serde::{Deserialize, Serialize};

/// A file that is not read, with what its owner can do about it; the same bytes will always be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No bytes.
    #[error("This file is empty; check it and upload it again")]
    Empty,
    /// Read without fault, but there was no text.
    #[error(
        "No text was found in this file. If it is a scan or holds only pictures, run text recognition (OCR) on it and upload the result"
    )]
    NoText,
    /// Damaged, or older than Word 6.
    #[error("This old Word file could not be read; open it in Word, save it as .docx and upload it again")]
    OldWord,
    /// Damaged, or older than Excel 5.
    #[error("This old Excel file could not be read; open it in Excel, save it as .xlsx and upload it again")]
    OldExcel,
    /// Damaged, or older than PowerPoint 97.
    #[error(
        "This old PowerPoint file could not be read; open it in PowerPoint, save it as .pptx and upload it again"
    )]
    OldPowerPoint,
    /// An Outlook `.msg` item.
    #[error("This is an Outlook .msg file; save the message as .eml or as text and upload it again")]
    OutlookMessage,
    /// Another compound (OLE) file.
    #[error(
        "This is an old Office file that is damaged or of an unknown kind; save it in a current format and upload it again"
    )]
    OldOffice,
    /// Needs a password to open.
    #[error("This file is protected by a password; remove the password and upload it again")]
    PasswordProtected,
    /// OpenDocument text, spreadsheet or presentation.
    #[error(
        "OpenDocument files are not read yet; save this file as .docx, .xlsx, .pptx or PDF and upload it again"
    )]
    OpenDocument,
    /// Rich Text Format.
    #[error("Rich Text Format is not read yet; save this file as .docx or PDF and upload it again")]
    RichText,
    /// PostScript.
    #[error("PostScript files are not read; save this file as PDF and upload it again")]
    PostScript,
    /// An electronic book.
    #[error("EPUB books are not read yet; save this file as PDF or HTML and upload it again")]
    ElectronicBook,
    /// A picture.
    #[error(
        "This is a picture, not a document; if it shows text, run text recognition (OCR) on it and upload the result"
    )]
    Image,
    /// Sound or film.
    #[error("This is an audio or video file; upload its transcript as text instead")]
    Media,
    /// A packed archive.
    #[error("This is an archive; unpack it and upload the documents inside")]
    Archive,
    /// No known kind of document.
    #[error(
        "This file is of a kind that cannot be read; upload PDF, Word, PowerPoint, Excel, HTML, Markdown, CSV, e-mail or plain text"
    )]
    Unknown,
    /// The kind is known but the content cannot be made sense of.
    #[error(
        "This file is damaged and could not be read; open it in the program that made it, save it again and upload that"
    )]
    Damaged,
    /// Elements inside elements without end; only made, never written, files are so.
    #[error("This file nests its parts too deeply to be read; save it as plain text or PDF and upload that")]
    TooDeep,
    /// Too large for its kind.
    #[error("This {kind} file is larger than {megabytes} MB; split it into smaller parts and upload those")]
    TooLarge {
        /// What kind of file, for the sentence.
        kind: String,
        /// The limit.
        megabytes: u64,
    },
    /// Neither libpdfium nor pdftotext is on this machine.
    #[error("PDF files cannot be read on this server yet; ask its operator to run `amebo models install`")]
    NoPdfEngine,
}
