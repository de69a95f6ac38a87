//! The 53 checks of the seed system, each with its number: 24 that were its unit tests, 29 that were its
//! integration tests.
//!
//! There a check read the contract's YAML; here it reads the contract and the plan that the runtime makes of
//! it. Where a check has no meaning in Rust (a container, a class attribute, a factory), the test holds what
//! the check protected: that the contract is the program. Every check of a contract is also held against
//! broken variants, which must be refused by their code, warned of, or at least told apart here.
#![expect(clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::any::type_name;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use onex_compute::AggregationStrategy;
use onex_contract::{Archetype, Contract, ExecutionMode, FailureRecoveryStrategy, GraphNode, ModelReference, Severity};
use onex_event::{
    IntentResult, NodeIntrospectionEvent, NodeRegistrationResultEvent, OrchestratorConfig, OrchestratorInput,
    OrchestratorOutput, RegistrationStatus, Topic,
};
use onex_journal::RunStatus;
use onex_node::{ErrorClass, Failure, Intent, NodeRegistry, StepId};
use onex_orchestrator::{Binding, ComputeBinding, MayRetry, NodeOrchestrator, Plan, PlanError, PlannedStep};
use onex_tests::{
    EFFECT, Edit, ORCHESTRATOR, REDUCER, ScriptedEffect, ScriptedReducer, SourceFile, code, contract, contract_path,
    edited, nodes, read_text, reading, run, sample_events, sources, text, worker, workspace,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

const NODES: &str = "/workflow_coordination/workflow_definition/execution_graph/nodes";
const METADATA: &str = "/workflow_coordination/workflow_definition/workflow_metadata";
const RULES: &str = "/workflow_coordination/workflow_definition/coordination_rules";
const POLICY: &str = "/error_handling/retry_policy";
const BREAKER: &str = "/error_handling/circuit_breaker";

const STEPS: [&str; 6] = [
    "receive_introspection",
    "compute_intents",
    "execute_consul_registration",
    "execute_postgres_registration",
    "aggregate_results",
    "publish_outcome",
];

/// How a broken variant is told apart.
enum Told {
    /// By an error of this code, so that it is never run.
    Refused(&'static str),
    /// By a warning of this code.
    Warned(&'static str),
    /// By the check alone.
    Here,
}
use Told::{Here, Refused, Warned};

fn set(base: &str, key: &str, value: Value) -> Edit {
    Edit(format!("{base}/{key}"), Some(value))
}

fn without(base: &str, key: &str) -> Edit {
    Edit(format!("{base}/{key}"), None)
}

/// Holds a check against our contract, and against variants of it that are broken.
fn check(holds: impl Fn(&Contract) -> bool, broken: impl IntoIterator<Item = (Edit, Told)>) {
    let ours = reading(ORCHESTRATOR);
    assert!(!ours.has_errors(), "{:?}", ours.diagnostics);
    assert!(ours.contract.as_ref().is_some_and(&holds), "the check does not hold of our contract");
    for (edit, told) in broken {
        let variant = edited(ORCHESTRATOR, &edit);
        let found: Vec<_> = variant.diagnostics.iter().map(|found| (found.code, found.severity)).collect();
        match told {
            Refused(code) => {
                assert!(found.contains(&(code, Severity::Error)), "{edit:?}: {found:?}");
                let made = NodeOrchestrator::from_reading(&variant, &our_nodes());
                assert!(matches!(made, Err(PlanError::Unsound { .. })), "{edit:?}");
            }
            Warned(code) => assert!(found.contains(&(code, Severity::Warning)), "{edit:?}: {found:?}"),
            Here => {
                assert!(!variant.has_errors(), "{edit:?}: {found:?}");
                assert!(!variant.contract.as_ref().is_some_and(&holds), "{edit:?} goes unseen");
            }
        }
    }
}

fn our_nodes() -> NodeRegistry {
    nodes(&Arc::new(ScriptedEffect::new()))
}

fn orchestrator_over(nodes: &NodeRegistry) -> NodeOrchestrator {
    NodeOrchestrator::from_reading(&reading(ORCHESTRATOR), nodes).unwrap_or_else(|error| panic!("{error}"))
}

fn orchestrator() -> NodeOrchestrator {
    orchestrator_over(&our_nodes())
}

fn plan_of(contract: &Contract) -> Option<Plan> {
    Plan::new(contract, "fingerprint", &our_nodes()).ok()
}

/// All that a contract settles in a plan; the nodes behind its names are not part of it.
fn shown(plan: &Plan) -> Vec<String> {
    let rules = format!("{:?} {:?} {:?}", plan.mode, plan.max_parallel, plan.strategy);
    let ends = format!("{:?} {:?} {:?}", plan.rollback, plan.run_timeout, plan.order);
    let steps = plan.steps.iter().map(|step| {
        let bound = format!("{} {:?} {:?} {:?} {}", step.id, step.depends_on, step.binding, step.input, step.config);
        format!("{bound} {:?} {:?} {} {}", step.attempt_timeout, step.retry, step.takes_failures, step.is_absorbed)
    });
    [plan.name.clone(), plan.fingerprint.clone(), rules, ends].into_iter().chain(steps).collect()
}

fn graph(contract: &Contract) -> &[GraphNode] {
    let workflow = contract.workflow_coordination.as_ref();
    workflow.map_or(&[], |workflow| &workflow.workflow_definition.execution_graph.nodes)
}

fn step<'c>(contract: &'c Contract, id: &str) -> Option<&'c GraphNode> {
    graph(contract).iter().find(|node| node.node_id == id)
}

fn is_kind(contract: &Contract, id: &str, kind: Archetype) -> bool {
    step(contract, id).is_some_and(|node| node.node_type.archetype == kind)
}

fn planned(contract: &Contract, id: &str) -> Option<PlannedStep> {
    let plan = plan_of(contract)?;
    let index = plan.index_of(&StepId::from(id))?;
    Some(plan.steps[index].clone())
}

fn canonical() -> Value {
    serde_json::from_str(&reading(ORCHESTRATOR).canonical).expect("canonical JSON")
}

fn failure(class: ErrorClass) -> Failure {
    Failure::new(class, "ONEX4000", "told to fail")
}

fn result_of(end: &onex_orchestrator::RunEnd) -> NodeRegistrationResultEvent {
    let [publication] = &end.outcome.publications[..] else { panic!("one event leaves, not {:?}", end.outcome) };
    assert_eq!(publication.topic, "onex.evt.platform.node-registration-result.v1");
    onex_event::read(&publication.payload).unwrap_or_else(|error| panic!("{error}"))
}

// The seed's unit tests.

#[test]
fn unit_01_the_node_is_a_node_orchestrator() {
    let made: NodeOrchestrator = orchestrator();
    assert_eq!(made.plan().name, ORCHESTRATOR);
    check(
        |contract| contract.archetype() == Archetype::Orchestrator,
        [(set("", "node_type", json!("EFFECT")), Refused("ONEX0010"))],
    );
    let reducer = NodeOrchestrator::from_reading(&reading(REDUCER), &our_nodes());
    assert!(matches!(reducer, Err(PlanError::NoWorkflow { .. })), "a reducer's contract makes no orchestrator");
}

/// The functions by which the seed's predecessor did its work in code.
const IMPERATIVE: [&str; 6] = [
    "execute_registration_workflow",
    "execute_intent_with_retry",
    "aggregate_results",
    "create_error_output",
    "set_reducer",
    "set_effect",
];

fn defines(code: &str, function: &str) -> bool {
    code.contains(&format!("fn {function}(")) || code.contains(&format!("fn {function}<"))
}

#[test]
fn unit_02_no_function_does_a_step_of_this_workflow() {
    for SourceFile { path, code } in sources(Some("orchestrator")) {
        for function in IMPERATIVE {
            assert!(!defines(&code, function), "{} defines `{function}`", path.display());
        }
    }
    assert!(defines("    pub fn set_reducer(&mut self) {", "set_reducer"));
    assert!(!defines(&code("// fn set_reducer(\nfn f() {}"), "set_reducer"));
}

#[test]
fn unit_03_the_orchestrator_holds_names_and_rules_and_no_nodes_of_its_own() {
    let bindings = |nodes: &NodeRegistry| -> Vec<Binding> {
        orchestrator_over(nodes).plan().steps.iter().map(|step| step.binding.clone()).collect()
    };
    let scripted = NodeRegistry::new()
        .with_reducer(REDUCER, Arc::new(ScriptedReducer::default()))
        .with_effect(EFFECT, Arc::new(ScriptedEffect::new()));
    assert_eq!(bindings(&our_nodes()), bindings(&scripted), "what a node is changes no plan");
    let renamed =
        edited(ORCHESTRATOR, &set("/intent_consumption/intent_routing_table", "consul.register", json!("other")));
    let made = NodeOrchestrator::from_reading(&renamed, &our_nodes());
    let Err(PlanError::Unresolved { source, .. }) = made else { panic!("a name that nothing answers to is refused") };
    assert_eq!(source.name, "other");
}

#[tokio::test(start_paused = true)]
async fn unit_04_the_orchestrator_keeps_no_state_of_a_reducer() {
    let effect = Arc::new(ScriptedEffect::new());
    let orchestrator = orchestrator_over(&nodes(&effect));
    let (event, journal) = (&sample_events()[0], worker());
    for (run_id, worker, calls) in [(1, &journal, 2), (2, &journal, 2), (3, &worker(), 4)] {
        let end = run(&orchestrator, worker, run_id, event).await;
        assert_eq!((end.outcome.status, effect.calls().len()), (RunStatus::Succeeded, calls), "run {run_id}");
    }
}

/// Public functions of `impl NodeOrchestrator` in a source text, each with its signature.
fn methods(code: &str) -> Vec<String> {
    let blocks = code.split("impl NodeOrchestrator {").skip(1);
    let bodies = blocks.map(|block| block.split("\n}").next().unwrap_or_default());
    let starts = bodies.flat_map(|body| body.split("\n    pub ").skip(1));
    starts
        .filter(|text| text.contains("fn "))
        .map(|text| text.split(" {\n").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn unit_05_no_factory_stands_beside_the_contract() {
    let all: Vec<String> = sources(Some("orchestrator")).iter().flat_map(|source| methods(&source.code)).collect();
    let constructors: Vec<&str> = all
        .iter()
        .filter(|method| method.contains("Self"))
        .filter_map(|method| method.split_once("fn ")?.1.split('(').next())
        .collect();
    assert_eq!(constructors, ["from_reading", "from_canonical", "of_snapshot"], "a file, or the journal's copy of it");
    let made = methods("impl NodeOrchestrator {\n    pub async fn create() -> Self {\n    }\n}\n");
    assert_eq!(made, ["async fn create() -> Self"]);
    let (read, plan) = (reading(ORCHESTRATOR), orchestrator());
    let again = NodeOrchestrator::from_canonical(&read.canonical, &plan.plan().fingerprint, &our_nodes());
    assert_eq!(shown(again.expect("the journal's copy is a contract").plan()), shown(plan.plan()));
}

/// Code without the one thing it may do with the orchestrator: embed its file, under a label that names it.
fn without_embedding(code: &str) -> String {
    let mut rest: String = code.split_whitespace().collect();
    for file in [format!("{ORCHESTRATOR}/contract.yaml"), format!("{ORCHESTRATOR}.yaml")] {
        while let Some(end) = rest.find(&format!("{file}\")")) {
            let Some(start) = rest[..end].rfind("include_str!(\"").filter(|start| !rest[*start..end].contains(')'))
            else {
                return rest;
            };
            let label = format!("\"(builtin)/{ORCHESTRATOR}\",");
            let start = rest[..start].strip_suffix(&label).map_or(start, str::len);
            rest.replace_range(start..end + file.len() + "\")".len(), "");
        }
    }
    rest
}

/// Names of the orchestrator, its workflow and its steps that code uses, other than by embedding the file.
fn mentions(code: &str) -> Vec<String> {
    let code = without_embedding(code);
    let steps = STEPS.iter().map(|step| format!("\"{step}\""));
    let words = [ORCHESTRATOR.to_owned(), "node_registration_workflow".to_owned()].into_iter().chain(steps);
    words.flat_map(|word| code.matches(&word).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn unit_06_no_code_is_written_for_this_orchestrator() {
    for SourceFile { path, code } in sources(None) {
        assert_eq!(mentions(&code), Vec::<String>::new(), "{}", path.display());
    }
    let name = ORCHESTRATOR;
    let table = [
        (format!("const A: &str = include_str!(\n  \"../contracts/{name}/contract.yaml\"\n);"), 0),
        (format!("[(\"(built in)/{name}\", include_str!(\"../contracts/{name}.yaml\"))]"), 0),
        (format!("[(\"(built in)/{name}\", include_str!(\"../contracts/another.yaml\"))]"), 1),
        (format!("const A: &str = \"../contracts/{name}/contract.yaml\";"), 1),
        (format!("include_str!(\"x\"); open(\"contracts/{name}/contract.yaml\")"), 1),
        (format!("if name == \"{name}\" {{ special() }}"), 1),
        ("match step { \"compute_intents\" => {} }".to_owned(), 1),
        ("fn compute_intents() {}".to_owned(), 0),
    ];
    for (code, expected) in table {
        assert_eq!(mentions(&code).len(), expected, "{code}");
    }
}

#[test]
fn what_the_binary_embeds_is_our_contract() {
    for name in [ORCHESTRATOR, REDUCER, EFFECT] {
        let embedded = workspace("crates/cli/contracts").join(format!("{name}.yaml"));
        assert_eq!(text(&embedded), text(&contract_path(name)), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn unit_07_the_registry_it_was_made_with_is_the_one_it_calls() {
    let (given, other) = (Arc::new(ScriptedEffect::new()), Arc::new(ScriptedEffect::new()));
    let (made, _beside) = (orchestrator_over(&nodes(&given)), orchestrator_over(&nodes(&other)));
    run(&made, &worker(), 1, &sample_events()[0]).await;
    assert_eq!(given.calls(), ["consul.register", "postgres.upsert_registration"]);
    assert_eq!(other.calls(), Vec::<String>::new());
}

#[test]
fn unit_08_what_is_made_is_bound_in_every_step() {
    let plan = Arc::clone(orchestrator().plan());
    let kind = |step: &PlannedStep| match &step.binding {
        Binding::Receive { .. } => "receives",
        Binding::Reduce { .. } => "reduces",
        Binding::Execute { .. } => "executes",
        Binding::Compute(_) => "computes",
        Binding::Workflow { .. } => "runs another",
        Binding::Publish { .. } => "publishes",
    };
    let kinds: Vec<_> = plan.order.iter().map(|index| kind(&plan.steps[*index])).collect();
    assert_eq!(kinds, ["receives", "reduces", "executes", "executes", "computes", "publishes"]);
    assert!(plan.steps.iter().all(|step| step.attempt_timeout.value > Duration::ZERO));
    for unbound in [without(NODES, "0/step_config"), without(NODES, "1/step_config"), without(NODES, "5/step_config")] {
        let made = NodeOrchestrator::from_reading(&edited(ORCHESTRATOR, &unbound), &our_nodes());
        assert!(made.is_err(), "{unbound:?}");
    }
}

#[test]
fn unit_09_the_contract_is_a_file_under_its_own_name() {
    for name in [ORCHESTRATOR, REDUCER, EFFECT] {
        assert!(contract_path(name).is_file(), "{}", contract_path(name).display());
        assert_eq!(contract(name).name, name);
    }
    assert!(!contract_path("node_that_is_not").exists());
}

#[test]
fn unit_10_the_contract_has_a_name_and_is_an_orchestrator() {
    check(
        |contract| contract.name == ORCHESTRATOR && contract.node_type.raw == "ORCHESTRATOR",
        [
            (without("", "name"), Here),
            (without("", "node_type"), Refused("ONEX0006")),
            (set("", "node_type", json!("BANANA")), Refused("ONEX0005")),
            (set("", "name", json!("another")), Here),
        ],
    );
}

#[test]
fn unit_11_the_contract_has_versions_and_a_description() {
    check(
        |contract| {
            let described = contract.description.as_ref().is_some_and(|text| !text.trim().is_empty());
            contract.node_version.is_some() && described && contract.contract_version.0.major >= 1
        },
        [
            (without("", "contract_version"), Refused("ONEX0006")),
            (without("", "node_version"), Here),
            (without("", "description"), Here),
        ],
    );
}

#[test]
fn unit_12_both_models_have_a_name_and_a_module() {
    let named = |model: &Option<ModelReference>| {
        let named = |model: &ModelReference| !model.name.is_empty() && model.module.is_some();
        model.as_ref().is_some_and(named)
    };
    check(
        move |contract| named(&contract.input_model) && named(&contract.output_model),
        [
            (without("/input_model", "name"), Refused("ONEX0006")),
            (set("", "output_model", json!(7)), Refused("ONEX0005")),
            (without("/output_model", "module"), Here),
            (without("", "input_model"), Here),
        ],
    );
}

#[test]
fn unit_13_the_contract_has_an_execution_graph() {
    check(
        |contract| !graph(contract).is_empty(),
        [
            (without("/workflow_coordination", "workflow_definition"), Refused("ONEX0006")),
            (set("/workflow_coordination/workflow_definition/execution_graph", "nodes", json!([])), Warned("ONEX0011")),
            (
                set("/workflow_coordination/workflow_definition/execution_graph", "nodes", json!({})),
                Refused("ONEX0005"),
            ),
        ],
    );
    let none = edited(ORCHESTRATOR, &without("", "workflow_coordination"));
    let made = NodeOrchestrator::from_reading(&none, &our_nodes());
    assert!(matches!(made, Err(PlanError::NoWorkflow { .. })), "an orchestrator without a program is none");
}

/// Whether a step carries out the intents of one backend through our effect.
fn executes(contract: &Contract, id: &str, backend: &str) -> bool {
    matches!(
        planned(contract, id).map(|step| step.binding),
        Some(Binding::Execute { filter: Some(filter), effect: Some(effect), routes, .. })
            if filter == format!("{backend}.*") && effect == EFFECT && routes.iter().all(|(_, node)| node == EFFECT)
    )
}

#[test]
fn unit_14_the_graph_computes_intents_and_executes_them_in_both_backends() {
    let reduces = |contract: &Contract| {
        let binding = planned(contract, "compute_intents").map(|step| step.binding);
        binding == Some(Binding::Reduce { reducer: REDUCER.to_owned() })
    };
    check(
        |contract| {
            reduces(contract)
                && executes(contract, "execute_consul_registration", "consul")
                && executes(contract, "execute_postgres_registration", "postgres")
        },
        [
            (without(NODES, "1"), Refused("ONEX0021")),
            (without(NODES, "2"), Refused("ONEX0021")),
            (without(NODES, "3"), Refused("ONEX0021")),
            (set(NODES, "2/step_config/intent_filter", json!("postgres.*")), Here),
            (set(NODES, "3/step_config/intent_filter", json!("mysql.*")), Refused("ONEX0051")),
        ],
    );
}

#[test]
fn unit_15_the_workflow_has_a_name_a_version_and_a_mode() {
    check(
        |contract| {
            let workflow = contract.workflow_coordination.as_ref();
            let metadata = workflow.map(|workflow| &workflow.workflow_definition.workflow_metadata);
            metadata.is_some_and(|metadata| {
                metadata.workflow_name == "node_registration_workflow"
                    && metadata.workflow_version.is_some()
                    && metadata.execution_mode.is_some()
            })
        },
        [
            (without(METADATA, "workflow_name"), Refused("ONEX0006")),
            (set(METADATA, "workflow_version", json!("one")), Refused("ONEX0005")),
            (set(METADATA, "execution_mode", json!("streaming")), Refused("ONEX0005")),
            (without(METADATA, "workflow_version"), Here),
            (without(METADATA, "execution_mode"), Here),
        ],
    );
}

#[test]
fn unit_16_strategy_retries_and_timeout_come_from_the_coordination_rules() {
    check(
        |contract| {
            plan_of(contract).is_some_and(|plan| {
                let retries = plan.steps.iter().map(|step| step.retry.max_retries.origin);
                let origins = [plan.strategy.origin, plan.run_timeout.origin].into_iter().chain(retries);
                origins.into_iter().all(|origin| origin == "coordination_rules")
            })
        },
        [
            (without(RULES, "failure_recovery_strategy"), Here),
            (without(RULES, "max_retries"), Here),
            (without(RULES, "timeout_ms"), Here),
            (set(RULES, "failure_recovery_strategy", json!("pray")), Refused("ONEX0005")),
            (set(RULES, "max_retries", json!(11)), Refused("ONEX0030")),
        ],
    );
}

#[test]
fn unit_17_failing_is_planned_for() {
    check(
        |contract| {
            let handling = contract.error_handling.as_ref();
            handling.is_some_and(|handling| handling.retry_policy.is_some() && handling.circuit_breaker.is_some())
        },
        [
            (without("/error_handling", "retry_policy"), Here),
            (without("/error_handling", "circuit_breaker"), Here),
            (set("/error_handling", "retry_polici", json!({})), Warned("ONEX0007")),
            (set(POLICY, "exponential_base", json!(0.5)), Refused("ONEX0030")),
        ],
    );
}

#[test]
fn unit_18_an_introspection_event_starts_it() {
    check(
        |contract| {
            let received = planned(contract, "receive_introspection").map(|step| step.binding);
            let patterns = Binding::Receive { patterns: vec!["NodeIntrospectionEvent".to_owned()] };
            let mut consumed = contract.consumed_events.iter();
            received == Some(patterns)
                && consumed.any(|event| event.event_type.as_deref() == Some("NodeIntrospectionEvent"))
        },
        [
            (without("/consumed_events", "0"), Here),
            (set("/consumed_events/0", "event_type", json!("NodeHeartbeatEvent")), Here),
            (set(NODES, "0/step_config/event_pattern", json!("NodeHeartbeatEvent")), Here),
            (set("/consumed_events", "0", json!({"description": "which?"})), Refused("ONEX0005")),
        ],
    );
}

#[test]
fn unit_19_it_publishes_a_registration_result() {
    check(
        |contract| {
            let published = planned(contract, "publish_outcome").map(|step| step.binding);
            let event_type = "NodeRegistrationResultEvent".to_owned();
            let topic = "onex.evt.platform.node-registration-result.v1".to_owned();
            published == Some(Binding::Publish { event_type, topic })
        },
        [
            (without("/published_events", "0"), Refused("ONEX0042")),
            (set("/published_events/0", "event_type", json!("NodeHeartbeatEvent")), Refused("ONEX0042")),
            (without("/published_events/0", "topic"), Refused("ONEX0042")),
            (set(NODES, "5/step_config/event_type", json!("NodeHeartbeatEvent")), Refused("ONEX0042")),
        ],
    );
}

type Reads = fn(&Value) -> bool;

fn reads<T: DeserializeOwned>(value: &Value) -> bool {
    onex_event::read::<T>(value).is_ok()
}

#[test]
fn unit_20_the_four_public_models_read_what_they_should_and_nothing_else() {
    let id = Uuid::nil();
    let event = &sample_events()[0];
    let outcome = json!({"intent_kind": "consul.register", "success": true, "execution_time_ms": 1.5});
    let output = json!({"correlation_id": id, "status": "failed", "total_execution_time_ms": 0});
    let table: [(Reads, Value, Value); 4] = [
        (
            reads::<OrchestratorInput>,
            json!({"introspection_event": event, "correlation_id": id}),
            json!({"correlation_id": id}),
        ),
        (
            reads::<OrchestratorOutput>,
            output,
            json!({"correlation_id": id, "status": "success", "total_execution_time_ms": 0}),
        ),
        (reads::<OrchestratorConfig>, json!({"timeout_seconds": 5}), json!({"timeout_seconds": 0})),
        (reads::<IntentResult>, outcome, json!({"intent_kind": "", "success": true, "execution_time_ms": 1.5})),
    ];
    for (reads, good, bad) in table {
        assert!(reads(&good), "{good}");
        assert!(!reads(&bad), "{bad}");
        assert!(!reads(&json!({"no_such_key": 1})));
    }
}

#[test]
fn unit_21_the_four_public_models_are_published_as_schemas() {
    let published = |file: &str| -> Value {
        let path = workspace("contracts/schema").join(format!("{file}.schema.json"));
        serde_json::from_str(&text(&path)).expect("a schema is JSON")
    };
    for (file, name) in [
        ("orchestrator_input", "OrchestratorInput"),
        ("orchestrator_output", "OrchestratorOutput"),
        ("orchestrator_config", "OrchestratorConfig"),
    ] {
        assert_eq!(published(file)["title"], name);
        assert!(onex_event::schemas().iter().any(|(known, _)| *known == file), "{file}");
    }
    assert!(published("orchestrator_output")["$defs"]["IntentResult"].is_object());
    assert!(published("orchestrator_output")["$defs"]["NoSuchModel"].is_null());
}

#[test]
fn unit_22_it_can_be_made_of_the_contract_and_its_nodes_alone() {
    let more = our_nodes()
        .with_effect("another_effect", Arc::new(ScriptedEffect::new()))
        .with_reducer("another_reducer", Arc::new(ScriptedReducer::default()));
    assert_eq!(shown(orchestrator_over(&more).plan()), shown(orchestrator().plan()), "other nodes change nothing");
}

#[test]
fn unit_23_without_its_nodes_it_cannot_be_made() {
    let reducer = || NodeRegistry::new().with_reducer(REDUCER, Arc::new(ScriptedReducer::default()));
    let effect = || NodeRegistry::new().with_effect(EFFECT, Arc::new(ScriptedEffect::new()));
    let table = [
        (NodeRegistry::new(), "compute_intents"),
        (effect(), "compute_intents"),
        (reducer(), "execute_consul_registration"),
    ];
    for (nodes, missed_by) in table {
        let error = NodeOrchestrator::from_reading(&reading(ORCHESTRATOR), &nodes).expect_err("a node is missing");
        assert_eq!(error.code(), "ONEX2003");
        assert!(matches!(&error, PlanError::Unresolved { step, .. } if step == missed_by), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn unit_24_two_constructions_are_equal_and_independent() {
    let effects = [Arc::new(ScriptedEffect::new()), Arc::new(ScriptedEffect::new())];
    let [first, second] = [0, 1].map(|index| orchestrator_over(&nodes(&effects[index])));
    assert_eq!(shown(first.plan()), shown(second.plan()));
    assert!(!Arc::ptr_eq(first.plan(), second.plan()));
    drop(first);
    run(&second, &worker(), 1, &sample_events()[0]).await;
    assert_eq!(effects.map(|effect| effect.calls().len()), [0, 2]);
}

// The seed's integration tests: the contract.

#[test]
fn integration_01_every_top_section_is_there() {
    let required = [
        "name",
        "node_type",
        "contract_version",
        "node_version",
        "description",
        "input_model",
        "output_model",
        "workflow_coordination",
        "consumed_events",
        "published_events",
        "intent_consumption",
        "dependencies",
        "error_handling",
    ];
    let complete = |value: &Value| required.iter().all(|section| !value[section].is_null());
    assert!(complete(&canonical()));
    for section in required {
        let variant = edited(ORCHESTRATOR, &without("", section));
        assert!(!complete(&serde_json::from_str(&variant.canonical).expect("canonical JSON")), "{section}");
    }
    let silent = edited(ORCHESTRATOR, &set("", "published_evnts", json!([])));
    assert!(silent.diagnostics.iter().any(|found| found.code == "ONEX0007"), "a misspelt section is not silent");
}

#[test]
fn integration_02_versions_have_three_numbers() {
    check(
        |contract| {
            let versions = [Some(&contract.contract_version), contract.node_version.as_ref()];
            let three =
                |text: String| text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u64>().is_ok());
            versions.into_iter().all(|version| version.is_some_and(|version| three(version.to_string())))
        },
        [
            (set("", "contract_version", json!("1.0")), Refused("ONEX0005")),
            (set("", "node_version", json!("1.0.x")), Refused("ONEX0005")),
            (set("", "contract_version", json!(1.0)), Refused("ONEX0005")),
            (set("", "node_version", json!("1.0.0-rc.1")), Here),
        ],
    );
}

#[test]
fn integration_03_the_node_type_is_orchestrator() {
    check(
        |contract| contract.node_type.raw == "ORCHESTRATOR" && contract.archetype() == Archetype::Orchestrator,
        ["EFFECT", "REDUCER", "COMPUTE"].map(|kind| (set("", "node_type", json!(kind)), Refused("ONEX0010"))),
    );
}

/// Whether a reference names the Rust type `T`: its module with dots, and its name.
fn names<T>(model: Option<&ModelReference>) -> bool {
    let path = type_name::<T>().replace("::", ".");
    model.is_some_and(|model| model.module.as_ref().is_some_and(|module| format!("{module}.{}", model.name) == path))
}

#[test]
fn integration_04_the_input_model_is_a_type_of_that_module() {
    check(
        |contract| names::<OrchestratorInput>(contract.input_model.as_ref()),
        [
            (set("/input_model", "name", json!("OrchestratorOutput")), Here),
            (set("/input_model", "module", json!("onex_event.intent")), Here),
        ],
    );
}

#[test]
fn integration_05_the_output_model_is_a_type_of_that_module() {
    check(
        |contract| names::<OrchestratorOutput>(contract.output_model.as_ref()),
        [
            (set("/output_model", "name", json!("OrchestratorInput")), Here),
            (set("/output_model", "module", json!("onex_event")), Here),
        ],
    );
}

// The graph.

#[test]
fn integration_06_the_graph_has_its_six_steps() {
    check(
        |contract| graph(contract).iter().map(|node| node.node_id.as_str()).eq(STEPS),
        [
            (without(NODES, "5"), Here),
            (set(NODES, "5/node_id", json!("tell_the_world")), Here),
            (set(NODES, "1/node_id", json!("compute")), Refused("ONEX0021")),
            (set(NODES, "5/node_id", json!("compute_intents")), Refused("ONEX0020")),
        ],
    );
}

#[test]
fn integration_07_every_dependency_is_a_step() {
    check(
        |contract| {
            let ids: BTreeSet<&str> = graph(contract).iter().map(|node| node.node_id.as_str()).collect();
            let mut dependencies = graph(contract).iter().flat_map(|node| &node.depends_on);
            dependencies.all(|dependency| ids.contains(dependency.as_str()))
        },
        [
            (set(NODES, "1/depends_on", json!(["nowhere"])), Refused("ONEX0021")),
            (set(NODES, "4/depends_on/1", json!("execute_postgres")), Refused("ONEX0021")),
        ],
    );
}

#[test]
fn integration_08_the_graph_is_acyclic() {
    check(
        |contract| {
            plan_of(contract).is_some_and(|plan| {
                let place = |index: usize| plan.order.iter().position(|at| *at == index);
                let comes_after =
                    |index: usize| plan.steps[index].depends_on.iter().all(|before| place(*before) < place(index));
                plan.order.len() == STEPS.len() && plan.order.iter().all(|index| comes_after(*index))
            })
        },
        [
            (set(NODES, "0/depends_on", json!(["publish_outcome"])), Refused("ONEX0022")),
            (set(NODES, "1/depends_on", json!(["compute_intents"])), Refused("ONEX0022")),
        ],
    );
    let mut cyclic = contract(ORCHESTRATOR);
    let workflow = cyclic.workflow_coordination.as_mut().expect("a workflow");
    workflow.workflow_definition.execution_graph.nodes[0].depends_on.push("publish_outcome".to_owned());
    let plan = Plan::new(&cyclic, "fingerprint", &our_nodes());
    assert!(matches!(plan, Err(PlanError::Cycle)), "a plan refuses a cycle that no rule saw");
}

#[test]
fn integration_09_every_step_is_of_a_kind_that_can_run() {
    check(
        |contract| {
            let kinds = [Archetype::Effect, Archetype::Compute, Archetype::Reducer];
            graph(contract).iter().all(|node| kinds.contains(&node.node_type.archetype))
        },
        [
            (set(NODES, "4/node_type", json!("banana")), Refused("ONEX0005")),
            (set(NODES, "4/node_type", json!("orchestrator")), Refused("ONEX0040")),
            (set(NODES, "4/node_type", json!("runtime_host")), Refused("ONEX0040")),
            (without(NODES, "4/node_type"), Refused("ONEX0006")),
        ],
    );
}

#[test]
fn integration_10_what_touches_a_backend_is_an_effect() {
    check(
        |contract| {
            let touching = graph(contract)
                .iter()
                .filter(|node| ["consul", "postgres"].iter().any(|backend| node.node_id.contains(backend)));
            let ids: Vec<&str> = touching.map(|node| node.node_id.as_str()).collect();
            ids.len() == 2 && ids.iter().all(|id| is_kind(contract, id, Archetype::Effect))
        },
        [
            (set(NODES, "2/node_type", json!("compute")), Here),
            (set(NODES, "3/node_type", json!("compute")), Here),
            (set(NODES, "3/node_type", json!("reducer")), Refused("ONEX0040")),
        ],
    );
}

#[test]
fn integration_11_intents_are_computed_by_the_reducer() {
    check(
        |contract| {
            let reducer = plan_of(contract).and_then(|plan| plan.entity_reducer().map(str::to_owned));
            is_kind(contract, "compute_intents", Archetype::Reducer) && reducer.as_deref() == Some(REDUCER)
        },
        [
            (set(NODES, "1/node_type", json!("compute")), Here),
            (set(NODES, "1/node_type", json!("effect")), Refused("ONEX0040")),
            (without(NODES, "1/step_config/reducer_protocol"), Refused("ONEX0040")),
        ],
    );
}

// The rules.

#[test]
fn integration_12_failed_effects_are_tried_again() {
    check(
        |contract| {
            plan_of(contract).is_some_and(|plan| {
                let retried = |step: &PlannedStep| step.retry.max_retries.value == 3;
                plan.strategy.value == FailureRecoveryStrategy::Retry && plan.steps.iter().all(retried)
            })
        },
        [
            (set(RULES, "max_retries", json!(-1)), Refused("ONEX0005")),
            (set(RULES, "max_retries", json!(0)), Here),
            (set(RULES, "failure_recovery_strategy", json!("fail_fast")), Here),
            (set(RULES, "failure_recovery_strategy", json!("")), Refused("ONEX0005")),
        ],
    );
}

#[test]
fn integration_13_a_run_has_a_time_limit() {
    check(
        |contract| plan_of(contract).and_then(|plan| plan.run_timeout.value) == Some(Duration::from_secs(30)),
        [
            (set(RULES, "timeout_ms", json!(0)), Refused("ONEX0030")),
            (set(RULES, "timeout_ms", json!(-30_000)), Refused("ONEX0005")),
            (without(RULES, "timeout_ms"), Here),
        ],
    );
}

#[test]
fn integration_14_steps_run_one_after_another() {
    check(
        |contract| {
            plan_of(contract)
                .is_some_and(|plan| (plan.mode.value, plan.max_parallel.value) == (ExecutionMode::Sequential, 1))
                && contract.workflow_coordination.iter().all(|workflow| {
                    workflow.workflow_definition.coordination_rules.execution_mode == Some(ExecutionMode::Sequential)
                })
        },
        [
            (set(RULES, "execution_mode", json!("conditional")), Refused("ONEX0005")),
            (set(RULES, "execution_mode", json!("parallel")), Here),
        ],
    );
    let allowed = edited(ORCHESTRATOR, &set(RULES, "parallel_execution_allowed", json!(true)));
    let plan = plan_of(allowed.contract.as_ref().expect("a contract")).expect("a plan");
    assert_eq!(plan.mode.value, ExecutionMode::Sequential, "what is allowed is not yet asked for");
}

#[test]
fn integration_15_runs_are_checkpointed() {
    check(
        |contract| {
            let workflow = contract.workflow_coordination.as_ref();
            workflow.and_then(|workflow| workflow.workflow_definition.coordination_rules.checkpoint_enabled)
                == Some(true)
        },
        [
            (set(RULES, "checkpoint_enabled", json!(false)), Warned("ONEX0070")),
            (set(RULES, "checkpoint_enabled", json!("yes")), Refused("ONEX0005")),
            (without(RULES, "checkpoint_enabled"), Here),
        ],
    );
}

// Errors.

#[test]
fn integration_16_the_retry_policy_is_whole_and_reaches_the_plan() {
    check(
        |contract| {
            plan_of(contract).is_some_and(|plan| {
                plan.steps.iter().all(|step| {
                    let retry = &step.retry;
                    let delays = [retry.initial_delay.value, retry.max_delay.value].map(|delay| delay.as_millis());
                    let origins = [retry.initial_delay.origin, retry.max_delay.origin, retry.base.origin];
                    delays == [100, 5000]
                        && retry.base.value == 2.0
                        && origins == ["error_handling.retry_policy"; 3]
                        && retry.retry_on.len() == 3
                })
            }) && contract.error_handling.as_ref().and_then(|handling| handling.retry_policy.as_ref()?.max_retries)
                == Some(3)
        },
        ["max_retries", "initial_delay_ms", "max_delay_ms", "exponential_base", "retry_on"]
            .map(|key| (without(POLICY, key), Here))
            .into_iter()
            .chain([
                (set(POLICY, "max_delay_ms", json!(3_600_001)), Refused("ONEX0030")),
                (set(POLICY, "initial_delay", json!(100)), Warned("ONEX0007")),
            ]),
    );
}

#[test]
fn integration_17_the_circuit_breaker_is_on_with_both_numbers() {
    check(
        |contract| {
            let breaker = contract.error_handling.as_ref().and_then(|handling| handling.circuit_breaker.as_ref());
            breaker.is_some_and(|breaker| {
                (breaker.enabled, breaker.failure_threshold, breaker.reset_timeout_ms) == (true, Some(5), Some(60_000))
            })
        },
        [
            (set(BREAKER, "enabled", json!(false)), Here),
            (without(BREAKER, "failure_threshold"), Here),
            (without(BREAKER, "reset_timeout_ms"), Here),
            (set(BREAKER, "failure_threshold", json!(0)), Refused("ONEX0030")),
        ],
    );
    let ours = contract(ORCHESTRATOR).error_handling.and_then(|handling| handling.circuit_breaker);
    let effects = contract(EFFECT).error_handling.and_then(|handling| handling.circuit_breaker);
    assert_eq!(ours, effects, "the effect that owns the breaker declares the same");
}

#[test]
fn integration_18_every_error_type_says_what_it_is_and_whether_it_passes() {
    check(
        |contract| {
            let types = contract.error_handling.as_ref().map(|handling| &handling.error_types[..]).unwrap_or_default();
            let told = types
                .iter()
                .all(|error| !error.name.is_empty() && error.description.is_some() && error.recoverable.is_some());
            let never = planned(contract, "execute_consul_registration").map(|step| step.retry.never);
            told && !types.is_empty() && never.is_some_and(|never| never == ["ReducerError", "AggregationError"])
        },
        [
            (set("/error_handling", "error_types", json!([])), Here),
            (without("/error_handling", "error_types/0/name"), Refused("ONEX0006")),
            (without("/error_handling", "error_types/1/description"), Here),
            (without("/error_handling", "error_types/1/recoverable"), Here),
            (set("/error_handling", "error_types/2/recoverable", json!("never")), Refused("ONEX0005")),
        ],
    );
}

#[test]
fn integration_19_a_lost_connection_is_tried_again() {
    check(
        |contract| {
            let retry = planned(contract, "execute_postgres_registration").map(|step| step.retry);
            retry.is_some_and(|retry| {
                let named = ["ConnectionError", "EffectExecutionError"]
                    .iter()
                    .any(|name| retry.retry_on.iter().any(|on| on == name));
                let refused =
                    [ErrorClass::Validation, ErrorClass::Authorization].map(|class| retry.may_retry(&failure(class)));
                named && retry.may_retry(&failure(ErrorClass::Connection)) && refused == [false, false]
            })
        },
        [
            (set(POLICY, "retry_on", json!([])), Here),
            (set(POLICY, "retry_on", json!(["TimeoutError"])), Here),
            (set(POLICY, "retry_on", json!("ConnectionError")), Refused("ONEX0005")),
        ],
    );
}

// Events.

/// Whether an event has a topic that can be meant, of a model that is known.
fn is_whole(event: &onex_contract::EventDeclaration) -> bool {
    let topic = event.topic.as_deref().unwrap_or_default();
    let model = event.event_type.as_deref().and_then(onex_event::model);
    Topic::parse(topic).is_ok_and(|parsed| parsed.legacy.is_empty()) && model.is_some()
}

#[test]
fn integration_20_consumed_events_have_a_canonical_topic_and_a_type() {
    check(
        |contract| contract.consumed_events.len() == 2 && contract.consumed_events.iter().all(is_whole),
        [
            (
                set("/consumed_events/0", "topic", json!("{env}.{namespace}.onex.evt.platform.node-introspection.v1")),
                Here,
            ),
            (set("/consumed_events/0", "topic", json!("{env}.{namespace}.onex.somewhere")), Here),
            (set("/consumed_events/1", "event_type", json!("NoSuchEvent")), Here),
            (without("/consumed_events/1", "event_type"), Here),
            (set("/consumed_events", "1", json!({})), Refused("ONEX0005")),
        ],
    );
}

#[test]
fn integration_21_published_events_have_a_topic_and_a_type() {
    check(
        |contract| !contract.published_events.is_empty() && contract.published_events.iter().all(is_whole),
        [
            (without("/published_events/0", "topic"), Refused("ONEX0042")),
            (without("/published_events/0", "event_type"), Refused("ONEX0042")),
            (set("/published_events/0", "topic", json!("{env}.{namespace}.onex.somewhere")), Here),
        ],
    );
    let nowhere = edited(ORCHESTRATOR, &set("/published_events/0", "topic", json!("somewhere")));
    let made = NodeOrchestrator::from_reading(&nowhere, &our_nodes());
    assert!(matches!(made, Err(PlanError::Unbound { .. })), "a plan publishes to topics only");
}

#[test]
fn integration_22_every_subscribed_intent_has_a_route() {
    check(
        |contract| {
            contract.intent_consumption.as_ref().is_some_and(|consumption| {
                let subscribed: BTreeSet<&str> = consumption.subscribed_intents.iter().map(String::as_str).collect();
                let known = onex_event::RegistrationIntent::KINDS.into_iter().collect();
                subscribed == known
                    && subscribed
                        .iter()
                        .all(|kind| consumption.intent_routing_table.get(*kind).is_some_and(|effect| effect == EFFECT))
            })
        },
        [
            (without("/intent_consumption/intent_routing_table", "consul.register"), Refused("ONEX0050")),
            (without("/intent_consumption/intent_routing_table", "postgres.deregister"), Refused("ONEX0050")),
            (set("/intent_consumption", "subscribed_intents/0", json!("consul.enrol")), Refused("ONEX0050")),
            (without("/intent_consumption", "subscribed_intents/3"), Here),
        ],
    );
}

// Models, node, dependencies.

fn last_word<T>() -> &'static str {
    type_name::<T>().rsplit("::").next().unwrap_or_default()
}

#[test]
fn integration_23_types_are_called_what_the_contract_calls_them() {
    check(
        |contract| {
            let name =
                |model: &Option<ModelReference>| model.as_ref().map(|model| model.name.clone()).unwrap_or_default();
            let declared = |events: &[onex_contract::EventDeclaration]| {
                events.first().and_then(|event| event.event_type.clone()).unwrap_or_default()
            };
            name(&contract.input_model) == last_word::<OrchestratorInput>()
                && name(&contract.output_model) == last_word::<OrchestratorOutput>()
                && declared(&contract.consumed_events) == last_word::<NodeIntrospectionEvent>()
                && declared(&contract.published_events) == last_word::<NodeRegistrationResultEvent>()
        },
        [
            (set("/input_model", "name", json!("ModelOrchestratorInput")), Here),
            (set("/output_model", "name", json!("Output")), Here),
            (set("/consumed_events/0", "event_type", json!("NodeIntrospected")), Here),
        ],
    );
}

#[test]
fn integration_24_types_live_where_the_contract_says() {
    check(
        |contract| {
            let modules = [&contract.input_model, &contract.output_model].map(|model| model.as_ref()?.module.clone());
            let home = |path: &str| path.rsplit_once("::").map(|(module, _)| module.replace("::", "."));
            modules == [home(type_name::<OrchestratorInput>()), home(type_name::<OrchestratorOutput>())]
        },
        [
            (set("/input_model", "module", json!("onex_event.v1_0_0.models")), Here),
            (without("/output_model", "module"), Here),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn integration_25_it_can_be_made_and_run_for_every_sample() {
    let effect = Arc::new(ScriptedEffect::new());
    let (orchestrator, worker) = (orchestrator_over(&nodes(&effect)), worker());
    for (event, run_id) in sample_events().iter().zip(1..) {
        let end = run(&orchestrator, &worker, run_id, event).await;
        let result = result_of(&end);
        assert_eq!((end.outcome.status, result.status), (RunStatus::Succeeded, RegistrationStatus::Success));
        assert_eq!(result.node_id.to_string(), event["node_id"]);
        assert_eq!(result.correlation_id.to_string(), event["correlation_id"]);
    }
    assert_eq!(effect.calls().len(), 120);
}

#[tokio::test(start_paused = true)]
async fn integration_26_it_is_the_same_type_as_every_other_orchestrator() {
    let greeting = read_text(
        "greeting",
        "name: greeting\nnode_type: ORCHESTRATOR\ncontract_version: \"1.0.0\"\nworkflow_coordination:\n  \
         workflow_definition:\n    workflow_metadata: {workflow_name: greeting}\n    execution_graph:\n      nodes:\n      \
         - {node_id: receive, node_type: effect, step_config: {event_pattern: \"*\"}}\n      \
         - {node_id: greet, node_type: compute, depends_on: [receive], step_config: {input: {hello: \"${input.node_name}\"}}}\n",
    );
    assert_eq!(greeting.diagnostics, []);
    let other = NodeOrchestrator::from_reading(&greeting, &NodeRegistry::new()).expect("another orchestrator");
    let both: [NodeOrchestrator; 2] = [orchestrator(), other];
    for (made, steps) in both.iter().zip([6, 2]) {
        let end = run(made, &worker(), 1, &sample_events()[0]).await;
        assert_eq!((end.outcome.status, end.outcome.steps.len()), (RunStatus::Succeeded, steps));
    }
}

#[tokio::test(start_paused = true)]
async fn integration_27_the_contract_alone_does_the_work() {
    let table = [
        ("", RegistrationStatus::Success, [true, true], 2),
        ("consul.register", RegistrationStatus::Partial, [false, true], 2),
        ("postgres.upsert_registration", RegistrationStatus::Partial, [true, false], 2),
    ];
    for (failing, status, applied, calls) in table {
        let effect = Arc::new(ScriptedEffect::new().failing(failing, failure(ErrorClass::Authorization)));
        let end = run(&orchestrator_over(&nodes(&effect)), &worker(), 1, &sample_events()[0]).await;
        let result = result_of(&end);
        assert_eq!((result.status, [result.consul_applied, result.postgres_applied]), (status, applied), "{failing}");
        assert_eq!(effect.calls().len(), calls, "{failing}: a refusal is not tried again");
        let steps: Vec<&str> = end.outcome.steps.iter().map(|step| step.step.as_str()).collect();
        assert_eq!(steps, STEPS);
    }
    let down = Arc::new(ScriptedEffect::new().failing("consul.register", failure(ErrorClass::Connection)));
    let end = run(&orchestrator_over(&nodes(&down)), &worker(), 1, &sample_events()[0]).await;
    assert_eq!(result_of(&end).status, RegistrationStatus::Partial);
    assert_eq!(down.calls().iter().filter(|kind| *kind == "consul.register").count(), 4, "1 and 3 retries");
}

/// The contract that a dependency's module ends with.
fn contract_behind(contract: &Contract, dependency: &str) -> Option<String> {
    let found = contract.dependencies.iter().find(|found| found.name == dependency)?;
    found.module.as_ref()?.rsplit('.').next().map(str::to_owned)
}

#[test]
fn integration_28_the_reducer_and_the_effect_are_dependencies() {
    check(
        |contract| {
            contract_behind(contract, "reducer_protocol").as_deref() == Some(REDUCER)
                && contract_behind(contract, "effect_node").as_deref() == Some(EFFECT)
        },
        [
            (without("/dependencies", "0"), Here),
            (without("/dependencies", "1"), Here),
            (set("/dependencies/1", "module", json!("onex.nodes.another")), Here),
            (without("/dependencies/0", "module"), Here),
        ],
    );
    assert_eq!(contract(REDUCER).archetype(), Archetype::Reducer);
    assert_eq!(contract(EFFECT).archetype(), Archetype::Effect);
    let two = our_nodes().with_reducer("another", Arc::new(ScriptedReducer { intents: Vec::<Intent>::new() }));
    let unnamed = edited(ORCHESTRATOR, &without("/dependencies", "0"));
    let made = NodeOrchestrator::from_reading(&unnamed, &two);
    assert!(matches!(made, Err(PlanError::Unresolved { .. })), "of two reducers none is guessed at");
}

#[test]
fn integration_29_every_dependency_says_what_it_is() {
    check(
        |contract| {
            contract.dependencies.0.len() == 2
                && contract.dependencies.iter().all(|dependency| {
                    !dependency.name.is_empty() && dependency.kind.is_some() && dependency.description.is_some()
                })
        },
        [
            (without("/dependencies/0", "name"), Refused("ONEX0006")),
            (without("/dependencies/0", "type"), Here),
            (without("/dependencies/1", "description"), Here),
        ],
    );
}

// What all checks lean on.

#[test]
fn the_aggregation_of_the_contract_is_all_or_partial() {
    let binding = planned(&contract(ORCHESTRATOR), "aggregate_results").map(|step| step.binding);
    let expected = ComputeBinding::Aggregate(AggregationStrategy::AllOrPartial);
    assert_eq!(binding, Some(Binding::Compute(expected)));
}

/// Numbers of the tests of a family in a source text.
fn numbered(source: &str, family: &str) -> Vec<u32> {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let tests = lines.windows(2).filter(|pair| pair[0].starts_with("#[test]") || pair[0].starts_with("#[tokio::test"));
    let names = tests.filter_map(|pair| pair[1].trim_start_matches("async ").strip_prefix("fn "));
    names.filter_map(|name| name.strip_prefix(family)?.strip_prefix('_')?.get(..2)?.parse().ok()).collect()
}

#[test]
fn all_53_checks_are_here() {
    let source = include_str!("seed_checks.rs");
    assert_eq!(numbered(source, "unit"), (1..=24).collect::<Vec<_>>());
    assert_eq!(numbered(source, "integration"), (1..=29).collect::<Vec<_>>());
    assert_eq!(numbered("#[test]\nfn unit_07_x() {}\nfn unit_08_not_a_test() {}\n", "unit"), [7]);
}
