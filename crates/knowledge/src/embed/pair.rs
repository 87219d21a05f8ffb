//! Two models side by side: one at home in a few languages, and one of many languages for questions in all others.
//!
//! A model of one language understands it better than one of many does; a question in another language finds passages only through a model
//! that knows both. So a passage gets the vectors of both, one after the other, and a question is compared in the space of the
//! one that suits its language: the other half of its vector is zero, and so the product of the two is a cosine of one model.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Embedder, Error, Languages, ModelInfo, Purpose};
use crate::index::analysis::language;
use crate::retrieve::speaks;

/// The two as one model.
pub struct Pair {
    info: ModelInfo,
    home: Arc<dyn Embedder>,
    abroad: Arc<dyn Embedder>,
}

impl Pair {
    /// Asks `home` what is in one of its languages, and `abroad` the rest.
    pub fn new(home: Arc<dyn Embedder>, abroad: Arc<dyn Embedder>) -> Self {
        let (first, second) = (home.model(), abroad.model());
        let languages = match (&first.languages, &second.languages) {
            (Languages::Only(first), Languages::Only(second)) => {
                let more = second.iter().filter(|code| !first.contains(code));
                Languages::Only(first.iter().chain(more).cloned().collect())
            }
            _ => Languages::Any,
        };
        Self {
            info: ModelInfo {
                id: format!("{}+{}", first.id, second.id),
                dimension: first.dimension + second.dimension,
                languages,
                max_tokens: first.max_tokens.min(second.max_tokens),
            },
            home,
            abroad,
        }
    }

    /// The vectors of questions, each in its half.
    async fn questions(&self, inputs: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        let at_home: Vec<bool> = inputs
            .iter()
            .map(|input| speaks(self.home.model(), language::detect(input)))
            .collect();
        let of = |home: bool| -> Vec<String> {
            let own = inputs
                .iter()
                .zip(&at_home)
                .filter(|(_, at_home)| **at_home == home);
            own.map(|(input, _)| input.clone()).collect()
        };
        let (home, abroad) = (of(true), of(false));
        let mut home = embed(&self.home, &home, Purpose::Query).await?.into_iter();
        let mut abroad = embed(&self.abroad, &abroad, Purpose::Query).await?.into_iter();
        let (first, second) = (self.home.model().dimension, self.abroad.model().dimension);
        Ok(at_home
            .into_iter()
            .map(|at_home| {
                if at_home {
                    let mut vector = home.next().unwrap_or_default();
                    vector.resize(first + second, 0.0);
                    vector
                } else {
                    let mut vector = vec![0.0; first];
                    vector.extend(abroad.next().unwrap_or_default());
                    vector
                }
            })
            .collect())
    }
}

#[async_trait]
impl Embedder for Pair {
    fn model(&self) -> &ModelInfo {
        &self.info
    }

    async fn embed(&self, inputs: &[String], purpose: Purpose) -> Result<Vec<Vec<f32>>, Error> {
        if purpose == Purpose::Query {
            return self.questions(inputs).await;
        }
        let (home, abroad) = futures::try_join!(
            embed(&self.home, inputs, purpose),
            embed(&self.abroad, inputs, purpose)
        )?;
        Ok(home
            .into_iter()
            .zip(abroad)
            .map(|(mut home, abroad)| {
                home.extend(abroad);
                home
            })
            .collect())
    }
}

/// The vectors of some texts; nothing is asked for none.
async fn embed(
    embedder: &Arc<dyn Embedder>,
    inputs: &[String],
    purpose: Purpose,
) -> Result<Vec<Vec<f32>>, Error> {
    if inputs.is_empty() {
        return Ok(Vec::new());
    }
    let vectors = embedder.embed(inputs, purpose).await?;
    if vectors.len() == inputs.len() {
        Ok(vectors)
    } else {
        Err(Error::BadAnswer(
            "it gave another number of vectors than texts".into(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives every text the same vector.
    struct Constant(ModelInfo, f32);

    #[async_trait]
    impl Embedder for Constant {
        fn model(&self) -> &ModelInfo {
            &self.0
        }

        async fn embed(&self, inputs: &[String], _: Purpose) -> Result<Vec<Vec<f32>>, Error> {
            Ok(vec![vec![self.1; self.0.dimension]; inputs.len()])
        }
    }

    fn pair() -> Pair {
        let model = |id: &str, dimension, languages: &[&str], value| {
            let info = ModelInfo {
                id: id.to_owned(),
                dimension,
                languages: Languages::Only(languages.iter().map(ToString::to_string).collect()),
                max_tokens: 512,
            };
            Arc::new(Constant(info, value))
        };
        Pair::new(
            model("english", 2, &["en"], 1.0),
            model("many", 3, &["de", "en"], 2.0),
        )
    }

    #[tokio::test]
    async fn a_question_is_compared_in_the_space_of_the_model_that_knows_its_language_best() {
        let pair = pair();
        let questions = [
            "When does the contract of the office end?",
            "Wann endet der Vertrag über das Büro?",
            "How long is the notice period of a lease?",
        ]
        .map(str::to_owned);
        assert_eq!(
            pair.embed(&questions, Purpose::Query).await.unwrap(),
            [
                vec![1.0, 1.0, 0.0, 0.0, 0.0],
                vec![0.0, 0.0, 2.0, 2.0, 2.0],
                vec![1.0, 1.0, 0.0, 0.0, 0.0],
            ]
        );
    }

    #[tokio::test]
    async fn passages_and_their_sentences_can_be_compared_with_any_question() {
        let pair = pair();
        for purpose in [Purpose::Passage, Purpose::Sentence] {
            let vectors = pair.embed(&["Ein Satz.".to_owned()], purpose).await.unwrap();
            assert_eq!(vectors, [[1.0, 1.0, 2.0, 2.0, 2.0]]);
        }
    }

    #[test]
    fn it_says_what_both_are() {
        let model = pair();
        let info = model.model();
        assert_eq!((info.id.as_str(), info.dimension), ("english+many", 5));
        assert_eq!(info.languages, Languages::Only(vec!["en".into(), "de".into()]));
    }
}
