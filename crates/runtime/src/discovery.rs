//! Decides which files are contracts: every `contract.yaml` below the given directories, hidden ones left
//! out, links followed once. A file that cannot be read is a finding, not the end of the search.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use onex_contract::{Diagnostic, Include, Included, KeyPath, MAX_BYTES, Reading, Severity, Source, read_with};
use walkdir::{DirEntry, WalkDir};

/// The name a contract's file has.
const FILE_NAME: &str = "contract.yaml";

/// Why a search could not begin.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// No such file or directory.
    #[error("cannot search `{path}`")]
    Unreadable {
        /// What was to be searched.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// One file that was found.
#[derive(Clone, Debug)]
pub struct FoundContract {
    /// Its path as it was reached.
    pub path: PathBuf,
    /// Its text; empty when it could not be read.
    pub text: String,
    /// What it says.
    pub reading: Reading,
}

/// What a search gave, in the order of the paths.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// Every contract file.
    pub contracts: Vec<FoundContract>,
}

impl Discovered {
    /// What the files say.
    pub fn readings(&self) -> Vec<&Reading> {
        self.contracts.iter().map(|found| &found.reading).collect()
    }
}

/// Searches files and directories. A file that is named is read whatever it is called.
///
/// # Errors
///
/// A path does not exist or cannot be looked into.
pub fn discover(roots: &[PathBuf]) -> Result<Discovered, DiscoveryError> {
    let mut seen = BTreeSet::new();
    let mut contracts = Vec::new();
    for root in roots {
        let unreadable = |source| DiscoveryError::Unreadable { path: root.display().to_string(), source };
        std::fs::metadata(root).map_err(unreadable)?;
        for path in files_below(root) {
            let identity = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            if seen.insert(identity) {
                contracts.push(read_file(&path, if root.is_file() { root.parent().unwrap_or(root) } else { root }));
            }
        }
    }
    Ok(Discovered { contracts })
}

/// Reads one file; what it includes must be below `root`.
pub fn read_file(path: &Path, root: &Path) -> FoundContract {
    let file = path.display().to_string();
    match text_of(path) {
        Ok(text) => {
            let includes = FileIncludes { root, file: path };
            FoundContract {
                path: path.to_owned(),
                reading: read_with(Source { file: &file, text: &text }, &includes),
                text,
            }
        }
        Err((code, message)) => {
            let diagnostic = Diagnostic::new(code, Severity::Error, KeyPath::default(), message);
            FoundContract { path: path.to_owned(), text: String::new(), reading: Reading::unread(&file, diagnostic) }
        }
    }
}

/// Files beside a contract, none of them outside the searched directory.
struct FileIncludes<'p> {
    root: &'p Path,
    file: &'p Path,
}

impl Include for FileIncludes<'_> {
    fn load(&self, within: Option<&str>, path: &str) -> Result<Included, String> {
        if Path::new(path).is_absolute() {
            return Err(format!("`{path}` is not relative"));
        }
        let directory = within.map_or(self.file, Path::new).parent().unwrap_or(Path::new("."));
        let unreadable = |error: std::io::Error| format!("`{path}`: {error}");
        let target = std::fs::canonicalize(directory.join(path)).map_err(unreadable)?;
        let root = std::fs::canonicalize(self.root).map_err(unreadable)?;
        if !target.starts_with(root) {
            return Err(format!("`{path}` leads out of the searched directory"));
        }
        let text = text_of(&target).map_err(|(_, message)| format!("`{path}`: {message}"))?;
        Ok(Included { name: target.display().to_string(), text })
    }
}

fn text_of(path: &Path) -> Result<String, (&'static str, String)> {
    let unreadable = |error: std::io::Error| ("ONEX1001", format!("the file cannot be read: {error}"));
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_BYTES as u64 {
        return Err(("ONEX0001", format!("the file has {length} bytes, more than {MAX_BYTES}")));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        ("ONEX0008", format!("the file is not UTF-8: byte {offset} does not belong to a character"))
    })
}

fn files_below(root: &Path) -> Vec<PathBuf> {
    if root.is_file() {
        return vec![root.to_owned()];
    }
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    // A link that leads back to where it came from is an error of the walk, and nothing is lost by leaving it.
    let entries = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)).filter_map(Result::ok);
    entries
        .filter(|entry| entry.file_type().is_file() && entry.file_name() == FILE_NAME)
        .map(DirEntry::into_path)
        .collect()
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && entry.file_name().to_str().is_some_and(|name| name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::discover;
    use std::fs;

    const CONTRACT: &str = "name: a\nnode_type: COMPUTE\ncontract_version: 1.0.0\n";

    fn tree() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        for folder in ["b/deep", "a", ".hidden", "large", "binary"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        for file in ["b/deep/contract.yaml", "a/contract.yaml", ".hidden/contract.yaml", "a/other.yaml"] {
            fs::write(root.join(file), CONTRACT).expect("a file");
        }
        fs::write(root.join("large/contract.yaml"), "x".repeat((1 << 20) + 1)).expect("a file");
        fs::write(root.join("binary/contract.yaml"), [b'a', 0xff]).expect("a file");
        std::os::unix::fs::symlink(root, root.join("b/loop")).expect("a link");
        std::os::unix::fs::symlink(root.join("a"), root.join("again")).expect("a link");
        directory
    }

    #[test]
    fn contracts_are_found_once_and_in_order() {
        let directory = tree();
        let found = discover(&[directory.path().to_owned()]).expect("searchable");
        let shown: Vec<_> = found
            .contracts
            .iter()
            .map(|found| {
                let path = found.path.strip_prefix(directory.path()).expect("below").display().to_string();
                (path, found.reading.diagnostics.first().map(|diagnostic| diagnostic.code))
            })
            .collect();
        let expected = [
            ("a/contract.yaml", None),
            ("b/deep/contract.yaml", None),
            ("binary/contract.yaml", Some("ONEX0008")),
            ("large/contract.yaml", Some("ONEX0001")),
        ];
        assert_eq!(shown, expected.map(|(path, code)| (path.to_owned(), code)));
    }

    #[test]
    fn a_missing_root_is_an_error_that_names_it() {
        let error = discover(&["/no/such/place".into()]).expect_err("missing");
        assert_eq!(error.to_string(), "cannot search `/no/such/place`");
    }
}
