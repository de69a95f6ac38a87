//! Section 19.1: which contracts make a plan, and what is said of those that make none.
//!
//! The reader tells every problem of a file, so where upstream stops at the first, more is expected here
//! (docs/adr/0013).

use onex_contract::{Fingerprint, Reading, Severity, Source, read};
use onex_node::NodeRegistry;
use onex_orchestrator::{NodeOrchestrator, PlanError};

use super::{parallel, table};
use crate::support::Case;

/// Steps that hand on, without others beside them.
fn graph(graph: &str) -> Case {
    Case::bare(graph)
}

/// The messages of one severity, in the order of the text.
fn messages(reading: &Reading, severity: Severity) -> Vec<String> {
    let found = reading.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
    found.map(|diagnostic| diagnostic.message.clone()).collect()
}

/// The contract is refused, for exactly these reasons in this order, each given by a part of what is said.
fn refused<const N: usize>(case: Case, expected: [&str; N]) {
    refused_text(&case.text(), &expected);
}

fn refused_text(text: &str, expected: &[&str]) {
    let reading = read(Source { file: "contract.yaml", text });
    let found = messages(&reading, Severity::Error);
    let is_told = found.iter().zip(expected).all(|(found, expected)| found.contains(expected));
    assert!(is_told && found.len() == expected.len(), "{found:#?}");
    let refused = NodeOrchestrator::from_reading(&reading, &NodeRegistry::new());
    assert!(matches!(refused, Err(PlanError::Unsound { .. })));
}

/// The contract makes a plan of these steps, as declared and in the order they are considered.
fn accepted(case: Case, expected: (&str, &str)) {
    let plan = case.plan();
    let named = |indices: &mut dyn Iterator<Item = usize>| {
        let own = |index: &usize| case.steps().iter().any(|step| step.name == plan.steps[*index].id.as_str());
        indices.filter(own).map(|index| plan.steps[index].id.to_string()).collect::<Vec<_>>().join(",")
    };
    let found = (named(&mut (0..plan.steps.len())), named(&mut plan.order.iter().copied()));
    assert_eq!(found, (expected.0.to_owned(), expected.1.to_owned()));
}

const CYCLE: &str = "Execution graph contains a cycle (must be a DAG)";
const DUPLICATE: &str = "Execution graph has duplicate node_id values: ['A']";

table! { refused:
    v01 graph("A+,A+") => [DUPLICATE];
    v02 graph("A+(Z)") => ["Execution graph node 'A' depends on undeclared node_id(s): ['Z']"];
    v03 graph("A+(B),B+(A)") => [CYCLE];
    v04 graph("A+(A)") => [CYCLE];
    v05 graph("A+(Z,A)") => [CYCLE, "Execution graph node 'A' depends on undeclared node_id(s): ['Z']"];
    v08 graph("A+(B),B+(A)") => ["Execution graph contains a cycle (must be a DAG): A -> B -> A"];
    v09 graph("A+(B),B+(C),C+(A)") => ["Execution graph contains a cycle (must be a DAG): A -> B -> C -> A"];
    v10 graph("A+(A)") => ["Execution graph contains a cycle (must be a DAG): A -> A"];
    v11 graph("A+,B+(A),C+(B),D+(C,F),E+(D),F+(E),G+(A)") => ["Execution graph contains a cycle (must be a DAG): D -> F -> E -> D"];
    v13 graph("A+(B),B+~(A)") => [CYCLE];
    v14 graph("A+(G)") => ["Execution graph node 'A' depends on undeclared node_id(s): ['G']"];
    v15 graph("A+(G1,G2)") => [
        "Execution graph node 'A' depends on undeclared node_id(s): ['G1']",
        "Execution graph node 'A' depends on undeclared node_id(s): ['G2']",
    ];
    v16 graph("A+,B+,A+") => [DUPLICATE];
    v18 graph("A+").metadata("workflow_name: ''") => ["workflow_name` is empty"];
    v20_conditional graph("A+").rules("execution_mode: conditional") => ["execution mode `conditional` is reserved"];
    v20_streaming graph("A+").rules("execution_mode: streaming") => ["execution mode `streaming` is reserved"];
    v20_unknown graph("A+").rules("execution_mode: invalid_mode") => ["unknown execution mode `invalid_mode`"];
    v21 graph("A+").rules("execution_mode: PARALLEL") => ["unknown execution mode `PARALLEL`"];
    v22 graph("A+").metadata("workflow_name: w, execution_mode: conditional") => ["execution mode `conditional` is reserved"];
    v23 graph("A+").metadata("workflow_name: w, execution_mode: streaming") => ["execution mode `streaming` is reserved"];
    v24 graph("").rules("execution_mode: conditional") => ["execution mode `conditional` is reserved"];
    v32_99 Case::of("A[timeout_ms: 99]") => ["is 99, expected 100 to 300000"];
    v32_300001 Case::of("A[timeout_ms: 300001]") => ["is 300001, expected 100 to 300000"];
    v33_retry_11 Case::of("A[retry_count: 11]") => ["is 11, expected 0 to 10"];
    v33_retry_negative Case::of("A[retry_count: -1]") => ["`-1`"];
    v35_999 graph("A+").metadata("workflow_name: w, timeout_ms: 999") => ["is 999, expected 1000 to 86400000"];
    v35_a_day_and_a_millisecond graph("A+").metadata("workflow_name: w, timeout_ms: 86400001") => ["is 86400001, expected 1000 to 86400000"];
    v37 graph("A+(B),B+(A)") => ["Execution graph contains a cycle (must be a DAG): A -> B -> A"];
    v39 graph("A+,A+,A+") => [DUPLICATE, DUPLICATE];
    v40_mixed graph("A+").rules("execution_mode: mixed") => ["unknown execution mode `mixed`, expected sequential, parallel or batch"];
    v40_space graph("A+").rules("execution_mode: ' parallel'") => ["unknown execution mode ` parallel`"];
    o10_o72 graph("A+(A)") => [CYCLE];
}

