//! The one module that knows serde_yaml: text to JSON values, and its errors to a place and a sentence.
//!
//! serde_yaml is no longer maintained; its successor replaces this file and nothing else. Duplicate keys, which
//! it lets pass, are noticed on the way: the last one counts, as in most readers, and each is reported. So are tags,
//! which are left out.

mod nesting;

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::path::KeyPath;

/// Deepest nesting that is read.
pub(crate) const MAX_DEPTH: usize = 64;

/// What kind of text is no document that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Syntax,
    Tab,
    SeveralDocuments,
    TooDeep,
    TooManyAliases,
    UnknownAnchor,
    Include,
}

/// Why a text is no YAML document we read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub(crate) trouble: Trouble,
    pub(crate) message: String,
    /// Line and column from 1, when known.
    pub(crate) at: Option<(usize, usize)>,
}

/// What is read and yet not as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// A key that stands twice in one map.
    WrittenTwice(KeyPath),
    /// A tag that means nothing here, such as `!env`.
    Tag(KeyPath, String),
}

/// A document, and what is odd about it.
#[derive(Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) value: Value,
    pub(crate) oddities: Vec<Oddity>,
}

/// Gives the content of an included file, or a sentence why not.
pub(crate) type IncludeFn<'i> = dyn Fn(&str) -> Result<Value, String> + 'i;

/// What errors of includes start with, so that they are told from those of the text.
const INCLUDE: &str = "cannot include: ";

/// Reads one YAML document.
pub(crate) fn parse(text: &str, include: &IncludeFn<'_>) -> Result<Document, YamlError> {
    if let Some(line) = nesting::too_deep(text) {
        let message = format!("nested deeper than {MAX_DEPTH}");
        return Err(YamlError { trouble: Trouble::TooDeep, message, at: Some((line, 1)) });
    }
    let oddities = RefCell::new(Vec::new());
    let seed = Node { oddities: &oddities, include, place: &Place::Root, depth: 0 };
    match seed.deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(mut value) => {
            merge(&mut value);
            Ok(Document { value, oddities: oddities.into_inner() })
        }
        Err(error) => {
            let at = error.location().map(|location| (location.line(), location.column()));
            let message = error.to_string();
            let trouble = trouble(&message, text, at);
            let at = if trouble == Trouble::SeveralDocuments { second_document(text) } else { at };
            Err(YamlError { trouble, message: without_location(&message), at })
        }
    }
}

fn trouble(message: &str, text: &str, at: Option<(usize, usize)>) -> Trouble {
    let character = at.and_then(|(line, column)| text.lines().nth(line - 1)?.chars().nth(column.saturating_sub(1)));
    match message {
        _ if message.contains(INCLUDE) => Trouble::Include,
        _ if message.contains("more than one document") => Trouble::SeveralDocuments,
        _ if message.contains("recursion limit") || message.contains("nested deeper") => Trouble::TooDeep,
        _ if message.contains("repetition limit") => Trouble::TooManyAliases,
        _ if message.contains("unknown anchor") => Trouble::UnknownAnchor,
        _ if character == Some('\t') => Trouble::Tab,
        _ => Trouble::Syntax,
    }
}

/// The mark between the first document and the second.
fn second_document(text: &str) -> Option<(usize, usize)> {
    let is_mark = |line: &str| line.trim_end() == "---" || line.starts_with("--- ");
    let is_content = |line: &str| !is_mark(line) && !line.trim().is_empty() && !line.starts_with(['#', '%']);
    let first = text.lines().position(is_content)?;
    let mark = text.lines().skip(first).position(is_mark)?;
    Some((first + mark + 1, 1))
}

/// The message without its first ` at line 1 column 2`, which diagnostics show themselves.
fn without_location(message: &str) -> String {
    let Some((before, after)) = message.split_once(" at line ") else { return message.to_owned() };
    let is_place = |character: char| character.is_ascii_digit() || " column".contains(character);
    format!("{before}{}", after.trim_start_matches(is_place))
}

/// Where a node stands; kept on the stack and written out only when there is something to say.
enum Place<'p> {
    Root,
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn path(&self) -> KeyPath {
        match self {
            Self::Root => KeyPath::default(),
            Self::Key(parent, key) => parent.path().key(key),
            Self::Index(parent, index) => parent.path().index(*index),
        }
    }
}

