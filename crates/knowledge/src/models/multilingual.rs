//! The package that the model of many languages comes in, and its conversion into a model folder.
//!
//! The weights are a `NumPy` archive (`.npz`: a zip of arrays in the [NPY format](https://numpy.org/neps/nep-0001-npy-format.html)), the
//! vocabulary a [SentencePiece](https://github.com/google/sentencepiece) model (a protocol buffer).

use std::io::{Cursor, Read as _};

use safetensors::SafeTensorError;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::{Precompiled, Replace, Sequence, Strip, replace::ReplacePattern};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{NormalizerWrapper, Tokenizer};
use zip::ZipArchive;
use zip::result::ZipError;

use super::container::Converted;
use super::tensors::Output;
use crate::embed::local::{ModelConfig, NgramShape, Pooling};

/// The languages the model was trained on, as ISO 639-1 codes.
const LANGUAGES: [&str; 15] = [
    "ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh",
];
/// How many tokens of a text are read. The model has no limit of its own.
const MAX_TOKENS: usize = 512;
/// No array of the package needs more, in bytes.
const LARGEST_ARRAY: u64 = 16 << 20;
/// Width of a token's embedding, and of the vectors.
const WIDTH: usize = 512;
/// Width of what a branch makes of a token.
const BRANCH: usize = 256;
/// The word embeddings come in so many blocks, each with a scale of its own; a token's is its number modulo this.
const BLOCKS: usize = 17;
/// How many rows a block has.
const BLOCK_ROWS: usize = 7530;

