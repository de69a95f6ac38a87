//! What can be said to `onex runs`.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::Place;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunsArguments {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
}

const EXAMPLES: &str = "\
Examples:
  onex runs list --status failed
  onex runs show 6f1c2b9e-0000-4000-8000-000000000000
  onex runs cancel 6f1c2b9e-0000-4000-8000-000000000000 --config onex.yaml

An order is left in the journal; the process that owns the run takes it up within a second.";

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, newest first.
    List(RunsListArguments),
    /// Show one run and its records.
    Show(ShowArguments),
    /// Stop runs: what is under way is cut, and undone where the contract says so.
    Cancel(OrderArguments),
    /// Have runs begin nothing more until they are resumed; what is under way comes to its end.
    Pause(OrderArguments),
    /// Have paused runs go on.
    Resume(OrderArguments),
    /// Do what ended runs left undone, each as a new run over the same input.
    Retry(OrderArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunsListArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Only runs that stand so.
    #[arg(long, value_parser = ["running", "succeeded", "partial", "failed", "cancelled", "set_aside"])]
    pub(crate) status: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Print one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The run's id.
    #[arg(value_name = "RUN")]
    pub(crate) run: Uuid,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OrderArguments {
    /// Ids of runs.
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<Uuid>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object a run.
    #[arg(long)]
    pub(crate) json: bool,
}
