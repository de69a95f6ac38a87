//! Decides what is wrong with one contract that has a readable shape. One rule, one file; a file's head
//! is the rule's manual page.

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
mod references;
mod routes;
mod steps;
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
}

impl Rule {
    /// A rule that is checked elsewhere: by the reader, or by [`crate::system`] over all contracts.
    pub(crate) const fn elsewhere(code: &'static str, title: &'static str, help: &'static str) -> Self {
        Self { code, severity: Severity::Error, title, help, check: None }
    }

    const fn of_contract(
        code: &'static str,
        title: &'static str,
        help: &'static str,
        check: fn(&Contract) -> Vec<Finding>,
    ) -> Self {
        Self { code, severity: Severity::Error, title, help, check: Some(check) }
    }

    pub(crate) const fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    pub(crate) const fn note(self) -> Self {
        Self { severity: Severity::Note, ..self }
    }

    /// A finding of this rule.
    pub(crate) fn finding(&self, path: crate::KeyPath, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code, self.severity, path, message).with_help(self.help)
    }
}

/// Every rule: the reader's, those of one contract, those of the system.
pub fn rules() -> Vec<Rule> {
    let mut rules = vec![
        Rule::elsewhere("ONEX0001", "the file is too large", "split the contract; the limit is 1 MiB"),
        Rule::elsewhere("ONEX0002", "the file is not readable as YAML", "mend the syntax at the place shown"),
        Rule::elsewhere("ONEX0003", "the file is empty", "write a contract, or remove the file"),
        Rule::elsewhere("ONEX0004", "the file is not a map", "a contract starts with `name:`"),
        Rule::elsewhere("ONEX0005", "a value is not of the kind its key needs", "write what the message expects"),
        Rule::elsewhere("ONEX0006", "a required key is missing", "add the key"),
        Rule::elsewhere("ONEX0007", "a key has no effect", "correct its spelling, remove it, or prefix it with `x-`")
            .warning(),
        Rule::elsewhere(
            "ONEX0009",
            "a key is for other tools",
            "nothing is to be done; this runtime does not act on it",
        )
        .note(),
        Rule::elsewhere("ONEX0008", "the file is not UTF-8", "save the file as UTF-8"),
        Rule::elsewhere("ONEX0013", "a tab is used for indentation", "indent with spaces"),
        Rule::elsewhere("ONEX0014", "the file starts with a byte order mark", "save it without one").note(),
        Rule::elsewhere("ONEX0015", "a key is written twice", "remove one of the two").warning(),
        Rule::elsewhere("ONEX0016", "the file holds several documents", "one contract, one file"),
        Rule::elsewhere("ONEX0017", "the file is nested too deep", "flatten it; the limit is 64"),
        Rule::elsewhere("ONEX0018", "aliases expand to too much", "write the values out"),
        Rule::elsewhere("ONEX0019", "an alias has no anchor", "add the anchor, or correct its name"),
        Rule::elsewhere(
            "ONEX0091",
            "a file cannot be included",
            "include a file below the searched directory, by a relative path, and in no circle",
        ),
        Rule::elsewhere("ONEX0092", "the file declares no node", "nothing is to be done").note(),
        Rule::elsewhere(
            "ONEX0093",
            "the file has more findings than are told",
            "mend those that are told, then check again",
        )
        .note(),
        Rule::elsewhere(
            "ONEX0090",
            "an allow comment silences nothing, or gives no reason",
            "remove it, or write `# onex: allow CODE reason` beside the key",
        )
        .warning(),
    ];
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
    references::NOT_BEFORE,
    idempotency::RETRIED,
    routes::UNROUTED_INTENT,
    routes::UNANSWERED_FILTER,
    topics::NO_TOPIC,
    topics::LEGACY_TOPIC,
    machine::UNKNOWN_STATE,
    machine::TERMINAL_EXIT,
    machine::UNREACHABLE_STATE,
    machine::AMBIGUOUS,
    conditions::CONDITION,
    ineffective::NO_EFFECT,
    ineffective::NOT_SERVED,
];

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
