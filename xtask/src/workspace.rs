//! Decides where the workspace is, so that every command works from any directory.

use std::path::{Path, PathBuf};

/// The directory of the root manifest: `xtask` is a member one level below it.
pub(crate) fn root() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().unwrap_or(member).to_owned()
}
