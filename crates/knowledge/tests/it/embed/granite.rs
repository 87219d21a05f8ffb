//! The default model as installed: that it is the model meant, and that it understands.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use amebo_knowledge::embed::local::LocalEmbedder;
use amebo_knowledge::embed::{Embedder, Purpose};
use amebo_knowledge::models;

/// The data directory that the models are installed in.
pub(super) fn data() -> PathBuf {
    let data = std::env::var_os("AMEBO_TEST_MODELS").expect(
        "AMEBO_TEST_MODELS must name a data directory made by `amebo models install`; `./dev test` sees to it",
    );
    data.into()
}

fn open() -> LocalEmbedder {
    let folder =
        models::local(&data(), models::DEFAULT_MODEL).expect("the default model is not in AMEBO_TEST_MODELS");
    LocalEmbedder::open(&folder, NonZeroUsize::new(2).unwrap()).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn the_default_model_says_what_it_is() {
    let model = open();
    let info = model.model();
    assert_eq!(
        (info.id.as_str(), info.dimension, info.max_tokens),
        (models::DEFAULT_MODEL, 384, 512)
    );
    assert!(info.languages.include("en"));
    assert!(!info.languages.include("es"));
}

#[tokio::test]
async fn the_default_model_gives_the_vectors_of_the_original() {
    // First numbers of the vectors that ONNX Runtime computes in floats from the weights of the same container.
    let originals: [(&str, [f32; 12]); 3] = [
        (
            "The contract ends on the last day of March unless it is renewed in writing.",
            [
                -0.00656, 0.02798, 0.03893, 0.00298, 0.00174, -0.06167, 0.01800, 0.00044, 0.05487, -0.02471,
                -0.02375, -0.02945,
            ],
        ),
        (
            "Grüße aus Zürich: 3,5 % mehr!",
            [
                -0.00968, 0.03802, 0.03100, 0.02593, -0.05631, -0.05863, 0.03941, 0.02212, 0.01337, 0.00255,
                0.03212, 0.00954,
            ],
        ),
        (
            "def main():\n    return 42",
            [
                -0.07042, -0.03165, 0.03910, 0.00310, -0.02990, 0.01241, -0.00673, -0.02256, 0.00583,
                -0.04794, 0.02610, 0.04818,
            ],
        ),
    ];
    let model = open();
    for (text, expected) in originals {
        let vector = &model.embed(&[text.to_owned()], Purpose::Passage).await.unwrap()[0];
        let off = vector
            .iter()
            .zip(expected)
            .map(|(found, expected)| (found - expected).abs())
            .fold(0.0, f32::max);
        assert!(off < 0.008, "{text}: {:?} instead of {expected:?}", &vector[..12]);
    }
}

#[tokio::test]
async fn a_question_is_nearest_to_the_passage_that_answers_it() {
    let model = open();
    let passages = [
        "The contract ends on the last day of March unless it is renewed in writing.",
        "Our office in Lisbon is closed on public holidays.",
        "To reset your password, open the settings and choose a new one.",
        "The pump must be switched off before its filter is cleaned.",
    ]
    .map(str::to_owned);
    let questions = [
        "Until when does the agreement run?",
        "Are you open on national holidays?",
        "I forgot my login credentials, what now?",
        "How do I clean the filter safely?",
    ]
    .map(str::to_owned);
    let vectors = model.embed(&passages, Purpose::Passage).await.unwrap();
    for (number, question) in model
        .embed(&questions, Purpose::Query)
        .await
        .unwrap()
        .iter()
        .enumerate()
    {
        let scores: Vec<f32> = vectors.iter().map(|passage| cosine(question, passage)).collect();
        let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        assert_eq!(best, Some(number), "{scores:?}");
    }
}

#[tokio::test]
async fn a_vector_of_the_default_model_does_not_depend_on_its_company() {
    let model = open();
    let texts: Vec<String> = (1..40)
        .map(|count| "The committee met again on Tuesday. ".repeat(count % 13 + 1))
        .collect();
    let together = model.embed(&texts, Purpose::Passage).await.unwrap();
    for index in [0, 7, 12, 20, 38] {
        let alone = model
            .embed(&texts[index..=index], Purpose::Passage)
            .await
            .unwrap();
        assert!(cosine(&alone[0], &together[index]) > 0.999_99, "{index}");
    }
}
