//! Decides what `field operator value` means, as guards of transitions and conditions of steps are written
//! (semantics, section 11.4): how it is read, and whether it holds.

use regex::Regex;
use serde_json::Value;

/// What an expression says of a context.
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

/// Operators that compare a field with a value.
const BINARY: [&str; 21] = [
    "==",
    "!=",
    ">",
    "<",
    ">=",
    "<=",
    "equals",
    "not_equals",
    "in",
    "not_in",
    "contains",
    "matches",
    "greater_than",
    "less_than",
    "greater_than_or_equal",
    "less_than_or_equal",
    "min_length",
    "max_length",
    "exists",
    "not_exists",
    "eq",
];

/// Operators that ask about a field alone.
const UNARY: [&str; 4] = ["is_present", "is_valid", "exists", "not_exists"];

/// `field operator value`, or `field operator` for operators without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expression<'t> {
    /// Dotted path of the field.
    pub field: &'t str,
    operator: &'t str,
    operand: Option<&'t str>,
}

/// Why a text is no expression (F-22).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The second word is no operator.
    #[error("unknown operator `{operator}` in `{text}`")]
    UnknownOperator {
        /// The word.
        operator: String,
        /// The text.
        text: String,
    },
    /// It has too few or too many words.
    #[error("`{text}` has {words} words, expected 3")]
    Words {
        /// The text.
        text: String,
        /// How many.
        words: usize,
    },
}

impl<'t> Expression<'t> {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// It is not of two or three words with a known operator.
    pub fn parse(text: &'t str) -> Result<Self, ExpressionError> {
        let tokens: Vec<&str> = text.split_whitespace().collect();
        match tokens[..] {
            [field, operator] if UNARY.contains(&operator) => Ok(Self { field, operator, operand: None }),
            [field, operator, operand] if BINARY.contains(&operator) => {
                Ok(Self { field, operator, operand: Some(operand) })
            }
            [_, operator] | [_, operator, _] if !BINARY.contains(&operator) => {
                Err(ExpressionError::UnknownOperator { operator: operator.to_owned(), text: text.to_owned() })
            }
            _ => Err(ExpressionError::Words { text: text.to_owned(), words: tokens.len() }),
        }
    }

    /// Whether it holds of what stands at its field; `None` where nothing does.
    pub fn holds_of(&self, value: Option<&Value>) -> Verdict {
        match (self.operator, value, self.operand) {
            ("exists" | "is_present", value, _) => value.is_some_and(|value| !value.is_null()).into(),
            ("not_exists", value, _) => value.is_none_or(Value::is_null).into(),
            ("is_valid", value, None) => value.is_some_and(is_valid).into(),
            (operator, Some(value), Some(operand)) => compare(operator, value, operand),
            _ => Verdict::Unclear,
        }
    }
}

/// Reads an expression and says whether it holds in a context.
pub fn evaluate(expression: &str, context: &Value) -> Verdict {
    Expression::parse(expression)
        .map_or(Verdict::Unclear, |expression| expression.holds_of(lookup(expression.field, context)))
}

/// The value at a dotted path; segments that start with `_` are private and never found (F-31).
pub fn lookup<'v>(path: &str, context: &'v Value) -> Option<&'v Value> {
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
    use super::{Expression, Verdict, evaluate};
    use serde_json::json;

    #[test]
    fn f22_expressions_are_three_words_with_a_known_operator() {
        for good in ["n > 1", "node_id is_present", "a.b in x,y", "n exists _"] {
            assert!(Expression::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "n", "n >", "n > 1 2", "n ~= 1"] {
            assert!(Expression::parse(bad).is_err(), "{bad}");
        }
    }

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
