//! `amebo extract-worker`: reads one document in a sandbox.

use std::io::{stdin, stdout};

use anyhow::Result;

/// Reads a request on standard input and answers on standard output.
pub fn run() -> Result<()> {
    Ok(amebo_knowledge::extract::worker::run(stdin(), stdout())?)
}
