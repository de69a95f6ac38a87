//! ONEX0043: a template in a step's `input` or `for_each`, or a field of its `condition`, leads nowhere: it is not closed,
//! starts with an unknown word, or names a step that does not exist or need not have ended by then. The run would fail
//! when it comes to the step.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Finding, Rule, place};
use crate::condition::Expression;
use crate::model::{Contract, ExecutionMode, GraphNode, WorkflowCoordination};
use crate::order::{before, dependents};
use crate::path::KeyPath;
use crate::policy::Policies;

pub(super) const DANGLING: Rule = Rule::of_contract(
    "ONEX0043",
    "a template leads nowhere",
    "write `${input.x}`, `${steps.ID.output.x}` with a step that comes before, or `${run.id}`",
    dangling_templates,
)
.local();

fn dangling_templates(contract: &Contract) -> Vec<Finding> {
    let Some(workflow) = &contract.workflow_coordination else { return Vec::new() };
    let graph = &workflow.workflow_definition.execution_graph;
    let templated = graph.nodes.iter().enumerate().filter(|(_, node)| looks_at_something(node));
    let indices: Vec<usize> = templated.map(|(index, _)| index).collect();
    if indices.is_empty() {
        return Vec::new();
    }
    let ended = Ended::of(contract, workflow);
    let mut findings = Vec::new();
    for index in indices {
        let ended = ended.before(index);
        let ended: BTreeSet<&str> = ended.into_iter().map(|index| graph.nodes[index].node_id.as_str()).collect();
        findings.extend(of_step(&graph.nodes[index], index, &ended));
    }
    findings
}

fn looks_at_something(node: &GraphNode) -> bool {
    node.step_config.input.is_some() || node.for_each.is_some() || !node.condition.is_empty()
}

fn of_step(node: &GraphNode, index: usize, ended: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong = |path: &KeyPath, message: String| {
        findings.push(Finding::at_value(DANGLING.finding(path.clone(), message)));
    };
    let roots: &[&str] = if node.for_each.is_some() { &["input", "run", "item", "index"] } else { &["input", "run"] };
    let templates = [
        (node.step_config.input.as_ref(), place::step_config(index).key("input"), roots),
        (node.for_each.as_ref(), place::node(index).key("for_each"), &["input", "run"]),
    ];
    for (template, path, roots) in templates {
        texts(template, &path, &mut |path, text| {
            let problems = paths(text).into_iter().filter_map(|template| problem(template, roots, ended));
            problems.for_each(|message| wrong(path, message));
        });
    }
    let fields = node.condition.iter().filter_map(|text| Some(Expression::parse(text).ok()?.field));
    let problems = fields.filter_map(|field| problem(Some(field), &["input"], ended));
    problems.for_each(|message| wrong(&place::node(index).key("condition"), message));
    findings
}

/// Which steps may have ended when one starts.
struct Ended {
    is_parallel: bool,
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
}

impl Ended {
    fn of(contract: &Contract, workflow: &WorkflowCoordination) -> Self {
        let before = before(&workflow.workflow_definition.execution_graph);
        Self {
            is_parallel: Policies::of(contract, workflow).mode().value == ExecutionMode::Parallel,
            after: dependents(&before),
            before,
        }
    }

    /// Those that a step depends on; where steps go one after another, all that do not depend on it.
    fn before(&self, index: usize) -> BTreeSet<usize> {
        if self.is_parallel {
            return reached(&self.before, index);
        }
        let after = reached(&self.after, index);
        (0..self.before.len()).filter(|other| *other != index && !after.contains(other)).collect()
    }
}

/// Every step that the ways from one lead to.
fn reached(ways: &[Vec<usize>], start: usize) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut ahead = vec![start];
    while let Some(index) = ahead.pop() {
        ahead.extend(ways[index].iter().filter(|next| all.insert(**next)));
    }
    all
}

/// Every text of a value, with its place.
fn texts(value: Option<&Value>, path: &KeyPath, act: &mut impl FnMut(&KeyPath, &str)) {
    match value {
        Some(Value::String(text)) => act(path, text),
        Some(Value::Array(items)) => {
            items.iter().enumerate().for_each(|(index, item)| texts(Some(item), &path.index(index), act));
        }
        Some(Value::Object(map)) => map.iter().for_each(|(key, value)| texts(Some(value), &path.key(key), act)),
        _ => {}
    }
}

/// What stands in the templates of a text; nothing for one that is not closed.
fn paths(text: &str) -> Vec<Option<&str>> {
    let starts = text.match_indices("${").map(|(index, _)| &text[index + 2..]);
    starts.map(|rest| rest.split_once('}').map(|(path, _)| path)).collect()
}

fn problem(template: Option<&str>, roots: &[&str], ended: &BTreeSet<&str>) -> Option<String> {
    let Some(template) = template else { return Some("a `${` is without its `}`".to_owned()) };
    let parts: Vec<&str> = template.split('.').collect();
    match parts[..] {
        _ if parts.contains(&"") => Some(format!("`{template}` is no path")),
        ["steps", step, ..] if ended.contains(step) => None,
        ["steps", step, ..] => Some(format!("`{template}` names `{step}`, which is no step that comes before")),
        [first, ..] if roots.contains(&first) => None,
        [first, ..] => Some(format!("`{template}` starts with `{first}`, expected one of steps, {}", roots.join(", "))),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{paths, problem};

    #[test]
    fn templates_are_judged_by_their_first_words() {
        let ended = BTreeSet::from(["act"]);
        let wrong =
            |text: &str| paths(text).into_iter().filter_map(|path| problem(path, &["input", "run"], &ended)).count();
        for good in ["", "plain", "${input.a}", "a ${steps.act.output.b} b ${run.id}", "${input}", "$ {x}"] {
            assert_eq!(wrong(good), 0, "{good}");
        }
        for bad in ["${steps.tell.output}", "${steps.act.output", "${}", "${input..a}", "${inputs.a}"] {
            assert_eq!(wrong(bad), 1, "{bad}");
        }
        assert_eq!(wrong("${a.b} and ${c}"), 2);
    }
}
