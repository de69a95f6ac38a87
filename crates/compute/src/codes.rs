//! The stable codes of built-in pure steps, as `docs/errors.md` lists them.

/// Every code with its title and what to do about it.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "ONEX3010",
        "not every backend took part, and the contract wants all or none",
        "look at the backends that are named; what was done is undone if the contract says so",
    ),
    ("ONEX3011", "a template leads to nothing", "correct the path in the step's `input`"),
];
