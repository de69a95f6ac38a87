//! Writes to standard output, where a reader may have gone away: that ends the program quietly, as it does
//! for other tools in a pipe, and never as a panic.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};

use crate::exit::{Exit, Stop};

/// Writes one line.
pub(crate) fn line(line: impl Display) -> Result<(), Stop> {
    text(format!("{line}\n"))
}

/// Writes text that has its own line breaks.
pub(crate) fn text(text: impl AsRef<str>) -> Result<(), Stop> {
    stdout().lock().write_all(text.as_ref().as_bytes()).map_err(|error| Stop {
        exit: if error.kind() == ErrorKind::BrokenPipe { Exit::Done } else { Exit::Problems },
        error: anyhow::Error::new(error).context("cannot write to standard output"),
    })
}
