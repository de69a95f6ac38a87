//! Decides what is wrong with one contract that has a readable shape. One rule, one file; a file's head
//! is the rule's manual page.

mod bounds;
mod conditions;
mod deadline;
mod edges;
mod graph;
mod idempotency;
mod ineffective;
mod kind;
mod machine;
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
    /// A rule that [`crate::system`] checks over all contracts.
    pub(crate) const fn of_system(code: &'static str, title: &'static str, help: &'static str) -> Self {
        Self { code, severity: Severity::Error, title, help, check: None }
    }

    const fn of_reader(code: &'static str, severity: Severity, title: &'static str, help: &'static str) -> Self {
        Self { code, severity, title, help, check: None }
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

/// Every rule, the reader's and the system's included, in the order of their codes.
pub fn rules() -> Vec<Rule> {
    let mut rules = vec![
        Rule::of_reader("ONEX0001", Severity::Error, "the file is too large", "split the contract; the limit is 1 MiB"),
        Rule::of_reader(
            "ONEX0002",
            Severity::Error,
            "the file is not readable as YAML",
            "mend the syntax at the place shown",
        ),
        Rule::of_reader("ONEX0003", Severity::Error, "the file is empty", "write a contract, or remove the file"),
        Rule::of_reader("ONEX0004", Severity::Error, "the file is not a map", "a contract starts with `name:`"),
        Rule::of_reader(
            "ONEX0005",
            Severity::Error,
            "a value is not of the kind its key needs",
            "write what the message expects",
        ),
        Rule::of_reader("ONEX0006", Severity::Error, "a required key is missing", "add the key"),
        Rule::of_reader(
            "ONEX0007",
            Severity::Warning,
            "a key has no effect",
            "correct its spelling, remove it, or prefix it with `x-`",
        ),
        Rule::of_reader(
            "ONEX0009",
            Severity::Note,
            "a key is for other tools",
            "nothing is to be done; this runtime does not act on it",
        ),
        Rule::of_reader("ONEX0008", Severity::Error, "the file is not UTF-8", "save the file as UTF-8"),
        Rule::of_reader("ONEX0013", Severity::Error, "a tab is used for indentation", "indent with spaces"),
        Rule::of_reader("ONEX0014", Severity::Note, "the file starts with a byte order mark", "save it without one"),
        Rule::of_reader("ONEX0015", Severity::Warning, "a key is written twice", "remove one of the two"),
        Rule::of_reader("ONEX0016", Severity::Error, "the file holds several documents", "one contract, one file"),
        Rule::of_reader("ONEX0017", Severity::Error, "the file is nested too deep", "flatten it; the limit is 64"),
        Rule::of_reader("ONEX0018", Severity::Error, "aliases expand to too much", "write the values out"),
        Rule::of_reader("ONEX0019", Severity::Error, "an alias has no anchor", "add the anchor, or correct its name"),
        Rule::of_reader(
            "ONEX0091",
            Severity::Error,
            "a file cannot be included",
            "include a file below the searched directory, by a relative path, and in no circle",
        ),
        Rule::of_reader("ONEX0092", Severity::Note, "the file declares no node", "nothing is to be done"),
        Rule::of_reader(
            "ONEX0093",
            Severity::Note,
            "the file has more findings than are told",
            "mend those that are told, then check again",
        ),
        Rule::of_reader(
            "ONEX0090",
            Severity::Warning,
            "an allow comment silences nothing, or gives no reason",
            "remove it, or write `# onex: allow CODE reason` beside the key",
        ),
    ];
    rules.extend(ALL.iter().copied());
    rules.extend(crate::system::rules());
    rules
}

const ALL: &[Rule] = &[
    kind::WORKFLOW_ELSEWHERE,
    kind::MISSING_PROGRAM,
    kind::DESCRIPTOR,
    graph::DUPLICATE_STEP,
    graph::UNDECLARED_DEPENDENCY,
    graph::CYCLE,
    graph::ISOLATED,
    edges::EDGES,
    bounds::OUT_OF_BOUNDS,
    deadline::DEADLINE,
    steps::UNBOUND_STEP,
    steps::AGGREGATION,
    steps::UNPUBLISHED_EVENT,
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
