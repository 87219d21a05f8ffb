//! Files go through a real child process, as in production.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use amebo_knowledge::extract::{Config, Error, Extractor, Refusal};
use amebo_knowledge::models;
use amebo_knowledge::passage::{BlockKind, Extracted};

/// The extraction child without the rest of Amebo.
const WORKER: &str = env!("CARGO_BIN_EXE_extract-worker");

fn extractor() -> Extractor {
    Extractor::new(Config {
        program: WORKER.into(),
        arguments: Vec::new(),
        ..Config::default()
    })
}

async fn read(name: &str, bytes: &[u8]) -> Extracted {
    extractor()
        .extract(Some(name), bytes)
        .await
        .expect("the file is read")
}

async fn refusal(bytes: &[u8]) -> Refusal {
    match extractor().extract(None, bytes).await {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Kinds and texts of all blocks.
fn blocks(extracted: &Extracted) -> Vec<(BlockKind, &str)> {
    extracted
        .blocks
        .iter()
        .map(|block| (block.kind, &extracted.text[block.range.clone()]))
        .collect()
}

#[tokio::test]
async fn markdown_gives_headings_lists_tables_and_code() {
    let source = "# Handbook\n\nWelcome *all*.\n\n- one\n- two\n\n| Plan | Price |\n|---|---|\n| Free | 0 |\n\n```sh\nrun  it\n```\n";
    let extracted = read("handbook.md", source.as_bytes()).await;
    assert_eq!(extracted.mime_type, "text/markdown");
    let expected = [
        (BlockKind::Heading(1), "Handbook"),
        (BlockKind::Paragraph, "Welcome all."),
        (BlockKind::ListItem, "one"),
        (BlockKind::ListItem, "two"),
        (BlockKind::Table, "Plan | Price\nFree | 0"),
        (BlockKind::Code, "run  it"),
    ];
    assert_eq!(blocks(&extracted), expected);
}

#[tokio::test]
async fn a_web_page_gives_its_content_without_navigation_and_scripts() {
    let page = b"<!doctype html><title>Returns</title><nav>Home Shop</nav><script>x()</script>\
        <h1>Returns</h1><p>Send it <b>back</b><br>in 30 days.<table><tr><th>Item<th>Days<tr><td>Shoes<td>30</table>\
        <ul><li>Keep the box</ul><pre>a\n  b</pre><footer>(c)</footer>";
    let extracted = read("x.txt", page).await;
    assert_eq!(extracted.mime_type, "text/html");
    assert_eq!(extracted.title.as_deref(), Some("Returns"));
    let expected = [
        (BlockKind::Heading(1), "Returns"),
        (BlockKind::Paragraph, "Send it back\nin 30 days."),
        (BlockKind::Table, "Item | Days\nShoes | 30"),
        (BlockKind::ListItem, "Keep the box"),
        (BlockKind::Code, "a\n  b"),
    ];
    assert_eq!(blocks(&extracted), expected);
}

#[tokio::test]
async fn a_message_gives_who_when_what_and_names_its_attachments() {
    let message = b"From: Ana <ana@example.org>\r\nTo: bo@example.org\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n\
        Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nSee you at nine.\r\n--b\r\nContent-Type: application/pdf\r\n\
        Content-Disposition: attachment; filename=plan.pdf\r\n\r\n%PDF-1.4\r\n--b--\r\n";
    let extracted = read("mail", message).await;
    assert_eq!(extracted.mime_type, "message/rfc822");
    assert_eq!(extracted.title.as_deref(), Some("Café"));
    assert_eq!(extracted.metadata["from"], "Ana <ana@example.org>");
    assert!(extracted.text.ends_with("See you at nine."), "{}", extracted.text);
    assert!(extracted.warnings[0].contains("plan.pdf"));
}

#[tokio::test]
async fn delimited_values_are_a_table_whatever_the_delimiter() {
    let extracted = read("people.csv", "name;city\nAna;\"San\nJuan\"\nBo;\n".as_bytes()).await;
    assert_eq!(
        blocks(&extracted),
        [(BlockKind::Table, "name | city\nAna | San Juan\nBo")]
    );
}

#[tokio::test]
async fn text_in_old_encodings_is_read_and_control_characters_never_pass() {
    let latin = read(
        "a.txt",
        b"Caf\xe9 M\xfcnchen \x00\x07 se abre a las ocho.\r\nMa\xf1ana tambi\xe9n.",
    )
    .await;
    assert_eq!(latin.text, "Café München  se abre a las ocho.\nMañana también.");
    let utf16: Vec<u8> = "No mark here, but text."
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read("b.txt", &utf16).await.text, "No mark here, but text.");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_advice() {
    assert_eq!(refusal(b"\x89PNG\r\n\x1a\n....").await, Refusal::Image);
    assert_eq!(
        refusal(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0").await,
        Refusal::Archive
    );
    assert_eq!(refusal(b"{\\rtf1 hi}").await, Refusal::RichText);
    assert_eq!(
        refusal(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0").await,
        Refusal::Unknown
    );
    assert_eq!(refusal(b" \n\t ").await, Refusal::NoText);
    assert_eq!(refusal(b"").await, Refusal::Empty);
    assert_eq!(refusal(b"\xDB\xA5-\0\0\0\0\0").await, Refusal::OldWord);
    assert!(Refusal::OldWord.to_string().contains("save it as .docx"));
}

#[tokio::test]
async fn a_child_that_dies_or_is_not_there_is_an_error_and_nothing_else() {
    let with = |program: &str, arguments: &[&str]| {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Extractor::new(Config {
            program: program.into(),
            arguments,
            seconds: 1,
            ..Config::default()
        })
    };
    let crashed = with("/bin/sh", &["-c", "kill -SEGV $$"])
        .extract(None, b"text")
        .await;
    assert!(matches!(crashed, Err(Error::Crashed)), "{crashed:?}");
    let lying = with("/bin/sh", &["-c", "cat >/dev/null & echo nonsense"])
        .extract(None, b"text")
        .await;
    assert!(matches!(lying, Err(Error::Crashed)), "{lying:?}");
    let missing = with("/does/not/exist", &[]).extract(None, b"text").await;
    assert!(matches!(missing, Err(Error::Unavailable(_))), "{missing:?}");
    let started = Instant::now();
    let hanging = with("/bin/sh", &["-c", "sleep 1000"])
        .extract(None, b"text")
        .await;
    assert!(
        matches!(hanging, Err(Error::TimedOut { seconds: 1 })),
        "{hanging:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn word_files_give_headings_equations_tables_accepted_text_and_comments() {
    let extracted = read("x.bin", include_bytes!("fixtures/travel.docx")).await;
    assert_eq!(extracted.title.as_deref(), Some("Travel rules"));
    assert_eq!(extracted.metadata["author"], "Ana");
    let expected = [
        (BlockKind::Heading(1), "Travel"),
        (BlockKind::Paragraph, "Book early."),
        (BlockKind::Paragraph, "Area: r^2."),
        (BlockKind::Paragraph, "kept"),
        (BlockKind::Table, "City | Limit\nRome | 120\nRome | 90"),
        (
            BlockKind::Paragraph,
            "Comment by Bo & Co, 2026-03-02: Is this right?\nR&D asks.",
        ),
    ];
    assert_eq!(blocks(&extracted), expected);
}

#[tokio::test]
async fn sheets_are_tables_under_their_names_with_comments_and_threads_after_them() {
    let extracted = read("x.bin", include_bytes!("fixtures/stock.xlsx")).await;
    let expected = [
        (BlockKind::Heading(1), "Stock"),
        (BlockKind::Table, "Item | Count\nBolt | 40"),
        (BlockKind::Paragraph, "Comment by Ana on A2: Count them."),
        (BlockKind::Paragraph, "Comment by Bo on B2, 2026-05-02: Only 40?"),
        (BlockKind::Paragraph, "Reply by Cy on B2, 2026-05-03: Since May."),
        (BlockKind::Heading(1), "Far"),
        (BlockKind::Table, "corner"),
    ];
    assert_eq!(blocks(&extracted), expected);
    assert_eq!(extracted.blocks[4].page, Some(1));
    assert_eq!(extracted.blocks[6].page, Some(2));
}

#[tokio::test]
async fn sheets_are_read_whether_their_elements_have_a_prefix_or_not() {
    let extracted = read("x.bin", include_bytes!("fixtures/prefixed.xlsx")).await;
    let expected = [
        (BlockKind::Heading(1), "Ions"),
        (BlockKind::Table, "Ion | Charge\n<x:Na> | 1"),
    ];
    assert_eq!(blocks(&extracted), expected);
}

#[tokio::test]
async fn slides_give_titles_text_speaker_notes_and_comments_with_their_number() {
    let extracted = read("x.bin", include_bytes!("fixtures/launch.pptx")).await;
    assert_eq!(extracted.pages, 2);
    let of_page = |page| {
        let on_page = extracted
            .blocks
            .iter()
            .filter(move |block| block.page == Some(page));
        on_page
            .map(|block| &extracted.text[block.range.clone()])
            .collect::<Vec<_>>()
    };
    let comment = "Comment by Ana, 2026-02-01: May is late.";
    assert_eq!(of_page(1), ["Launch", "In May", "Say it slowly.", comment]);
    let thread = [
        "Comment by Bo, 2026-02-03: None at all?",
        "Reply by Bo, 2026-02-04: I asked again.",
    ];
    assert_eq!(of_page(2), ["Risks", "None", thread[0], thread[1]]);
}

#[tokio::test]
async fn binary_office_files_are_read_like_their_successors() {
    let word = read("x.bin", include_bytes!("fixtures/hours.doc")).await;
    assert_eq!(word.mime_type, "application/msword");
    assert_eq!(word.text, "Opening hours\n\nWe open at nine; café from ten.");
    let slides = read("x.bin", include_bytes!("fixtures/launch.ppt")).await;
    assert_eq!(slides.mime_type, "application/vnd.ms-powerpoint");
    let expected = [
        (BlockKind::Heading(1), "Launch"),
        (BlockKind::Paragraph, "In May"),
        (BlockKind::Paragraph, "Say it slowly."),
    ];
    assert_eq!(blocks(&slides), expected);
    assert_eq!((slides.pages, slides.blocks[2].page), (1, Some(1)));
    let sheets = read("x.bin", include_bytes!("fixtures/stock.xls")).await;
    assert_eq!(sheets.mime_type, "application/vnd.ms-excel");
    let expected = [
        (BlockKind::Heading(1), "Stock"),
        (BlockKind::Table, "Item | Count\nBolt | 40"),
    ];
    assert_eq!(blocks(&sheets), expected);
}

#[tokio::test]
async fn binary_office_files_that_are_encrypted_or_broken_are_refused_with_advice() {
    let find = |file: &[u8], bytes: &[u8]| {
        file.windows(bytes.len())
            .position(|window| window == bytes)
            .expect("it is in the file")
    };
    let mut word = include_bytes!("fixtures/hours.doc").to_vec();
    let text = find(&word, &[0xDC, 0xA5]);
    // fEncrypted, of the flags at offset 10.
    word[text + 11] |= 1;
    assert_eq!(refusal(&word).await, Refusal::PasswordProtected);
    word[text] = 0;
    assert_eq!(refusal(&word).await, Refusal::OldWord);
    let mut slides = include_bytes!("fixtures/launch.ppt").to_vec();
    let document = find(&slides, &[0x0F, 0x00, 0xE8, 0x03]);
    slides[document + 2] = 0;
    assert_eq!(refusal(&slides).await, Refusal::OldPowerPoint);
    slides.truncate(1000);
    assert_eq!(refusal(&slides).await, Refusal::OldOffice);
}

/// libpdfium as `amebo models install` installs it.
fn pdfium() -> PathBuf {
    let data = std::env::var_os("AMEBO_TEST_MODELS").expect(
        "AMEBO_TEST_MODELS must name a data directory made by `amebo models install`; `./dev test` sees to it",
    );
    models::pdfium(Path::new(&data)).expect("libpdfium is not in AMEBO_TEST_MODELS")
}

#[tokio::test]
async fn pdf_pages_are_read_by_libpdfium_in_the_confined_child() {
    let extractor = Extractor::new(Config {
        program: WORKER.into(),
        arguments: Vec::new(),
        pdfium: Some(pdfium()),
        ..Config::default()
    });
    let pdf = include_bytes!("fixtures/hours.pdf");
    let extracted = extractor.extract(None, pdf).await.expect("libpdfium reads it");
    assert_eq!(
        (extracted.mime_type.as_str(), extracted.pages),
        ("application/pdf", 2)
    );
    let pages: Vec<_> = extracted.blocks.iter().map(|block| block.page).collect();
    let blocks = blocks(&extracted);
    assert_eq!(blocks.first(), Some(&(BlockKind::Heading(1), "Opening hours")));
    let last = "Deliveries come to the back door.";
    assert_eq!(blocks.last(), Some(&(BlockKind::Paragraph, last)));
    assert_eq!((pages.first(), pages.last()), (Some(&Some(1)), Some(&Some(2))));
    let broken = extractor.extract(None, &pdf[..400]).await;
    assert!(
        matches!(broken, Err(Error::Refused(Refusal::Damaged))),
        "{broken:?}"
    );
}

#[tokio::test]
async fn without_libpdfium_pdf_pages_are_read_by_poppler_or_the_operator_is_told_what_to_install() {
    let pdf = include_bytes!("fixtures/hours.pdf");
    let result = extractor().extract(None, pdf).await;
    if Path::new("/usr/bin/pdftotext").exists() {
        let extracted = result.expect("pdftotext reads it");
        assert_eq!(extracted.pages, 2);
        assert!(extracted.text.starts_with("Opening hours"), "{}", extracted.text);
        let last = extracted.blocks.last().expect("there are blocks");
        assert_eq!(
            (last.page, &extracted.text[last.range.clone()]),
            (Some(2), "Deliveries come to the back door.")
        );
    } else {
        assert!(
            matches!(result, Err(Error::Refused(Refusal::NoPdfEngine))),
            "{result:?}"
        );
    }
}

#[test]
fn the_child_shuts_itself_in_before_it_sees_the_file() {
    let mut child = Command::new(WORKER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("it has an input");
    let setup = b"{\"pdfium\":null,\"memory_bytes\":1073741824,\"seconds\":60,\"input_bytes\":1000}\n";
    input.write_all(setup).expect("it listens");
    let about =
        |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", child.id())).unwrap_or_default();
    let started = Instant::now();
    while !about("status").contains("Seccomp:\t2") {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it never shut itself in: {}",
            about("status")
        );
        std::thread::yield_now();
    }
    assert!(about("status").contains("NoNewPrivs:\t1"));
    let limits = about("limits");
    let limit = |name: &str| {
        let line = limits
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        line[name.len()..].split_whitespace().next().map(str::to_owned)
    };
    assert_eq!(limit("Max address space").as_deref(), Some("1073741824"));
    assert_eq!(limit("Max file size").as_deref(), Some("0"));
    assert_eq!(limit("Max open files").as_deref(), Some("32"));
    drop(input);
    assert!(!child.wait().expect("it ends when nobody listens").success());
}

#[tokio::test]
async fn dropping_the_future_kills_the_child_and_what_it_started() {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("pid");
    let script = format!(
        "sleep 1000 & echo $! > {}.new; mv {0}.new {0}; wait",
        file.display()
    );
    let arguments = vec!["-c".to_owned(), script];
    let extractor = Extractor::new(Config {
        program: "/bin/sh".into(),
        arguments,
        ..Config::default()
    });
    let grandchild = async {
        loop {
            if let Ok(id) = std::fs::read_to_string(&file) {
                return id.trim().to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    let id = tokio::select! {
        result = extractor.extract(None, b"text") => panic!("it ended by itself: {result:?}"),
        id = grandchild => id,
    };
    // Killed, if perhaps not yet collected.
    let started = Instant::now();
    loop {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            break;
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "still there: {state}"
        );
        std::thread::yield_now();
    }
}
