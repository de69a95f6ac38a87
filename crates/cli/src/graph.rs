//! `onex graph`: a contract or a system as a picture. What is drawn is decided in `steps` and `system`, how in one
//! module for each format; both meet in a [`picture::Picture`].

mod dot;
mod escape;
mod html;
mod layout;
mod mermaid;
mod picture;
mod steps;
mod svg;
mod system;

use std::path::Path;

use anyhow::{Context, anyhow};
use onex_contract::{Contract, Reading};
use onex_runtime::discover;

use crate::arguments::{GraphArguments, GraphFormat};
use crate::exit::{Exit, Stop};
use crate::{OrUsage, output};
use picture::Picture;

pub(crate) fn graph(arguments: &GraphArguments) -> Result<Exit, Stop> {
    let found = discover(std::slice::from_ref(&arguments.path)).or_usage()?;
    let readings = found.readings();
    let contracts = drawable(&readings, &arguments.path)?;
    let text = if arguments.path.is_dir() {
        let title = arguments.path.file_name().map_or_else(|| "system".into(), |name| name.to_string_lossy());
        written(&system::picture(&title, &contracts), &contracts, arguments.format)
    } else {
        written(&steps::picture(contracts[0]), &contracts, arguments.format)
    };
    match &arguments.output {
        Some(file) => write_to(file, &text)?,
        None => output::line(text.trim_end())?,
    }
    Ok(Exit::Done)
}

/// The contracts that can be read, at least one. One that cannot is named, and the others are drawn without it.
fn drawable<'r>(readings: &[&'r Reading], path: &Path) -> Result<Vec<&'r Contract>, Stop> {
    if readings.is_empty() {
        return Err(Stop::usage(anyhow!("no contract.yaml is below `{}`", path.display())));
    }
    for reading in readings.iter().filter(|reading| reading.contract.is_none()) {
        reading.diagnostics.iter().for_each(|finding| eprintln!("{finding}"));
    }
    let contracts: Vec<_> = readings.iter().filter_map(|reading| reading.contract.as_ref()).collect();
    if contracts.is_empty() {
        let error = anyhow!("nothing in `{}` can be drawn; `onex check` shows why", path.display());
        return Err(Stop { exit: Exit::Problems, error });
    }
    Ok(contracts)
}

fn written(picture: &Picture, contracts: &[&Contract], format: GraphFormat) -> String {
    match format {
        GraphFormat::Mermaid => mermaid::text(picture),
        GraphFormat::Dot => dot::text(picture),
        GraphFormat::Svg => svg::text(picture),
        GraphFormat::Html => html::text(picture, contracts),
    }
}

fn write_to(file: &Path, text: &str) -> Result<(), Stop> {
    std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display())).or_usage()
}
