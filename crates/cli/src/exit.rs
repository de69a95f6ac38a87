//! Decides what the exit code says (design, section 9).

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was asked for is done.
    Done,
    /// Problems were found, or runs failed.
    Problems,
    /// The arguments or the configuration are wrong.
    Usage,
    /// A service that is needed cannot be reached.
    Unreachable,
    /// It was told to stop, and something still ran when the time was over.
    DrainedTooLate,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Problems => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::DrainedTooLate => 4,
        })
    }
}

/// An error that ends the program.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Stop {
    pub(crate) fn usage(error: anyhow::Error) -> Self {
        Self { exit: Exit::Usage, error }
    }

    pub(crate) fn unreachable(error: anyhow::Error) -> Self {
        Self { exit: Exit::Unreachable, error }
    }
}
