//! Decides what every registry backend promises, in a form that runs: the embedded file, PostgreSQL
//! and Consul pass the same suite, so that a test above them may use any.
//!
//! A backend's tests make a [`Fixture`] and call [`registry_conformance`], which panics at the first
//! broken promise with a sentence that says which. Nodes are derived from the fixture's seed, so runs
//! against one server do not meet.

#![expect(clippy::expect_used, reason = "a suite reports by panicking")]

mod crowd;
mod failing;
mod node;
mod promises;
mod undo;

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::backend::RegistryBackend;
use node::Suite;

/// Which intents a backend is tested with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `consul.*`: what is deregistered is gone.
    Catalogue,
    /// `postgres.*`: what is deregistered stays as a row out of service.
    Table,
}

/// What the suite needs of a backend's tests.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The intents to test with.
    fn family(&self) -> Family;

    /// Different for each run; every node id is derived from it.
    fn seed(&self) -> Uuid;

    /// A backend that works; each call may give the same one or another over the same store.
    fn backend(&self) -> Arc<dyn RegistryBackend>;

    /// A backend that nothing answers to.
    fn unreachable(&self) -> Arc<dyn RegistryBackend>;

    /// A backend whose server refuses its credentials, when it knows any.
    fn bad_credentials(&self) -> Option<Arc<dyn RegistryBackend>> {
        None
    }

    /// Texts that no error may show.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether it knows every key it was ever given and every entry it replaced.
    fn keeps_history(&self) -> bool {
        true
    }
}

/// Runs the whole suite.
///
/// # Panics
///
/// At the first promise of [`RegistryBackend`] that the backend breaks.
pub async fn registry_conformance(fixture: &dyn Fixture) {
    let suite = Suite::new(fixture);
    promises::run(&suite).await;
    crowd::run(&suite).await;
    undo::run(&suite).await;
    failing::run(&suite).await;
    suite.clean_up().await;
}
