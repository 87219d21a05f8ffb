//! One module per command.

pub mod extract_worker;
pub mod migrate;
pub mod models;
pub mod openapi;
pub mod serve;
