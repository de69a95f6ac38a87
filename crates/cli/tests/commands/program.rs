//! Runs the program in a directory of its own.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A contract that can be planned, and changed in tests.
pub(crate) const ORCHESTRATOR: &str = r#"name: greeter
node_type: ORCHESTRATOR
contract_version: "1.2.0"
description: Greets <everybody> & "all".
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: greeting}
    execution_graph:
      nodes:
        - {node_id: receive, node_type: effect, step_config: {event_pattern: Hello}}
        - {node_id: decide, node_type: reducer, depends_on: [receive], step_config: {reducer_protocol: node_registration_reducer}}
        - {node_id: left, node_type: effect, depends_on: [decide], step_config: {effect_node: node_registry_effect, intent_filter: "consul.*", timeout_ms: 4000, max_retries: 1}}
        - {node_id: right, node_type: effect, depends_on: [decide], step_config: {effect_node: node_registry_effect, intent_filter: "postgres.*"}}
        - {node_id: tell, node_type: effect, depends_on: [left, right], step_config: {event_type: Greeted}}
    coordination_rules: {execution_mode: parallel, max_parallel_branches: 2, failure_recovery_strategy: rollback, timeout_ms: 20000}
consumed_events: [{topic: "{env}.{namespace}.onex.evt.hello.said.v1", event_type: Hello}]
published_events: [{topic: "onex.evt.hello.greeted.v1", event_type: Greeted}]
intent_consumption:
  subscribed_intents: [consul.register, postgres.upsert_registration]
  intent_routing_table: {consul.register: node_registry_effect, postgres.upsert_registration: node_registry_effect}
"#;

/// How the program ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An empty directory to run in.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let file = self.0.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(&file, text).expect("a file");
        file
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join(path)).expect("a file")
    }

    pub(crate) fn onex(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onex"));
        let output = command.current_dir(self.0.path()).args(arguments).output().expect("it runs");
        assert!(!self.0.path().join(".onex").exists(), "{arguments:?}: nothing was begun");
        Ended {
            code: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// What the program says in an empty directory.
pub(crate) fn onex(arguments: &[&str]) -> Ended {
    Home::new().onex(arguments)
}

/// Asserts that a command line is refused, and that the refusal names what is wrong.
pub(crate) fn refused(home: &Home, arguments: &[&str], named: &str) {
    let ended = home.onex(arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}: {}", ended.stderr);
    assert!(ended.stderr.contains(named), "{arguments:?}: {}", ended.stderr);
}

/// One of our own contracts, or all of them.
pub(crate) fn ours(path: &str) -> String {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts").canonicalize().expect("it exists");
    contracts.join(path).display().to_string()
}

/// A file of the corpus, when there is one beside the workspace.
pub(crate) fn corpus(path: &str) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus").join(path);
    file.exists().then(|| file.display().to_string())
}
