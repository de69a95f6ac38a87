//! Decides what is wrong with one contract that has a readable shape. A rule's code, check and words stand in one
//! file; its manual page stands beside it under `pages/`.

mod barriers;
mod bounds;
mod conditions;
mod deadline;
mod edges;
mod fan_out;
mod graph;
mod idempotency;
mod ineffective;
mod kind;
mod machine;
mod names;
mod pages;
mod patterns;
pub(crate) mod reading;
mod routes;
mod steps;
mod templates;
mod topics;

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Contract;

/// A problem before it has a place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) diagnostic: Diagnostic,
    /// Whether the key is meant, not its value.
    pub(crate) at_key: bool,
}

impl Finding {
    pub(crate) fn at_key(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, at_key: true }
    }

    pub(crate) fn at_value(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, at_key: false }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.diagnostic.severity == Severity::Error
    }
}

/// What a rule is about.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable code.
    pub code: &'static str,
    /// How bad it is, at worst.
    pub severity: Severity,
    /// One line: what is wrong.
    pub title: &'static str,
    /// How to mend it.
    pub help: &'static str,
    check: Option<fn(&Contract) -> Vec<Finding>>,
    /// Whether it looks at one section of a contract alone, and so says the truth of it whatever the others are.
    is_local: bool,
}

impl Rule {
    /// A rule that is checked elsewhere: by the reader, or by [`crate::system`] over all contracts.
    pub(crate) const fn elsewhere(code: &'static str, title: &'static str, help: &'static str) -> Self {
        Self { code, severity: Severity::Error, title, help, check: None, is_local: false }
    }

    const fn of_contract(
        code: &'static str,
        title: &'static str,
        help: &'static str,
        check: fn(&Contract) -> Vec<Finding>,
    ) -> Self {
        Self { code, severity: Severity::Error, title, help, check: Some(check), is_local: false }
    }

    const fn local(self) -> Self {
        Self { is_local: true, ..self }
    }

    pub(crate) const fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    pub(crate) const fn note(self) -> Self {
        Self { severity: Severity::Note, ..self }
    }

    /// Its manual page, in Markdown: what it means, why it matters, a contract that breaks it, and the mended one.
    pub fn page(&self) -> &'static str {
        pages::of(self.code)
    }

    /// A finding of this rule.
    pub(crate) fn finding(&self, path: crate::KeyPath, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code, self.severity, path, message).with_help(self.help)
    }
}

/// Every rule: the reader's, those of one contract, those of the system.
pub fn rules() -> Vec<Rule> {
    let mut rules = reading::ALL.to_vec();
    rules.extend(ALL.iter().copied());
    rules.extend(crate::system::rules());
    rules
}

const ALL: &[Rule] = &[
    kind::WORKFLOW_ELSEWHERE,
    kind::MISSING_PROGRAM,
    kind::DESCRIPTOR,
    names::EMPTY_NAME,
    graph::DUPLICATE_STEP,
    graph::UNDECLARED_DEPENDENCY,
    graph::CYCLE,
    graph::ISOLATED,
    edges::EDGES,
    bounds::OUT_OF_BOUNDS,
    barriers::UNKNOWN_POINT,
    deadline::DEADLINE,
    steps::UNBOUND_STEP,
    steps::AGGREGATION,
    steps::UNPUBLISHED_EVENT,
    fan_out::FOR_EACH,
    templates::DANGLING,
    idempotency::RETRIED,
    routes::UNROUTED_INTENT,
    routes::UNANSWERED_FILTER,
    topics::NO_TOPIC,
    topics::LEGACY_TOPIC,
    patterns::UNANSWERED,
    patterns::NO_PATTERN,
    machine::UNKNOWN_STATE,
    machine::TERMINAL_EXIT,
    machine::UNREACHABLE_STATE,
    machine::AMBIGUOUS,
    machine::DUPLICATE_STATE,
    conditions::CONDITION,
    ineffective::NO_EFFECT,
    ineffective::NOT_SERVED,
    ineffective::NOTHING_TO_CHECKPOINT,
];

/// What the rules say that look at one section each.
pub(crate) fn check_locally(contract: &Contract) -> Vec<Finding> {
    let local = ALL.iter().filter(|rule| rule.is_local);
    local.filter_map(|rule| rule.check).flat_map(|check| check(contract)).collect()
}

pub(crate) fn check(contract: &Contract) -> Vec<Finding> {
    ALL.iter().filter_map(|rule| rule.check).flat_map(|check| check(contract)).collect()
}

/// The paths of an orchestrator's workflow.
pub(crate) mod place {
    use crate::KeyPath;

    pub(crate) fn definition() -> KeyPath {
        KeyPath::of(&["workflow_coordination", "workflow_definition"])
    }

    pub(crate) fn nodes() -> KeyPath {
        definition().key("execution_graph").key("nodes")
    }

    pub(crate) fn node(index: usize) -> KeyPath {
        nodes().index(index)
    }

    pub(crate) fn step_config(index: usize) -> KeyPath {
        node(index).key("step_config")
    }
}
