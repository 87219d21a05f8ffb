use super::*;
use crate::outbound::Asked;
use crate::slack::CAPABILITIES;
use proptest::prelude::*;

fn cited(text: &str) -> Reply {
    Reply {
        citations: vec![
            Citation {
                number: 1,
                title: "Refunds <policy>".into(),
                heading_path: vec!["Money".into(), "Refunds".into()],
                quote: "Refunds take 14 days.".into(),
                url: Some(
                    Url::parse("https://acme.slack.com/archives/C1/p1763600000000200?thread_ts=1&cid=C1")
                        .unwrap(),
                ),
            },
            Citation {
                number: 2,
                title: "Handbook".into(),
                heading_path: Vec::new(),
                quote: String::new(),
                url: None,
            },
        ],
        confidence: Some(ConfidenceLevel::High),
        reference: Some("019a9b".into()),
        rateable: true,
        ..Reply::new(Form::Answer, text)
    }
}

fn texts(payload: &OutboundPayload) -> Vec<String> {
    let blocks = payload.body["blocks"].as_array().unwrap();
    blocks
        .iter()
        .filter_map(|block| block["text"]["text"].as_str().map(str::to_owned))
        .collect()
}

fn only(reply: &Reply) -> OutboundPayload {
    let mut payloads = render(reply, &CAPABILITIES);
    assert_eq!(payloads.len(), 1);
    payloads.remove(0)
}

#[test]
fn an_answer_has_its_marks_linked_its_sources_named_and_its_controls_below() {
    let payload = only(&cited("Refunds take **14 days** [1][2]."));
    assert_eq!(
        texts(&payload),
        [
            "Refunds take *14 days* <https://acme.slack.com/archives/C1/p1763600000000200?thread_ts=1&amp;cid=C1|[1]>[2].",
            "*Sources*\n\
             <https://acme.slack.com/archives/C1/p1763600000000200?thread_ts=1&amp;cid=C1|[1] Refunds &lt;policy&gt;> › Refunds — “Refunds take 14 days.”\n\
             [2] Handbook",
        ]
    );
    let blocks = payload.body["blocks"].as_array().unwrap();
    assert_eq!(blocks[2]["elements"][0]["text"], "Likely right");
    assert_eq!(
        blocks[3]["elements"][0]["negative_button"]["value"],
        "down:019a9b"
    );
    assert_eq!(payload.text, "Refunds take 14 days [1][2].");
}

