//! `onex explain`.

use crate::program::{Home, onex, refused};

#[test]
fn a_code_in_any_spelling() {
    for (word, expected) in [
        ("ONEX0021", "ONEX0021 (error): a step depends on one that is not declared"),
        ("onex0007", "ONEX0007 (warning): a key has no effect"),
        ("3030", "ONEX3030: a recovery computed something else than the first run did"),
        ("21", "ONEX0021 (error)"),
    ] {
        let ended = onex(&["explain", word]);
        assert_eq!(ended.code, 0, "{word}: {}", ended.stderr);
        assert!(ended.stdout.starts_with(expected), "{word}: {}", ended.stdout);
        assert!(ended.stdout.contains("\nhelp: "), "{word}: {}", ended.stdout);
    }
}

#[test]
fn an_unknown_code_names_its_neighbours() {
    refused(&Home::new(), &["explain", "ONEX0025"], "did you mean `ONEX00");
    refused(&Home::new(), &["explain", "0x0"], "`0x0` is no code");
    refused(&Home::new(), &["explain"], "required");
    refused(&Home::new(), &["explain", "21", "--all"], "--all");
}

/// Every code of the page, each once and in order.
#[test]
fn all_codes_are_those_of_the_page() {
    let ended = onex(&["explain", "--all"]);
    let listed: Vec<_> = ended.stdout.lines().map(|line| line[..8].to_owned()).collect();
    assert!(listed.is_sorted() && listed.len() > 50, "{listed:?}");
    for code in
        ["ONEX0001", "ONEX1001", "ONEX2003", "ONEX3001", "ONEX3010", "ONEX3030", "ONEX4005", "ONEX5001", "ONEX6001"]
    {
        assert!(listed.iter().any(|listed| listed == code), "{code}");
    }
}
