//! Decides how `!include path` is carried out: the other file's content stands in its place, at most ten deep,
//! never in a circle. Where files come from, and which may be read, is the caller's to say.

use serde_json::Value;

use crate::yaml;

/// Deepest nesting of includes.
const MAX_INCLUDES: usize = 10;

/// A file that is included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The file, named so that the same file has the same name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Where included files come from.
pub trait Include {
    /// The file at `path`, as `within` (the including file's name; `None` for the contract itself) writes it.
    ///
    /// # Errors
    ///
    /// A sentence that says why it cannot be had.
    fn load(&self, within: Option<&str>, path: &str) -> Result<Included, String>;
}

/// For texts that stand alone.
pub(super) struct NoIncludes;

impl Include for NoIncludes {
    fn load(&self, _: Option<&str>, path: &str) -> Result<Included, String> {
        Err(format!("`!include {path}` needs the file's directory"))
    }
}

/// The content of an included file.
pub(super) fn included(includes: &dyn Include, chain: &[String], path: &str) -> Result<Value, String> {
    if chain.len() >= MAX_INCLUDES {
        return Err(format!("includes are nested deeper than {MAX_INCLUDES}"));
    }
    let Included { name, text } = includes.load(chain.last().map(String::as_str), path)?;
    if chain.contains(&name) {
        return Err(format!("files include each other: {} -> {name}", chain.join(" -> ")));
    }
    let longer: Vec<String> = chain.iter().cloned().chain([name.clone()]).collect();
    let document = yaml::parse(&text, &|path| included(includes, &longer, path));
    document.map(|document| document.value).map_err(|error| format!("`{name}`: {}", error.message))
}
