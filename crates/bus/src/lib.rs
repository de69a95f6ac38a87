//! The event bus trait, an in-memory bus, and the conformance suite every bus passes.
