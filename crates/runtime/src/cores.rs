//! Decides how work on many files is shared: all cores take from one list, and what comes of it stands in the order
//! of the list. For a command that reads and ends; the runtime itself works in tasks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Items that one core takes at once.
const HANDFUL: usize = 16;

/// `work` on each of `items`, in their order, as if one core had done it.
pub fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 || items.len() <= HANDFUL {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let take = || {
        loop {
            let from = next.fetch_add(HANDFUL, Ordering::Relaxed);
            let Some(handful) = items.get(from..items.len().min(from + HANDFUL)).filter(|some| !some.is_empty()) else {
                return;
            };
            let results: Vec<R> = handful.iter().map(&work).collect();
            // A poisoned lock means that another core panicked, and the scope passes that on.
            if let Ok(mut done) = done.lock() {
                done.push((from, results));
            }
        }
    };
    std::thread::scope(|scope| {
        (1..cores.min(items.len().div_ceil(HANDFUL))).for_each(|_| drop(scope.spawn(take)));
        take();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(from, _)| *from);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use super::on_all_cores;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for length in [0, 1, 16, 17, 1000] {
            let items: Vec<usize> = (0..length).collect();
            let doubled = on_all_cores(&items, |item| 2 * item);
            assert_eq!(doubled, items.iter().map(|item| 2 * item).collect::<Vec<_>>());
        }
    }
}
