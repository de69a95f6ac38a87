//! `onex explain`: what a code means and what to do about it, from the tables beside the errors.

use std::collections::BTreeMap;

use anyhow::anyhow;
use onex_contract::{Severity, rules};

use crate::arguments::ExplainArguments;
use crate::exit::{Exit, Stop};
use crate::nearest::suggestion;
use crate::{OrUsage, output};

/// What is known of a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Explanation {
    /// How bad a finding of this code is, for findings about contracts.
    pub(crate) severity: Option<Severity>,
    /// What is wrong.
    pub(crate) title: &'static str,
    /// What to do about it.
    pub(crate) help: &'static str,
    /// The manual page in Markdown, for findings about contracts.
    page: Option<&'static str>,
}

pub(crate) fn explain(arguments: &ExplainArguments) -> Result<Exit, Stop> {
    let known = explanations();
    let Some(word) = arguments.code.as_deref().filter(|_| !arguments.all) else {
        known.iter().try_for_each(|(code, explanation)| output::line(row(code, explanation)))?;
        return Ok(Exit::Done);
    };
    let code = normal(word);
    let unknown = || anyhow!("`{word}` is no code{}", suggestion(&code, known.keys().copied()));
    let explanation = known.get(code.as_str()).ok_or_else(unknown).or_usage()?;
    output::line(page(&code, explanation))?;
    Ok(Exit::Done)
}

/// Every code that this program may show.
pub(crate) fn explanations() -> BTreeMap<&'static str, Explanation> {
    let of_rules = rules().into_iter().map(|rule| {
        let page = Some(rule.page());
        (rule.code, Explanation { severity: Some(rule.severity), title: rule.title, help: rule.help, page })
    });
    let tables = [
        onex_bus::codes::CODES,
        onex_compute::codes::CODES,
        onex_effect::codes::CODES,
        onex_journal::codes::CODES,
        onex_orchestrator::codes::CODES,
        onex_reducer::codes::CODES,
        onex_runtime::codes::CODES,
    ];
    let of_tables = tables.into_iter().flatten();
    let of_tables =
        of_tables.map(|(code, title, help)| (*code, Explanation { severity: None, title, help, page: None }));
    of_rules.chain(of_tables).collect()
}

/// `ONEX0021` of `onex0021`, `0021` or `21`; any other word as it is, in upper case.
fn normal(word: &str) -> String {
    let word = word.trim().to_ascii_uppercase();
    let digits = word.strip_prefix("ONEX").unwrap_or(&word).trim_start_matches(['-', '_', ' ']);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("ONEX{digits:0>4}") } else { word }
}

fn row(code: &str, explanation: &Explanation) -> String {
    let severity = explanation.severity.map(|severity| severity.to_string()).unwrap_or_default();
    format!("{code}  {severity:<7}  {}", explanation.title)
}

fn page(code: &str, explanation: &Explanation) -> String {
    let severity = explanation.severity.map(|severity| format!(" ({severity})")).unwrap_or_default();
    let mut page = format!("{code}{severity}: {}\n\n", explanation.title);
    if let Some(manual) = explanation.page {
        page.push_str(&plain(manual));
    }
    page.push_str(&format!("help: {}", explanation.help));
    if let Some(severity) = explanation.severity {
        page.push_str(&format!("\n\n{}", silence(code, severity)));
    }
    page
}

/// A page of Markdown without its title, for a terminal: examples indented, headings as words.
fn plain(page: &str) -> String {
    let mut plain = String::new();
    let mut is_code = false;
    for line in page.lines().skip(2) {
        match line.strip_prefix("## ") {
            _ if line.starts_with("```") => is_code = !is_code,
            Some(heading) if !is_code => plain.extend([heading, ":\n"]),
            _ if is_code => plain.extend(["    ", line, "\n"]),
            _ => plain.extend([line, "\n"]),
        }
    }
    plain.push('\n');
    plain
}

fn silence(code: &str, severity: Severity) -> String {
    let here = format!("to silence one: `# onex: allow {code} REASON` at the end of its line, or on the line above");
    let everywhere = format!("to leave the code out everywhere: `onex check --ignore {code}`");
    let limit = if severity == Severity::Error { "\n`onex run` refuses the contract all the same" } else { "" };
    format!("{here}\n{everywhere}{limit}")
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn codes_in_any_spelling() {
        for (word, expected) in [
            ("ONEX0021", "ONEX0021"),
            ("onex3030", "ONEX3030"),
            ("0021", "ONEX0021"),
            ("21", "ONEX0021"),
            ("onex-21", "ONEX0021"),
            ("ONEX99999", "ONEX99999"),
            ("cycle", "CYCLE"),
            ("onex", "ONEX"),
            ("", ""),
        ] {
            assert_eq!(normal(word), expected, "{word}");
        }
    }
}
