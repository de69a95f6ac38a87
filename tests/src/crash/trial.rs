//! One case in a directory of its own, over one or more lives, and what is to be said of it at the end.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::case::Case;
use super::judge::judge;
use super::ledger::Ledger;
use super::store::{Lent, Store};
use crate::invariants::Snapshot;

/// How one life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It died where it was told to.
    Died,
    /// It came to its end, past this many points.
    Finished(usize),
}

/// A case, its journal and its ledger.
pub struct Trial<'a> {
    directory: TempDir,
    journal: Lent<'a>,
    program: &'a Path,
    deaths: usize,
    before: Snapshot,
}

impl<'a> Trial<'a> {
    /// Of a case, over a journal of its own; `program` is what lives.
    pub fn over(store: &'a Store, case: &Case, program: &'a Path) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let journal = store.lend(directory.path());
        Self::new(case, program, directory, journal)
    }

    fn new(case: &Case, program: &'a Path, directory: TempDir, journal: Lent<'a>) -> Self {
        let text = serde_json::to_string(case).expect("JSON");
        std::fs::write(directory.path().join("case.json"), text).expect("a file");
        Self { directory, journal, program, deaths: 0, before: Snapshot::default() }
    }

    /// One life, to the point of this number or, with 0, to its end.
    pub fn live(&mut self, dies_at: usize) -> Ended {
        let ended = self.run(dies_at);
        let now = self.journal.snapshot();
        assert_eq!(now.violations(), [""; 0], "after the life to point {dies_at}");
        assert_eq!(now.violations_since(&self.before), [""; 0], "after the life to point {dies_at}");
        self.before = now;
        ended
    }

    fn run(&mut self, dies_at: usize) -> Ended {
        let mut command = Command::new(self.program);
        command.arg(self.directory.path()).arg(self.journal.name()).arg(dies_at.to_string()).stdin(Stdio::null());
        let output = command.output().expect("the program starts");
        if output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            return Ended::Finished(text.trim().parse().expect("a number"));
        }
        assert!(died_as_told(&output), "{output:?}");
        self.deaths += 1;
        Ended::Died
    }

    /// What must be the same however often it died on the way.
    ///
    /// # Panics
    ///
    /// When the journal or the ledger says anything that it must not after so many deaths.
    pub fn judge(&self) -> Value {
        judge(&self.before, &Ledger::read(&self.directory.path().join("ledger.jsonl")), self.deaths)
    }
}

/// SIGABRT, and not a word.
fn died_as_told(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt;
    output.status.signal() == Some(6) && output.stdout.is_empty() && output.stderr.is_empty()
}
