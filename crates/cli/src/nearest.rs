//! Decides which known names somebody may have meant.

/// How alike two names have to be, from 0 to 1.
const ALIKE: f64 = 0.5;
/// How many names are worth reading.
const MOST: usize = 3;

/// The known names that are most like a word, the likest first.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &word.to_lowercase());
    let mut scored: Vec<_> = known.into_iter().map(|name| (likeness(name), name)).collect();
    scored.retain(|(score, _)| *score >= ALIKE);
    scored.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    scored.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// `; did you mean a, b`, or nothing.
pub(crate) fn suggestion<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let near: Vec<_> = nearest(word, known).into_iter().map(|name| format!("`{name}`")).collect();
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::{nearest, suggestion};

    #[test]
    fn the_likest_come_first_and_strangers_not_at_all() {
        let known = ["contract", "envelope", "orchestrator_input", "orchestrator_output"];
        for (word, expected) in [
            ("contrat", &["contract"][..]),
            ("ENVELOP", &["envelope"]),
            ("orchestrator_inputs", &["orchestrator_input", "orchestrator_output"]),
            ("xyz", &[]),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(suggestion("contrat", known), "; did you mean `contract`?");
        assert_eq!(suggestion("xyz", known), "");
    }
}
