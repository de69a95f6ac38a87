//! Decides whether an intent may change what is stored, by position alone.
//!
//! The embedded backend and Consul ask here; PostgreSQL says the same in SQL, because there the
//! comparison and the write have to be one statement. The conformance suite holds the two together.

use std::cmp::Ordering;

use onex_event::{EventPosition, rfc3339};
use onex_node::{ErrorClass, Failure};

use crate::{EntryState, codes};

/// What is stored for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where its last event stands.
    pub position: EventPosition,
    /// In service or not.
    pub state: EntryState,
}

/// What a registration may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is stored: create.
    Create,
    /// What is stored is older: replace it.
    Replace,
    /// The same is stored and in service: leave it.
    Keep,
    /// Something newer is stored, or the same event's entry was taken out of service: refuse.
    Stale,
}

/// What a deregistration may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalVerdict {
    /// Take the entry out of service.
    Remove,
    /// It is out of service.
    Nothing,
    /// Something newer is stored: refuse.
    Stale,
}

/// Judges a registration at `incoming` over what is stored.
pub fn judge(incoming: &EventPosition, stored: Option<&Stored>) -> Verdict {
    let Some(stored) = stored else { return Verdict::Create };
    match (incoming.compare(&stored.position), stored.state) {
        (Ordering::Greater, _) => Verdict::Replace,
        (Ordering::Equal, EntryState::Active) => Verdict::Keep,
        (Ordering::Equal, EntryState::Deregistered) | (Ordering::Less, _) => Verdict::Stale,
    }
}

/// Judges a deregistration; without a position it wins in any case.
pub fn judge_removal(incoming: Option<&EventPosition>, stored: Option<&Stored>) -> RemovalVerdict {
    match (incoming, stored) {
        (_, None | Some(Stored { state: EntryState::Deregistered, .. })) => RemovalVerdict::Nothing,
        (Some(incoming), Some(stored)) if incoming.compare(&stored.position).is_lt() => RemovalVerdict::Stale,
        (_, Some(_)) => RemovalVerdict::Remove,
    }
}

/// The failure of a stale intent: `Conflict` with ONEX4004.
pub fn refused_as_stale(stored: &EventPosition) -> Failure {
    let epoch = stored.epoch.map_or("none".to_owned(), |epoch| epoch.to_string());
    let timestamp = rfc3339::text(&stored.timestamp);
    let message = format!("refused as stale: stored epoch {epoch} / timestamp {timestamp} is newer");
    Failure::new(ErrorClass::Conflict, codes::STALE, message)
}

#[cfg(test)]
mod tests {
    use super::{RemovalVerdict, Stored, Verdict, judge, judge_removal, refused_as_stale};
    use crate::EntryState::{Active, Deregistered};
    use onex_event::{EventPosition, rfc3339};

    fn position(second: u32) -> EventPosition {
        EventPosition { epoch: None, timestamp: rfc3339::parse(&format!("2026-01-01T00:00:{second:02}Z")).unwrap() }
    }

    #[test]
    fn only_the_newer_replaces() {
        let table = [(4, Active, Verdict::Stale), (5, Active, Verdict::Keep), (6, Active, Verdict::Replace)];
        let gone = [(4, Deregistered, Verdict::Stale), (5, Deregistered, Verdict::Stale)];
        let back = [(6, Deregistered, Verdict::Replace)];
        for (second, state, expected) in table.into_iter().chain(gone).chain(back) {
            let stored = Stored { position: position(5), state };
            assert_eq!(judge(&position(second), Some(&stored)), expected, "{second} over {stored:?}");
        }
        assert_eq!(judge(&position(0), None), Verdict::Create);
    }

    #[test]
    fn only_the_older_may_not_remove() {
        let active = Stored { position: position(5), state: Active };
        let gone = Stored { state: Deregistered, ..active };
        assert_eq!(judge_removal(Some(&position(4)), Some(&active)), RemovalVerdict::Stale);
        assert_eq!(judge_removal(Some(&position(5)), Some(&active)), RemovalVerdict::Remove);
        assert_eq!(judge_removal(None, Some(&active)), RemovalVerdict::Remove);
        assert_eq!(judge_removal(Some(&position(4)), Some(&gone)), RemovalVerdict::Nothing);
        assert_eq!(judge_removal(None, None), RemovalVerdict::Nothing);
    }

    #[test]
    fn the_refusal_names_what_is_stored() {
        let stored = EventPosition { epoch: Some(7), ..position(5) };
        let expected = "refused as stale: stored epoch 7 / timestamp 2026-01-01T00:00:05Z is newer";
        assert_eq!(refused_as_stale(&stored).message, expected);
    }
}
