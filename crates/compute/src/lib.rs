#![doc = include_str!("../README.md")]
//!
//! Decides what the built-in pure steps compute. Each is a function of its input; a recovery runs it
//! again and must get the same bytes.

mod aggregate;
pub mod codes;
mod pass;
mod template;

pub use aggregate::{Aggregation, AggregationStrategy, flattened};
pub use pass::PassThrough;
pub use template::{Scope, TemplateError, resolve};
