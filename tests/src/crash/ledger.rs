//! What really happened, whatever the journal says of it: one line per attempt of an effect and per publication,
//! on disk before anybody is answered.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// An attempt of an effect, or to undo one.
    Attempt(Attempt),
    /// A message that left.
    Published {
        /// Its id.
        id: Uuid,
        /// Its body.
        body: Value,
    },
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attempt {
    /// The idempotency key it was made with.
    pub key: String,
    /// The intent's kind.
    pub kind: String,
    /// The intent's payload, as text.
    pub payload: String,
    /// Whether it undoes.
    pub undo: bool,
    /// Which attempt the orchestrator called it.
    pub attempt: u32,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// The ledger of one trial, over all its processes.
#[derive(Debug)]
pub struct Ledger {
    file: Option<File>,
    written: Mutex<Vec<Entry>>,
}

impl Ledger {
    /// One that no other process sees.
    pub fn in_memory() -> Self {
        Self { file: None, written: Mutex::default() }
    }

    /// Opens one in a file for more entries.
    pub fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path).expect("a ledger");
        Self { file: Some(file), written: Mutex::default() }
    }

    /// Writes an entry down.
    pub fn write(&self, entry: Entry) {
        if let Some(mut file) = self.file.as_ref() {
            let line = format!("{}\n", serde_json::to_string(&entry).expect("JSON"));
            file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).expect("the ledger can be written");
        }
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// What was written through this.
    pub fn written(&self) -> Vec<Entry> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything in a file.
    pub fn read(path: &Path) -> Vec<Entry> {
        // A process that died before anything happened has made none.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect()
    }
}
