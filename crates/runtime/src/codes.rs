//! The stable codes of discovery and ingress, as `docs/errors.md` lists them.

/// Every code with its title and what to do about it.
pub const CODES: &[(&str, &str, &str)] = &[
    ("ONEX1001", "a file cannot be read", "check the path and its permissions"),
    (
        "ONEX1003",
        "a topic does not follow the grammar",
        "write `onex.{cmd|evt|intent|dlq|snapshot}.{producer}.{event}.v{n}`",
    ),
    ("ONEX1010", "a message is too large", "the limit is 1 MiB; send a reference to large data"),
    ("ONEX1011", "a message is not JSON", "send one JSON object a line"),
    (
        "ONEX1012",
        "a message is neither an event nor an envelope",
        "send the event itself, or an envelope with a `payload`",
    ),
    ("ONEX1013", "a message is not the event its topic carries", "correct the key that is named"),
    ("ONEX1014", "a line is not UTF-8", "send UTF-8"),
];
