//! Decides, from the packages alone, which dependencies are wrong. Pure: no cargo, no files.

use serde::Deserialize;

/// Lowest first. A package may depend only on packages of a lower layer.
const LAYERS: &[&[&str]] = &[
    &["onex-contract", "onex-event", "onex-redaction", "onex-topic"],
    &["onex-node", "onex-bus", "onex-journal"],
    &["onex-reducer", "onex-compute", "onex-effect", "onex-orchestrator"],
    &[
        "onex-effect-consul",
        "onex-effect-postgres",
        "onex-effect-embedded",
        "onex-journal-sqlite",
        "onex-journal-postgres",
        "onex-bus-kafka",
    ],
    &["onex-runtime"],
    &["onex"],
];

/// Dependencies inside a layer, each with the reason why the two are not one layer apart.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("onex-contract", "onex-topic", "one topic grammar for contracts and events, small enough to be taken by both"),
    ("onex-event", "onex-topic", "one topic grammar for contracts and events, small enough to be taken by both"),
    ("onex-journal", "onex-node", "a journal records the ids and outcomes of nodes"),
    ("onex-orchestrator", "onex-compute", "a plan binds compute steps, which need no orchestrator"),
];

/// The layers that users take alone: fast to compile, no runtime, no client.
const LIGHT_LAYERS: usize = 3;
const CLIENTS: &[&str] = &["sqlx", "reqwest", "consulrs", "axum", "rdkafka"];
const LIGHT_TOKIO_FEATURES: &[&str] = &["sync", "time"];

/// Packages beside the layers, and the layered packages that each may use.
const XTASK: &str = "xtask";
const XTASK_MAY_USE: &[&str] = &["onex-contract", "onex-event"];
/// What may use everything: the tests of the whole, and the programs that are measured.
const WHOLE: [&str; 2] = ["onex-tests", "onex-bench"];

/// A workspace package, as `cargo metadata` describes it.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// One entry of a manifest. `kind` is absent for a normal dependency.
#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Option<String>,
    pub(super) features: Vec<String>,
}

impl Dependency {
    fn only_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// A rule that a manifest breaks.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) manifest: String,
    pub(super) problem: String,
}

/// Every violation, in the order of the packages.
pub(super) fn violations(packages: &[Package]) -> Vec<Violation> {
    packages.iter().flat_map(|package| of_package(package, packages)).collect()
}

fn of_package(package: &Package, all: &[Package]) -> Vec<Violation> {
    let violation = |problem| Violation { manifest: package.manifest_path.clone(), problem };
    let ours = |name: &str| all.iter().any(|package| package.name == name);
    let problem = |dependency: &Dependency| match ours(&dependency.name) {
        true => between_ours(&package.name, dependency),
        false => from_outside(&package.name, dependency),
    };
    if !is_listed(&package.name) {
        let problem = format!("`{}` has no layer: give it one in xtask/src/layers", package.name);
        return vec![violation(problem)];
    }
    package.dependencies.iter().filter_map(problem).map(violation).collect()
}

fn is_listed(name: &str) -> bool {
    layer(name).is_some() || name == XTASK || WHOLE.contains(&name)
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|packages| packages.contains(&name))
}

/// What is wrong with a dependency of one workspace package on another.
fn between_ours(from: &str, dependency: &Dependency) -> Option<String> {
    let to = dependency.name.as_str();
    let excepted = EXCEPTIONS.iter().any(|(user, used, _)| (*user, *used) == (from, to));
    let allowed = match (layer(from), layer(to)) {
        (Some(from), Some(to)) => to < from || excepted || (to == from && dependency.only_for_tests()),
        (None, _) if WHOLE.contains(&from) => true,
        (None, Some(_)) => XTASK_MAY_USE.contains(&to),
        (_, None) => false,
    };
    (!allowed).then(|| format!("`{from}`{} must not depend on `{to}`{}", place(from), place(to)))
}

fn place(name: &str) -> String {
    layer(name).map_or_else(String::new, |layer| format!(" (layer {layer})"))
}

