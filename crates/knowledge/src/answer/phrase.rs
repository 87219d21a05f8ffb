//! What Amebo says of its own accord, in the language of the question.
//!
//! The texts stand in `phrases.json`, one object a language, ready for translators; a language that is missing there is
//! answered in English. Quotations stay in the language of their document.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::index::analysis::language::Language;

/// Something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phrase {
    /// That the answer is quoted from `{titles}`.
    Quoted,
    /// That the answer is quoted since the language model could not be asked.
    QuotedInstead,
    /// That the answer is quoted since nothing the language model wrote could be proven.
    QuotedUnproven,
    /// That there is no document to search.
    NothingToSearch,
    /// That nothing has to do with the question.
    NothingFound,
    /// That what was found does not answer the question.
    LowConfidence,
    /// What was searched: `{documents}` and `{knowledge_bases}`.
    Searched,
    /// To say it in other words.
    Rephrase,
    /// To look at `{title}`.
    Read,
    /// To ask a person.
    AskPerson,
}

/// Every phrase in every language there is.
#[derive(Debug)]
pub struct Catalogue(HashMap<String, HashMap<Phrase, String>>);

impl Catalogue {
    /// The texts compiled in.
    pub fn embedded() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
            Catalogue(serde_json::from_str(include_str!("phrases.json")).unwrap_or_default())
        });
        &CATALOGUE
    }

    /// A phrase in `language`, else in English.
    pub fn get(&self, language: Language, phrase: Phrase) -> &str {
        [language.code(), "en"]
            .iter()
            .find_map(|code| self.0.get(*code)?.get(&phrase))
            .map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Phrase; 10] = [
        Phrase::Quoted,
        Phrase::QuotedInstead,
        Phrase::QuotedUnproven,
        Phrase::NothingToSearch,
        Phrase::NothingFound,
        Phrase::LowConfidence,
        Phrase::Searched,
        Phrase::Rephrase,
        Phrase::Read,
        Phrase::AskPerson,
    ];

    #[test]
    fn every_language_says_everything_with_the_same_placeholders() {
        let catalogue = Catalogue::embedded();
        assert!(catalogue.0.len() >= 15);
        for (language, phrases) in &catalogue.0 {
            assert!(
                Language::ALL.iter().any(|known| known.code() == language),
                "{language}"
            );
            for phrase in ALL {
                let text = phrases
                    .get(&phrase)
                    .unwrap_or_else(|| panic!("{language} lacks {phrase:?}"));
                for placeholder in ["{titles}", "{title}", "{documents}", "{knowledge_bases}"] {
                    let english = catalogue.get(Language::English, phrase);
                    assert_eq!(
                        text.contains(placeholder),
                        english.contains(placeholder),
                        "{language} {phrase:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_language_without_texts_is_answered_in_english() {
        let catalogue = Catalogue::embedded();
        let english = catalogue.get(Language::English, Phrase::Rephrase);
        assert_eq!(catalogue.get(Language::Finnish, Phrase::Rephrase), english);
        assert_ne!(catalogue.get(Language::German, Phrase::Rephrase), english);
    }
}
