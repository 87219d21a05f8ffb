//! One module per command.

pub mod ask;
pub mod audit;
pub mod doctor;
pub mod eval;
pub mod extract_worker;
pub mod import;
pub mod ingest;
pub mod keys;
pub mod migrate;
pub mod models;
pub mod openapi;
pub mod search;
pub mod serve;
