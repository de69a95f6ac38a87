//! Decides where is kept what was found before: where the command line says, else where the system keeps such things.

use std::env::var_os;
use std::path::PathBuf;

use crate::arguments::CheckArguments;

/// The directory; nothing when nothing is to be kept.
pub(super) fn of(arguments: &CheckArguments) -> Option<PathBuf> {
    if arguments.no_cache {
        return None;
    }
    arguments.cache_dir.clone().or_else(|| Some(of_the_system()?.join("onex")))
}

fn of_the_system() -> Option<PathBuf> {
    let absolute = |name: &str| var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}
