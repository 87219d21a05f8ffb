//! A model container small enough for tests: random weights, seventy words.

use std::collections::HashMap;

use serde_json::json;

pub(crate) const HIDDEN: usize = 64;
pub(crate) const LAYERS: usize = 2;
pub(crate) const HEADS: usize = 4;
pub(crate) const WIDE: usize = 128;
pub(crate) const VOCABULARY: usize = 73;
pub(crate) const POSITIONS: usize = 34;
pub(crate) const OFFSET: usize = 2;
pub(crate) const MAX_TOKENS: usize = 32;
const GROUP: usize = 32;

/// The container's bytes, and the numbers that its tensors stand for.
pub(crate) struct Tiny {
    pub(crate) container: Vec<u8>,
    pub(crate) tensors: HashMap<String, Vec<f32>>,
}

impl Tiny {
    pub(crate) fn new() -> Self {
        let mut random = Random(42);
        let mut tensors = HashMap::new();
        let (mut headers, mut data) = (Vec::new(), Vec::new());
        let mut add = |name: String, shape: &[usize], quantized: bool, center: f32, spread: f32| {
            let count: usize = shape.iter().product();
            let (bytes, values) = if quantized {
                grouped(count, spread, &mut random)
            } else {
                let values: Vec<f32> = (0..count).map(|_| center + spread * random.next()).collect();
                (
                    values.iter().flat_map(|value| value.to_le_bytes()).collect(),
                    values,
                )
            };
            headers.push(json!({
                "name": name, "shape": shape, "len": bytes.len(),
                "dtype": if quantized { "i8" } else { "f32" }, "group": if quantized { GROUP } else { 0 },
            }));
            data.extend(bytes);
            tensors.insert(name, values);
        };
        add("word_emb".into(), &[VOCABULARY, HIDDEN], true, 0.0, 1.0);
        add("pos_emb".into(), &[POSITIONS, HIDDEN], false, 0.0, 0.3);
        add("type_emb".into(), &[2, HIDDEN], false, 0.0, 0.1);
        add("emb_ln.w".into(), &[HIDDEN], false, 1.0, 0.1);
        add("emb_ln.b".into(), &[HIDDEN], false, 0.0, 0.1);
        for layer in 0..LAYERS {
            for (part, outputs, inputs) in [
                ("qkv", 3 * HIDDEN, HIDDEN),
                ("ao", HIDDEN, HIDDEN),
                ("f1", WIDE, HIDDEN),
                ("f2", HIDDEN, WIDE),
            ] {
                add(format!("l{layer}.{part}.w"), &[outputs, inputs], true, 0.0, 0.2);
                add(format!("l{layer}.{part}.b"), &[outputs], false, 0.0, 0.1);
            }
            for part in ["aln", "fln"] {
                add(format!("l{layer}.{part}.w"), &[HIDDEN], false, 1.0, 0.1);
                add(format!("l{layer}.{part}.b"), &[HIDDEN], false, 0.0, 0.1);
            }
        }
        let tokenizer = tokenizer();
        let header = json!({
            "meta": { "model": "tests/tiny", "pooling": "cls", "query_prefix": "", "passage_prefix": "",
                      "max_length": MAX_TOKENS },
            "arch": { "hidden": HIDDEN, "layers": LAYERS, "heads": HEADS, "intermediate": WIDE, "vocab": VOCABULARY,
                      "max_positions": POSITIONS, "layer_norm_eps": 1e-5, "position_offset": OFFSET },
            "tokenizer_len": tokenizer.len(),
            "tensors": headers,
        })
        .to_string();
        let mut container = b"HMSEMB01".to_vec();
        container.extend((header.len() as u64).to_le_bytes());
        container.extend(header.bytes());
        container.extend(tokenizer.bytes());
        container.extend(data);
        Self { container, tensors }
    }
}

/// A tokenizer of the words `w3` to `w72`, which are also the numbers of their tokens.
pub(crate) fn tokenizer() -> String {
    let mut vocabulary = json!({ "<s>": 0, "</s>": 1, "<unk>": 2 });
    for token in 3..VOCABULARY {
        vocabulary[format!("w{token}")] = token.into();
    }
    json!({
        "version": "1.0", "truncation": null,
        "padding": { "strategy": { "Fixed": 20 }, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 2,
                     "pad_type_id": 0, "pad_token": "<unk>" },
        "added_tokens": [], "normalizer": null, "pre_tokenizer": { "type": "WhitespaceSplit" }, "decoder": null,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [ { "SpecialToken": { "id": "<s>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
                        { "SpecialToken": { "id": "</s>", "type_id": 0 } } ],
            "pair": [ { "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 0 } } ],
            "special_tokens": { "<s>": { "id": "<s>", "ids": [0], "tokens": ["<s>"] },
                                "</s>": { "id": "</s>", "ids": [1], "tokens": ["</s>"] } },
        },
        "model": { "type": "WordLevel", "unk_token": "<unk>", "vocab": vocabulary },
    })
    .to_string()
}

fn grouped(count: usize, spread: f32, random: &mut Random) -> (Vec<u8>, Vec<f32>) {
    let (mut bytes, mut scales, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count / GROUP {
        let scale = spread / 100.0 * (1.0 + random.next().abs());
        scales.extend(scale.to_le_bytes());
        for _ in 0..GROUP {
            #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
            let value = (random.next() * 127.0) as i8;
            bytes.push(value.cast_unsigned());
            values.push(f32::from(value) * scale);
        }
    }
    bytes.extend(scales);
    (bytes, values)
}

/// Numbers between -1 and 1 (xorshift, Marsaglia 2003).
struct Random(u32);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        f32::from(u16::try_from(self.0 >> 16).unwrap_or_default()) / 32768.0 - 1.0
    }
}
