//! `onex schema`: the JSON Schema of a contract or an event, for editors and other tools.

use anyhow::{Context, anyhow};

use crate::arguments::SchemaArguments;
use crate::exit::{Exit, Stop};
use crate::nearest::suggestion;
use crate::{OrUsage, output};

/// The name of the contract's schema.
const CONTRACT: &str = "contract";

pub(crate) fn schema(arguments: &SchemaArguments) -> Result<Exit, Stop> {
    let mut schemas = vec![(CONTRACT, onex_contract::schema())];
    schemas.extend(onex_event::schemas());
    if arguments.list {
        schemas.iter().try_for_each(|(name, _)| output::line(name))?;
        return Ok(Exit::Done);
    }
    let name = arguments.name.as_str();
    let names = || schemas.iter().map(|(known, _)| *known);
    let unknown = || anyhow!("`{name}` has no schema{}", suggestion(name, names()));
    let (_, wanted) = schemas.iter().find(|(known, _)| *known == name).ok_or_else(unknown).or_usage()?;
    output::line(serde_json::to_string_pretty(wanted).context("the schema cannot be written").or_usage()?)?;
    Ok(Exit::Done)
}
