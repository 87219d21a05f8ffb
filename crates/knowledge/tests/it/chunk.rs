//! Passages: ranges are law, sizes are bounds, nothing is lost.

use amebo_knowledge::chunk::{Settings, embedding_text, sentences, split, width};
use amebo_knowledge::passage::{Block, BlockKind, Extracted, Passage};
use proptest::prelude::*;

/// A document of blocks parted by empty lines.
fn document(parts: &[(BlockKind, &str)]) -> Extracted {
    let mut extracted = Extracted::default();
    for (kind, text) in parts {
        let start = extracted.text.len();
        extracted.text.push_str(text);
        extracted.blocks.push(Block {
            kind: *kind,
            range: start..extracted.text.len(),
            page: None,
        });
        extracted.text.push_str("\n\n");
    }
    extracted
}

fn check(extracted: &Extracted, settings: &Settings, passages: &[Passage]) {
    let mut covered = 0;
    let mut start = 0;
    for (number, passage) in passages.iter().enumerate() {
        assert_eq!(passage.index as usize, number);
        assert_eq!(
            passage.content,
            extracted.text[passage.range.clone()],
            "ranges are exact"
        );
        assert!(number == 0 || passage.range.start > start, "passages move on");
        assert!(passage.range.end > covered, "every passage says something new");
        let gap = extracted
            .text
            .get(covered..passage.range.start)
            .unwrap_or_default();
        assert!(gap.trim().is_empty(), "lost {gap:?}");
        assert!(
            width(&passage.content) <= settings.max,
            "{} is too wide",
            width(&passage.content)
        );
        assert_eq!(passage.content.trim(), passage.content);
        start = passage.range.start;
        covered = passage.range.end;
    }
    assert!(
        extracted.text[covered..].trim().is_empty(),
        "lost {:?}",
        &extracted.text[covered..]
    );
}

fn kind() -> impl Strategy<Value = BlockKind> {
    prop_oneof![
        (1u8..7).prop_map(BlockKind::Heading),
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        Just(BlockKind::Table),
        Just(BlockKind::Code),
    ]
}

proptest! {
    #[test]
    fn every_text_is_covered_by_exact_bounded_passages(
        parts in prop::collection::vec((kind(), "([a-zA-Z0-9 .,!?\n\t|]|[éñ。、！文字กำल।🏳\u{301}\u{200d}]){0,400}"), 0..12),
        target in 0usize..200, max in 0usize..300, overlap in 0usize..100,
    ) {
        let parts: Vec<(BlockKind, &str)> = parts.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
        let extracted = document(&parts);
        let settings = Settings { target, max, overlap };
        let effective = Settings { max: max.max(target).max(16), ..settings };
        check(&extracted, &effective, &split(&extracted, &settings));
    }

    #[test]
    fn any_blocks_at_all_are_survived(
        text in "\\PC{0,300}",
        ranges in prop::collection::vec((kind(), 0usize..400, 0usize..400), 0..8),
    ) {
        let blocks = ranges.into_iter().map(|(kind, start, end)| Block { kind, range: start..end, page: None }).collect();
        let extracted = Extracted { text, blocks, ..Extracted::default() };
        let settings = Settings::default();
        check(&extracted, &settings, &split(&extracted, &settings));
    }

    #[test]
    fn sentences_cover_the_text_in_order(text in "([a-zA-Z0-9 .!?\n\"]|[é。！？」क।]){0,300}") {
        let mut end = 0;
        for range in sentences(&text) {
            prop_assert!(text[end..range.start].trim().is_empty());
            prop_assert_eq!(text[range.clone()].trim(), &text[range.clone()]);
            end = range.end;
        }
        prop_assert!(text[end..].trim().is_empty());
    }
}

#[test]
fn sentences_end_where_readers_say_they_do() {
    let cut = |text: &'static str| sentences(text).map(|range| &text[range]).collect::<Vec<_>>();
    assert_eq!(
        cut("Dr. Smith paid 3.50 euros. He left!"),
        ["Dr. Smith paid 3.50 euros.", "He left!"]
    );
    assert_eq!(
        cut("今天开会。明天休息！好吗？"),
        ["今天开会。", "明天休息！", "好吗？"]
    );
    assert_eq!(cut("वह गया। वह आया।"), ["वह गया।", "वह आया।"]);
    assert_eq!(
        cut("She said \"Go.\" Then she went"),
        ["She said \"Go.\"", "Then she went"]
    );
    assert_eq!(
        cut("one line\nthe same sentence\n\nanother"),
        ["one line\nthe same sentence", "another"]
    );
    assert_eq!(
        cut("See e.g. Fig. 3 and J. Doe. Done"),
        ["See e.g. Fig. 3 and J. Doe.", "Done"]
    );
}

#[test]
fn headings_lead_their_section_and_name_the_path() {
    let body = "A sentence of some length that says something. ".repeat(8);
    let extracted = document(&[
        (BlockKind::Heading(1), "Handbook"),
        (BlockKind::Heading(2), "Leave"),
        (BlockKind::Paragraph, &body),
        (BlockKind::Heading(2), "Pay"),
        (BlockKind::Paragraph, &body),
    ]);
    let passages = split(&extracted, &Settings::default());
    assert_eq!(passages.len(), 2);
    assert_eq!(passages[0].heading_path, ["Handbook", "Leave"]);
    assert!(passages[1].content.starts_with("Pay"));
    assert_eq!(passages[1].heading_path, ["Handbook", "Pay"]);
    let text = embedding_text("Handbook", &passages[1]);
    assert!(text.starts_with("Handbook\nPay\n\nA sentence"), "{text}");
}

#[test]
fn a_long_text_repeats_its_last_sentence_once() {
    let text = (0..40)
        .map(|n| format!("This is sentence number {n} of the text. "))
        .collect::<Vec<_>>()
        .concat();
    let extracted = document(&[(BlockKind::Paragraph, &text)]);
    let passages = split(&extracted, &Settings::default());
    assert!(passages.len() >= 2);
    for pair in passages.windows(2) {
        let repeated = &extracted.text[pair[1].range.start..pair[0].range.end];
        assert_eq!(sentences(repeated).count(), 1, "{repeated:?}");
    }
}

#[test]
fn rows_beyond_the_first_passage_name_the_header_row() {
    let rows = (0..100)
        .map(|n| format!("product {n} | {n} EUR\n"))
        .collect::<Vec<_>>()
        .concat();
    let table = format!("name | price\n{rows}");
    let extracted = document(&[(BlockKind::Heading(1), "Prices"), (BlockKind::Table, &table)]);
    let passages = split(&extracted, &Settings::default());
    assert_eq!(passages[0].heading_path, ["Prices"]);
    for passage in &passages[1..] {
        assert_eq!(passage.heading_path, ["Prices", "name | price"]);
        assert!(
            passage.content.lines().all(|row| row.starts_with("product")),
            "rows stay whole"
        );
    }
}

#[test]
fn pathological_texts_are_split_in_linear_time() {
    let texts = [
        "x".repeat(2_000_000),
        "a\n".repeat(1_000_000),
        "字".repeat(700_000),
        "e\u{301}".repeat(600_000),
        ". ".repeat(1_000_000),
    ];
    for text in texts {
        for kind in [BlockKind::Paragraph, BlockKind::Code, BlockKind::Heading(1)] {
            let extracted = document(&[(kind, &text)]);
            let settings = Settings::default();
            check(&extracted, &settings, &split(&extracted, &settings));
        }
    }
}
