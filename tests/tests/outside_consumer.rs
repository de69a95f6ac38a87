//! Somebody else's package takes the contracts and the reducer, and nothing of the machinery below them.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::collections::BTreeSet;
use std::process::{Command, Output};

use onex_tests::process::Home;
use onex_tests::{REDUCER, contract_path, workspace};

const PROGRAM: &str = r#"
use onex_contract::{Source, read};
use onex_reducer::RegistrationReducer;

fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).expect("a path")).expect("a file");
    let reading = read(Source { file: "contract.yaml", text: &text });
    assert!(!reading.has_errors(), "{:?}", reading.diagnostics);
    let contract = reading.contract.expect("a contract");
    let _reducer = RegistrationReducer::new(contract.state_machine.clone().expect("a state machine"));
    println!("{} {}", contract.name, contract.archetype());
}
"#;

fn manifest() -> String {
    let path =
        |name: &str| workspace(&format!("crates/{name}")).canonicalize().expect("it exists").display().to_string();
    format!(
        "[package]\nname = \"consumer\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         onex-contract = {{ path = \"{}\" }}\nonex-reducer = {{ path = \"{}\" }}\n",
        path("contract"),
        path("reducer"),
    )
}

/// The cargo that builds this test; variables that cargo sets for a test would confuse it.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    command
}

fn output(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("cargo starts");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8")
}

/// The workspace's lock file is taken along, so that nothing has to be looked up.
#[test]
fn a_package_outside_the_workspace_uses_contracts_and_reducer_alone() {
    let home = Home::new();
    let manifest = home.write("Cargo.toml", manifest()).display().to_string();
    home.write("src/main.rs", PROGRAM);
    std::fs::copy(workspace("Cargo.lock"), home.path().join("Cargo.lock")).expect("a lock file");
    let contract = contract_path(REDUCER).canonicalize().expect("it exists").display().to_string();
    let mut run = cargo(&["run", "--quiet", "--offline", "--manifest-path", &manifest, "--", &contract]);
    run.env("CARGO_TARGET_DIR", workspace("target/outside")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    assert_eq!(output(run), format!("{REDUCER} reducer\n"));
}

/// Packages that a crate needs to run.
fn dependencies(name: &str) -> BTreeSet<String> {
    let tree = ["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package", name];
    let mut tree = cargo(&tree);
    tree.current_dir(workspace("."));
    output(tree).lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_lower_layers_bring_no_runtime_database_or_client_along() {
    let heavy = [
        "tokio",
        "async-std",
        "smol",
        "sqlx",
        "sqlx-core",
        "rusqlite",
        "libsqlite3-sys",
        "reqwest",
        "hyper",
        "consulrs",
        "openssl",
        "rustls",
    ];
    for name in ["onex-contract", "onex-event", "onex-reducer"] {
        let dependencies = dependencies(name);
        assert!(dependencies.contains(name) && dependencies.contains("serde"), "{dependencies:?}");
        let found: Vec<_> = heavy.iter().filter(|heavy| dependencies.contains(**heavy)).collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
}
