//! Decides which message of one topic a group gets next. Pure: the time is an argument.
//!
//! A message is ready unless an earlier one of its key waits for redelivery; that keeps order per key
//! without stopping other keys.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::Message;

/// Milliseconds and more since the bus was made.
pub(crate) type Moment = Duration;

#[derive(Debug)]
enum State {
    Waiting { not_before: Moment },
    InFlight,
    Done,
}

#[derive(Debug)]
struct Entry {
    offset: u64,
    attempt: u32,
    message: Message,
    state: State,
}

/// What a group still has to do in one topic, in order of publication.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: VecDeque<Entry>,
    unsettled: usize,
}

pub(crate) enum Next {
    Ready {
        offset: u64,
        attempt: u32,
        message: Message,
    },
    /// Nothing is ready; something will be at this moment, or only after a publication.
    Wait {
        until: Option<Moment>,
    },
}

impl Queue {
    pub(crate) fn push(&mut self, offset: u64, message: Message) {
        let state = State::Waiting { not_before: Moment::ZERO };
        self.unsettled += 1;
        self.entries.push_back(Entry { offset, attempt: 0, message, state });
    }

    /// Entries not settled as done.
    pub(crate) fn lag(&self) -> usize {
        self.unsettled
    }

    /// Takes the first ready message.
    pub(crate) fn take(&mut self, now: Moment) -> Next {
        let mut held_keys = HashSet::new();
        let mut until: Option<Moment> = None;
        for entry in &mut self.entries {
            let State::Waiting { not_before } = entry.state else { continue };
            let key = entry.message.key.as_deref();
            if not_before <= now && key.is_none_or(|key| !held_keys.contains(key)) {
                entry.state = State::InFlight;
                entry.attempt += 1;
                return Next::Ready { offset: entry.offset, attempt: entry.attempt, message: entry.message.clone() };
            }
            if not_before > now {
                until = Some(until.map_or(not_before, |earlier| earlier.min(not_before)));
            }
            held_keys.extend(key.map(str::to_owned));
        }
        Next::Wait { until }
    }

    /// Whether the offset was in flight; it is done now.
    pub(crate) fn finish(&mut self, offset: u64) -> bool {
        let found = self.change(offset, State::Done);
        self.unsettled -= usize::from(found);
        while matches!(self.entries.front(), Some(Entry { state: State::Done, .. })) {
            self.entries.pop_front();
        }
        found
    }

    /// Whether the offset was in flight; it waits until `not_before` now.
    pub(crate) fn put_back(&mut self, offset: u64, not_before: Moment) -> bool {
        self.change(offset, State::Waiting { not_before })
    }

    /// Makes everything in flight ready again, as when its subscriber is gone.
    pub(crate) fn release(&mut self) {
        for entry in &mut self.entries {
            if matches!(entry.state, State::InFlight) {
                entry.state = State::Waiting { not_before: Moment::ZERO };
            }
        }
    }

    fn change(&mut self, offset: u64, state: State) -> bool {
        let found = self.entries.binary_search_by_key(&offset, |entry| entry.offset).ok();
        let entry = found.and_then(|index| self.entries.get_mut(index));
        match entry.filter(|entry| matches!(entry.state, State::InFlight)) {
            Some(entry) => {
                entry.state = state;
                true
            }
            None => false,
        }
    }
}