/// Reads one node as JSON.
#[derive(Clone, Copy)]
struct Node<'s> {
    oddities: &'s RefCell<Vec<Oddity>>,
    include: &'s IncludeFn<'s>,
    place: &'s Place<'s>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(de::Error::custom(format!("nested deeper than {MAX_DEPTH}")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    /// Beyond every number that is read; kept, so that it is refused at its place.
    #[expect(clippy::cast_precision_loss, reason = "only that it is too large is told")]
    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "only that it is too small is told")]
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let place = Place::Index(self.place, items.len());
            match sequence.next_element_seed(Node { place: &place, depth: self.depth + 1, ..self })? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some(key) = map.next_key_seed(Key)? {
            let place = Place::Key(self.place, &key);
            let value = map.next_value_seed(Node { place: &place, depth: self.depth + 1, ..self })?;
            match entries.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(mut entry) => {
                    let path = self.place.path().key(entry.key());
                    self.oddities.borrow_mut().push(Oddity::WrittenTwice(path));
                    entry.insert(value);
                }
            }
        }
        Ok(Value::Object(entries))
    }

    /// A tagged value: the included file for `!include path`, else the value with its tag left out.
    fn visit_enum<A: de::EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, value) = tagged.variant_seed(Key)?;
        let value = de::VariantAccess::newtype_variant_seed(value, self)?;
        match (tag.trim_start_matches('!'), &value) {
            ("include", Value::String(path)) => {
                (self.include)(path).map_err(|why| de::Error::custom(format!("{INCLUDE}{why}")))
            }
            _ => {
                let tag = format!("!{}", tag.trim_start_matches('!'));
                self.oddities.borrow_mut().push(Oddity::Tag(self.place.path(), tag));
                Ok(value)
            }
        }
    }
}

/// Reads a key as text: numbers and booleans as they are written in JSON.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let oddities = RefCell::default();
        let include = |_: &str| Err("a key cannot be included".to_owned());
        let node = Node { oddities: &oddities, include: &include, place: &Place::Root, depth: MAX_DEPTH };
        let key = node.deserialize(deserializer)?;
        Ok(match key {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }
}

/// Carries out the merge keys (`<<`) of a value: what the map says itself comes first.
fn merge(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(merge);
            let sources = match map.remove("<<") {
                Some(Value::Array(sources)) => sources,
                Some(source) => vec![source],
                None => return,
            };
            for source in sources {
                for (key, value) in source.as_object().into_iter().flatten() {
                    map.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(merge),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, Oddity, Trouble, YamlError};
    use crate::path::KeyPath;
    use serde_json::json;

    fn parse(text: &str) -> Result<Document, YamlError> {
        super::parse(text, &|path| if path == "b.yaml" { Ok(json!({"b": 1})) } else { Err("no such file".to_owned()) })
    }

    #[test]
    fn includes_stand_where_they_are_written() {
        assert_eq!(parse("a: !include b.yaml").map(|document| document.value), Ok(json!({"a": {"b": 1}})));
        let error = parse("x: 1\na: !include c.yaml").expect_err("missing");
        assert_eq!((error.trouble, error.at.map(|at| at.0)), (Trouble::Include, Some(2)), "{}", error.message);
    }

    #[test]
    fn documents_become_json() {
        let document = parse("a: [1, yes, ~, 1.5]\n2: {b: true}\nc: !tag x\n").expect("yaml");
        assert_eq!(document.value, json!({"a": [1, "yes", null, 1.5], "2": {"b": true}, "c": "x"}));
        assert_eq!(document.oddities, [Oddity::Tag(KeyPath::of(&["c"]), "!tag".to_owned())]);
    }

    #[test]
    fn duplicates_are_noticed_and_the_last_counts() {
        let document = parse("a: 1\nb: [{c: 1, c: 2}]\na: 3\n").expect("yaml");
        assert_eq!(document.value, json!({"a": 3, "b": [{"c": 2}]}));
        let twice = [KeyPath::of(&["b"]).index(0).key("c"), KeyPath::of(&["a"])];
        assert_eq!(document.oddities, twice.map(Oddity::WrittenTwice));
    }

    #[test]
    fn merge_keys_are_carried_out() {
        let document = parse("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\n").expect("yaml");
        assert_eq!(document.value["use"], json!({"x": 1, "y": 3}));
    }

    #[test]
    fn what_cannot_be_read_says_what_and_where() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        let bomb = format!("a: &a [{}]\n", "x,".repeat(9))
            + &(1..9)
                .map(|level| {
                    let (before, name) = ((b'a' + level - 1) as char, (b'a' + level) as char);
                    format!("{name}: &{name} [{}]\n", format!("*{before},").repeat(9))
                })
                .collect::<String>();
        for (text, trouble, at) in [
            ("a: 1\nb: [1", Trouble::Syntax, Some((3, 1))),
            ("a:\n\tb: 1", Trouble::Tab, Some((2, 1))),
            ("a: 1\n---\nb: 1", Trouble::SeveralDocuments, Some((2, 1))),
            (&deep, Trouble::TooDeep, Some((1, 65))),
            (&bomb, Trouble::TooManyAliases, None),
            ("a: *nothing", Trouble::UnknownAnchor, Some((1, 4))),
        ] {
            let error = parse(text).expect_err("not readable");
            assert_eq!((error.trouble, error.at), (trouble, at), "{text:.40}: {}", error.message);
        }
    }
}
