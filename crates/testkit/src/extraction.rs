//! The confined child that reads documents, as tests start it: the program that the knowledge crate tests with.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use amebo_knowledge::extract::{Config, Extractor};

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// An extractor as the server has it.
pub fn extractor() -> Extractor {
    Extractor::new(Config {
        program: PROGRAM.get_or_init(program).clone(),
        arguments: Vec::new(),
        ..Config::default()
    })
}

/// Testing the whole workspace builds it; testing one crate does not.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    let program = profile.join("extract-worker");
    if !program.is_file() {
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "amebo-knowledge",
                "--bin",
                "extract-worker",
                "--target-dir",
            ])
            .arg(profile.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "the extraction program could not be built");
    }
    program
}
