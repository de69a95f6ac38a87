//! Which of two events of one node is the newer one.
//!
//! The reducer, the table and the service registry all refuse older events, and all must agree,
//! so the order is decided here once. A node that counts epochs is believed over its clock.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    object::object,
    timestamp::{Timestamp, rfc3339},
};

/// Where an event stands among the events of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(!remote)]
pub struct EventPosition {
    /// The node's own count of its registrations; null when the node does not count.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// When the node wrote the event.
    #[serde(with = "rfc3339")]
    #[schemars(with = "Timestamp")]
    pub timestamp: Timestamp,
}

impl EventPosition {
    /// Orders `self` against the position in the store: `Greater` is newer, `Less` is stale.
    ///
    /// Epochs decide when both are present and differ, otherwise timestamps do. This is no total
    /// order (an event without an epoch may lie between two that contradict it), which is why it
    /// is not `Ord`.
    pub fn compare(&self, stored: &Self) -> Ordering {
        match (self.epoch, stored.epoch) {
            (Some(epoch), Some(stored)) if epoch != stored => epoch.cmp(&stored),
            _ => self.timestamp.cmp(&stored.timestamp),
        }
    }
}

object!(EventPosition);

#[cfg(test)]
mod tests {
    use Ordering::{Equal, Greater, Less};

    use super::*;

    fn position(epoch: Option<u64>, second: u32) -> EventPosition {
        let text = format!("2026-07-24T10:00:{second:02}Z");
        EventPosition { epoch, timestamp: rfc3339::parse(&text).unwrap() }
    }

    #[test]
    fn epochs_decide_before_timestamps() {
        let table = [
            ((Some(2), 0), (Some(1), 9), Greater),
            ((Some(1), 9), (Some(2), 0), Less),
            ((Some(1), 9), (Some(1), 0), Greater),
            ((Some(1), 0), (Some(1), 9), Less),
            ((Some(1), 5), (Some(1), 5), Equal),
            ((None, 9), (Some(7), 0), Greater),
            ((Some(7), 0), (None, 9), Less),
            ((None, 5), (Some(7), 5), Equal),
            ((None, 1), (None, 2), Less),
            ((None, 2), (None, 2), Equal),
            ((Some(0), 9), (Some(1), 0), Less),
        ];
        for ((epoch, second), (stored_epoch, stored_second), expected) in table {
            let stored = position(stored_epoch, stored_second);
            let order = position(epoch, second).compare(&stored);
            assert_eq!(order, expected, "{epoch:?}@{second} against {stored:?}");
        }
    }
}
