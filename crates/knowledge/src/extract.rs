//! From the bytes of a file to its text and structure.
//!
//! No parser survives every hostile file: some recurse until the stack is gone, some allocate without end, some wait on a
//! lock for ever. So nothing here parses inside the server. [`Extractor`] hands the bytes to a child process that first
//! takes every right from itself ([`worker`]) and answers with an [`Extracted`](crate::passage::Extracted) or a
//! [`Refusal`]; whatever else happens to the child becomes an [`Error`] with a sentence a person can act on.
//!
//! What must hold: the type is decided by content, never by name; every block range lies on character boundaries of the
//! text; control characters never reach it.

pub mod worker;

mod delimited;
mod grid;
mod html;
mod kind;
mod mail;
mod markdown;
mod office;
mod pdf;
mod plain;
mod process;
mod protocol;
mod refusal;
mod text;
mod writer;

pub use kind::{Kind, detect};
pub use process::{Config, Error, Extractor};
pub use refusal::Refusal;
