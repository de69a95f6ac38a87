//! `docs/errors.md` lists every code a user may see, from the tables beside the errors. The page is written
//! by this test when `UPDATE_DOCS` is set, and compared otherwise.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test reads the environment to know whether it writes, and stops at what it misses"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Every code with its title and what to do about it, ordered.
fn codes() -> BTreeMap<String, (String, String)> {
    let of_rules = onex_contract::rules().into_iter().map(|rule| (rule.code, rule.title, rule.help));
    let tables = [
        onex_bus::codes::CODES,
        onex_compute::codes::CODES,
        onex_effect::codes::CODES,
        onex_journal::codes::CODES,
        onex_orchestrator::codes::CODES,
        onex_reducer::codes::CODES,
        onex_runtime::codes::CODES,
    ];
    let of_tables = tables.into_iter().flatten().copied();
    let mut codes = BTreeMap::new();
    for (code, title, help) in of_rules.chain(of_tables) {
        let former = codes.insert(code.to_owned(), (title.to_owned(), help.to_owned()));
        assert_eq!(former, None, "{code} has one meaning");
    }
    codes
}

fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Every code that `onex` shows, with the way out. Generated from the tables beside the errors:\n\
         `UPDATE_DOCS=1 cargo test -p onex-tests --test errors_page` writes this page.\n\n\
         Codes about contracts lead to their manual pages, which `onex explain CODE` prints: what it means, why it\n\
         matters, a wrong example and the mended one. `# onex: allow CODE REASON` beside a line silences one finding of\n\
         `onex check`, `--ignore CODE` all of that code; a contract with an error does not run all the same.\n\n\
         | code | what is wrong | what to do |\n|---|---|---|\n",
    );
    for (code, (title, help)) in codes() {
        let shown = if code.as_str() < "ONEX1" {
            format!("[{code}](../crates/contract/src/rules/pages/{code}.md)")
        } else {
            code
        };
        let _ = writeln!(page, "| {shown} | {} | {} |", title.replace('|', "\\|"), help.replace('|', "\\|"));
    }
    page
}

#[test]
fn the_page_lists_every_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, page()).expect("docs/errors.md can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let fresh = page();
    let stale = kept.lines().zip(fresh.lines()).find(|(kept, fresh)| kept != fresh);
    assert_eq!(stale, None, "docs/errors.md is stale: UPDATE_DOCS=1 cargo test -p onex-tests --test errors_page");
    assert_eq!(kept.lines().count(), fresh.lines().count(), "docs/errors.md has as many rows as there are codes");
}

#[test]
fn every_code_in_the_source_is_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let known = codes();
    let mut missing = Vec::new();
    for file in sources(&root) {
        let text = std::fs::read_to_string(&file).expect("readable");
        for (index, _) in text.match_indices("\"ONEX") {
            let code = text[index + 1..].split('"').next().unwrap_or_default();
            let is_code = code.len() == 8 && code[4..].bytes().all(|byte| byte.is_ascii_digit());
            if is_code && !known.contains_key(code) {
                missing.push(format!("{code} in {}", file.display()));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

fn sources(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory").filter_map(Result::ok).map(|entry| entry.path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false
                if path.components().any(|part| part.as_os_str() == "src")
                    && path.extension().is_some_and(|kind| kind == "rs") =>
            {
                vec![path]
            }
            false => Vec::new(),
        })
        .collect()
}
