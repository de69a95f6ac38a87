//! Decides whether a guard holds: `field operator value` over a JSON context (semantics, section 11.4).

use regex::Regex;
use serde_json::Value;

/// What a guard says of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It cannot be told: the field is missing, or not of the kind the operator needs (C-16).
    Unclear,
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

/// Evaluates one expression.
pub fn evaluate(expression: &str, context: &Value) -> Verdict {
    let tokens: Vec<&str> = expression.split_whitespace().collect();
    let (field, operator, operand) = match tokens[..] {
        [field, operator] => (field, operator, None),
        [field, operator, operand] => (field, operator, Some(operand)),
        _ => return Verdict::Unclear,
    };
    let value = lookup(field, context);
    match (operator, value, operand) {
        ("exists" | "is_present", value, _) => value.is_some_and(|value| !value.is_null()).into(),
        ("not_exists", value, _) => value.is_none_or(Value::is_null).into(),
        ("is_valid", value, None) => value.is_some_and(is_valid).into(),
        (_, Some(value), Some(operand)) => compare(operator, value, operand),
        _ => Verdict::Unclear,
    }
}

/// The value at a dotted path; segments that start with `_` are private and never found (F-31).
fn lookup<'v>(path: &str, context: &'v Value) -> Option<&'v Value> {
    path.split('.').try_fold(context, |value, segment| value.get(segment).filter(|_| !segment.starts_with('_')))
}

fn is_valid(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Bool(valid) => *valid,
        Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    }
}

fn compare(operator: &str, value: &Value, operand: &str) -> Verdict {
    let text = rendering(value);
    match operator {
        "==" | "equals" | "eq" => (text == operand).into(),
        "!=" | "not_equals" => (text != operand).into(),
        "in" => operand.split(',').any(|item| item.trim() == text).into(),
        "not_in" => (!operand.split(',').any(|item| item.trim() == text)).into(),
        "contains" => text.contains(operand).into(),
        "matches" => matches(operand, &text),
        "min_length" => length(value, operand, |length, bound| length >= bound),
        "max_length" => length(value, operand, |length, bound| length <= bound),
        ">" | "greater_than" => numbers(&text, operand, |left, right| left > right),
        "<" | "less_than" => numbers(&text, operand, |left, right| left < right),
        ">=" | "greater_than_or_equal" => numbers(&text, operand, |left, right| left >= right),
        "<=" | "less_than_or_equal" => numbers(&text, operand, |left, right| left <= right),
        _ => Verdict::Unclear,
    }
}

/// How upstream renders a value for comparison: `True`, `None`, numbers and texts as they are (F-27).
fn rendering(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn matches(pattern: &str, text: &str) -> Verdict {
    let anchored = Regex::new(&format!("^(?:{pattern})"));
    anchored.is_ok_and(|pattern| pattern.is_match(text)).into()
}

fn numbers(left: &str, right: &str, compare: fn(f64, f64) -> bool) -> Verdict {
    match (left.parse(), right.parse()) {
        (Ok(left), Ok(right)) => compare(left, right).into(),
        _ => Verdict::Unclear,
    }
}

fn length(value: &Value, bound: &str, compare: fn(usize, usize) -> bool) -> Verdict {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return Verdict::Unclear,
    };
    bound.parse().map_or(Verdict::Unclear, |bound| compare(length, bound).into())
}

#[cfg(test)]
mod tests {
    use super::{Verdict, evaluate};
    use serde_json::json;

    #[test]
    fn f23_to_f31_operators() {
        let context = json!({"n": 5, "f": 5.0, "s": "10", "w": "abc", "b": true, "h": "hello", "a": {"b": 1}, "z": null, "_p": 1, "l": [1, 2]});
        for (expression, expected) in [
            ("n > 1", Verdict::Holds),
            ("s > 3", Verdict::Holds),
            ("w > 3", Verdict::Unclear),
            ("missing < 5", Verdict::Unclear),
            ("n greater_than 1", Verdict::Holds),
            ("n exists _", Verdict::Holds),
            ("missing not_exists _", Verdict::Holds),
            ("n == 5", Verdict::Holds),
            ("f == 5", Verdict::Fails),
            ("b == True", Verdict::Holds),
            ("b == true", Verdict::Fails),
            ("w in abc,b,c", Verdict::Holds),
            ("h matches ^he", Verdict::Holds),
            ("h matches ell", Verdict::Fails),
            ("h matches [", Verdict::Fails),
            ("a.b == 1", Verdict::Holds),
            ("z.b == 1", Verdict::Unclear),
            ("_p == 1", Verdict::Unclear),
            ("l min_length 2", Verdict::Holds),
            ("h max_length 4", Verdict::Fails),
            ("n is_present", Verdict::Holds),
            ("z is_present", Verdict::Fails),
        ] {
            assert_eq!(evaluate(expression, &context), expected, "{expression}");
        }
    }

    #[test]
    fn every_operator_has_its_meaning() {
        let context = json!({
            "n": 5, "w": "abc", "e": "", "b": true, "no": false, "z": null, "l": [1, 2], "m": {"k": 1}, "u": "äö",
        });
        for (expression, expected) in [
            ("n equals 5", Verdict::Holds),
            ("n eq 6", Verdict::Fails),
            ("z == None", Verdict::Holds),
            ("no == False", Verdict::Holds),
            ("n != 5", Verdict::Fails),
            ("n not_equals 6", Verdict::Holds),
            ("n >= 5", Verdict::Holds),
            ("n <= 4", Verdict::Fails),
            ("n < 6", Verdict::Holds),
            ("n less_than 5", Verdict::Fails),
            ("n greater_than_or_equal 5", Verdict::Holds),
            ("n less_than_or_equal 4", Verdict::Fails),
            ("n > x", Verdict::Unclear),
            ("w not_in x,y", Verdict::Holds),
            ("w not_in abc", Verdict::Fails),
            ("w in ab,bc", Verdict::Fails),
            ("w contains bc", Verdict::Holds),
            ("w contains x", Verdict::Fails),
            ("u min_length 2", Verdict::Holds),
            ("u max_length 1", Verdict::Fails),
            ("m max_length 1", Verdict::Holds),
            ("n min_length 1", Verdict::Unclear),
            ("w min_length x", Verdict::Unclear),
            ("w is_valid", Verdict::Holds),
            ("e is_valid", Verdict::Fails),
            ("no is_valid", Verdict::Fails),
            ("z is_valid", Verdict::Fails),
            ("l is_valid", Verdict::Holds),
            ("missing is_valid", Verdict::Fails),
            ("n exists", Verdict::Holds),
            ("missing exists", Verdict::Fails),
            ("z not_exists", Verdict::Holds),
            ("n not_exists", Verdict::Fails),
            ("m.k exists", Verdict::Holds),
            ("m._k exists", Verdict::Fails),
        ] {
            assert_eq!(evaluate(expression, &context), expected, "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_unclear() {
        let context = json!({"n": 5});
        for expression in ["", "n", "n >", "n ~= 5", "n ~=", "n > 1 2", "n == 5 6", "missing == 5", "n is_valid x"] {
            assert_eq!(evaluate(expression, &context), Verdict::Unclear, "`{expression}`");
        }
    }
}
