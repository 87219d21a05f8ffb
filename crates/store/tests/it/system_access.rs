//! Who goes around the organisation: every call of `begin_system` and of the system pool, against a file that a person has read.

use std::fs;
use std::path::{Path, PathBuf};

/// The Rust sources of every crate but the one for tests.
fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(crates)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name() != "testkit")
        .map(|entry| entry.path().join("src"))
        .filter(|path| path.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The name of the function that a line declares.
fn declared(line: &str) -> Option<&str> {
    let rest = line.trim_start().split_once("fn ").filter(|(before, _)| {
        before
            .split_whitespace()
            .all(|word| word.starts_with("pub") || ["async", "const", "super)", "crate)"].contains(&word))
    })?;
    rest.1.split(['(', '<']).next()
}

#[test]
fn every_way_around_the_organization_is_in_the_golden_file() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut calls = Vec::new();
    for path in sources() {
        let mut function = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(name) = declared(line) {
                name.clone_into(&mut function);
            }
            let calls_it = line.contains(".begin_system()") || line.contains(".system_pool()");
            if calls_it && !line.trim_start().starts_with("//") {
                let file = path.strip_prefix(crates).unwrap().display().to_string();
                calls.push(format!("{file}: {function}"));
            }
        }
    }
    calls.sort();
    calls.dedup();
    assert!(
        calls
            .iter()
            .any(|call| call == "app/src/identity/device.rs: sign_in")
    );
    insta::assert_snapshot!("system_access", calls.join("\n"));
}
