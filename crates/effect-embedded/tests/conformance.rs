//! The embedded registry keeps the promises of every registry backend, in both families.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::path::Path;
use std::sync::Arc;

use onex_effect::RegistryBackend;
use onex_effect::conformance::{Family, Fixture, registry_conformance};
use onex_effect_embedded::EmbeddedRegistry;
use tempfile::TempDir;
use uuid::Uuid;

struct Embedded {
    family: Family,
    directory: TempDir,
}

impl Embedded {
    fn at(&self, path: &str) -> Arc<dyn RegistryBackend> {
        Arc::new(EmbeddedRegistry::lazy(&self.directory.path().join(path)))
    }
}

#[async_trait::async_trait]
impl Fixture for Embedded {
    fn family(&self) -> Family {
        self.family
    }

    fn seed(&self) -> Uuid {
        Uuid::nil()
    }

    fn backend(&self) -> Arc<dyn RegistryBackend> {
        self.at("registry.db")
    }

    fn unreachable(&self) -> Arc<dyn RegistryBackend> {
        self.at(&Path::new("absent").join("registry.db").display().to_string())
    }
}

async fn check(family: Family) {
    let directory = tempfile::tempdir().unwrap();
    registry_conformance(&Embedded { family, directory }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_keeps_its_promises() {
    check(Family::Table).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_keeps_its_promises() {
    check(Family::Catalogue).await;
}
