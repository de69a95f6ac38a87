//! The stable codes of reducers, as `docs/errors.md` lists them.

/// Every code with its title and what to do about it.
pub const CODES: &[(&str, &str, &str)] = &[
    ("ONEX3001", "the event is not what the reducer reduces", "correct the event; the message names the key"),
    ("ONEX3002", "the stored state cannot be read", "run the version of this program that wrote it"),
    ("ONEX3003", "the state machine has no transition", "add the transition to the reducer's contract"),
    (
        "ONEX3004",
        "an event or an outcome does not belong to the stored state",
        "let a step carry out only what its reducer asked for",
    ),
];
