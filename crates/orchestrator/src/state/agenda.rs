//! Knows which steps can start next and how many have not ended, without looking at all of them: a step's
//! end costs as much as it has dependents, whatever the size of the graph.

use std::collections::BTreeSet;

use crate::plan::Plan;

/// What is left to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    /// For each step that has not ended, how many of those it waits for have not.
    waits_for: Vec<Option<usize>>,
    /// Ranks of the pending steps that wait for nothing.
    ready: BTreeSet<usize>,
    pending: usize,
    in_progress: usize,
}

impl Agenda {
    pub(super) fn new(plan: &Plan) -> Self {
        let waits_for: Vec<_> = plan.steps.iter().map(|step| Some(step.waits_for().count())).collect();
        let is_ready = |index: &usize| waits_for[*index] == Some(0);
        let ready = (0..waits_for.len()).filter(is_ready).map(|index| plan.rank(index)).collect();
        Self { ready, pending: waits_for.len(), in_progress: 0, waits_for }
    }

    /// The first step that can start, in topological order; it is not on the agenda any more.
    pub(super) fn take_ready(&mut self, plan: &Plan) -> Option<usize> {
        self.ready.pop_first().map(|rank| plan.order[rank])
    }

    pub(super) fn in_progress(&self) -> usize {
        self.in_progress
    }

    pub(super) fn has_pending(&self) -> bool {
        self.pending > 0
    }

    pub(super) fn is_done(&self) -> bool {
        self.pending + self.in_progress == 0
    }

    /// A pending step is in progress now.
    pub(super) fn begin(&mut self) {
        self.pending -= 1;
        self.in_progress += 1;
    }

    /// A step has ended that was in progress, or pending. Those that waited only for it are ready.
    pub(super) fn end(&mut self, plan: &Plan, index: usize, was_pending: bool) {
        let count = if was_pending { &mut self.pending } else { &mut self.in_progress };
        *count -= 1;
        self.ready.remove(&plan.rank(index));
        self.waits_for[index] = None;
        for dependent in plan.dependents(index) {
            let Some(count) = &mut self.waits_for[*dependent] else { continue };
            *count -= 1;
            if *count == 0 {
                self.ready.insert(plan.rank(*dependent));
            }
        }
    }
}
