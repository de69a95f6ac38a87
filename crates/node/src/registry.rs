//! Decides which node a name means.
//!
//! The binary registers the nodes it was built with; contracts name them. A name that nothing
//! answers to is an error when the plan is made, before anything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::{Compute, Effect, Reducer};

/// Why a name could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ResolveError {
    /// `effect`, `reducer`, `compute` or `workflow`.
    pub kind: &'static str,
    /// The name that was asked for.
    pub name: String,
    /// Every name of that kind that would have been found.
    pub known: Vec<String>,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no {} node is called `{}`", self.kind, self.name)?;
        match self.nearest() {
            Some(nearest) => write!(formatter, "; did you mean `{nearest}`"),
            None if self.known.is_empty() => write!(formatter, "; none is registered"),
            None => write!(formatter, "; known: {}", self.known.join(", ")),
        }
    }
}

impl ResolveError {
    fn nearest(&self) -> Option<&str> {
        let scored = self.known.iter().map(|known| (strsim::jaro_winkler(known, &self.name), known));
        scored
            .filter(|(score, _)| *score > 0.85)
            .max_by(|left, right| left.0.total_cmp(&right.0))
            .map(|(_, name)| name.as_str())
    }
}

/// The nodes this process can run, by kind and name.
#[derive(Clone, Default)]
pub struct NodeRegistry {
    reducers: BTreeMap<String, Arc<dyn Reducer>>,
    effects: BTreeMap<String, Arc<dyn Effect>>,
    computes: BTreeMap<String, Arc<dyn Compute>>,
    /// Names of the contracts whose workflows can be run as steps of others.
    workflows: BTreeSet<String>,
}

impl NodeRegistry {
    /// A registry that knows no node.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same registry knowing one more reducer; a later one of the same name replaces it.
    #[must_use]
    pub fn with_reducer(mut self, name: &str, node: Arc<dyn Reducer>) -> Self {
        self.reducers.insert(name.to_owned(), node);
        self
    }

    /// The same registry knowing one more effect; a later one of the same name replaces it.
    #[must_use]
    pub fn with_effect(mut self, name: &str, node: Arc<dyn Effect>) -> Self {
        self.effects.insert(name.to_owned(), node);
        self
    }

    /// The same registry knowing one more compute node; a later one of the same name replaces it.
    #[must_use]
    pub fn with_compute(mut self, name: &str, node: Arc<dyn Compute>) -> Self {
        self.computes.insert(name.to_owned(), node);
        self
    }

    /// The same registry knowing that a contract of that name has a workflow.
    #[must_use]
    pub fn with_workflow(mut self, name: &str) -> Self {
        self.workflows.insert(name.to_owned());
        self
    }

    /// Whether a contract of that name has a workflow.
    ///
    /// # Errors
    ///
    /// None has.
    pub fn workflow(&self, name: &str) -> Result<(), ResolveError> {
        match self.workflows.contains(name) {
            true => Ok(()),
            false => Err(unknown("workflow", name, &self.workflows)),
        }
    }

    /// The reducer of that name.
    ///
    /// # Errors
    ///
    /// No reducer is called so.
    pub fn reducer(&self, name: &str) -> Result<Arc<dyn Reducer>, ResolveError> {
        find(&self.reducers, "reducer", name)
    }

    /// The effect of that name.
    ///
    /// # Errors
    ///
    /// No effect is called so.
    pub fn effect(&self, name: &str) -> Result<Arc<dyn Effect>, ResolveError> {
        find(&self.effects, "effect", name)
    }

    /// The compute node of that name.
    ///
    /// # Errors
    ///
    /// No compute node is called so.
    pub fn compute(&self, name: &str) -> Result<Arc<dyn Compute>, ResolveError> {
        find(&self.computes, "compute", name)
    }

    /// Names of all reducers.
    pub fn reducer_names(&self) -> impl Iterator<Item = &str> {
        self.reducers.keys().map(String::as_str)
    }

    /// Names of all effects.
    pub fn effect_names(&self) -> impl Iterator<Item = &str> {
        self.effects.keys().map(String::as_str)
    }
}

impl fmt::Debug for NodeRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NodeRegistry")
            .field("reducers", &self.reducers.keys())
            .field("effects", &self.effects.keys())
            .field("computes", &self.computes.keys())
            .finish()
    }
}

fn find<T: ?Sized>(nodes: &BTreeMap<String, Arc<T>>, kind: &'static str, name: &str) -> Result<Arc<T>, ResolveError> {
    nodes.get(name).cloned().ok_or_else(|| unknown(kind, name, nodes.keys()))
}

fn unknown<'n>(kind: &'static str, name: &str, known: impl IntoIterator<Item = &'n String>) -> ResolveError {
    ResolveError { kind, name: name.to_owned(), known: known.into_iter().cloned().collect() }
}
