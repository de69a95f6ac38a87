//! Decides what is remembered of files: what was found in a text, under the hash of the text. A text that was seen
//! before gives the same answer without being read as a contract.
//!
//! One file, read once and replaced at the end when there is something new. Its first line names the program that
//! wrote it: another build reads contracts in another way, and starts anew. What is damaged is as good as absent.

mod entry;

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tracing::{debug, warn};

use super::examine::Examined;

const FILE: &str = "check.cache";

/// Above this many texts, those that were not met this time are forgotten.
const MAX_ENTRIES: usize = 50_000;

/// Hash of a text, and of the names from which an unnamed contract takes its own.
pub(super) type Key = u128;

/// What is remembered. A line of the file: key, checksum, entry.
#[derive(Debug, Default)]
pub(super) struct Cache {
    place: Option<(PathBuf, String)>,
    bytes: Vec<u8>,
    lines: HashMap<Key, Range<usize>>,
    met: HashSet<Key>,
    fresh: HashMap<Key, String>,
}

impl Cache {
    /// Remembers nothing.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// What an earlier run left in a directory.
    pub(super) fn open(directory: PathBuf) -> Self {
        let Some(head) = head() else { return Self::none() };
        let path = directory.join(FILE);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| {
            if error.kind() != ErrorKind::NotFound {
                warn!(path = %path.display(), %error, "the cache cannot be read and is left aside");
            }
            Vec::new()
        });
        let lines = if bytes.starts_with(head.as_bytes()) { lines(&bytes, head.len()) } else { HashMap::new() };
        debug!(path = %path.display(), entries = lines.len(), "cache opened");
        Self { place: Some((path, head)), bytes, lines, ..Self::default() }
    }

    /// The key of a file's text; nothing when nothing is remembered.
    pub(super) fn key(&self, path: &Path, text: &str) -> Option<Key> {
        self.place.as_ref()?;
        let directory = path.parent().and_then(Path::file_name).unwrap_or_default();
        let names = [path.file_name().unwrap_or_default(), directory];
        let mut hash = Sha256::new();
        names.iter().for_each(|name| hash.update([name.as_encoded_bytes(), b"/"].concat()));
        hash.update(text.as_bytes());
        hash.finalize().first_chunk().map(|bytes| Key::from_be_bytes(*bytes))
    }

    /// What is known of a text, as of the file that is called `file` now.
    pub(super) fn get(&self, key: Key, file: &str, wants_notes: bool) -> Option<Examined> {
        let (checksum, entry) = self.bytes.get(self.lines.get(&key)?.clone())?.split_first_chunk::<17>()?;
        let examined = (*checksum == *sum(entry).as_bytes()).then(|| entry::decode(entry, file, wants_notes)).flatten();
        if examined.is_none() {
            warn!("an entry of the cache is damaged and is left aside");
        }
        examined
    }

    /// How something is written that is to be remembered.
    pub(super) fn entry(examined: &Examined) -> Option<String> {
        entry::encode(examined)
    }

    /// Notes that a text was met, and what is new about it.
    pub(super) fn remember(&mut self, key: Key, fresh: Option<String>) {
        self.met.insert(key);
        self.fresh.extend(fresh.map(|entry| (key, entry)));
    }

    /// Writes what is known now, when that is more than before. A reader sees the old file or the new one.
    pub(super) fn save(&self) {
        let Some((path, head)) = self.place.as_ref().filter(|_| !self.fresh.is_empty()) else { return };
        let beside = path.with_extension(std::process::id().to_string());
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = written.and_then(|()| std::fs::write(&beside, self.text(head)));
        if let Err(error) = written.and_then(|()| std::fs::rename(&beside, path)) {
            debug!(path = %path.display(), %error, "the cache cannot be written");
            let _ = std::fs::remove_file(&beside);
        }
    }

    fn text(&self, head: &str) -> Vec<u8> {
        let is_full = self.lines.len() + self.fresh.len() > MAX_ENTRIES;
        let mut text = head.as_bytes().to_vec();
        for (key, range) in &self.lines {
            if !self.fresh.contains_key(key) && (!is_full || self.met.contains(key)) {
                text.extend_from_slice(format!("{key:032x} ").as_bytes());
                text.extend_from_slice(self.bytes.get(range.clone()).unwrap_or_default());
                text.push(b'\n');
            }
        }
        for (key, entry) in &self.fresh {
            text.extend_from_slice(format!("{key:032x} {}{entry}\n", sum(entry.as_bytes())).as_bytes());
        }
        text
    }
}

/// The first line: which program wrote the file.
fn head() -> Option<String> {
    let program = std::env::current_exe().and_then(std::fs::metadata).ok()?;
    let built = program.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("onex {} {} {}\n", env!("CARGO_PKG_VERSION"), program.len(), built.as_nanos()))
}

/// Where the entries of the keys are; lines that are none are passed over.
fn lines(bytes: &[u8], start: usize) -> HashMap<Key, Range<usize>> {
    let mut start = start;
    let mut lines = HashMap::new();
    for line in bytes.get(start..).unwrap_or_default().split(|byte| *byte == b'\n') {
        let key = line.get(..32).and_then(|key| std::str::from_utf8(key).ok());
        if let Some(key) = key.and_then(|key| Key::from_str_radix(key, 16).ok()) {
            lines.insert(key, start + 33..start + line.len());
        }
        start += line.len() + 1;
    }
    lines
}

/// Sixteen digits and a blank.
fn sum(entry: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(entry);
    let mut sum = String::with_capacity(17);
    let _ = write!(sum, "{:016x} ", hasher.finish());
    sum
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::examine::Untold;
    use super::{Cache, Examined, FILE};

    fn nothing() -> Examined {
        Examined { facts: None, findings: Vec::new(), untold: Untold::new(), has_allows: true }
    }

    #[test]
    fn what_was_saved_is_known_and_what_is_damaged_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let open = || Cache::open(directory.path().to_owned());
        let mut cache = open();
        let key = cache.key(Path::new("a/contract.yaml"), "text").expect("a cache");
        assert_ne!(Some(key), cache.key(Path::new("b/contract.yaml"), "text"), "an unnamed contract is called so");
        assert_eq!(Some(key), cache.key(Path::new("c/a/contract.yaml"), "text"));
        assert_eq!(cache.get(key, "a", true), None);
        cache.remember(key, Cache::entry(&nothing()));
        cache.save();
        assert_eq!(open().get(key, "a", true), Some(nothing()));

        let path = directory.path().join(FILE);
        let text = std::fs::read_to_string(&path).expect("saved");
        for damaged in [text.replace("true", "false"), text.replace("onex ", "onex 9"), text[..text.len() - 3].into()] {
            std::fs::write(&path, damaged).expect("writable");
            assert_eq!(open().get(key, "a", true), None);
        }
        std::fs::write(&path, [0xff, b'\n', 0]).expect("writable");
        assert_eq!(open().get(key, "a", true), None);
    }

    #[test]
    fn without_a_place_nothing_is_known() {
        let cache = Cache::none();
        assert_eq!(cache.key(Path::new("contract.yaml"), "text"), None);
        cache.save();
    }
}
