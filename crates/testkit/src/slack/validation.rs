//! What the real Slack refuses in blocks and views, as documented and as its SDKs check.

use serde_json::Value;

use super::server::Refused;

/// The sum of all blocks from which on messages are refused.
const SUM: usize = 13_200;

pub(super) fn blocks(blocks: &Value, most: usize) -> Result<(), Refused> {
    let list = blocks.as_array().ok_or("invalid_blocks_format")?;
    let mut complaints = Vec::new();
    if list.len() > most {
        complaints.push(format!(
            "[ERROR] no more than {most} items allowed [json-pointer:/blocks]"
        ));
    }
    for (index, block) in list.iter().enumerate() {
        let mut complain = |what: &str, at: &str| {
            complaints.push(format!("[ERROR] {what} [json-pointer:/blocks/{index}{at}]"));
        };
        match block["type"].as_str() {
            Some("section") => text(&block["text"], 3_000, "/text", &mut complain),
            Some("header") => text(&block["text"], 150, "/text", &mut complain),
            Some("context") => {
                let elements = block["elements"].as_array().map_or(&[][..], Vec::as_slice);
                if elements.is_empty() || elements.len() > 10 {
                    complain("must have 1 to 10 elements", "/elements");
                }
                for element in elements {
                    text(element, 2_000, "/elements", &mut complain);
                }
            }
            Some("actions") => elements(block, 25, &mut complain),
            Some("context_actions") => elements(block, 5, &mut complain),
            Some("input") => text(&block["label"], 2_000, "/label", &mut complain),
            Some("markdown") => {
                if block["text"]
                    .as_str()
                    .is_none_or(|text| text.chars().count() > 12_000)
                {
                    complain("must be less than 12001 characters", "/text");
                }
            }
            Some("divider" | "image" | "rich_text" | "file" | "video" | "table") => {}
            _ => complain("unsupported type", "/type"),
        }
    }
    if !complaints.is_empty() {
        return Err(Refused::because("invalid_blocks", &complaints));
    }
    if most == 50 && blocks.to_string().chars().count() > SUM {
        return Err("msg_blocks_too_long".into());
    }
    Ok(())
}

pub(super) fn view(view: &Value) -> Result<(), Refused> {
    if view["type"] == "modal" {
        let title = view["title"]["text"].as_str().unwrap_or_default();
        if title.is_empty() || title.chars().count() > 24 {
            return Err(Refused::because(
                "invalid_arguments",
                &["[ERROR] must be less than 25 characters [json-pointer:/view/title]".to_owned()],
            ));
        }
    }
    if view["private_metadata"]
        .as_str()
        .is_some_and(|text| text.len() > 3_000)
    {
        return Err("invalid_arguments".into());
    }
    blocks(&view["blocks"], 100)
}

fn text(object: &Value, most: usize, at: &str, complain: &mut impl FnMut(&str, &str)) {
    let length = object["text"].as_str().map_or(0, |text| text.chars().count());
    if length == 0 {
        complain("must be more than 0 characters", at);
    } else if length > most {
        complain(&format!("must be less than {} characters", most + 1), at);
    }
    if object["type"] == "mrkdwn" && object["text"].as_str().is_some_and(is_broken) {
        complain("invalid mrkdwn", at);
    }
    if !matches!(object["type"].as_str(), Some("mrkdwn" | "plain_text")) {
        complain("unsupported type", at);
    }
}

/// Whether a tag is opened and not closed.
fn is_broken(text: &str) -> bool {
    text.split('<').skip(1).any(|tag| !tag.contains('>'))
}

fn elements(block: &Value, most: usize, complain: &mut impl FnMut(&str, &str)) {
    let elements = block["elements"].as_array().map_or(&[][..], Vec::as_slice);
    if elements.is_empty() || elements.len() > most {
        complain(&format!("must have 1 to {most} elements"), "/elements");
    }
    for element in elements {
        let buttons = match element["type"].as_str() {
            Some("button") => vec![element],
            Some("feedback_buttons") => vec![&element["positive_button"], &element["negative_button"]],
            _ => {
                complain("unsupported type", "/elements");
                continue;
            }
        };
        for button in buttons {
            text(&button["text"], 75, "/elements/text", complain);
            if button["value"]
                .as_str()
                .is_some_and(|value| value.chars().count() > 2_000)
            {
                complain("must be less than 2001 characters", "/elements/value");
            }
        }
    }
}
