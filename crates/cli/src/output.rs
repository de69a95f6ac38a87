//! Writes to standard output, where a reader may have gone away: that ends the program quietly, as it does
//! for other tools in a pipe, and never as a panic.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};

use crate::exit::{Exit, Stop};

/// Writes one line.
pub(crate) fn line(text: impl Display) -> Result<(), Stop> {
    writeln!(stdout().lock(), "{text}").map_err(|error| Stop {
        exit: if error.kind() == ErrorKind::BrokenPipe { Exit::Done } else { Exit::Problems },
        error: anyhow::Error::new(error).context("cannot write to standard output"),
    })
}
