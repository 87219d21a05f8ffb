//! From bytes to answers: extraction, passages, embeddings, the index, retrieval, composition and checking.
//!
//! Knows nothing of the database or of HTTP routes. What it needs of stored passages is handed in, and what it finds are ids.

pub mod answer;
pub mod chunk;
pub mod embed;
pub mod evaluate;
pub mod extract;
pub mod index;
pub mod models;
pub mod passage;
pub mod provider;
pub mod retrieve;