/// Why the package cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The archive of weights cannot be read.
    #[error("the archive of weights cannot be read")]
    Archive(#[from] ZipError),
    /// The bytes end early or say something impossible.
    #[error("the model is damaged: {0}")]
    Damaged(String),
    /// The vocabulary cannot be used.
    #[error("the vocabulary of the model cannot be used")]
    Vocabulary(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The result cannot be written.
    #[error("the weights cannot be written in their new form")]
    Write(#[source] SafeTensorError),
}

/// Gives the files of a model folder called `id` from the package's weights and vocabulary.
pub(super) fn convert(id: &str, weights: &[u8], vocabulary: &[u8]) -> Result<Converted, ConvertError> {
    Ok(Converted {
        config: ModelConfig {
            id: id.to_owned(),
            dimension: WIDTH,
            languages: Some(LANGUAGES.map(str::to_owned).to_vec()),
            max_tokens: MAX_TOKENS,
            pooling: Pooling::Mean,
            query_prefix: String::new(),
            passage_prefix: String::new(),
            bert: None,
            ngram: Some(NgramShape {
                width: WIDTH,
                branch: BRANCH,
                vocabulary: BLOCKS * BLOCK_ROWS,
                blocks: BLOCKS,
            }),
        },
        tokenizer: tokenizer(vocabulary)?,
        weights: rearrange(&mut Arrays::open(weights)?)?,
    })
}

/// Puts the blocks of word embeddings into one table by token, and gives each output of the large layers one scale.
fn rearrange(arrays: &mut Arrays<'_>) -> Result<Vec<u8>, ConvertError> {
    let mut out = Output::default();
    let mut words = vec![0_i8; BLOCKS * BLOCK_ROWS * WIDTH];
    for block in 0..BLOCKS {
        let values = arrays.bytes(&format!("q{}", block + 1), &[BLOCK_ROWS, WIDTH])?;
        for (row, values) in values.chunks_exact(WIDTH).enumerate() {
            let start = (row * BLOCKS + block) * WIDTH;
            for (word, &value) in words[start..start + WIDTH].iter_mut().zip(values) {
                *word = i8::try_from(value)
                    .map_err(|_| ConvertError::Damaged("a word embedding is out of range".into()))?;
            }
        }
    }
    out.int8("words.weight", [BLOCKS * BLOCK_ROWS, WIDTH], words);
    for (to, from) in [("words.scale", "scale"), ("words.offset", "lo")] {
        out.float(to, vec![BLOCKS], arrays.floats(from, &[BLOCKS])?);
    }
    let (mut project, mut project_bias) = (Vec::new(), Vec::new());
    let (mut norm_weight, mut norm_bias) = (Vec::new(), Vec::new());
    for order in NgramShape::ORDERS {
        let order = order.words;
        project.extend(arrays.transposed(&format!("proj{order}"), [WIDTH, BRANCH])?);
        project_bias.extend(arrays.floats(&format!("proj_b{order}"), &[BRANCH])?);
        norm_weight.extend(arrays.floats(&format!("ln_g{order}"), &[BRANCH])?);
        norm_bias.extend(arrays.floats(&format!("ln_b{order}"), &[BRANCH])?);
        for (part, from) in [("first", "1"), ("second", "2")] {
            out.linear(
                &format!("branch.{order}.{part}"),
                [BRANCH, order * BRANCH],
                &arrays.transposed(&format!("w{from}_{order}"), [order * BRANCH, BRANCH])?,
                arrays.floats(&format!("b{from}_{order}"), &[BRANCH])?,
            );
        }
    }
    let branches = NgramShape::ORDERS.len() * BRANCH;
    out.linear("project", [branches, WIDTH], &project, project_bias);
    out.float("normalize_branches.weight", vec![branches], norm_weight);
    out.float("normalize_branches.bias", vec![branches], norm_bias);
    let features = WIDTH + branches;
    for (to, from) in [("weight", "ln_g"), ("bias", "ln_b")] {
        out.float(
            &format!("normalize_features.{to}"),
            vec![features],
            arrays.floats(from, &[features])?,
        );
    }
    for (to, from, [inputs, outputs]) in [
        ("pool.weight", "cnn_W", [features, WIDTH]),
        ("dense.0", "d0", [WIDTH, NgramShape::NARROW]),
        ("dense.1", "d1", [NgramShape::NARROW, NgramShape::NARROW]),
        ("skip.1", "p1", [WIDTH, NgramShape::NARROW]),
        ("dense.2", "d2", [NgramShape::NARROW, WIDTH]),
        ("skip.3", "p3", [NgramShape::NARROW, WIDTH]),
        ("dense.3", "d3", [WIDTH, WIDTH]),
    ] {
        out.float(
            to,
            vec![inputs, outputs],
            arrays.floats(from, &[inputs, outputs])?,
        );
    }
    out.float("pool.bias", vec![WIDTH], arrays.floats("cnn_b", &[WIDTH])?);
    out.serialize().map_err(ConvertError::Write)
}

/// The arrays of an `.npz` archive.
struct Arrays<'a>(ZipArchive<Cursor<&'a [u8]>>);

impl<'a> Arrays<'a> {
    fn open(archive: &'a [u8]) -> Result<Self, ConvertError> {
        Ok(Self(ZipArchive::new(Cursor::new(archive))?))
    }

    /// An array of unsigned bytes in row order.
    fn bytes(&mut self, name: &str, shape: &[usize]) -> Result<Vec<u8>, ConvertError> {
        self.array(name, "|u1", 1, shape)
    }

    /// An array of 32-bit floats in row order.
    fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ConvertError> {
        let bytes = self.array(name, "<f4", 4, shape)?;
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }

    /// A matrix of 32-bit floats, column by column.
    fn transposed(&mut self, name: &str, [rows, columns]: [usize; 2]) -> Result<Vec<f32>, ConvertError> {
        let values = self.floats(name, &[rows, columns])?;
        Ok((0..columns)
            .flat_map(|column| values.iter().skip(column).step_by(columns).copied())
            .collect())
    }

    fn array(
        &mut self,
        name: &str,
        kind: &str,
        size: usize,
        shape: &[usize],
    ) -> Result<Vec<u8>, ConvertError> {
        let damaged = |what: &str| ConvertError::Damaged(format!("the array {name} {what}"));
        let mut file = Vec::new();
        self.0
            .by_name(&format!("{name}.npy"))?
            .take(LARGEST_ARRAY)
            .read_to_end(&mut file)
            .map_err(|error| ConvertError::Archive(error.into()))?;
        // Magic bytes, version 1.0, the length of the header, the header (a Python dictionary), the numbers.
        let (Some(b"\x93NUMPY\x01\x00"), Some(&[low, high])) = (file.get(..8), file.get(8..10)) else {
            return Err(damaged("is not in NPY format 1.0"));
        };
        let start = 10 + usize::from(u16::from_le_bytes([low, high]));
        let header = file.get(10..start).ok_or_else(|| damaged("ends early"))?;
        let header = String::from_utf8_lossy(header);
        let sizes = shape.iter().map(ToString::to_string).collect::<Vec<_>>();
        let sizes = match sizes.as_slice() {
            [one] => format!("({one},)"),
            sizes => format!("({})", sizes.join(", ")),
        };
        for wanted in [
            format!("'descr': '{kind}'"),
            "'fortran_order': False".to_owned(),
            format!("'shape': {sizes}"),
        ] {
            if !header.contains(&wanted) {
                return Err(damaged(&format!("lacks {wanted}")));
            }
        }
        let values = file.split_off(start);
        if values.len() == shape.iter().product::<usize>() * size {
            Ok(values)
        } else {
            Err(damaged("has a wrong length"))
        }
    }
}

/// The `tokenizer.json` of a `SentencePiece` model (unigrams; Kudo, 2018).
fn tokenizer(model: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut pieces: Vec<(String, f64)> = Vec::new();
    let mut folding = None;
    for (field, value) in Fields(model) {
        // `ModelProto`: 1 is a piece, 3 the specification of the normaliser.
        match (field, value?) {
            (1, Field::Bytes(piece)) => {
                let (mut text, mut score) = (String::new(), 0.0);
                for (field, value) in Fields(piece) {
                    match (field, value?) {
                        (1, Field::Bytes(bytes)) => text = String::from_utf8_lossy(bytes).into_owned(),
                        (2, Field::Fixed(bits)) => score = f64::from(f32::from_bits(bits)),
                        _ => {}
                    }
                }
                pieces.push((text, score));
            }
            (3, Field::Bytes(specification)) => {
                for (field, value) in Fields(specification) {
                    if let (2, Field::Bytes(map)) = (field, value?) {
                        folding = Some(map);
                    }
                }
            }
            _ => {}
        }
    }
    let (Some([_, begin, end]), Some(folding)) = (pieces.first_chunk().cloned(), folding) else {
        return Err(ConvertError::Damaged("the vocabulary is not whole".into()));
    };
    let vocabulary = |error: Box<dyn std::error::Error + Send + Sync>| ConvertError::Vocabulary(error);
    let normalizers: Vec<NormalizerWrapper> = vec![
        Precompiled::from(folding)
            .map_err(|error| vocabulary(error.into()))?
            .into(),
        Strip::new(true, true).into(),
        Replace::new(ReplacePattern::Regex(" {2,}".to_owned()), " ")
            .map_err(vocabulary)?
            .into(),
    ];
    let marks = TemplateProcessing::builder()
        .try_single(format!("{} $A {}", begin.0, end.0))
        .map_err(|error| vocabulary(error.into()))?
        .special_tokens(vec![(begin.0.as_str(), 1), (end.0.as_str(), 2)])
        .build()
        .map_err(|error| vocabulary(error.into()))?;
    let mut tokenizer = Tokenizer::new(Unigram::from(pieces, Some(0), false).map_err(vocabulary)?);
    tokenizer
        .with_normalizer(Some(Sequence::new(normalizers)))
        // No piece goes beyond a word, so words may be looked up one by one, which the tokenizer remembers.
        .with_pre_tokenizer(Some(Metaspace::new('▁', PrependScheme::Always, true)))
        .with_post_processor(Some(marks));
    tokenizer
        .to_string(false)
        .map(String::into_bytes)
        .map_err(vocabulary)
}

/// The fields of a [protocol buffer](https://protobuf.dev/programming-guides/encoding/) message, by number.
struct Fields<'a>(&'a [u8]);

