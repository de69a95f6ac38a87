//! Decides what a step is given: its templates resolved, the items of its list, and whether its conditions hold.

use std::borrow::Cow;

use onex_compute::{Scope, resolve};
use onex_contract::{Expression, Verdict, lookup};
use onex_node::{ErrorClass, Failure, StepId, StepResult};
use serde_json::{Value, json};

use super::{Progress, RunState};

impl RunState {
    /// The step's input with its templates resolved; `None` when it declares none.
    ///
    /// # Errors
    ///
    /// A template leads to nothing.
    pub(crate) fn bound_input(&self, index: usize) -> Result<Option<Value>, Failure> {
        let template = self.plan.steps[index].input.as_ref();
        template.map(|template| resolved(template, &self.scope())).transpose()
    }

    /// What the step is given for each item of its list: its input, else the item; `None` when it has no list.
    ///
    /// # Errors
    ///
    /// A template leads to nothing, the list's one to no list, or the list is too long.
    pub(crate) fn inputs_by_item(&self, index: usize) -> Result<Option<Vec<Value>>, Failure> {
        let planned = &self.plan.steps[index];
        let Some(list) = &planned.for_each else { return Ok(None) };
        let mut scope = self.scope();
        let mut inputs = Vec::new();
        for (position, item) in self.items(&planned.id, list, &scope)?.into_iter().enumerate() {
            inputs.push(match &planned.input {
                None => item,
                Some(template) => {
                    scope = scope.with("item", item).with("index", json!(position));
                    resolved(template, &scope)?
                }
            });
        }
        Ok(Some(inputs))
    }

    fn items(&self, step: &StepId, list: &Value, scope: &Scope) -> Result<Vec<Value>, Failure> {
        let most = self.limits().items as usize;
        let refused = |problem: String| {
            let message = format!("`for_each` of step `{step}` {problem}");
            Err(Failure::new(ErrorClass::Validation, "ONEX3014", message).named("ListError"))
        };
        match resolved(list, scope)? {
            Value::Array(items) if items.len() > most => {
                refused(format!("has {} items, at most {most} may be", items.len()))
            }
            Value::Array(items) => Ok(items),
            _ => refused("gives no list".to_owned()),
        }
    }

    /// What templates of a step can see.
    fn scope(&self) -> Scope {
        let run = json!({
            "id": self.run_id(),
            "correlation_id": self.correlation_id(),
            "now": onex_event::rfc3339::text(&self.now()),
            "orchestrator": self.plan().name,
        });
        Scope::new().with("input", self.input().clone()).with("steps", self.outputs()).with("run", run)
    }

    /// What is wrong with the step's conditions: the first that does not hold.
    ///
    /// # Errors
    ///
    /// One cannot be told (C-16).
    pub(super) fn unheld_condition(&self, index: usize) -> Result<Option<&str>, Failure> {
        for text in &self.plan.steps[index].conditions {
            match self.verdict(text) {
                Verdict::Holds => {}
                Verdict::Fails => return Ok(Some(text)),
                Verdict::Unclear => {
                    let message = format!("it cannot be told whether `{text}` holds");
                    let failure = Failure::new(ErrorClass::Validation, "ONEX3013", message);
                    return Err(failure.named("ConditionEvaluationError"));
                }
            }
        }
        Ok(None)
    }

    fn verdict(&self, text: &str) -> Verdict {
        Expression::parse(text).map_or(Verdict::Unclear, |expression| {
            let value = self.value_at(expression.field);
            expression.holds_of(value.as_deref())
        })
    }

    /// What stands at `input.x`, `steps.ID.output.x` or `steps.ID.status`.
    fn value_at(&self, path: &str) -> Option<Cow<'_, Value>> {
        let (root, rest) = path.split_once('.')?;
        if root == "input" {
            return lookup(rest, self.input()).map(Cow::Borrowed);
        }
        let (id, rest) = rest.split_once('.').filter(|_| root == "steps")?;
        let Progress::Ended(result) = &self.step(&id.into())?.progress else { return None };
        match rest.split_once('.') {
            None if rest == "status" => Some(Cow::Owned(json!(status(result)))),
            None if rest == "output" => result.output().map(Cow::Borrowed),
            Some(("output", rest)) => lookup(rest, result.output()?).map(Cow::Borrowed),
            _ => None,
        }
    }
}

fn status(result: &StepResult) -> &'static str {
    match result {
        StepResult::Done(_) => "done",
        StepResult::Failed { .. } => "failed",
        StepResult::Skipped { .. } => "skipped",
    }
}

fn resolved(template: &Value, scope: &Scope) -> Result<Value, Failure> {
    resolve(template, scope)
        .map_err(|error| Failure::new(ErrorClass::Validation, "ONEX3011", error.to_string()).named("TemplateError"))
}
