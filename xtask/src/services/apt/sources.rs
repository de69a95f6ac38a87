//! Decides which mirror of the Debian archive this machine uses, from its own package sources.
//!
//! apt has two formats: one source a line (`.list`) and one source a paragraph (`.sources`). Both
//! are read as far as needed here: kind, address, suites and components.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const MAIN_LIST: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";

/// One source of binary packages.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    address: String,
    suites: Vec<String>,
    components: Vec<String>,
}

/// The mirrors that serve this machine's own release, the likeliest Debian archive first.
pub(super) fn debian_mirrors() -> Result<Vec<String>> {
    let release = fs::read_to_string("/etc/os-release").context("reading `/etc/os-release`")?;
    let codename = codename(&release).context("`/etc/os-release` names no release")?;
    let sources = files().into_iter().flat_map(|path| read(&path)).collect();
    Ok(choose(sources, &codename))
}

fn codename(release: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(value.trim_matches('"').to_owned())
}

fn files() -> Vec<PathBuf> {
    let parts = fs::read_dir(PARTS).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = parts.map(|entry| entry.path()).collect();
    files.sort();
    files.insert(0, PathBuf::from(MAIN_LIST));
    files
}

fn read(path: &Path) -> Vec<Source> {
    let text = fs::read_to_string(path).unwrap_or_default();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("list") => text.lines().filter_map(line).collect(),
        Some("sources") => text.split("\n\n").flat_map(paragraph).collect(),
        _ => Vec::new(),
    }
}

/// `deb [option=value ..] ADDRESS SUITE COMPONENT ..`
fn line(text: &str) -> Option<Source> {
    let text = text.split('#').next()?.trim();
    let mut rest = text.strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim();
    if let Some(options) = rest.strip_prefix('[') {
        rest = options.split_once(']')?.1;
    }
    let mut words = rest.split_whitespace().map(str::to_owned);
    let (address, suite) = (words.next()?, words.next()?);
    Some(Source { address, suites: vec![suite], components: words.collect() })
}

/// One source for each address of a paragraph.
fn paragraph(text: &str) -> Vec<Source> {
    let fields = fields(text);
    let words = |name: &str| -> Vec<String> {
        let value = fields.get(name).map_or("", String::as_str);
        value.split_whitespace().map(str::to_owned).collect()
    };
    let enabled = fields.get("enabled").is_none_or(|value| value.trim() != "no");
    if !enabled || !words("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let source = |address| Source { address, suites: words("suites"), components: words("components") };
    words("uris").into_iter().map(source).collect()
}

/// Field names in lower case; a line that starts with a blank continues the one before.
fn fields(text: &str) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let continued = line.starts_with([' ', '\t']);
        let (name, value) = match line.split_once(':') {
            Some((name, value)) if !continued => (name.trim().to_lowercase(), value),
            _ => (last.clone(), line),
        };
        let field = fields.entry(name.clone()).or_default();
        field.push(' ');
        field.push_str(value);
        last = name;
    }
    fields
}

/// A third party may also serve a suite of the release's name, so Debian's own path goes first.
fn choose(sources: Vec<Source>, codename: &str) -> Vec<String> {
    let serves = |source: &Source| {
        source.suites.iter().any(|suite| suite == codename)
            && source.components.iter().any(|component| component == "main")
    };
    let mut found: Vec<String> = sources.into_iter().filter(serves).map(|source| source.address).collect();
    found.sort_by_key(|address| !address.trim_end_matches('/').ends_with("/debian"));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_found_in_both_formats() {
        let lines = "# deb http://old/debian bookworm main\n\
            deb [arch=amd64 signed-by=/k.gpg] https://other/apt bookworm main\n\
            deb-src http://mirror/debian bookworm main\n\
            deb http://mirror/debian/ bookworm main contrib # ours\n\
            deb http://mirror/debian-security bookworm-security main\n";
        let found = choose(lines.lines().filter_map(line).collect(), "bookworm");
        assert_eq!(found, ["http://mirror/debian/", "https://other/apt"]);

        let paragraphs = "Types: deb\n# a remark\nURIs: http://mirror/debian\n\
            Suites: bookworm\n bookworm-updates\nComponents: main\n\n\
            Types: deb\nURIs: http://off/debian\nSuites: bookworm\nComponents: main\nEnabled: no\n";
        let found = choose(paragraphs.split("\n\n").flat_map(paragraph).collect(), "bookworm");
        assert_eq!(found, ["http://mirror/debian"]);
    }

    #[test]
    fn the_release_is_read_with_or_without_quotes() {
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=bookworm\n").unwrap(), "bookworm");
        assert_eq!(codename("VERSION_CODENAME=\"trixie\"").unwrap(), "trixie");
    }
}
