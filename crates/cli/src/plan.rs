//! `onex plan`: what a contract's runs do, before one is run. The plan is the one that `onex run` makes; here it is
//! told, together with what follows from it. No server is asked.

mod human;
mod promise;
mod report;
mod worst;

use std::path::{Path, PathBuf};

use anyhow::Context;
use onex_contract::{Contract, Reading, Severity};
use onex_orchestrator::{Plan, PlanError};
use onex_runtime::discover;
use serde_json::json;

use crate::arguments::{Output, PlanArguments};
use crate::config::Config;
use crate::exit::{Exit, Stop};
use crate::settings::Settings;
use crate::{OrUsage, assemble, builtin, explain, output};
use report::Report;

pub(crate) fn plan(arguments: &PlanArguments) -> Result<Exit, Stop> {
    let path = contract_file(&arguments.contract)?;
    let found = discover(&[path]).or_usage()?;
    let reading = &found.contracts[0].reading;
    let (contract, plan) = match planned(reading)? {
        Ok(planned) => planned,
        Err(error) => {
            output::line(refusal(reading, &error, arguments.format))?;
            return Ok(Exit::Problems);
        }
    };
    let report = Report::of(contract, &plan);
    match arguments.format {
        Output::Json => output::line(serde_json::to_string_pretty(&report).or_usage()?)?,
        Output::Human => output::line(human::text(&report))?,
    }
    Ok(Exit::Done)
}

/// The file that was named, or the contract of the directory that was.
fn contract_file(named: &Path) -> Result<PathBuf, Stop> {
    let path = if named.is_dir() { named.join("contract.yaml") } else { named.to_owned() };
    std::fs::metadata(&path).with_context(|| format!("cannot read `{}`", path.display())).or_usage()?;
    Ok(path)
}

/// The plan over the nodes of this binary, its registry in one file that is not opened.
fn planned(reading: &Reading) -> Result<Result<(&Contract, Plan), PlanError>, Stop> {
    let unsound = || PlanError::Unsound { file: reading.file.clone() };
    let Some(contract) = reading.contract.as_ref().filter(|_| !reading.has_errors()) else {
        return Ok(Err(unsound()));
    };
    let config = Config { settings: Settings::default(), data_dir: PathBuf::from(".onex") };
    let nodes = assemble::nodes(assemble::backends(&config)?, &[], &builtin::readings())?;
    // Whether the contracts of the workflows that it runs are there is for `onex check` to say, which sees them.
    let workflows = contract.steps().iter().filter_map(|step| step.step_config.workflow.as_deref());
    let nodes = workflows.fold(nodes, onex_node::NodeRegistry::with_workflow);
    let fingerprint = reading.fingerprint.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(Plan::new(contract, &fingerprint, &nodes).map(|plan| (contract, plan)))
}

/// Why there is no plan, and the way out.
fn refusal(reading: &Reading, error: &PlanError, format: Output) -> String {
    let (code, message) = (error.code(), with_cause(error));
    let help = explain::explanations().get(code).map_or("", |explanation| explanation.help);
    let findings: Vec<String> = match error {
        PlanError::Unsound { .. } => {
            let errors = reading.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
            errors.map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    };
    match format {
        Output::Json => {
            json!({"error": {"code": code, "message": message, "help": help, "findings": findings}}).to_string()
        }
        Output::Human => {
            let findings: String = findings.iter().map(|finding| format!("\n  {finding}")).collect();
            format!("error[{code}]: {message}{findings}\n  help: {help}")
        }
    }
}

fn with_cause(error: &PlanError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}
