//! Every rule has a manual page, and every page tells the truth: what it calls wrong is found under its code and nothing
//! else is, and what it calls right is clean.

use std::collections::BTreeSet;

use onex_contract::{
    Diagnostic, FileFacts, Include, Included, Reading, Rule, Severity, Source, SystemFacts, check_facts, read_with,
    rules, silence,
};

/// Rules whose example cannot be shown on a page; they are tested where their limits are.
const WITHOUT_EXAMPLE: [&str; 4] = ["ONEX0001", "ONEX0008", "ONEX0014", "ONEX0093"];

/// The files of an example, by name.
struct Example(Vec<(String, String)>);

impl Example {
    /// The files below a heading of a page.
    fn of(page: &str, heading: &str) -> Self {
        let after = page.split_once(&format!("\n## {heading}\n")).map_or("", |(_, after)| after);
        let section = after.split("\n## ").next().unwrap_or_default();
        let mut files = Vec::new();
        let mut name = "greeter.yaml".to_owned();
        let mut code: Option<String> = None;
        for line in section.lines() {
            match (&mut code, line) {
                (None, "```yaml") => code = Some(String::new()),
                (Some(_), "```") => files.push((name.clone(), code.take().unwrap_or_default())),
                (Some(code), line) => code.extend([line, "\n"]),
                (None, line) => {
                    if let Some(named) = line.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:")) {
                        named.clone_into(&mut name);
                    }
                }
            }
        }
        Self(files)
    }

    fn findings(&self) -> Vec<Diagnostic> {
        let contracts = self.0.iter().filter(|(name, _)| self.0.len() == 1 || name.ends_with("contract.yaml"));
        let readings: Vec<(Reading, &String)> =
            contracts.map(|(file, text)| (read_with(Source { file, text }, self), text)).collect();
        let facts: Vec<_> = readings
            .iter()
            .filter_map(|(reading, _)| Some((reading.file.as_str(), SystemFacts::of(reading.contract.as_ref()?))))
            .collect();
        let of_files: Vec<_> = facts.iter().map(|(file, facts)| FileFacts { file, facts }).collect();
        let known = [("mail_effect".to_owned(), onex_contract::Archetype::Effect)];
        let together = if readings.len() > 1 { check_facts(&of_files, &[]) } else { check_facts(&of_files, &known) };
        let alone = readings.into_iter().flat_map(|(reading, text)| silence(&reading.file, text, reading.diagnostics));
        alone.chain(together).collect()
    }
}

impl Include for Example {
    fn load(&self, _: Option<&str>, path: &str) -> Result<Included, String> {
        let found = self.0.iter().find(|(name, _)| name == path).ok_or("no such file")?;
        Ok(Included { name: found.0.clone(), text: found.1.clone() })
    }
}

/// Codes of what is found, notes only of the rule itself.
fn codes(rule: &Rule, findings: &[Diagnostic]) -> BTreeSet<&'static str> {
    let counts = findings.iter().filter(|found| found.severity > Severity::Note || found.code == rule.code);
    counts.map(|found| found.code).collect()
}

#[test]
fn every_page_tells_the_truth() {
    let mut untrue = Vec::new();
    for rule in rules() {
        let page = rule.page();
        assert!(page.starts_with(&format!("# {}: {}\n\n", rule.code, rule.title)), "{} has its page", rule.code);
        let (wrong, right) = (Example::of(page, "Wrong"), Example::of(page, "Right"));
        if WITHOUT_EXAMPLE.contains(&rule.code) {
            assert!(wrong.0.is_empty(), "{} has an example", rule.code);
            continue;
        }
        let (wrong, right) = (wrong.findings(), right.findings());
        if codes(&rule, &wrong) != BTreeSet::from([rule.code]) || !codes(&rule, &right).is_empty() {
            let shown =
                |findings: &[Diagnostic]| findings.iter().map(|found| format!("\n    {found}")).collect::<String>();
            untrue.push(format!("{}\n  wrong:{}\n  right:{}", rule.code, shown(&wrong), shown(&right)));
        }
        for found in wrong.iter().filter(|found| found.code == rule.code) {
            assert!(found.help.is_some(), "{found} says a way out");
        }
    }
    if !untrue.is_empty() {
        panic!("{}", untrue.join("\n"));
    }
}
