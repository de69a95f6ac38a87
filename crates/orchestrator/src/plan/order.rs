//! Decides the order of steps: Kahn's algorithm with the declaration index as tie-break (section 4).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::PlannedStep;

/// The steps that depend on each step, in the order of the contract.
pub(super) fn dependents(steps: &[PlannedStep]) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        step.depends_on.iter().for_each(|dependency| dependents[*dependency].push(index));
    }
    dependents
}

/// Indices in topological order; `None` on a cycle.
pub(super) fn topological(steps: &[PlannedStep], dependents: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut waiting: Vec<usize> = steps.iter().map(|step| step.depends_on.len()).collect();
    let mut ready: BinaryHeap<_> = (0..steps.len()).filter(|index| waiting[*index] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for dependent in &dependents[index] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                ready.push(Reverse(*dependent));
            }
        }
    }
    (order.len() == steps.len()).then_some(order)
}

/// The position of each index in `order`.
pub(super) fn ranks(order: &[usize]) -> Vec<usize> {
    let mut ranks = vec![0; order.len()];
    order.iter().enumerate().for_each(|(rank, index)| ranks[*index] = rank);
    ranks
}
