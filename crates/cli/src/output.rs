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

/// Writes rows under a head, each column as wide as its widest cell.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Result<(), Stop> {
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        line(cells.join("  ").trim_end())?;
    }
    Ok(())
}
