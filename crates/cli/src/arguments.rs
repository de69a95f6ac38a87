//! What can be said on the command line.

mod contracts;
mod runs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use contracts::{
    DiffArguments, ExplainArguments, GraphArguments, GraphFormat, Output, PlanArguments, SchemaArguments,
};
pub(crate) use runs::{OrderArguments, RunsArguments, RunsCommand, RunsListArguments, ShowArguments};

/// Checks ONEX contracts and runs them durably.
#[derive(Debug, Parser)]
#[command(name = "onex", version, after_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What to log on standard error, such as `info` or `onex_runtime=debug`.
    #[arg(long, global = true, env = "ONEX_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  onex run --input events.jsonl --once    register the nodes that a file of events names
  onex run --config onex.yaml             run until stopped, with Consul and PostgreSQL
  onex check contracts/                   find what is wrong with contracts
  onex plan contracts/my_orchestrator     show what a run would do, and under which rules
  onex graph contracts/ --format html     draw the nodes and the topics between them
  onex diff old/ new/                     tell which changes are safe and which break somebody
  onex explain ONEX0021                   tell what a code means and what to do
  onex schema > contract.schema.json      get the schema for an editor
  onex nodes list                         show what the registry holds
  onex runs list --status failed          show runs that failed

Exit codes: 0 done, 1 problems found or runs failed, 2 usage or configuration,
3 a needed service cannot be reached, 4 drained too late.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run contracts: discover, check, wire, and carry every event to its result.
    Run(RunArguments),
    /// Check contracts and show every problem at its place.
    Check(CheckArguments),
    /// Show what a contract's runs do, under which rules, and what is guaranteed.
    Plan(PlanArguments),
    /// Draw a contract, or all contracts of a directory together.
    Graph(GraphArguments),
    /// Compare two versions of contracts: what is safe, what needs a drain, what breaks somebody.
    Diff(DiffArguments),
    /// Tell what a code means and what to do about it.
    Explain(ExplainArguments),
    /// Print the JSON Schema of contracts or events.
    Schema(SchemaArguments),
    /// Show what the registry holds.
    Nodes(NodesArguments),
    /// Show runs, and cancel, pause, resume or retry them.
    Runs(RunsArguments),
}

/// Where configuration and data are; common to commands that use them.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Configuration file; every key is also an environment variable, such as ONEX_REGISTRY_BACKENDS_CONSUL_ADDRESS.
    #[arg(long, env = "ONEX_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory for the journal, the embedded registry and dead letters [default: .onex].
    #[arg(long, env = "ONEX_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArguments {
    /// Directory to search for contract.yaml files, more than once for several [default: ./contracts, else the
    /// contracts inside the binary].
    #[arg(long, value_name = "DIR")]
    pub(crate) contracts: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// File of events, one JSON a line, raw or in an envelope; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// End when everything that came in is done.
    #[arg(long)]
    pub(crate) once: bool,
    /// Start also when contracts are refused, without them.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Seconds that running work is given when told to stop.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) grace: u64,
    /// Runs of one orchestrator at once.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max_in_flight: u32,
}

const RUN_EXAMPLES: &str = "\
Standard output carries one JSON object per published event, {\"topic\": …, \"envelope\": …}, and nothing else;
logs, progress and rejected lines go to standard error. Rejected messages are kept in DATA_DIR/dead-letters.jsonl.

Examples:
  onex run --input examples/introspection.jsonl --once
  tail -f events.jsonl | onex run --input - --data-dir /var/lib/onex
  onex run --contracts ./my-contracts --config onex.yaml";

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the source line, for people.
    Human,
    /// One JSON object, for tools.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands, for annotations on GitHub.
    Github,
}

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckArguments {
    /// Files and directories; the current directory when none is given.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Count warnings as errors.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Show only these codes; a prefix such as ONEX00 stands for all that start so.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) select: Vec<String>,
    /// Leave these codes out.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// How to show findings.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Write mechanical fixes into the files, then check again.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Count findings by code instead of showing each.
    #[arg(long)]
    pub(crate) statistics: bool,
    /// Show notes too: keys that other tools read, and what is worth knowing.
    #[arg(long)]
    pub(crate) notes: bool,
    /// Directory for what is remembered of files that were checked before [default: $XDG_CACHE_HOME/onex, else
    /// ~/.cache/onex].
    #[arg(long, env = "ONEX_CACHE_DIR", value_name = "DIR", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Read every file, remember nothing.
    #[arg(long)]
    pub(crate) no_cache: bool,
}

const CHECK_EXAMPLES: &str = "\
Exit codes: 0 clean or warnings only, 1 errors, 2 usage. A comment `# onex: allow ONEX0123 reason` beside a key, or on
the line above it, silences one finding.

Examples:
  onex check
  onex check contracts/ other/contract.yaml --strict
  onex check --select ONEX008 --format github
  onex check --fix --statistics";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  onex nodes list\n  onex nodes list --data-dir /var/lib/onex --json")]
pub(crate) struct NodesArguments {
    #[command(subcommand)]
    pub(crate) command: NodesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodesCommand {
    /// List every node that the registry holds.
    #[command(
        after_help = "Examples:\n  onex nodes list\n  onex nodes list --config onex.yaml --backend consul --json"
    )]
    List(ListArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
    /// Which backend to ask [default: the one that holds the table].
    #[arg(long, value_name = "NAME", value_parser = ["embedded", "postgres", "consul"])]
    pub(crate) backend: Option<String>,
}
