//! The model of many languages as installed, alone and beside the default one.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use amebo_knowledge::embed::local::{LocalEmbedder, installed};
use amebo_knowledge::embed::{Embedder, Purpose};
use amebo_knowledge::models;

/// The data directory that both models are installed in.
fn data() -> PathBuf {
    super::granite::data().join("many-languages")
}

fn threads() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

fn open() -> LocalEmbedder {
    let folder = models::local(&data(), models::MULTILINGUAL_MODEL)
        .expect("the model of many languages is not in AMEBO_TEST_MODELS; `./dev test` sees to it");
    LocalEmbedder::open(&folder, threads()).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn it_gives_the_vectors_of_the_original() {
    // First numbers of the vectors that the package's own program computes in floats. Width, spaces and the line break of the third text
    // are for the normaliser, the Thai and Japanese for the splitting of text without spaces.
    let originals: [(&str, [f32; 12]); 4] = [
        (
            "The contract ends on the last day of March unless it is renewed in writing.",
            [
                -0.05448, 0.05812, 0.03310, -0.05440, 0.03906, -0.00568, -0.01396, -0.01478, -0.01320,
                0.06012, -0.01059, -0.04701,
            ],
        ),
        (
            "契約は書面で更新されない限り、３月末日に終了します。",
            [
                -0.06795, -0.00711, 0.04903, 0.01894, -0.02045, 0.04597, 0.01231, 0.03787, -0.04892, 0.04521,
                -0.02978, -0.03195,
            ],
        ),
        (
            "Grüße   aus Zürich: 3,5 % mehr!\n",
            [
                -0.05681, -0.05200, 0.03241, -0.05595, 0.03336, 0.06609, -0.04429, -0.05132, -0.06045,
                0.05397, -0.03703, -0.01144,
            ],
        ),
        (
            "สัญญาสิ้นสุดวันสุดท้ายของเดือนมีนาคม",
            [
                0.00459, 0.05958, 0.01870, -0.03675, 0.00760, 0.01214, 0.00639, -0.03449, 0.01687, 0.04188,
                0.00863, 0.01434,
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
async fn its_vectors_do_not_depend_on_their_company() {
    let model = open();
    let texts: Vec<String> = (1..40)
        .map(|count| "Der Ausschuss tagte am Dienstag erneut. ".repeat(count % 13 + 1))
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

#[tokio::test]
async fn beside_the_default_model_a_question_in_any_of_its_languages_is_nearest_to_its_answer() {
    let models = installed(&data(), threads()).unwrap();
    let names: Vec<&str> = models.iter().map(|model| model.model().id.as_str()).collect();
    let both = format!("{}+{}", models::DEFAULT_MODEL, models::MULTILINGUAL_MODEL);
    assert_eq!(names, [both.as_str(), models::DEFAULT_MODEL]);

    let passages = [
        "The contract ends on the last day of March unless it is renewed in writing.",
        "Our office in Lisbon is closed on public holidays.",
        "To reset your password, open the settings and choose a new one.",
        "The pump must be switched off before its filter is cleaned.",
    ]
    .map(str::to_owned);
    let questions = [
        ("Until when does the agreement run?", 0),
        ("¿Abre la oficina de Lisboa los días festivos?", 1),
        ("我忘记了密码，怎么办？", 2),
        ("ก่อนทำความสะอาดไส้กรองต้องปิดปั๊มหรือไม่", 3),
        ("Wie setze ich mein Passwort zurück?", 2),
    ];
    let vectors = models[0].embed(&passages, Purpose::Passage).await.unwrap();
    for (question, answer) in questions {
        let asked = &models[0]
            .embed(&[question.to_owned()], Purpose::Query)
            .await
            .unwrap()[0];
        let scores: Vec<f32> = vectors.iter().map(|passage| cosine(asked, passage)).collect();
        let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        assert_eq!(best, Some(answer), "{question}: {scores:?}");
        assert!(scores.iter().all(|score| score.abs() <= 1.001), "{scores:?}");
    }
}

#[tokio::test]
async fn the_default_model_alone_is_what_it_was() {
    let models = installed(&super::granite::data(), threads()).unwrap();
    assert_eq!(models.len(), 1);
    assert_eq!(models[0].model().id, models::DEFAULT_MODEL);
}

#[tokio::test]
async fn a_second_model_that_is_damaged_leaves_the_first_in_charge() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("models");
    let damaged = folder.join(models::MULTILINGUAL_MODEL);
    std::fs::create_dir_all(&damaged).unwrap();
    let first = models::local(&super::granite::data(), models::DEFAULT_MODEL).unwrap();
    std::os::unix::fs::symlink(
        std::path::absolute(first).unwrap(),
        folder.join(models::DEFAULT_MODEL),
    )
    .unwrap();
    let second = models::local(&self::data(), models::MULTILINGUAL_MODEL).unwrap();
    for file in ["amebo.json", "tokenizer.json"] {
        std::fs::copy(second.join(file), damaged.join(file)).unwrap();
    }
    std::fs::write(damaged.join("model.safetensors"), b"cut off").unwrap();

    let models = installed(data.path(), threads()).unwrap();
    assert_eq!(models.len(), 1);
    assert_eq!(models[0].model().id, models::DEFAULT_MODEL);
}