#[test]
fn a_host_without_the_rating_element_gets_buttons_and_a_private_answer_can_be_shared() {
    let mut capabilities = CAPABILITIES;
    capabilities.blocks.as_mut().unwrap().rating = false;
    let reply = Reply {
        shareable: true,
        language: Some("de".into()),
        ..cited("Ja [1].")
    };
    let payload = render(&reply, &capabilities).remove(0);
    let actions = payload.body["blocks"].as_array().unwrap().last().unwrap().clone();
    let names: Vec<&str> = actions["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|button| button["action_id"].as_str().unwrap())
        .collect();
    assert_eq!(names, [control::RATE_UP, control::RATE_DOWN, control::SHARE]);
    assert_eq!(actions["elements"][2]["text"]["text"], "Im Kanal teilen");
}

#[test]
fn markdown_becomes_slacks_own_markup() {
    let payload = only(&Reply::new(
        Form::Answer,
        "# Steps\n\n1. Open *the* page\n2. Press ~~no~~ `yes`\n   - now\n\n> Quoted\n\n```sh\nls <dir> && `x`\n```\n\n| a | b |\n|---|---|\n| 1 | 22 |",
    ));
    assert_eq!(
        texts(&payload),
        [
            "*Steps*\n1. Open _the_ page\n2. Press ~no~ `yes`\n    • now\n\n&gt; Quoted\n\n```\nls &lt;dir&gt; &amp;&amp; `x`\n```\n\n```\na  b\n-  --\n1  22\n```"
        ]
    );
}

#[test]
fn nothing_in_an_answer_calls_or_deceives() {
    let reply = Reply {
        asked: Some(Asked {
            person: "U1|x> <!channel".into(),
            text: "<!here> @channel".into(),
        }),
        ..Reply::new(
            Form::Answer,
            "So: <!channel> <@U1> @here [bank.example](https://evil.example) [run](javascript:alert(1)) <script>x</script>\n\n[1]: https://evil.example\n\nsee [1]",
        )
    };
    let payload = only(&reply);
    let body = payload.body.to_string();
    assert!(!body.contains("<!"), "{body}");
    assert!(!body.contains("<@U1>"), "{body}");
    assert!(!body.contains("javascript:"), "{body}");
    assert!(!body.contains("@here"), "{body}");
    assert!(!body.contains("<https://evil.example"), "{body}");
    assert!(body.contains("bank.example (https://evil.example/)"), "{body}");
    assert!(!payload.text.contains('<'));
}

#[test]
fn every_other_form_says_what_it_is() {
    for (form, mark) in [
        (Form::Failure, "⚠️"),
        (Form::Working, "⏳"),
        (Form::HandOver, "🙋"),
    ] {
        assert!(texts(&only(&Reply::new(form, "So it is.")))[0].starts_with(mark));
    }
    let decline = Reply {
        form: Form::Decline,
        ..cited("I looked through 12 documents.")
    };
    assert!(texts(&only(&decline))[1].starts_with("*What came closest*"));
}

#[test]
fn long_code_is_cut_into_whole_blocks() {
    let code = (0..400)
        .map(|line| format!("line {line} of <code>"))
        .collect::<Vec<_>>()
        .join("\n");
    for payload in render(
        &Reply::new(Form::Answer, format!("```\n{code}\n```")),
        &CAPABILITIES,
    ) {
        for text in texts(&payload) {
            assert_eq!(text.matches(FENCE).count(), 2);
            assert!(text.starts_with(FENCE) && text.ends_with(FENCE));
        }
    }
}

const FENCE: &str = "```";

/// What Slack refuses, as far as it is documented.
fn check(payloads: &[OutboundPayload]) -> Result<(), TestCaseError> {
    let limits = CAPABILITIES.blocks.unwrap();
    prop_assert!(!payloads.is_empty());
    for payload in payloads {
        prop_assert!(!payload.text.is_empty());
        prop_assert!(length(&payload.text) <= CAPABILITIES.message_length);
        prop_assert!(!payload.text.contains('<'));
        let blocks = payload.body["blocks"].as_array().unwrap();
        prop_assert!(!blocks.is_empty() && blocks.len() <= limits.per_message);
        let total: usize = blocks.iter().map(|block| length(&block.to_string())).sum();
        prop_assert!(total <= 13_000, "{total}");
        for block in blocks {
            if let Some(text) = block["text"]["text"].as_str() {
                prop_assert!(!text.is_empty());
                prop_assert!(length(text) <= limits.block_length, "{}", length(text));
                prop_assert_eq!(text.matches(FENCE).count() % 2, 0);
                // Every tag is a whole link.
                for tag in text.split('<').skip(1) {
                    prop_assert!(
                        tag.starts_with("https://")
                            || tag.starts_with("http://")
                            || tag.starts_with("mailto:"),
                        "{tag}"
                    );
                    let end = tag.find('>');
                    prop_assert!(end.is_some_and(|end| tag[..end].contains('|')), "{tag}");
                }
                // Every entity is whole.
                for entity in text.split('&').skip(1) {
                    prop_assert!(
                        ["amp;", "lt;", "gt;"]
                            .iter()
                            .any(|known| entity.starts_with(known)),
                        "{entity}"
                    );
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_fits(text in "(\\PC|\n){0,600}") {
        check(&render(&cited(&text), &CAPABILITIES))?;
    }

    #[test]
    fn any_markdown_fits(
        pieces in proptest::collection::vec(
            prop_oneof![
                "[a-z]{1,12} ", "\\*\\*", "_", "~~", "`", "```\n", "\n\n", "- ", "> ", "\\[1\\]", "\\[2\\]", "<!channel>",
                "\\[a\\]\\(https://a\\.example/x\\?a=1&b=2\\) ", "# ", "\\| a \\| b \\|\n\\|---\\|---\\|\n", "&", "<", ">", "@here ",
            ],
            0..200,
        ),
        times in 1_usize..20,
    ) {
        check(&render(&cited(&pieces.concat().repeat(times)), &CAPABILITIES))?;
    }

    #[test]
    fn an_answer_of_any_length_fits_and_loses_no_word(words in 1_usize..4_000) {
        let text = (0..words).map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
        let payloads = render(&cited(&text), &CAPABILITIES);
        check(&payloads)?;
        let shown: String = payloads.iter().flat_map(texts).collect::<Vec<_>>().join(" ");
        let last = format!("w{}", words - 1);
        let found: std::collections::HashSet<&str> = shown.split_whitespace().collect();
        prop_assert!((0..words).all(|word| found.contains(format!("w{word}").as_str())), "{last}");
    }
}
