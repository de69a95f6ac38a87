//! The bare cost of YAML: parses every `contract.yaml` below a directory with `serde_yaml` on all cores and keeps
//! nothing. `cargo xtask bench check` holds `onex check` against it.

#![expect(clippy::print_stdout, reason = "an example talks on its streams")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

fn main() -> std::io::Result<()> {
    let mut files = Vec::new();
    for directory in std::env::args().skip(1) {
        collect(Path::new(&directory), &mut files)?;
    }
    let (next, read) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    read.fetch_add(usize::from(is_yaml(file)), Ordering::Relaxed);
                }
            });
        }
    });
    println!("{} of {} files are YAML", read.into_inner(), files.len());
    Ok(())
}

fn is_yaml(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| serde_yaml::from_str::<serde_yaml::Value>(&text).is_ok())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else if entry.file_name() == "contract.yaml" {
            files.push(entry.path());
        }
    }
    Ok(())
}