/// What is wrong with a dependency on a published package.
fn from_outside(from: &str, dependency: &Dependency) -> Option<String> {
    let light = layer(from).is_some_and(|layer| layer < LIGHT_LAYERS);
    if !light || dependency.only_for_tests() {
        return None;
    }
    let name = dependency.name.as_str();
    if CLIENTS.contains(&name) {
        return Some(format!("`{from}`{} must not know `{name}`", place(from)));
    }
    let heavy = |feature: &&String| !LIGHT_TOKIO_FEATURES.contains(&feature.as_str());
    let heavy: Vec<&String> = dependency.features.iter().filter(heavy).collect();
    (name == "tokio" && !heavy.is_empty())
        .then(|| format!("`{from}`{} must not use these features of `tokio`: {heavy:?}", place(from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: Option<&str> = None;
    const DEV: Option<&str> = Some("dev");

    fn package(name: &str, dependencies: Vec<Dependency>) -> Package {
        Package { name: name.to_owned(), manifest_path: name.to_owned(), dependencies }
    }

    /// What is said of one dependency in a workspace that holds both packages, if both are ours.
    fn check(from: &str, to: &str, kind: Option<&str>, features: &[&str]) -> Option<String> {
        let dependency = Dependency {
            name: to.to_owned(),
            kind: kind.map(str::to_owned),
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
        };
        let mut packages = vec![package(from, vec![dependency])];
        if is_listed(to) {
            packages.push(package(to, Vec::new()));
        }
        let mut found = violations(&packages);
        assert!(found.len() <= 1, "{found:?}");
        found.pop().map(|violation| violation.problem)
    }

    #[test]
    fn dependencies_that_are_allowed() {
        for (from, to, kind, features) in [
            ("onex-node", "onex-contract", NORMAL, &[][..]),
            ("onex", "onex-contract", NORMAL, &[]),
            ("onex-journal", "onex-node", NORMAL, &[]),
            ("onex-orchestrator", "onex-compute", NORMAL, &[]),
            ("onex-bus", "onex-node", DEV, &[]),
            ("onex-bus", "tokio", NORMAL, &["sync", "time"]),
            ("onex-bus", "tokio", DEV, &["full"]),
            ("onex-effect-postgres", "sqlx", NORMAL, &[]),
            ("onex-runtime", "tokio", NORMAL, &["full"]),
            ("xtask", "onex-event", NORMAL, &[]),
            ("onex-tests", "onex", DEV, &[]),
            ("onex-contract", "serde", NORMAL, &["derive"]),
        ] {
            assert_eq!(check(from, to, kind, features), None, "{from} -> {to}");
        }
    }

    #[test]
    fn dependencies_that_are_refused() {
        for (from, to, kind, features, problem) in [
            (
                "onex-contract",
                "onex-node",
                NORMAL,
                &[][..],
                "`onex-contract` (layer 0) must not depend on `onex-node` (layer 1)",
            ),
            (
                "onex-contract",
                "onex-node",
                DEV,
                &[],
                "`onex-contract` (layer 0) must not depend on `onex-node` (layer 1)",
            ),
            (
                "onex-node",
                "onex-journal",
                NORMAL,
                &[],
                "`onex-node` (layer 1) must not depend on `onex-journal` (layer 1)",
            ),
            (
                "onex-effect-consul",
                "onex-effect-postgres",
                NORMAL,
                &[],
                "`onex-effect-consul` (layer 3) must not depend on `onex-effect-postgres` (layer 3)",
            ),
            ("xtask", "onex-node", NORMAL, &[], "`xtask` must not depend on `onex-node` (layer 1)"),
            ("onex", "onex-tests", DEV, &[], "`onex` (layer 5) must not depend on `onex-tests`"),
            ("onex-effect", "sqlx", NORMAL, &[], "`onex-effect` (layer 2) must not know `sqlx`"),
            (
                "onex-node",
                "tokio",
                NORMAL,
                &["sync", "rt"],
                "`onex-node` (layer 1) must not use these features of `tokio`: [\"rt\"]",
            ),
            ("onex-common", "serde", NORMAL, &[], "`onex-common` has no layer: give it one in xtask/src/layers"),
        ] {
            assert_eq!(check(from, to, kind, features).as_deref(), Some(problem));
        }
    }
}
