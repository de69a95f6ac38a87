//! Decides the order of steps, synchronization points included.

use onex_contract::order;

use super::PlannedStep;

/// For each step, those that it waits for.
pub(super) fn waits_for(steps: &[PlannedStep]) -> Vec<Vec<usize>> {
    steps.iter().map(|step| step.waits_for().collect()).collect()
}

/// Indices in topological order; `None` on a cycle.
pub(super) fn topological(waits_for: &[Vec<usize>]) -> Option<Vec<usize>> {
    Some(order::topological(waits_for)).filter(|order| order.len() == waits_for.len())
}

/// Has every step that comes after a synchronization point wait for it; `None` on a cycle. A point orders, and
/// gives nothing.
pub(super) fn synchronize(steps: &mut [PlannedStep], points: &[String]) -> Option<()> {
    if points.is_empty() {
        return Some(());
    }
    let order = topological(&waits_for(steps))?;
    let mut passed = Vec::new();
    for index in order {
        let step = &mut steps[index];
        step.after = passed.iter().copied().filter(|point| !step.depends_on.contains(point)).collect();
        passed.extend(points.iter().any(|point| *point == step.id.to_string()).then_some(index));
    }
    Some(())
}

/// The position of each index in `order`.
pub(super) fn ranks(order: &[usize]) -> Vec<usize> {
    let mut ranks = vec![0; order.len()];
    order.iter().enumerate().for_each(|(rank, index)| ranks[*index] = rank);
    ranks
}
