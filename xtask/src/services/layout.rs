//! Decides where everything that belongs to the services lives, and who may touch it when.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// The files below `target/services`.
pub(super) struct Layout {
    pub(super) directory: PathBuf,
}

impl Layout {
    pub(super) fn of_workspace() -> Self {
        Self { directory: workspace::root().join("target/services") }
    }

    pub(super) fn state(&self) -> PathBuf {
        self.directory.join("state.json")
    }

    pub(super) fn postgres_home(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    pub(super) fn postgres_log(&self) -> PathBuf {
        self.directory.join("postgres.log")
    }

    pub(super) fn consul_home(&self) -> PathBuf {
        self.directory.join("consul")
    }

    pub(super) fn consul_log(&self) -> PathBuf {
        self.directory.join("consul.log")
    }

    /// Programs that this workspace had to fetch. They survive `down`.
    pub(super) fn programs(&self) -> PathBuf {
        self.directory.join("bin")
    }

    /// The private package lists, apart from the machine's own.
    pub(super) fn apt(&self) -> PathBuf {
        self.directory.join("apt")
    }

    /// Held while services start or stop; the kernel lets go when the process ends, however it ends.
    pub(super) fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.directory).with_context(|| format!("creating {}", self.directory.display()))?;
        let path = self.directory.join("lock");
        let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
        if file.try_lock().is_err() {
            eprintln!("waiting for another `cargo xtask` that starts or stops the services");
            file.lock().with_context(|| format!("locking {}", path.display()))?;
        }
        Ok(file)
    }

    /// Forgets what was recorded; logs and fetched programs stay.
    pub(super) fn forget(&self) -> Result<()> {
        accept_absence(fs::remove_file(self.state())).context("removing the state of the services")
    }
}

/// Deletes a directory; one that is already gone is no error.
pub(super) fn remove_directory(path: &Path) -> Result<()> {
    accept_absence(fs::remove_dir_all(path)).with_context(|| format!("removing {}", path.display()))
}

fn accept_absence(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
