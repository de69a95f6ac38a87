//! `docs/cases.md` against the reference it is about: every case of the tables V, O and R is on the page once, in their
//! order, and a row that names a decision is asserted by that decision or said not to be.
//!
//! The page itself is written and compared where the tests are, in `crates/orchestrator/tests/orchestrator/cases`.

#![expect(clippy::panic, reason = "a test says what it misses and stops")]

use std::path::Path;

fn text_of(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} is missing: {error}", path.display()))
}

fn is_case(cell: &str) -> bool {
    let number = cell.strip_prefix(['V', 'O', 'R']).and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|number| number.starts_with(|first: char| first.is_ascii_digit()))
}

/// The rows of tables that begin with a case: it, and all cells.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let cells = |line: &str| -> Vec<String> {
        let inside = line.trim().trim_start_matches('|').trim_end_matches('|');
        inside.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let rows = text.lines().filter(|line| line.starts_with('|')).map(cells);
    rows.filter(|cells| is_case(&cells[0])).map(|cells| (cells[0].clone(), cells)).collect()
}

/// The decision a row of the reference names in its last column, `C-07`; none where it is to be taken as it is, and
/// none for the new cases, which have no such column.
fn decision(case: &str, cells: &[String]) -> Option<String> {
    let port = cells.last().filter(|_| !case.starts_with("R-"))?;
    let named = port.strip_prefix("Δ ")?;
    Some(named.split(' ').next().unwrap_or_default().to_owned())
}

#[test]
fn the_page_has_every_case_of_the_reference_and_its_decision() {
    let reference = text_of("../../shared/reference/semantics.md");
    let page = rows(&text_of("../docs/cases.md"));
    let expected = rows(&reference);
    assert!(expected.len() > 150, "the reference has its tables: {}", expected.len());
    let names = |rows: &[(String, Vec<String>)]| rows.iter().map(|(case, _)| case.clone()).collect::<Vec<_>>();
    assert_eq!(names(&page), names(&expected));
    for ((case, cells), (_, on_page)) in expected.iter().zip(&page) {
        let verdict = &on_page[1];
        let is_set_apart =
            ["asserts our design", "not applicable", "not yet"].iter().any(|words| verdict.starts_with(words));
        let fits = match decision(case, cells) {
            Some(decision) => {
                *verdict == format!("asserts decision {decision}") || verdict.contains(&format!("decision {decision} "))
            }
            None => verdict == "passes as written",
        };
        assert!(fits || is_set_apart, "{case}: `{verdict}` for {cells:?}");
    }
}
