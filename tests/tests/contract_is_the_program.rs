//! An orchestrator is nothing but its contract: renamed, extended and rearranged copies of ours run as they say,
//! and so does the contract of the system that this one follows.

use std::path::Path;

use onex_tests::process::{Ended, Home, crowd, lines, sqlite};
use onex_tests::{EFFECT, ORCHESTRATOR, REDUCER, contract_path, text, workspace};
use serde_json::json;

/// The name of the copy.
const COPY: &str = "another_registration_orchestrator";
const NODES: u32 = 5;

/// The contract of December 2025, as its authors wrote it.
const DECEMBER: &str = "../shared/corpus/omnibase_infra@735d873d4/src/omnibase_infra/nodes/\
                        node_registration_orchestrator/v1_0_0/contract.yaml";

const PASS_THROUGH: &str = "
        - node_id: extra
          node_type: compute
          depends_on: [aggregate_results]
";

const TEMPLATE: &str = r#"
        - node_id: extra
          node_type: compute
          depends_on: [aggregate_results]
          step_config:
            input:
              verdict: "${steps.aggregate_results.output.status}"
              node: "${input.node_id}"
"#;

const SECOND_AGGREGATION: &str = "
        - node_id: extra
          node_type: compute
          depends_on: [execute_consul_registration, execute_postgres_registration]
          step_config:
            aggregation_strategy: all_or_none
";

/// Our orchestrator's contract under another name, with one more step between the results and their publication.
fn copy(step: &str, publish_after: &str, changes: &[(&str, &str)]) -> String {
    let mut contract = text(&contract_path(ORCHESTRATOR));
    let publication = format!("{step}\n        - node_id: publish_outcome");
    let always = [
        ("name: node_registration_orchestrator", "name: another_registration_orchestrator"),
        ("\n        - node_id: publish_outcome", publication.as_str()),
        ("depends_on: [aggregate_results]\n          step_config:\n            event_type", publish_after),
    ];
    for (from, to) in always.iter().chain(changes) {
        assert_eq!(contract.matches(from).count(), 1, "`{from}` stands once in our contract");
        contract = contract.replace(from, to);
    }
    contract
}

/// Runs a contract, alone in its directory or beside our two nodes, and gives what came of it.
fn run(home: &Home, contract: &str, beside: &[&str]) -> Ended {
    home.write("mine/orchestrator/contract.yaml", contract);
    for name in beside {
        home.write(&format!("mine/{name}/contract.yaml"), text(&contract_path(name)));
    }
    let arguments = ["run", "--contracts", "mine", "--input", "-", "--once"];
    home.onex(&arguments).input(lines(&crowd(NODES))).run().expect_code(0)
}

fn check(contract: &str, name: &str) {
    for beside in [&[][..], &[REDUCER, EFFECT]] {
        let home = Home::new();
        let ended = run(&home, contract, beside);
        let wired = ended.stderr.lines().filter(|line| line.starts_with("wired")).count();
        assert_eq!(wired, 1 + beside.len(), "{}", ended.stderr);
        assert_eq!(ended.results().len(), NODES as usize, "{}", ended.stderr);
        for published in ended.results() {
            assert_eq!(published.status(), "success");
            assert_eq!(published.envelope.source_tool.as_deref(), Some(name));
            let applied = &published.result().intent_results;
            assert!(applied.len() == 2 && applied.iter().all(|intent| intent.success), "{applied:?}");
        }
        let count = "SELECT json_array((SELECT count(*) FROM node_registrations), (SELECT count(*) FROM services))";
        assert_eq!(sqlite(&home.data_file("registry.db"), count), json!([NODES, NODES]));
        let ran = "SELECT json_group_array(DISTINCT orchestrator) FROM runs";
        assert_eq!(sqlite(&home.data_file("journal.db"), ran), json!([name]));
    }
}

const AFTER_EXTRA: &str = "depends_on: [extra]\n          step_config:\n            event_type";
const AFTER_BOTH: &str = "depends_on: [aggregate_results, extra]\n          step_config:\n            event_type";

#[test]
fn a_copy_with_one_more_step_runs_under_its_own_name() {
    check(&copy(PASS_THROUGH, AFTER_EXTRA, &[]), COPY);
}

#[test]
fn what_the_added_step_gives_can_be_used() {
    let from_extra = (
        "${steps.aggregate_results.output.status}\"\n              consul",
        "${steps.extra.output.verdict}\"\n              consul",
    );
    check(&copy(TEMPLATE, AFTER_EXTRA, &[from_extra]), COPY);
}

#[test]
fn a_second_aggregation_is_one_more_step_like_any_other() {
    let from_extra = ("${steps.aggregate_results.output.status}\"", "${steps.extra.output.status}\"");
    check(&copy(SECOND_AGGREGATION, AFTER_BOTH, &[from_extra]), COPY);
}

/// The added step is in the journal's copy of the contract and in the list of steps that ended.
#[test]
fn the_added_step_is_carried_out() {
    let home = Home::new();
    run(&home, &copy(PASS_THROUGH, AFTER_EXTRA, &[]), &[]);
    let ended = "SELECT json_group_array(json_extract(step.value, '$.ended')) FROM records, \
                 json_each(body, '$.steps') AS step WHERE kind = 'ended' AND json_extract(step.value, '$.step') = 'extra'";
    let done = vec!["done"; NODES as usize];
    assert_eq!(sqlite(&home.data_file("journal.db"), ended), json!(done));
}

/// The real one beside a copy would give each event two owners.
#[test]
fn two_orchestrators_of_one_topic_are_refused() {
    let home = Home::new();
    home.write("mine/copy/contract.yaml", copy(PASS_THROUGH, AFTER_EXTRA, &[]));
    home.write("mine/ours/contract.yaml", text(&contract_path(ORCHESTRATOR)));
    let ended = home.onex(&["run", "--contracts", "mine", "--once"]).run().expect_code(1);
    assert!(ended.stderr.contains("already belongs to"), "{}", ended.stderr);
}

#[test]
fn the_contract_of_the_seed_system_runs_as_it_was_written() {
    let december = text(&workspace(DECEMBER));
    assert!(Path::new(&workspace(DECEMBER)).is_file() && december.contains("2025-12-18"));
    check(&december, ORCHESTRATOR);
}
