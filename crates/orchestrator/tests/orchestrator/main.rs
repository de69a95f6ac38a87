//! The orchestrator against the case tables of the semantics, against generated graphs, and against a
//! journal that fails and a process that dies.

mod cases;
mod driver;
mod failing;
mod fragile;
mod properties;
mod retries;
mod support;
