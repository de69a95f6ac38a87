//! `onex check` answers the same whether or not it remembers what it has read.

#![expect(clippy::panic, clippy::expect_used, reason = "a test says what it misses and stops")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Every file of the corpus of real contracts.
fn corpus() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let manifest = std::fs::read_to_string(corpus.join("manifest.json")).unwrap_or_else(|error| {
        panic!("the corpus is missing: {}: {error}; it belongs beside the checkout", corpus.display())
    });
    let files: Vec<serde_json::Value> = serde_json::from_str(&manifest).expect("the manifest is a list");
    let part = |file: &serde_json::Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    files.iter().map(|file| corpus.join(part(file, "repo")).join(part(file, "path"))).collect()
}

fn check(files: &[PathBuf], arguments: &[&str]) -> Output {
    let mut onex = Command::new(env!("CARGO_BIN_EXE_onex"));
    let output = onex.arg("check").args(files).args(arguments).output().expect("the binary runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    output
}

#[test]
fn the_answer_is_the_same_with_and_without_a_cache() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().display().to_string();
    let files = corpus();
    let shapes: [&[&str]; 6] = [
        &["--format", "json"],
        &["--format", "sarif"],
        &["--format", "human"],
        &["--format", "human", "--notes"],
        &["--statistics"],
        &["--ignore", "ONEX0009"],
    ];
    for shape in shapes {
        let without = check(&files, &[shape, &["--no-cache"]].concat());
        let cold = check(&files, &[shape, &["--cache-dir", &place]].concat());
        let cached = check(&files, &[shape, &["--cache-dir", &place]].concat());
        assert!(without.stdout.len() > 1_000, "there is something to say");
        assert!(without.stdout == cold.stdout && without.stdout == cached.stdout, "{shape:?} is the same");
        assert_eq!(without.status, cached.status);
    }
}

#[test]
fn a_file_that_changes_is_read_again_and_a_damaged_cache_is_no_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let cache = directory.path().join("cache");
    let file = directory.path().join("contract.yaml");
    let said = |text: &str| {
        std::fs::write(&file, text).expect("a file");
        let arguments = ["--format", "json", "--cache-dir", cache.to_str().expect("text")];
        String::from_utf8(check(std::slice::from_ref(&file), &arguments).stdout).expect("text")
    };
    let (good, bad) = ("name: a\nnode_type: COMPUTE\ncontract_version: 1.0.0\n", "name: a\nnode_type: COMPUTE\n");
    for _ in 0..2 {
        assert!(!said(good).contains("ONEX0006"));
        assert!(said(bad).contains("ONEX0006"));
    }
    std::fs::write(cache.join("check.cache"), b"\xff\x00damaged").expect("a file");
    assert!(said(bad).contains("ONEX0006"));
    std::fs::remove_dir_all(&cache).expect("it was made");
    std::fs::write(&cache, "a file where a directory should be").expect("a file");
    assert!(said(bad).contains("ONEX0006"));
}

#[test]
fn a_file_that_includes_others_is_always_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("contract.yaml");
    let part = directory.path().join("version.yaml");
    let text = "name: a\nnode_type: COMPUTE\ncontract_version: !include version.yaml\n";
    std::fs::write(&file, text).expect("a file");
    let cache = directory.path().join("cache").display().to_string();
    for (version, is_sound) in [("1.0.0", true), ("banana", false), ("2.0.0", true)] {
        std::fs::write(&part, version).expect("a file");
        let status = check(std::slice::from_ref(&file), &["--cache-dir", &cache]).status;
        assert_eq!(status.success(), is_sound, "{version}");
    }
}
