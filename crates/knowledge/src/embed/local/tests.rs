//! The encoder against a plain computation in floats, and what callers may rely on.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::*;
use crate::embed::Languages;
use crate::models::container::convert;
use crate::models::tiny::{self, HEADS, HIDDEN, LAYERS, MAX_TOKENS, OFFSET, Tiny, WIDE};

/// The folder of a tiny encoder.
fn encoder_folder() -> (TempDir, Tiny) {
    let tiny = Tiny::new();
    let converted = convert(&tiny.container, &["en", "de"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(WEIGHTS_FILE), converted.weights).unwrap();
    std::fs::write(folder.path().join(TOKENIZER_FILE), converted.tokenizer).unwrap();
    let description = serde_json::to_vec(&converted.config).unwrap();
    std::fs::write(folder.path().join(CONFIG_FILE), description).unwrap();
    (folder, tiny)
}

fn open(folder: &TempDir, threads: usize) -> LocalEmbedder {
    LocalEmbedder::open(folder.path(), NonZeroUsize::new(threads).unwrap()).unwrap()
}

/// Texts of 0 to 29 words.
fn texts() -> Vec<String> {
    (0..40)
        .map(|text| {
            let words = (0..text * 7 % 30).map(|word| format!("w{}", 3 + (text * 13 + word * word) % 70));
            words.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn tokens(text: &str) -> Vec<usize> {
    let words = text.split_whitespace().map(|word| word[1..].parse().unwrap());
    [0].into_iter().chain(words).chain([1]).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[tokio::test]
async fn a_vector_is_what_the_plain_computation_gives() {
    let (folder, tiny) = encoder_folder();
    let texts = texts();
    let vectors = open(&folder, 2).embed(&texts, Purpose::Passage).await.unwrap();
    for (text, vector) in texts.iter().zip(&vectors) {
        let expected = Reference(&tiny.tensors).encode(&tokens(text));
        assert!(
            cosine(vector, &expected) > 0.995,
            "{text}: {}",
            cosine(vector, &expected)
        );
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
        assert!((vector.iter().map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    assert!(
        cosine(&vectors[1], &vectors[2]) < 0.99,
        "different texts have different vectors"
    );
}

#[tokio::test]
async fn a_vector_does_not_depend_on_the_texts_beside_it() {
    let (folder, _) = encoder_folder();
    let (model, texts) = (open(&folder, 2), texts());
    let together = model.embed(&texts, Purpose::Passage).await.unwrap();
    for (text, vector) in texts.iter().zip(together) {
        let alone = model
            .embed(std::slice::from_ref(text), Purpose::Query)
            .await
            .unwrap();
        let difference = alone[0]
            .iter()
            .zip(&vector)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(difference < 1e-6, "{text}: {difference}");
    }
}

#[tokio::test]
async fn many_callers_each_get_their_own_vectors() {
    let (folder, _) = encoder_folder();
    let (model, texts) = (open(&folder, 2), texts());
    let expected = model.embed(&texts, Purpose::Passage).await.unwrap();
    let callers = (0..30).map(|caller| {
        let (model, texts, expected) = (&model, &texts, &expected);
        async move {
            let purpose = if caller % 2 == 0 {
                Purpose::Query
            } else {
                Purpose::Passage
            };
            let mine = &texts[caller..caller + 10];
            assert_eq!(
                model.embed(mine, purpose).await.unwrap(),
                expected[caller..caller + 10]
            );
        }
    });
    futures::future::join_all(callers).await;
}

#[tokio::test]
async fn more_texts_than_the_queue_holds_are_all_embedded() {
    let (folder, _) = encoder_folder();
    let model = open(&folder, 2);
    let texts = vec!["w5".to_owned(); TOKENIZE_AT_ONCE];
    let callers = (0..2 * QUEUE_ROOM / TOKENIZE_AT_ONCE).map(|_| model.embed(&texts, Purpose::Passage));
    for vectors in futures::future::join_all(callers).await {
        assert_eq!(vectors.unwrap().len(), TOKENIZE_AT_ONCE);
    }
}

#[tokio::test]
async fn a_text_is_cut_at_the_model_s_limit_however_long_it_is() {
    let (folder, _) = encoder_folder();
    let model = open(&folder, 1);
    let fitting = vec!["w7"; MAX_TOKENS - 2].join(" ");
    let longer = format!("{fitting} w9 w11");
    let huge = "w7 ".repeat(400_000);
    let vectors = model
        .embed(&[fitting, longer, huge], Purpose::Passage)
        .await
        .unwrap();
    assert_eq!(vectors[0], vectors[1]);
    assert_eq!(vectors[0], vectors[2]);
}

#[tokio::test]
async fn nothing_gives_nothing_and_an_empty_text_gives_a_vector() {
    let (folder, _) = encoder_folder();
    let model = open(&folder, 1);
    assert!(model.embed(&[], Purpose::Query).await.unwrap().is_empty());
    assert_eq!(
        model.embed(&[String::new()], Purpose::Query).await.unwrap()[0].len(),
        HIDDEN
    );
}

#[tokio::test]
async fn a_model_says_what_it_is() {
    let (folder, _) = encoder_folder();
    let model = open(&folder, 1);
    let info = model.model();
    assert_eq!(
        (info.id.as_str(), info.dimension, info.max_tokens),
        ("tiny", HIDDEN, MAX_TOKENS)
    );
    assert!(info.languages.include("de"));
    assert!(!info.languages.include("th"));
}

#[tokio::test]
async fn questions_are_taken_before_passages_and_shared_between_threads() {
    let queue = Queue::new(2);
    let room = Arc::new(Semaphore::new(100));
    let (reply, _replies) = mpsc::unbounded_channel();
    let job = |place: usize, length: usize| Job {
        tokens: vec![3; length],
        place,
        reply: reply.clone(),
        _permit: Arc::clone(&room).try_acquire_owned().unwrap(),
    };
    queue.push(Purpose::Passage, (0..10).map(|place| job(place, 100)));
    queue.push(Purpose::Query, (10..20).map(|place| job(place, 20)));
    let places = |jobs: &[Job]| jobs.iter().map(|job| job.place).collect::<Vec<_>>();
    let (purpose, jobs) = queue.take().unwrap();
    assert_eq!(
        (purpose, places(&jobs)),
        (Purpose::Query, vec![10, 11, 12, 13, 14])
    );
    assert_eq!(places(&queue.take_queries()), [15, 16, 17]);
    assert_eq!(places(&queue.take_queries()), [18, 19]);
    let (purpose, jobs) = queue.take().unwrap();
    assert_eq!((purpose, places(&jobs)), (Purpose::Passage, vec![0, 1, 2]));
    queue.close();
    assert!(queue.take().is_none());
}

#[tokio::test]
async fn texts_that_nobody_waits_for_any_more_are_not_computed() {
    let queue = Queue::new(1);
    let room = Arc::new(Semaphore::new(10));
    let push = |place| {
        let (reply, replies) = mpsc::unbounded_channel();
        let permit = Arc::clone(&room).try_acquire_owned().unwrap();
        queue.push(
            Purpose::Passage,
            [Job {
                tokens: vec![3; 5],
                place,
                reply,
                _permit: permit,
            }],
        );
        replies
    };
    let (left, stays) = (push(0), push(1));
    drop(left);
    let (_, jobs) = queue.take().unwrap();
    assert_eq!(jobs.iter().map(|job| job.place).collect::<Vec<_>>(), [1]);
    assert_eq!(room.available_permits(), 9);
    drop(stays);
}

#[tokio::test]
async fn a_folder_that_is_no_model_is_refused_with_what_is_wrong() {
    let (folder, _) = encoder_folder();
    let path = |name| folder.path().join(name);
    let refusal = || {
        let error = LocalEmbedder::open(folder.path(), NonZeroUsize::MIN)
            .err()
            .unwrap();
        let cause = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        format!("{error}: {cause}")
    };
    let description = std::fs::read_to_string(path(CONFIG_FILE)).unwrap();

    std::fs::write(
        path(CONFIG_FILE),
        description.replace("\"heads\":4", "\"heads\":5"),
    )
    .unwrap();
    assert!(refusal().contains("do not fit each other"), "{}", refusal());
    std::fs::write(
        path(CONFIG_FILE),
        description.replace("\"intermediate\":128", "\"intermediate\":64"),
    )
    .unwrap();
    assert!(
        refusal().contains("layer.0.widen.weight has another type or shape"),
        "{}",
        refusal()
    );
    std::fs::write(path(CONFIG_FILE), &description[1..]).unwrap();
    assert!(refusal().contains("not a valid description"), "{}", refusal());
    std::fs::write(path(CONFIG_FILE), &description).unwrap();
    std::fs::write(path(WEIGHTS_FILE), b"cut off").unwrap();
    assert!(refusal().contains("weights"), "{}", refusal());
    std::fs::remove_file(path(TOKENIZER_FILE)).unwrap();
    assert!(
        refusal().contains("tokenizer.json cannot be read"),
        "{}",
        refusal()
    );
    std::fs::remove_file(path(CONFIG_FILE)).unwrap();
    assert!(
        refusal().contains("neither amebo.json nor 1_Pooling/config.json"),
        "{}",
        refusal()
    );
}

/// A folder as sentence-transformers writes it, whose graph looks up two numbers for each token.
fn graph_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("model.onnx", &onnx::lookup(&table()));
    write(TOKENIZER_FILE, tiny::tokenizer().as_bytes());
    write(
        "1_Pooling/config.json",
        br#"{"word_embedding_dimension": 2, "pooling_mode_mean_tokens": true}"#,
    );
    write(
        "sentence_bert_config.json",
        br#"{"max_seq_length": 16, "do_lower_case": false}"#,
    );
    write(
        "config_sentence_transformers.json",
        br#"{"prompts": {"query": "w50 ", "document": ""}}"#,
    );
    folder
}

/// What the graph gives for each token.
fn table() -> Vec<[f32; 2]> {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    (0..tiny::VOCABULARY)
        .map(|token| [1.0 + token as f32, 40.0 - token as f32])
        .collect()
}

#[tokio::test]
async fn a_sentence_transformers_folder_runs_with_its_own_pooling_and_prefixes() {
    let folder = graph_folder();
    let model = open(&folder, 2);
    assert_eq!((model.model().dimension, model.model().max_tokens), (2, 16));
    assert_eq!(model.model().languages, Languages::Any);
    let texts: Vec<String> = texts()
        .into_iter()
        .filter(|text| text.split_whitespace().count() < 12)
        .collect();
    for (purpose, prefix) in [(Purpose::Query, "w50 "), (Purpose::Passage, "")] {
        let vectors = model.embed(&texts, purpose).await.unwrap();
        for (text, vector) in texts.iter().zip(vectors) {
            let mut sum = [0.0, 0.0];
            for token in tokens(&format!("{prefix}{text}")) {
                let row = table()[token];
                sum = [sum[0] + row[0], sum[1] + row[1]];
            }
            assert!(cosine(&vector, &sum) > 0.999_99, "{text}: {vector:?} {sum:?}");
        }
    }
}

#[tokio::test]
async fn a_graph_that_gives_something_else_than_described_is_an_error() {
    let folder = graph_folder();
    let pooling = br#"{"word_embedding_dimension": 3, "pooling_mode_cls_token": true}"#;
    std::fs::write(folder.path().join("1_Pooling/config.json"), pooling).unwrap();
    let error = open(&folder, 1)
        .embed(&["w5".into()], Purpose::Query)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("3 numbers a text were expected"),
        "{error}"
    );
    assert!(!error.is_retryable());
}

/// BERT in plain loops over the numbers that a container's tensors stand for.
struct Reference<'a>(&'a HashMap<String, Vec<f32>>);

impl Reference<'_> {
    fn encode(&self, tokens: &[usize]) -> Vec<f32> {
        let mut rows: Vec<Vec<f32>> = tokens
            .iter()
            .enumerate()
            .map(|(position, token)| {
                let word = &self.0["word_emb"][token * HIDDEN..];
                let position = &self.0["pos_emb"][(position + OFFSET) * HIDDEN..];
                let sum: Vec<f32> = (0..HIDDEN)
                    .map(|i| word[i] + position[i] + self.0["type_emb"][i])
                    .collect();
                self.norm("emb_ln", &sum)
            })
            .collect();
        for layer in 0..LAYERS {
            let named = |part: &str| format!("l{layer}.{part}");
            let projected: Vec<_> = rows.iter().map(|row| self.linear(&named("qkv"), row)).collect();
            rows = rows
                .iter()
                .zip(&projected)
                .map(|(row, query)| {
                    let context: Vec<f32> = (0..HEADS)
                        .flat_map(|head| attend(head, query, &projected))
                        .collect();
                    let row = self.norm(&named("aln"), &sum(row, &self.linear(&named("ao"), &context)));
                    let mut wide = self.linear(&named("f1"), &row);
                    assert_eq!(wide.len(), WIDE);
                    for value in &mut wide {
                        *value = gelu(*value);
                    }
                    self.norm(&named("fln"), &sum(&row, &self.linear(&named("f2"), &wide)))
                })
                .collect();
        }
        rows.swap_remove(0)
    }

    fn linear(&self, name: &str, row: &[f32]) -> Vec<f32> {
        let weights = self.0[&format!("{name}.w")].chunks(row.len());
        let products = weights.map(|weights| {
            weights
                .iter()
                .zip(row)
                .map(|(weight, value)| weight * value)
                .sum::<f32>()
        });
        products
            .zip(&self.0[&format!("{name}.b")])
            .map(|(product, bias)| product + bias)
            .collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn norm(&self, name: &str, row: &[f32]) -> Vec<f32> {
        let mean = row.iter().sum::<f32>() / HIDDEN as f32;
        let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / HIDDEN as f32;
        let (weight, bias) = (&self.0[&format!("{name}.w")], &self.0[&format!("{name}.b")]);
        let normal = row.iter().map(|value| (value - mean) / (variance + 1e-5).sqrt());
        normal
            .zip(weight.iter().zip(bias))
            .map(|(value, (weight, bias))| value * weight + bias)
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn attend(head: usize, query: &[f32], rows: &[Vec<f32>]) -> Vec<f32> {
    let width = HIDDEN / HEADS;
    let part = |row: &[f32], kind: usize| row[kind * HIDDEN + head * width..][..width].to_vec();
    let query = part(query, 0);
    let weights: Vec<f32> = rows
        .iter()
        .map(|row| {
            let dot: f32 = part(row, 1)
                .iter()
                .zip(&query)
                .map(|(key, query)| key * query)
                .sum();
            (dot / (width as f32).sqrt()).exp()
        })
        .collect();
    let total: f32 = weights.iter().sum();
    (0..width)
        .map(|i| {
            rows.iter()
                .zip(&weights)
                .map(|(row, weight)| part(row, 2)[i] * weight / total)
                .sum()
        })
        .collect()
}

fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// The exact GELU by the series of the error function.
fn gelu(x: f32) -> f32 {
    let z = f64::from(x).abs() / std::f64::consts::SQRT_2;
    let (mut term, mut erf) = (z, z);
    for n in 1..200 {
        let n = f64::from(n);
        term *= -z * z / n;
        erf += term / (2.0 * n + 1.0);
    }
    let erf = (erf * 2.0 / std::f64::consts::PI.sqrt()).clamp(-1.0, 1.0) * f64::from(x).signum();
    #[expect(clippy::cast_possible_truncation, reason = "a float is enough")]
    let gelu = (f64::from(x) / 2.0 * (1.0 + erf)) as f32;
    gelu
}

/// Just enough of the ONNX format (a protocol buffer) to write a graph of one look-up.
mod onnx {
    /// `last_hidden_state = Gather(table, input_ids)`, with an attention mask that is only declared.
    pub(super) fn lookup(table: &[[f32; 2]]) -> Vec<u8> {
        let numbers: Vec<u8> = table
            .iter()
            .flatten()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        let tensor = [
            number(1, table.len() as u64),
            number(1, 2),
            number(2, 1),
            bytes(8, b"table"),
            bytes(9, &numbers),
        ];
        let node = [
            bytes(1, b"table"),
            bytes(1, b"input_ids"),
            bytes(2, b"last_hidden_state"),
            bytes(4, b"Gather"),
        ];
        let graph = [
            bytes(1, &node.concat()),
            bytes(2, b"lookup"),
            bytes(5, &tensor.concat()),
            bytes(11, &value("input_ids", 7)),
            bytes(11, &value("attention_mask", 7)),
            bytes(12, &value("last_hidden_state", 1)),
        ];
        [number(1, 8), bytes(7, &graph.concat()), bytes(8, &number(2, 17))].concat()
    }

    fn value(name: &str, element: u64) -> Vec<u8> {
        let shape = bytes(
            2,
            &[bytes(1, &bytes(2, b"batch")), bytes(1, &bytes(2, b"length"))].concat(),
        );
        let shape = if element == 7 { shape } else { Vec::new() };
        let tensor = [number(1, element), shape].concat();
        [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
    }

    fn number(field: u64, value: u64) -> Vec<u8> {
        [varint(field << 3), varint(value)].concat()
    }

    fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
        [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
    }

    fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        out.push(value.to_le_bytes()[0]);
        out
    }
}
