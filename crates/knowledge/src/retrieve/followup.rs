//! What a follow-up question means on its own, without a model: what earlier questions were about is carried over.

use std::collections::HashSet;

use super::{Speaker, Turn};
use crate::index::analysis;

/// A question with fewer content words than this leans on what was said before. Chosen, not fitted.
const SELF_SUFFICIENT: usize = 6;

/// How many words at most are carried over.
const CARRIED: usize = 12;

/// The question, followed by the content words of the person's last questions that it does not repeat, where it is too short
/// or too pronominal to stand alone. Pure: the same in, the same out.
pub fn standalone(question: &str, history: &[Turn]) -> String {
    let own = analysis::content_words(question);
    if history.is_empty() || own.len() >= SELF_SUFFICIENT {
        return question.to_owned();
    }
    let mut known: HashSet<String> = own.iter().map(|word| word.to_lowercase()).collect();
    let mut text = question.to_owned();
    let mut carried = 0;
    let asked = history
        .iter()
        .rev()
        .filter(|turn| turn.speaker == Speaker::Person);
    for word in asked.flat_map(|turn| analysis::content_words(&turn.text)) {
        if carried < CARRIED && known.insert(word.to_lowercase()) {
            text.push(' ');
            text.push_str(word);
            carried += 1;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(text: &str) -> Turn {
        Turn {
            speaker: Speaker::Person,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_follow_up_carries_what_it_is_about() {
        let history = [person("How do I request parental leave?")];
        assert_eq!(
            standalone("And for how long?", &history),
            "And for how long? request parental leave"
        );
    }

    #[test]
    fn a_question_that_stands_alone_is_left_alone() {
        let question = "Which documents must suppliers attach to quarterly invoices over 5000 euros?";
        assert_eq!(
            standalone(question, &[person("How do I request parental leave?")]),
            question
        );
        assert_eq!(standalone("How long?", &[]), "How long?");
    }
}
