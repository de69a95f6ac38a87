//! The stable codes of plans and runs, as `docs/errors.md` lists them.

/// Every code with its title and what to do about it.
pub const CODES: &[(&str, &str, &str)] = &[
    ("ONEX2001", "the contract has errors", "run `onex check` on it"),
    ("ONEX2002", "the contract has no workflow", "add `workflow_coordination`, or do not run it"),
    (
        "ONEX2003",
        "a step names a node that this process does not have",
        "correct the name; the message lists the names that are known",
    ),
    ("ONEX2004", "a step cannot be run", "bind it as the message says"),
    ("ONEX2005", "steps wait for each other", "remove one of the dependencies"),
    (
        "ONEX2006",
        "the contract that a run started with was changed in the journal",
        "restore the journal's `contracts` from a backup; a run goes on with what it started with, or not at all",
    ),
    (
        "ONEX2007",
        "a graph has more steps than may be",
        "divide it into workflows that run each other, or raise `run_limits.steps`",
    ),
    ("ONEX3012", "an event would leave that is not what its model says", "correct the step's `input` template"),
    (
        "ONEX3013",
        "it cannot be told whether a step's condition holds",
        "see that the field is there, and of the kind the operator compares",
    ),
    (
        "ONEX3014",
        "a step's list is no list, or too long",
        "correct the `for_each` template, or raise `run_limits.items`",
    ),
    (
        "ONEX3015",
        "a step gave more than one step may",
        "give less, such as a reference to it, or raise `run_limits.step_payload_bytes`",
    ),
    ("ONEX3016", "a run carries more than one run may", "give less, or raise `run_limits.run_payload_bytes`"),
    ("ONEX3020", "a step needs another that is not done", "look at the step that is named; its failure came first"),
    (
        "ONEX3021",
        "no effect carries out this kind of intent",
        "route the kind in `intent_consumption.intent_routing_table`",
    ),
    (
        "ONEX3022",
        "the run's deadline passed",
        "look at the backend that was waited for, or raise `coordination_rules.timeout_ms`",
    ),
    ("ONEX3023", "the run was cancelled", "nothing is to be done"),
    ("ONEX3024", "an attempt took too long and was cancelled", "look at the backend, or raise the step's `timeout_ms`"),
    (
        "ONEX3025",
        "a step gave intents that cannot be read",
        "a defect of the reducer or compute node that gave them; `intents` is a list of `{kind, payload}`",
    ),
    ("ONEX3026", "a node panicked", "a defect of the node; report it to its author with the run's records"),
    ("ONEX3027", "the workflow that a step ran did not succeed", "look at that run; the message names it"),
    (
        "ONEX3028",
        "workflows run each other deeper than is allowed",
        "look for a circle of workflows, or raise `run_limits.depth`",
    ),
    (
        "ONEX3030",
        "a recovery computed something else than the first run did",
        "a reducer or compute node is not pure, or changed; run the version that began the run, or start the event anew",
    ),
    ("ONEX3032", "a defect in running a step", "report it with the run's records"),
    ("ONEX3033", "a record does not belong to its run", "the run is set aside; report it with the run's records"),
    ("ONEX3034", "a run refused its own event", "a defect of this program; report it with the run's records"),
    ("ONEX3035", "another worker owns the run", "nothing is to be done; it is tried again"),
    (
        "ONEX3036",
        "the contract of a run cannot be had",
        "run a version that has the nodes of that contract, or set the run aside",
    ),
];
