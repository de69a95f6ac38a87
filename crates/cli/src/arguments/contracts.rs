//! Commands that tell about contracts and run nothing: `diff`, `graph`, `plan`, `explain`, `schema`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How an answer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Human,
    /// One JSON object, for tools.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct DiffArguments {
    /// The contract, or directory of contracts, as it was.
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// As it is to be.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// How to show differences.
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub(crate) format: Output,
}

const DIFF_EXAMPLES: &str = "\
Meanings are compared, not texts: order, layout and spelling are no difference. Each difference is
  safe         nobody has to do anything
  needs drain  runs in flight have to end first
  breaking     partners, or owners of stored state, have to change too
Contracts of two directories are matched by name. Exit code 1 when something is breaking.

Examples:
  onex diff old/contract.yaml new/contract.yaml
  onex diff ../released/contracts contracts --format json";

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// A page with the picture and tables, in one file.
    Html,
}

#[derive(Debug, Args)]
#[command(after_help = GRAPH_EXAMPLES)]
pub(crate) struct GraphArguments {
    /// A contract, for its steps, states or topics; or a directory, for all nodes and the topics between them.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub(crate) format: GraphFormat,
    /// Where to write it [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

const GRAPH_EXAMPLES: &str = "\
Examples:
  onex graph contracts/my_orchestrator/contract.yaml
  onex graph contracts --format html -o system.html
  onex graph contracts --format dot | dot -Tpng -o system.png";

#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub(crate) struct PlanArguments {
    /// An orchestrator's contract, or the directory it is in.
    #[arg(value_name = "CONTRACT")]
    pub(crate) contract: PathBuf,
    /// How to show the plan.
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub(crate) format: Output,
}

const PLAN_EXAMPLES: &str = "\
Shows what a run would do over the nodes of this program: waves of steps, what each is bound to, every rule with
where it comes from, the worst case, what is journaled, undone and guaranteed. Nothing is run, no server is asked.
Exit code 1 when the contract cannot be planned.

Examples:
  onex plan contracts/my_orchestrator/contract.yaml
  onex plan contracts/my_orchestrator --format json";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// A code, in any case, with or without `ONEX`.
    #[arg(value_name = "CODE", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) code: Option<String>,
    /// List every code.
    #[arg(long)]
    pub(crate) all: bool,
}

const EXPLAIN_EXAMPLES: &str = "Examples:\n  onex explain ONEX0021\n  onex explain 3030\n  onex explain --all";

#[derive(Debug, Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub(crate) struct SchemaArguments {
    /// `contract`, or an event as `--list` names it.
    #[arg(value_name = "NAME", default_value = "contract")]
    pub(crate) name: String,
    /// List every name.
    #[arg(long)]
    pub(crate) list: bool,
}

const SCHEMA_EXAMPLES: &str = "\
Examples:
  onex schema > contract.schema.json
  onex schema node_introspection_event
  onex schema --list";
