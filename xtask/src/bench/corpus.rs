//! Decides what ten thousand contracts look like: the node contracts of the corpus, each set of them with its own
//! names and topics, so that the rules over many contracts have the work that they have in a real system.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use onex_contract::{Source, read};
use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    repo: String,
    path: String,
    class: String,
}

/// Writes `count` contracts below `directory`, in place of what was there.
pub(super) fn repeat(corpus: &Path, directory: &Path, count: usize) -> Result<()> {
    let originals = originals(corpus)?;
    let names = names(&originals);
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("emptying {}", directory.display()))?;
    }
    for (number, (repository, text)) in originals.iter().cycle().take(count).enumerate() {
        let set = number / originals.len();
        let place = directory.join(format!("{set:04}/{number:06}"));
        fs::create_dir_all(&place).with_context(|| format!("creating {}", place.display()))?;
        let text = renamed(text, &names, &mark(set, repository));
        fs::write(place.join("contract.yaml"), text).with_context(|| format!("writing {}", place.display()))?;
    }
    Ok(())
}

/// Repository and text of every node contract.
fn originals(corpus: &Path) -> Result<Vec<(String, String)>> {
    let manifest = corpus.join("manifest.json");
    let listed = fs::read(&manifest).with_context(|| format!("the corpus is missing: {}", manifest.display()))?;
    let entries: Vec<Entry> = serde_json::from_slice(&listed).context("reading the manifest")?;
    let nodes = entries.into_iter().filter(|entry| entry.class == "node_contract");
    let mut originals = Vec::new();
    for Entry { repo, path, .. } in nodes {
        let file = corpus.join(&repo).join(path);
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        originals.push((repo, text));
    }
    if originals.is_empty() {
        bail!("{} lists no node contract", manifest.display());
    }
    Ok(originals)
}

fn names(originals: &[(String, String)]) -> BTreeSet<String> {
    let readings = originals.iter().map(|(_, text)| read(Source { file: "contract.yaml", text }));
    let contracts = readings.filter_map(|reading| reading.contract);
    contracts.map(|contract| contract.name).filter(|name| name.contains('_')).collect()
}

/// Eight letters that differ much from set to set, so that no name is nearly another.
fn mark(set: usize, repository: &str) -> String {
    let bytes = repository.bytes().chain(set.to_le_bytes());
    let mut hash =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let letters = (0..8).map(|_| {
        hash = hash.rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        char::from(b'a' + u8::try_from(hash % 26).unwrap_or_default())
    });
    letters.collect()
}

/// The text with the mark on every name, and on the producer of every topic.
fn renamed(text: &str, names: &BTreeSet<String>, mark: &str) -> String {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '-';
    let mut renamed = String::with_capacity(text.len() * 11 / 10);
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word);
        let is_producer = [".evt.", ".cmd.", ".intent."].iter().any(|kind| renamed.ends_with(kind));
        renamed.push_str(word);
        if !word.is_empty() && is_producer {
            renamed.push('-');
            renamed.push_str(mark);
        } else if names.contains(word) {
            renamed.push('_');
            renamed.push_str(mark);
        }
        let other = after.find(is_word).unwrap_or(after.len());
        renamed.push_str(&after[..other]);
        rest = &after[other..];
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_has_its_own_names_and_topics() {
        let names = BTreeSet::from(["node_a".to_owned()]);
        let text = "name: node_a\nuses: a.b.node_a\nother: node_ab\ntopic: \"onex.evt.platform.it-is.v1\"\nü: 1\n";
        let expected =
            "name: node_a_x\nuses: a.b.node_a_x\nother: node_ab\ntopic: \"onex.evt.platform-x.it-is.v1\"\nü: 1\n";
        assert_eq!(renamed(text, &names, "x"), expected);
        assert_ne!(mark(1, "a"), mark(2, "a"));
    }
}
