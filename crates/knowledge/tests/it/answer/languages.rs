//! Answers across languages, with two models side by side of which each has an opinion of its own.

use std::sync::Arc;

use amebo_core::Environment;
use amebo_knowledge::answer::check::Why;
use amebo_knowledge::answer::confidence::{Fit, Parameters};
use amebo_knowledge::answer::{Answerer, Evidence, Options, Question, Verdict};
use amebo_knowledge::embed::pair::Pair;
use amebo_knowledge::embed::{Embedder, Error, Languages, ModelInfo, Purpose};
use async_trait::async_trait;
use futures::StreamExt;

use super::script::Script;
use super::{environment, evidence, last, options, searched};

/// Finds every question like every text, or like none.
struct Opinion {
    info: ModelInfo,
    alike: bool,
}

#[async_trait]
impl Embedder for Opinion {
    fn model(&self) -> &ModelInfo {
        &self.info
    }

    async fn embed(&self, inputs: &[String], purpose: Purpose) -> Result<Vec<Vec<f32>>, Error> {
        let vector = match purpose {
            Purpose::Query => vec![1.0, 0.0],
            _ if self.alike => vec![1.0, 0.0],
            _ => vec![0.0, 1.0],
        };
        Ok(vec![vector; inputs.len()])
    }
}

fn pair(home: bool, abroad: bool) -> Arc<dyn Embedder> {
    let model = |id: &str, languages: &[&str], alike| {
        let info = ModelInfo {
            id: id.to_owned(),
            dimension: 2,
            languages: Languages::Only(languages.iter().map(ToString::to_string).collect()),
            max_tokens: 512,
        };
        Arc::new(Opinion { info, alike })
    };
    Arc::new(Pair::new(
        model("english", &["en"], home),
        model("many", &["de", "en"], abroad),
    ))
}

async fn verdict(answerer: &Answerer, question: &str, evidence: Vec<Evidence>, options: Options) -> Verdict {
    let events = answerer.answer(Question::new(question), evidence, searched(), options);
    last(&events.collect::<Vec<_>>().await)
}

/// What the check makes of a sentence that no word, name or number ties to the passage it cites.
async fn struck(embedder: Arc<dyn Embedder>, question: &str, said: &str, passage: &str) -> Vec<Why> {
    let answerer = Answerer::new(environment(), Some(embedder)).with_model(Some(Script::says(&[said]) as _));
    let evidence = vec![evidence(1, "", passage)];
    let verdict = verdict(&answerer, question, evidence, options()).await;
    verdict.struck.into_iter().map(|struck| struck.why).collect()
}

#[tokio::test]
async fn a_sentence_in_another_language_than_its_passage_is_judged_by_the_model_that_knows_both() {
    let english = "When does the contract of the office end?";
    let german = "Wann endet der Vertrag über das Büro?";
    let said_english = "The agreement runs until the end of the winter [1].";
    let said_german = "Die Vereinbarung läuft bis zum Ende des Winters [1].";
    let passage_german = "Wenn der Schnee schmilzt, ist das alles vorbei und die Räume werden frei.";
    let passage_english = "When the snow melts, all of this is over and the rooms are free.";
    for (question, said, passage) in [
        (english, said_english, passage_german),
        (german, said_german, passage_english),
    ] {
        assert_eq!(
            struck(pair(true, false), question, said, passage).await,
            [Why::NotCarried],
            "{said}"
        );
        assert_eq!(
            struck(pair(false, true), question, said, passage).await,
            [],
            "{said}"
        );
    }
}

#[tokio::test]
async fn confidence_is_that_of_how_the_answer_was_found() {
    let always = |confidence: f64| Fit {
        calibration: vec![(0.0, confidence), (1.0, confidence)],
        ..Fit::default()
    };
    let parameters = Parameters {
        embedded: always(0.7),
        foreign: always(0.5),
        lexical: always(0.3),
    };
    let answerer =
        Answerer::new(Environment::system(), Some(pair(true, true))).with_parameters(Arc::new(parameters));
    let passage = "The contract of the office ends in March.";
    let english = "When does the contract of the office end?";
    let german = "Wann endet der Vertrag über das Büro?";
    for (question, dense, expected) in [
        (english, Some(0.8), 0.7),
        (german, Some(0.8), 0.5),
        // Found by words alone, as in a knowledge base whose own model does not know the question's language.
        (german, None, 0.3),
    ] {
        let found = Evidence {
            dense,
            ..evidence(1, "", passage)
        };
        let verdict = verdict(&answerer, question, vec![found], options()).await;
        assert!(
            (verdict.confidence.value() - expected).abs() < 1e-9,
            "{question} {dense:?}: {}",
            verdict.confidence.value()
        );
    }
}
