//! What an ONEX node is at run time: reducer, effect and compute traits, ids, error taxonomy, node registry.