table! { accepted:
    v06 graph("B+(A),A+") => ("B,A", "A,B");
    v06_empty graph("") => ("", "");
    v06_twice graph("B+(A,A),A+") => ("B,A", "A,B");
    v12 graph("A+,B+(A),C+(A),D+(B,C)") => ("A,B,C,D", "A,B,C,D");
    v17 graph("A+[description: same],B+[description: same]") => ("A,B", "A,B");
    v32_100 Case::of("A[timeout_ms: 100]") => ("A", "A");
    v32_300000 Case::of("A[timeout_ms: 300000]") => ("A", "A");
    v33_retry_0 Case::of("A[retry_count: 0]") => ("A", "A");
    v33_retry_10 Case::of("A[retry_count: 10]") => ("A", "A");
    v35_1000 graph("A+").metadata("workflow_name: w, timeout_ms: 1000") => ("A", "A");
    v35_a_day graph("A+").metadata("workflow_name: w, timeout_ms: 86400000") => ("A", "A");
    v36 graph("A+~,B+(A)") => ("A,B", "A,B");
}

#[test]
fn v07_v34_an_unknown_key_of_a_step_is_told_at_its_place() {
    let reading = graph("A+[banana: 1,x-own: 2],B+(A)").reading();
    let found: Vec<_> = reading.diagnostics.iter().map(|found| (found.code, found.path.to_string())).collect();
    let place = "workflow_coordination.workflow_definition.execution_graph.nodes[0].banana".to_owned();
    assert!(found.contains(&("ONEX0007", place)), "{found:?}");
    assert!(found.iter().all(|(_, path)| !path.contains("x-own")), "{found:?}");
}

/// A priority orders nothing here, so its bounds are not ours to guard.
#[test]
fn v33_a_priority_is_told_as_a_key_that_is_not_acted_on() {
    for priority in [0, 1, 1000, 1001] {
        let reading = Case::of(&format!("A[priority: {priority}]")).reading();
        let told = reading.diagnostics.iter().find(|found| found.path.last_key() == Some("priority"));
        assert_eq!(told.map(|found| found.code), Some("ONEX0009"), "{priority}");
    }
}

#[test]
fn v19_a_step_without_a_name_is_refused() {
    let text = Case::bare("A+").text();
    refused_text(&text.replace("node_id: A, ", ""), &["missing key `node_id`"]);
    refused_text(&text.replace("node_id: A, ", "node_id: '', "), &["node_id` is empty"]);
}

#[test]
fn v26_a_reserved_step_type_that_was_kept_makes_no_plan() {
    let kept = Case::bare("A+").reading().canonical.replace(r#""node_type":"compute""#, r#""node_type":"conditional""#);
    let fingerprint = Fingerprint::of(&kept);
    let refused = NodeOrchestrator::from_canonical(&kept, fingerprint.as_str(), &NodeRegistry::new());
    assert!(matches!(refused, Err(PlanError::Unsound { .. })), "{refused:?}");
}

#[test]
fn v25_v27_unknown_and_reserved_step_types_are_refused() {
    let text = Case::bare("A+").text();
    for word in ["conditional", "' compute '", "banana"] {
        let bare = word.trim_matches('\'');
        refused_text(
            &text.replace("node_type: compute", &format!("node_type: {word}")),
            &[&format!("unknown node type `{bare}`")],
        );
    }
    let capital =
        read(Source { file: "contract.yaml", text: &text.replace("node_type: compute", "node_type: Compute") });
    assert!(!capital.has_errors(), "the case of a word is no difference");
}

#[test]
fn v29_every_problem_is_told_in_one_reading() {
    let case = graph("A+(Z),B+(C),C+(B),A+").metadata("workflow_name: ''");
    let undeclared = "depends on undeclared node_id(s): ['Z']";
    refused(case.clone(), ["workflow_name` is empty", undeclared, CYCLE, DUPLICATE]);
    // With something that cannot be read at all, the parts are judged that are whole.
    refused(case.rules("execution_mode: banana"), [undeclared, CYCLE, DUPLICATE, "unknown execution mode `banana`"]);
}

/// A search for cycles that walks every way through this graph would take 3^40 steps.
#[test]
fn v30_the_search_for_cycles_visits_each_dependency_once() {
    let layer = |index: usize| (0..3).map(move |step| format!("S{}", 3 * index + step));
    let layers = (1..40).flat_map(|index| {
        let before = layer(index - 1).collect::<Vec<_>>().join(",");
        layer(index).map(move |step| format!("{step}+({before})")).collect::<Vec<_>>()
    });
    let first = layer(0).map(|step| format!("{step}+"));
    let case = graph(&first.chain(layers).collect::<Vec<_>>().join(","));
    assert_eq!(case.plan().order, (0..120).collect::<Vec<_>>());
}

#[test]
fn v38_a_step_that_stands_alone_is_no_problem_but_told() {
    let reading = parallel("A,B+(A),C+").reading();
    let alone: Vec<_> = reading.diagnostics.iter().filter(|found| found.code == "ONEX0024").collect();
    assert_eq!(alone.len(), 1);
    assert!(alone[0].severity != Severity::Error && alone[0].message.contains("`C`"), "{}", alone[0]);
    assert!(graph("A+").reading().diagnostics.iter().all(|found| found.code != "ONEX0024"), "one step is not isolated");
}