/// A field's value.
enum Field<'a> {
    /// A whole number, which nothing here reads.
    Number,
    /// Four bytes.
    Fixed(u32),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Result<Field<'a>, ConvertError>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(match field {
            Some((number, field)) => (number, Ok(field)),
            None => (0, Err(ConvertError::Damaged("the vocabulary ends early".into()))),
        })
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.number()?;
        let field = match tag & 7 {
            0 => {
                self.number()?;
                Field::Number
            }
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Fixed(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((tag >> 3, field))
    }

    /// A number of variable length: seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// An archive of one array.
    fn archive(header: &str, values: &[u8]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive
            .start_file("d0.npy", SimpleFileOptions::default())
            .unwrap();
        archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
        let length = u16::try_from(header.len()).unwrap();
        archive.write_all(&length.to_le_bytes()).unwrap();
        archive.write_all(header.as_bytes()).unwrap();
        archive.write_all(values).unwrap();
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn an_array_is_read_in_either_order_and_nothing_else_is_taken_for_it() {
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
        let values: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]
            .into_iter()
            .flat_map(f32::to_le_bytes)
            .collect();
        let file = archive(good, &values);
        let mut arrays = Arrays::open(&file).unwrap();
        assert_eq!(
            arrays.floats("d0", &[2, 3]).unwrap(),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        assert_eq!(
            arrays.transposed("d0", [2, 3]).unwrap(),
            [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
        );
        assert!(arrays.floats("d0", &[3, 2]).is_err());
        assert!(arrays.bytes("d0", &[2, 3]).is_err());
        assert!(matches!(
            arrays.floats("d1", &[2, 3]),
            Err(ConvertError::Archive(_))
        ));
        for (header, values) in [
            (good.replace("False", "True").as_str(), values.as_slice()),
            (good, &values[..20]),
            ("", &values),
        ] {
            let file = archive(header, values);
            let read = Arrays::open(&file).unwrap().floats("d0", &[2, 3]);
            assert!(
                matches!(read, Err(ConvertError::Damaged(_))),
                "{header}: {read:?}"
            );
        }
    }

    #[test]
    fn a_vocabulary_that_is_cut_off_or_lies_is_refused() {
        // A piece `<s>` with its score, cut off anywhere, and a field that says it is longer than the file.
        let piece = [
            0x0a, 0x0a, 0x0a, 0x03, b'<', b's', b'>', 0x15, 0x00, 0x00, 0x00, 0x00,
        ];
        for length in 0..=piece.len() {
            assert!(tokenizer(&piece[..length]).is_err(), "{length}");
        }
        let endless = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(tokenizer(&endless).is_err());
        assert!(tokenizer(&[0xff; 12]).is_err());
    }
}
