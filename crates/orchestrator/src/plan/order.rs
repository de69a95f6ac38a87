//! Decides the order of steps: Kahn's algorithm with the declaration index as tie-break (section 4).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::PlannedStep;

/// The steps that wait for each step, in the order of the contract.
pub(super) fn dependents(steps: &[PlannedStep]) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        step.waits_for().for_each(|before| dependents[before].push(index));
    }
    dependents
}

/// Has every step that comes after a synchronization point wait for it; `None` on a cycle. A point orders, and
/// gives nothing.
pub(super) fn synchronize(steps: &mut [PlannedStep], points: &[String]) -> Option<()> {
    if points.is_empty() {
        return Some(());
    }
    let order = topological(steps, &dependents(steps))?;
    let mut passed = Vec::new();
    for index in order {
        let step = &mut steps[index];
        step.after = passed.iter().copied().filter(|point| !step.depends_on.contains(point)).collect();
        passed.extend(points.iter().any(|point| *point == step.id.to_string()).then_some(index));
    }
    Some(())
}

/// Indices in topological order; `None` on a cycle.
pub(super) fn topological(steps: &[PlannedStep], dependents: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut waiting: Vec<usize> = steps.iter().map(|step| step.waits_for().count()).collect();
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
