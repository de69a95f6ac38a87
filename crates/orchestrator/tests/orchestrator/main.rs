//! The orchestrator against the case tables of the semantics, against generated graphs, and against a
//! journal that fails and a process that dies.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod features;
#[cfg(test)]
mod fragile;
#[cfg(test)]
mod notation;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;
