//! Decides which of several words somebody may have meant.

/// Likeness, from 0 to 1, from which a word is worth asking about.
const NEAR: f64 = 0.8;

/// The word most like the one that was written, letters' case aside; none where none is like it.
pub(crate) fn nearest<'w>(written: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let folded = written.to_lowercase();
    let scored = words.map(|word| (strsim::jaro_winkler(&word.to_lowercase(), &folded), word));
    let near = scored.filter(|(score, word)| *score > NEAR && *word != written);
    near.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_a_word_like_it_is_proposed() {
        let words = ["parallel", "sequential", "batch"];
        for (written, expected) in
            [("paralel", Some("parallel")), ("Sequential", Some("sequential")), ("batch", None), ("conditional", None)]
        {
            assert_eq!(nearest(written, words.into_iter()), expected, "{written}");
        }
    }
}
