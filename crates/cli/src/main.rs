//! The `onex` binary.
fn main() {}
