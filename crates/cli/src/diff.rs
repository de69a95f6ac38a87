//! `onex diff`: what the difference between two versions of contracts asks of those around them. What a difference
//! means is decided in `onex_contract::diff`; here contracts are found, paired and told.

mod human;
mod pair;

use anyhow::anyhow;
use onex_contract::{Change, ChangeClass, Diagnostic, Reading, Severity};
use onex_runtime::{Discovered, discover};
use serde_json::{Value, json};

use crate::arguments::{DiffArguments, Output};
use crate::exit::{Exit, Stop};
use crate::{OrUsage, output};
use pair::{Pair, pairs};

pub(crate) fn diff(arguments: &DiffArguments) -> Result<Exit, Stop> {
    let (old, new) = (found(&arguments.old)?, found(&arguments.new)?);
    let are_files = match (arguments.old.is_dir(), arguments.new.is_dir()) {
        (false, false) => true,
        (true, true) => false,
        _ => return Err(Stop::usage(anyhow!("a file and a directory cannot be compared; name two of a kind"))),
    };
    let pairs = pairs(&old.readings(), &new.readings(), are_files).or_usage()?;
    match arguments.format {
        Output::Json => output::line(as_json(&pairs))?,
        Output::Human => output::line(human::report(&pairs))?,
    }
    let is_breaking = pairs.iter().any(|pair| count(pair, ChangeClass::Breaking) > 0);
    Ok(if is_breaking { Exit::Problems } else { Exit::Done })
}

/// The contracts of one side; one that cannot be read at all cannot be compared, one with errors in part.
fn found(path: &std::path::Path) -> Result<Discovered, Stop> {
    let found = discover(&[path.to_owned()]).or_usage()?;
    if found.contracts.is_empty() {
        return Err(Stop::usage(anyhow!("no contract.yaml is below `{}`", path.display())));
    }
    for reading in found.readings() {
        match first_error(reading) {
            Some(error) if reading.contract.is_none() => return Err(Stop::usage(anyhow!("{error}"))),
            Some(_) => eprintln!(
                "warning: {} has errors, and what they are about is not compared; `onex check` shows them",
                reading.file
            ),
            None => {}
        }
    }
    Ok(found)
}

fn first_error(reading: &Reading) -> Option<&Diagnostic> {
    reading.diagnostics.iter().find(|finding| finding.severity == Severity::Error)
}

fn count(pair: &Pair<'_>, class: ChangeClass) -> usize {
    pair.changes.iter().filter(|change| change.class == class).count()
}

fn as_json(pairs: &[Pair<'_>]) -> Value {
    let total = |class| pairs.iter().map(|pair| count(pair, class)).sum::<usize>();
    json!({
        "contracts": pairs.iter().map(pair_as_json).collect::<Vec<_>>(),
        "breaking": total(ChangeClass::Breaking),
        "needs_drain": total(ChangeClass::NeedsDrain),
        "safe": total(ChangeClass::Safe),
    })
}

fn pair_as_json(pair: &Pair<'_>) -> Value {
    let side = |reading: Option<&Reading>| {
        reading.map(|reading| {
            json!({
                "file": reading.file,
                "version": reading.contract.as_ref().map(|contract| contract.contract_version.to_string()),
                "fingerprint": reading.fingerprint,
            })
        })
    };
    json!({
        "name": pair.name,
        "old": side(pair.old),
        "new": side(pair.new),
        "same_fingerprint": pair.has_same_fingerprint(),
        "changes": pair.changes.iter().map(change_as_json).collect::<Vec<_>>(),
    })
}

fn change_as_json(change: &Change) -> Value {
    json!({
        "class": change.class,
        "path": change.path.to_string(),
        "what": change.what,
        "before": change.before,
        "after": change.after,
    })
}
