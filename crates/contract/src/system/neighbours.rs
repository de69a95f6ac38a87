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
    left.len().abs_diff(right.len()) <= LETTERS * 4 && strsim::damerau_levenshtein(left, right) <= LETTERS
}

#[cfg(test)]
mod tests {
    use super::{Neighbours, is_near};

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
