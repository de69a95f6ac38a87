//! The run journal trait, an in-memory journal, and the conformance suite every journal passes.
