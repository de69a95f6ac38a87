//! Decides what runs when: messages of one key one after another, different keys at once, and no more than a
//! limit. Pure: the loop that owns it starts what it is told to.

use std::collections::{HashMap, VecDeque};

/// Work by key. `T` is one piece of work.
#[derive(Debug)]
pub struct Lanes<T> {
    limit: usize,
    running: usize,
    /// Per busy key, what waits behind what runs; a key is here exactly while something of it runs or is ready.
    lanes: HashMap<String, VecDeque<T>>,
    /// Heads of lanes that wait only for room, in order of arrival.
    ready: VecDeque<(String, T)>,
}

impl<T> Lanes<T> {
    /// Lanes that run at most `limit` pieces at once.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), running: 0, lanes: HashMap::new(), ready: VecDeque::new() }
    }

    /// Takes work of a key in.
    pub fn push(&mut self, key: String, work: T) {
        match self.lanes.get_mut(&key) {
            Some(lane) => lane.push_back(work),
            None => {
                self.lanes.insert(key.clone(), VecDeque::new());
                self.ready.push_back((key, work));
            }
        }
    }

    /// The next piece to start, if there is one and room for it.
    pub fn start(&mut self) -> Option<(String, T)> {
        if self.running >= self.limit {
            return None;
        }
        let next = self.ready.pop_front()?;
        self.running += 1;
        Some(next)
    }

    /// A piece of this key has ended; what waited behind it gets ready.
    pub fn finish(&mut self, key: &str) {
        self.running = self.running.saturating_sub(1);
        let Some(lane) = self.lanes.get_mut(key) else { return };
        match lane.pop_front() {
            Some(work) => self.ready.push_back((key.to_owned(), work)),
            None => {
                self.lanes.remove(key);
            }
        }
    }

    /// Pieces that run now.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Pieces that wait.
    pub fn waiting(&self) -> usize {
        self.ready.len() + self.lanes.values().map(VecDeque::len).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    #[test]
    fn one_key_is_served_in_order_and_others_pass() {
        let mut lanes = Lanes::new(10);
        for (key, work) in [("a", 1), ("a", 2), ("b", 3), ("a", 4)] {
            lanes.push(key.to_owned(), work);
        }
        let started = |lanes: &mut Lanes<i32>| -> Vec<i32> {
            std::iter::from_fn(|| lanes.start()).map(|(_, work)| work).collect()
        };
        assert_eq!(started(&mut lanes), [1, 3]);
        lanes.finish("a");
        assert_eq!(started(&mut lanes), [2]);
        lanes.finish("b");
        assert!(started(&mut lanes).is_empty());
        lanes.finish("a");
        assert_eq!(started(&mut lanes), [4]);
        lanes.finish("a");
        assert_eq!((lanes.running(), lanes.waiting()), (0, 0));
    }

    #[test]
    fn no_more_than_the_limit_run() {
        let mut lanes = Lanes::new(2);
        (0..5).for_each(|work| lanes.push(work.to_string(), work));
        assert!(lanes.start().is_some() && lanes.start().is_some() && lanes.start().is_none());
        lanes.finish("0");
        assert_eq!(lanes.start(), Some(("2".to_owned(), 2)));
        assert_eq!((lanes.running(), lanes.waiting()), (2, 2));
    }
}
