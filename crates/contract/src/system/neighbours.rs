//! Finds, among very many words, those that are at most two letters apart from a given one.
//!
//! Comparing every pair is out of the question for ten thousand contracts. Two letters changed leave most runs of
//! four letters as they are: of any eleven different runs of a word, at least one also stands in its neighbour.
//! With all runs in one fixed order, rare ones first, that one is even among the first eleven of both, so a word
//! is compared only with the few that share one of its rarest runs.

use std::collections::HashMap;

/// Letters that may differ; a swap of two counts as one.
const LETTERS: usize = 2;
/// Length of a run.
const RUN: usize = 4;
/// A changed letter destroys at most `RUN` runs, a swap one more.
const FIRST: usize = LETTERS * (RUN + 1) + 1;

type Run<'w> = &'w [u8];

/// Words to find neighbours among.
pub(super) struct Neighbours<'w> {
    words: Vec<&'w str>,
    frequency: HashMap<Run<'w>, u32>,
    by_run: HashMap<Run<'w>, Vec<usize>>,
    /// Words with too few runs to be found by them.
    short: Vec<usize>,
}

impl<'w> Neighbours<'w> {
    /// The words, in the order in which one is preferred to another.
    pub(super) fn new(words: impl Iterator<Item = &'w str>) -> Self {
        let words: Vec<&str> = words.collect();
        let mut frequency = HashMap::new();
        for run in words.iter().flat_map(|word| word.as_bytes().windows(RUN)) {
            *frequency.entry(run).or_insert(0) += 1;
        }
        let mut index = Self { words, frequency, by_run: HashMap::new(), short: Vec::new() };
        for position in 0..index.words.len() {
            let word = index.words[position];
            let rarest = index.rarest(word);
            if rarest.len() < FIRST {
                index.short.push(position);
            }
            rarest.into_iter().for_each(|run| index.by_run.entry(run).or_default().push(position));
        }
        index
    }

    /// The first of the words that is near `word`.
    pub(super) fn nearest(&self, word: &str) -> Option<&'w str> {
        let rarest = self.rarest(word);
        let by_run = rarest.iter().filter_map(|run| self.by_run.get(*run)).flatten();
        let mut candidates: Vec<usize> = by_run.chain(&self.short).copied().collect();
        if rarest.len() < FIRST {
            candidates.extend(0..self.words.len());
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().map(|position| self.words[position]).find(|candidate| is_near(candidate, word))
    }

    /// The first runs of a word in the order that all words share. Runs of no word at all come first.
    fn rarest<'a>(&self, word: &'a str) -> Vec<Run<'a>> {
        let runs = word.as_bytes().windows(RUN).map(|run| (self.frequency.get(run).copied().unwrap_or(0), run));
        let mut ordered: Vec<_> = runs.collect();
        ordered.sort_unstable();
        ordered.dedup();
        ordered.into_iter().take(FIRST).map(|(_, run)| run).collect()
    }
}

fn is_near(left: &str, right: &str) -> bool {
    is_within(left.as_bytes(), right.as_bytes(), LETTERS)
}

/// Whether at most so many letters are added, left out, changed or swapped with the next.
fn is_within(left: &[u8], right: &[u8], letters: usize) -> bool {
    if left.len().abs_diff(right.len()) > letters {
        return false;
    }
    let same = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (left, right) = (&left[same..], &right[same..]);
    let ([first, left_rest @ ..], [other, right_rest @ ..]) = (left, right) else { return true };
    let is_swap = left_rest.first() == Some(other) && right_rest.first() == Some(first);
    letters > 0
        && (is_within(left_rest, right_rest, letters - 1)
            || is_within(left_rest, right, letters - 1)
            || is_within(left, right_rest, letters - 1)
            || is_swap && is_within(&left_rest[1..], &right_rest[1..], letters - 1))
}

#[cfg(test)]
mod tests {
    use super::{Neighbours, is_near};

    #[test]
    fn two_letters_may_differ() {
        for (other, expected) in [
            ("node_registry_effect", true),
            ("node_registry_efect", true),
            ("node_regsitry_effetc", true),
            ("nodes_registry_effects", true),
            ("node_registry_eff", false),
            ("mode-registri_effect", false),
            ("node_registration_effect", false),
        ] {
            assert_eq!(is_near("node_registry_effect", other), expected, "{other}");
            assert_eq!(is_near(other, "node_registry_effect"), expected, "{other}");
        }
    }

    #[test]
    fn the_same_neighbours_are_found_as_by_comparing_all() {
        let stems = ["onex.evt.platform.node-introspection.v1", "onex.cmd.memory.store.v1", "abc", "node_effect"];
        let mut words: Vec<String> = stems.iter().map(ToString::to_string).collect();
        for stem in stems {
            for position in 0..stem.len() {
                let (before, after) = stem.split_at(position);
                words.push(format!("{before}x{after}"));
                words.push(format!("{before}{}", &after[1..]));
                words.push(format!("{before}qrst{after}"));
            }
        }
        let index = Neighbours::new(words.iter().map(String::as_str).step_by(3));
        for word in &words {
            let expected = words.iter().step_by(3).find(|candidate| is_near(candidate, word));
            assert_eq!(index.nearest(word), expected.map(String::as_str), "{word}");
        }
    }
}
