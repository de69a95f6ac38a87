//! Decides which files are contracts: every `contract.yaml` below the given directories, hidden ones left
//! out, links followed once. A file that cannot be read is a finding, not the end of the search.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use onex_contract::{
    Diagnostic, Include, Included, KeyPath, MAX_BYTES, Reading, Severity, Source, examine, read_with, rules,
};
use walkdir::{DirEntry, WalkDir};

use crate::cores::on_all_cores;

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

/// A file that is to be read as a contract.
#[derive(Clone, Debug)]
pub struct ContractFile {
    /// Its path as it was reached.
    pub path: PathBuf,
    /// What it includes must be below this directory.
    root: PathBuf,
}

/// Searches files and directories. A file that is named is read whatever it is called.
///
/// # Errors
///
/// A path does not exist or cannot be looked into.
pub fn discover(roots: &[PathBuf]) -> Result<Discovered, DiscoveryError> {
    Ok(Discovered { contracts: on_all_cores(&find(roots)?, ContractFile::read) })
}

/// The files that [`discover`] reads, in the order of the paths.
///
/// # Errors
///
/// A path does not exist or cannot be looked into.
pub fn find(roots: &[PathBuf]) -> Result<Vec<ContractFile>, DiscoveryError> {
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for root in roots {
        let unreadable = |source| DiscoveryError::Unreadable { path: root.display().to_string(), source };
        std::fs::metadata(root).map_err(unreadable)?;
        let below = Below::of(root);
        let is_once = roots.len() == 1 && !below.has_links;
        let directory = if root.is_file() { root.parent().unwrap_or(root) } else { root };
        // Without links no file is met twice below one root, and to ask for each takes longer than to find it.
        let is_new =
            |path: &PathBuf| is_once || seen.insert(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        let new = below.paths.into_iter().filter(is_new);
        files.extend(new.map(|path| ContractFile { path, root: directory.to_owned() }));
    }
    Ok(files)
}

/// Reads one file; what it includes must be below `root`.
pub fn read_file(path: &Path, root: &Path) -> FoundContract {
    ContractFile { path: path.to_owned(), root: root.to_owned() }.read()
}

impl ContractFile {
    /// Its name, as it is shown.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Its text.
    ///
    /// # Errors
    ///
    /// The finding that says why there is none.
    pub fn text(&self) -> Result<String, Box<Diagnostic>> {
        let refuse = |(code, message)| {
            let diagnostic = Diagnostic::new(code, Severity::Error, KeyPath::default(), message);
            let help = rules().into_iter().find(|rule| rule.code == code).map(|rule| rule.help.to_owned());
            let help = help.or_else(|| Some("check the path and its permissions".to_owned()));
            Box::new(Diagnostic { file: self.name(), help, ..diagnostic })
        };
        text_of(&self.path).map_err(refuse)
    }

    /// What its text says, without fingerprint, and whether that depends on other files as well.
    pub fn examine(&self, text: &str) -> (Reading, bool) {
        let includes = FileIncludes { root: &self.root, file: &self.path, asked: Cell::new(false) };
        let reading = examine(Source { file: &self.name(), text }, &includes);
        (reading, includes.asked.get())
    }

    fn read(&self) -> FoundContract {
        let file = self.name();
        let (text, reading) = match self.text() {
            Ok(text) => {
                let includes = FileIncludes { root: &self.root, file: &self.path, asked: Cell::new(false) };
                let reading = read_with(Source { file: &file, text: &text }, &includes);
                (text, reading)
            }
            Err(diagnostic) => (String::new(), Reading::unread(&file, *diagnostic)),
        };
        FoundContract { path: self.path.clone(), text, reading }
    }
}

/// Files beside a contract, none of them outside the searched directory.
struct FileIncludes<'p> {
    root: &'p Path,
    file: &'p Path,
    asked: Cell<bool>,
}

impl Include for FileIncludes<'_> {
    fn load(&self, within: Option<&str>, path: &str) -> Result<Included, String> {
        self.asked.set(true);
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
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > MAX_BYTES as u64 {
        return Err(("ONEX0001", format!("the file has {length} bytes, more than {MAX_BYTES}")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count();
        ("ONEX0008", format!("the file is not UTF-8: in line {line} a byte belongs to no character"))
    })
}

/// The contract files below a root.
struct Below {
    paths: Vec<PathBuf>,
    /// Whether a link was followed, so that a file may be here twice.
    has_links: bool,
}

impl Below {
    fn of(root: &Path) -> Self {
        if root.is_file() {
            return Self { paths: vec![root.to_owned()], has_links: false };
        }
        // Few trees have links, and to follow them each entry has to be asked what it is.
        let entries: Vec<DirEntry> =
            WalkDir::new(root).max_depth(1).sort_by_file_name().into_iter().flatten().collect();
        let inside: Vec<&DirEntry> = entries.iter().filter(|entry| entry.depth() == 1 && !is_hidden(entry)).collect();
        if inside.iter().any(|entry| entry.path_is_symlink()) {
            return Self::walked(root, true);
        }
        let all = on_all_cores(&inside, |entry| Self::walked(entry.path(), false));
        if all.iter().any(|below| below.has_links) {
            return Self::walked(root, true);
        }
        Self { paths: all.into_iter().flat_map(|below| below.paths).collect(), has_links: false }
    }

    fn walked(root: &Path, follow_links: bool) -> Self {
        let mut has_links = false;
        let walk = WalkDir::new(root).follow_links(follow_links).sort_by_file_name().into_iter();
        // A link that leads back to where it came from is an error of the walk, and nothing is lost by leaving it.
        let entries = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)).filter_map(Result::ok);
        let contracts = entries
            .inspect(|entry| has_links |= entry.depth() > 0 && entry.path_is_symlink())
            .filter(|entry| entry.file_type().is_file() && entry.file_name() == FILE_NAME);
        let paths = contracts.map(DirEntry::into_path).collect();
        Self { paths, has_links }
    }
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
