//! Remembers where the runs stand that this connection has written to, so that what goes on is judged without
//! asking the file. That is sound while nobody else writes, which the lock sees to, and while every transaction
//! succeeded: the memory is the connection's and goes with it after a failure.

use std::collections::HashMap;

use onex_journal::RunStatus;
use onex_journal::planning::Head;
use onex_node::RunId;

/// Most runs that are remembered; with one more all are forgotten and asked for again.
const MOST: usize = 4_096;

/// Unfinished runs and where they stand.
#[derive(Debug, Default)]
pub(crate) struct Heads(HashMap<RunId, Head>);

impl Heads {
    /// Hands out what is known of these runs, and names the others.
    pub(crate) fn take(&mut self, run_ids: impl Iterator<Item = RunId>) -> (HashMap<RunId, Head>, Vec<RunId>) {
        let (mut known, mut unknown) = (HashMap::new(), Vec::new());
        for run_id in run_ids {
            match self.0.remove(&run_id) {
                Some(head) => drop(known.insert(run_id, head)),
                None if known.contains_key(&run_id) => {}
                None => unknown.push(run_id),
            }
        }
        (known, unknown)
    }

    /// Takes where runs stand after a plan. One that has ended is asked for seldom.
    pub(crate) fn put(&mut self, heads: HashMap<RunId, Head>) {
        if self.0.len() + heads.len() > MOST {
            self.0.clear();
        }
        self.0.extend(heads.into_iter().filter(|(_, head)| head.status == RunStatus::Running));
    }

    /// Forgets all, because they are about to change by a query.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
