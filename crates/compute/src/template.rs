//! Decides how `${path}` in a contract becomes a value.
//!
//! A string that is one template takes the value as it is, of any type; a template inside other text
//! takes its text. What is not there is an error, never an empty string (E-20).

use std::collections::BTreeMap;

use serde_json::Value;

/// Longest path and deepest descent of one template.
const MAX_PATH: usize = 256;

/// Why a template cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing is at the path.
    #[error("`${{{path}}}` leads to nothing: there is no `{missing}`")]
    Missing {
        /// The path of the template.
        path: String,
        /// The first part of it that is not there.
        missing: String,
    },
    /// A `${` without its `}`.
    #[error("`{text}` has a `${{` without its `}}`")]
    Unclosed {
        /// The text.
        text: String,
    },
    /// The path is empty or too long.
    #[error("`${{{path}}}` is no path of at most {MAX_PATH} characters")]
    BadPath {
        /// What stands in the template.
        path: String,
    },
}

/// What templates can see: values by name.
#[derive(Clone, Debug, Default)]
pub struct Scope(BTreeMap<String, Value>);

impl Scope {
    /// A scope that sees nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same scope seeing `value` as `name`.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    fn lookup(&self, path: &str) -> Result<&Value, TemplateError> {
        let mut parts = path.split('.');
        let missing = |missing: &str| TemplateError::Missing { path: path.to_owned(), missing: missing.to_owned() };
        let root = parts.next().unwrap_or_default();
        let found = self.0.get(root).ok_or_else(|| missing(root))?;
        parts.try_fold(found, |value, part| child(value, part).ok_or_else(|| missing(part)))
    }
}

fn child<'v>(value: &'v Value, part: &str) -> Option<&'v Value> {
    match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    }
}

/// Resolves every template in a value, map keys excepted.
///
/// # Errors
///
/// The first template that cannot be resolved.
pub fn resolve(template: &Value, scope: &Scope) -> Result<Value, TemplateError> {
    match template {
        Value::String(text) => resolve_text(text, scope),
        Value::Array(items) => items.iter().map(|item| resolve(item, scope)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| Ok((key.clone(), resolve(value, scope)?))).collect(),
        scalar => Ok(scalar.clone()),
    }
}

fn resolve_text(text: &str, scope: &Scope) -> Result<Value, TemplateError> {
    if let Some(path) =
        text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|path| !path.contains("${"))
    {
        return scope.lookup(checked(path)?).cloned();
    }
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (path, after) = after.split_once('}').ok_or_else(|| TemplateError::Unclosed { text: text.to_owned() })?;
        resolved.push_str(before);
        resolved.push_str(&as_text(scope.lookup(checked(path)?)?));
        rest = after;
    }
    resolved.push_str(rest);
    Ok(Value::String(resolved))
}

fn checked(path: &str) -> Result<&str, TemplateError> {
    let fits = !path.is_empty() && path.len() <= MAX_PATH && path.split('.').all(|part| !part.is_empty());
    if fits { Ok(path) } else { Err(TemplateError::BadPath { path: path.to_owned() }) }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Scope, resolve};
    use serde_json::{Value, json};

    fn check(template: &Value, expected: Result<Value, &str>) {
        let scope = Scope::new().with("input", json!({"a": 1, "b": {"c": [true, null]}, "s": "x"}));
        let resolved = resolve(template, &scope);
        match expected {
            Ok(expected) => assert_eq!(resolved, Ok(expected), "{template}"),
            Err(message) => assert_eq!(resolved.map_err(|error| error.to_string()), Err(message.to_owned())),
        }
    }

    #[test]
    fn templates_take_values_and_texts() {
        check(&json!("plain"), Ok(json!("plain")));
        check(&json!("${input.a}"), Ok(json!(1)));
        check(&json!("${input.b}"), Ok(json!({"c": [true, null]})));
        check(&json!("${input.b.c.1}"), Ok(json!(null)));
        check(&json!(["a${input.a}-${input.s}!", 7]), Ok(json!(["a1-x!", 7])));
        check(&json!("${input.a}${input.s}"), Ok(json!("1x")));
        check(&json!("${input.z}"), Err("`${input.z}` leads to nothing: there is no `z`"));
        check(&json!("${env.HOME}"), Err("`${env.HOME}` leads to nothing: there is no `env`"));
        check(&json!("a ${input.a"), Err("`a ${input.a` has a `${` without its `}`"));
        check(&json!("${}"), Err("`${}` is no path of at most 256 characters"));
        check(&json!("${input..a}"), Err("`${input..a}` is no path of at most 256 characters"));
    }
}
