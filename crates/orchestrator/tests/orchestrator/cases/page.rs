//! `docs/cases.md` lists every case of section 19 with its verdict and its tests. The page is written by this test when
//! `UPDATE_DOCS` is set, and compared otherwise.
//!
//! The tests are those that this program lists: a case has a test when there is one of its name.

#![expect(clippy::disallowed_methods, reason = "a test reads the environment to know whether it writes")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use super::verdicts::{VERDICTS, Verdict};

/// The names this program lists, with more arguments.
fn listed(more: &[&str]) -> Vec<String> {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args(["--list", "--format", "terse"]).args(more).output().expect("it lists");
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// The cases a test is for: the words its name starts with, `o34`, `r06`, `o35b`.
fn cases_of(test: &str) -> impl Iterator<Item = String> {
    let name = test.rsplit("::").next().unwrap_or_default();
    name.split('_').map_while(|word| {
        let (letter, number) = word.split_at_checked(1)?;
        let digits = number.trim_end_matches('b');
        let is_case =
            ["v", "o", "r"].contains(&letter) && digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_case.then(|| format!("{}-{number}", letter.to_uppercase()))
    })
}

/// The tests of each case.
fn tests() -> BTreeMap<String, BTreeSet<String>> {
    let mut tests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for test in listed(&[]) {
        for case in cases_of(&test) {
            tests.entry(case).or_default().insert(test.clone());
        }
    }
    tests
}

fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::AsWritten => "passes as written".to_owned(),
        Verdict::Decides(decision) => format!("asserts decision {decision}"),
        Verdict::Differs(why) => format!("asserts our design (ADR 0013): {why}"),
        Verdict::NotApplicable(why) => format!("not applicable: {why}"),
        Verdict::NotYet(issue, what) => format!("not yet, issue {issue}: {what}"),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Cases\n\n\
         The cases V, O and R of the execution semantics (`../shared/reference/semantics.md`, section 19), the tests that\n\
         assert them and what they say of us, in our words: `SUCCEEDED` for COMPLETED, codes `ONEX####`, the contract for the\n\
         model, a journal for the snapshot. The tests are those of `crates/orchestrator/tests/orchestrator`; run one with\n\
         `cargo test -p onex-orchestrator --test orchestrator o34`. Generated:\n\
         `UPDATE_DOCS=1 cargo test -p onex-orchestrator --test orchestrator page` writes this page.\n\n\
         | case | verdict | tests |\n|---|---|---|\n",
    );
    let tests = tests();
    for (case, verdict) in VERDICTS {
        let named = tests.get(*case).into_iter().flatten().map(|test| format!("`{test}`"));
        let _ = writeln!(page, "| {case} | {} | {} |", shown(verdict), named.collect::<Vec<_>>().join(", "));
    }
    page
}

#[test]
fn the_page_lists_every_case_with_its_tests() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cases.md");
    let fresh = page();
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, &fresh).expect("docs/cases.md can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let stale = kept.lines().zip(fresh.lines()).find(|(kept, fresh)| kept != fresh);
    let command = "UPDATE_DOCS=1 cargo test -p onex-orchestrator --test orchestrator page";
    assert_eq!(stale, None, "docs/cases.md is stale: {command}");
    assert_eq!(kept.lines().count(), fresh.lines().count(), "docs/cases.md is stale: {command}");
}

#[test]
fn every_case_has_a_test_exactly_when_its_verdict_says_so() {
    let tests = tests();
    for (case, verdict) in VERDICTS {
        let is_tested = matches!(verdict, Verdict::AsWritten | Verdict::Decides(_) | Verdict::Differs(_));
        assert_eq!(tests.contains_key(*case), is_tested, "{case}: {verdict:?}");
    }
    let known: BTreeSet<_> = VERDICTS.iter().map(|(case, _)| (*case).to_owned()).collect();
    assert_eq!(known.len(), VERDICTS.len(), "each case is listed once");
    assert_eq!(tests.keys().filter(|case| !known.contains(*case)).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(listed(&["--ignored"]), Vec::<String>::new(), "no case is left out by an ignored test");
}

#[test]
fn the_cases_of_a_test_are_the_words_its_name_starts_with() {
    let of = |test: &str| cases_of(test).collect::<Vec<_>>().join(" ");
    assert_eq!(of("cases::failing::o35b_r12_when_o34"), "O-35b R-12");
    assert_eq!(of("driver::r15_a_crash"), "R-15");
    assert_eq!(of("cases::page::one"), "");
}
