//! The stable codes of bus errors, as `docs/errors.md` lists them.

/// Every code with its title and what to do about it.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "ONEX6001",
        "the bus is closed",
        "the process is stopping; what was not settled is delivered again after the next start",
    ),
    ("ONEX6002", "a topic is already consumed by this group", "let one orchestrator own the topic"),
    ("ONEX6003", "a delivery is settled that is not in flight", "a defect of this program; report it with the log"),
];
