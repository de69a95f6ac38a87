//! Places by lines and indentation alone, many times faster than a parse. It knows block style with each scalar on
//! one line, as nearly all contracts are written, and says `None` wherever it is not sure.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::diagnostic::Span;
use crate::path::{KeyPath, Segment};
use crate::read::spellings;

/// A line that is neither empty nor only a comment.
#[derive(Clone, Copy)]
struct Line<'t> {
    number: usize,
    /// Byte offset of its start in the text.
    start: usize,
    indent: usize,
    text: &'t str,
}

pub(super) struct Outline<'t> {
    lines: Vec<Line<'t>>,
    /// What was found out about maps and lists, by line and column.
    known: RefCell<HashMap<(usize, usize), Rc<Inner<'t>>>>,
}

/// What a node has inside, where that is sure.
enum Inner<'t> {
    Map(HashMap<&'t str, Found>),
    List(Vec<Node>),
    Nothing,
    Unsure,
}

/// A node that begins at a column of a line and ends before the line `end`.
#[derive(Clone, Copy)]
struct Node {
    line: usize,
    column: usize,
    end: usize,
}

/// A key with what stands after its colon.
#[derive(Clone, Copy)]
struct Key<'t> {
    name: &'t str,
    /// As written, quotes included.
    length: usize,
    /// Column of the value, and the value without what surrounds it.
    value: (usize, &'t str),
}

/// What a path leads to.
#[derive(Clone, Copy)]
struct Found {
    key: Option<Span>,
    node: Option<Node>,
}

impl<'t> Outline<'t> {
    /// Nothing for texts that have more than one document, a mark, or control characters.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let has_marks = !text.is_ascii() && text.contains(['\u{feff}', '\u{85}', '\u{2028}', '\u{2029}']);
        if has_marks || text.bytes().any(|byte| matches!(byte, b'\r' | b'\t')) {
            return None;
        }
        let mut lines = Vec::new();
        let mut start = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let content = line.trim_start_matches(' ');
            if !content.trim_end().is_empty() && !content.starts_with('#') {
                let text = line.trim_end();
                lines.push(Line { number: index + 1, start, indent: line.len() - content.len(), text });
            }
            start += line.len();
        }
        if lines.first().is_some_and(|line| line.text == "---") {
            lines.remove(0);
        }
        let is_mark = |line: &Line<'_>| ["---", "...", "%"].iter().any(|mark| line.text.starts_with(mark));
        (!lines.is_empty() && !lines.iter().any(is_mark)).then(|| Self { lines, known: RefCell::default() })
    }

    /// As [`super::Locator::locate`].
    pub(super) fn locate(&self, path: &KeyPath) -> Option<Span> {
        let found = self.walk(path)?;
        match (found.node, found.key) {
            (Some(node), key) if self.is_collection(node) => key.or_else(|| self.first_key(node)),
            (Some(node), _) => self.scalar(node),
            (None, _) => None,
        }
    }

    /// As [`super::Locator::locate_key`].
    pub(super) fn locate_key(&self, path: &KeyPath) -> Option<Span> {
        match self.walk(path)?.key {
            Some(key) => Some(key),
            None => self.locate(path),
        }
    }

    /// Follows a path as far as the text goes along with it.
    fn walk(&self, path: &KeyPath) -> Option<Found> {
        let root = Node { line: 0, column: self.lines.first()?.indent, end: self.lines.len() };
        let mut found = Found { key: None, node: Some(root) };
        for segment in &path.0 {
            match self.child(found.node?, segment)? {
                Some(inner) => found = inner,
                None => break,
            }
        }
        Some(found)
    }

    /// `None` when it cannot be told, `Some(None)` when there is no such child.
    fn child(&self, node: Node, segment: &Segment) -> Option<Option<Found>> {
        match (&*self.inner(node), segment) {
            (Inner::Unsure, _) => None,
            (Inner::Map(entries), Segment::Key(name)) => {
                let written = |name: &str| entries.get(name).copied();
                Some(written(name).or_else(|| spellings(name).find_map(written)))
            }
            (Inner::List(items), Segment::Index(index)) => {
                Some(items.get(*index).map(|item| Found { key: None, node: Some(*item) }))
            }
            _ => Some(None),
        }
    }

    fn inner(&self, node: Node) -> Rc<Inner<'t>> {
        let place = (node.line, node.column);
        if let Some(known) = self.known.borrow().get(&place) {
            return Rc::clone(known);
        }
        let inner = Rc::new(self.look_into(node).unwrap_or(Inner::Unsure));
        self.known.borrow_mut().insert(place, Rc::clone(&inner));
        inner
    }

    fn look_into(&self, node: Node) -> Option<Inner<'t>> {
        let content = self.content(node);
        match content {
            _ if content.starts_with(['{', '[', '&', '*', '!', '?']) => None,
            _ if is_item(content) => self.items(node).map(Inner::List),
            _ if key_of(content, node.column).is_some() => self.entries(node).map(Inner::Map),
            _ => self.scalar(node).map(|_| Inner::Nothing),
        }
    }

    /// The entries of a map; of those with one name the last, which counts.
    fn entries(&self, map: Node) -> Option<HashMap<&'t str, Found>> {
        let content = |line| self.content(Node { line, ..map });
        // A list may stand as far to the left as the key it belongs to.
        let starts = self.starts(map).filter(|line| !is_item(content(*line)));
        let entries = starts.map(|line| {
            let key = key_of(content(line), map.column)?;
            let span = self.span(line, map.column, key.length);
            Some((key.name, Found { key: Some(span), node: self.value(Node { line, ..map }, key) }))
        });
        entries.collect()
    }

    /// What a key of a map leads to; `None` for nothing, and for what is not sure.
    fn value(&self, entry: Node, key: Key<'_>) -> Option<Node> {
        let below = entry.line + 1;
        let (column, text) = key.value;
        if !text.is_empty() {
            let end = self.end(below, entry.end, |line| line.indent <= entry.column);
            return Some(Node { line: entry.line, column, end });
        }
        let first = self.lines.get(below).filter(|_| below < entry.end)?;
        let is_list_beside = |line: &Line<'_>| line.indent == entry.column && is_item(&line.text[line.indent..]);
        let end = match first.indent {
            indent if indent > entry.column => self.end(below, entry.end, |line| line.indent <= entry.column),
            _ if is_list_beside(first) => {
                self.end(below, entry.end, |line| line.indent <= entry.column && !is_list_beside(line))
            }
            _ => return None,
        };
        Some(Node { line: below, column: first.indent, end })
    }

    fn items(&self, list: Node) -> Option<Vec<Node>> {
        let items = self.starts(list).map(|line| {
            let content = self.content(Node { line, ..list });
            let inner = content.strip_prefix('-').filter(|_| is_item(content))?.trim_start_matches(' ');
            let column = list.column + content.len() - inner.len();
            let end = self.end(line + 1, list.end, |line| line.indent <= list.column);
            (!inner.is_empty() && !inner.starts_with('#')).then_some(Node { line, column, end })
        });
        items.collect()
    }

    /// The lines of a node that stand as far to the left as its first.
    fn starts(&self, node: Node) -> impl Iterator<Item = usize> {
        let rest = (node.line + 1..node.end).filter(move |index| self.lines[*index].indent == node.column);
        std::iter::once(node.line).chain(rest)
    }

    fn end(&self, from: usize, limit: usize, is_beyond: impl Fn(&Line<'_>) -> bool) -> usize {
        (from..limit).find(|index| is_beyond(&self.lines[*index])).unwrap_or(limit)
    }

    fn content(&self, node: Node) -> &'t str {
        self.lines[node.line].text.get(node.column..).unwrap_or_default()
    }

    fn is_collection(&self, node: Node) -> bool {
        let content = self.content(node);
        let begins_in_line = node.column == self.lines[node.line].indent || self.is_after_dash(node);
        content.starts_with(['{', '['])
            || begins_in_line && (is_item(content) || key_of(content, node.column).is_some())
    }

    fn is_after_dash(&self, node: Node) -> bool {
        let before = self.lines[node.line].text.get(..node.column).unwrap_or_default();
        before.trim_matches([' ', '-']).is_empty()
    }

    fn first_key(&self, map: Node) -> Option<Span> {
        let key = key_of(self.content(map), map.column)?;
        Some(self.span(map.line, map.column, key.length))
    }

    /// A scalar on one line.
    fn scalar(&self, node: Node) -> Option<Span> {
        let content = self.content(node);
        let is_known = !content.starts_with(['&', '*', '!', '|', '>', '?', '@', '`', '%', '{', '[']);
        let length = scalar_length(content)?;
        (is_known && node.end == node.line + 1).then(|| self.span(node.line, node.column, length))
    }

    fn span(&self, index: usize, column: usize, length: usize) -> Span {
        let line = &self.lines[index];
        let before = line.text.get(..column).unwrap_or_default();
        Span { line: line.number, column: before.chars().count() + 1, offset: line.start + column, length }
    }
}

fn is_item(content: &str) -> bool {
    content == "-" || content.starts_with("- ")
}

/// The key that a line's content begins with.
fn key_of(content: &str, column: usize) -> Option<Key<'_>> {
    let length = match content.chars().next()? {
        '"' | '\'' => scalar_prefix(content)?,
        '&' | '*' | '!' | '?' | '{' | '[' | '|' | '>' | '@' | '`' | '%' | '#' | ',' | '}' | ']' => return None,
        _ => content.match_indices(':').map(|(index, _)| index).find(|index| ends_key(&content[*index..]))?,
    };
    let (written, rest) = content.split_at(length);
    let name = written.trim_matches(['"', '\'']);
    if !ends_key(rest) || written.contains(" #") || written.contains('\\') || written.ends_with(' ') {
        return None;
    }
    let value = rest[1..].trim_start_matches(' ');
    let column = column + content.len() - value.len();
    Some(Key { name, length, value: (column, if value.starts_with('#') { "" } else { value }) })
}

fn ends_key(rest: &str) -> bool {
    rest == ":" || rest.starts_with(": ")
}

/// Length of the quoted text that a line's content begins with.
fn scalar_prefix(content: &str) -> Option<usize> {
    let quote = content.chars().next()?;
    let inner = content.get(1..)?;
    let close = inner.find(quote)?;
    let is_plain = !inner[..close].contains('\\') && !inner[close + 1..].starts_with('\'');
    is_plain.then_some(close + 2)
}

/// Length of the scalar that a line's content is, without a comment after it.
fn scalar_length(content: &str) -> Option<usize> {
    if content.starts_with(['"', '\'']) {
        let length = scalar_prefix(content)?;
        let rest = content[length..].trim_start();
        return (rest.is_empty() || rest.starts_with('#')).then_some(length);
    }
    let text = content.split(" #").next()?.trim_end();
    (!text.is_empty() && !text.contains(": ") && !text.ends_with(':') && !is_item(text)).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::super::marked::Marked;
    use super::Outline;
    use crate::diagnostic::Span;
    use crate::path::KeyPath;
    use serde_json::Value;

    /// Every path of a value, and one below each that leads nowhere.
    fn paths(value: &Value, path: &KeyPath, all: &mut Vec<KeyPath>) {
        all.extend([path.clone(), path.key("no_such_key"), path.index(1000)]);
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| paths(value, &path.key(key), all)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, value)| paths(value, &path.index(index), all));
            }
            _ => {}
        }
    }

    /// How many places the outline knows, all as the parser has them, and how many there are.
    fn agree(text: &str) -> (usize, usize) {
        let Ok(document) = crate::yaml::parse(text, &|_| Err(String::new())) else { return (0, 0) };
        let value = document.value;
        let mut all = Vec::new();
        paths(&value, &KeyPath::default(), &mut all);
        let (outline, marked) = (Outline::of(text), Marked::new(text));
        let mut known = 0;
        for path in &all {
            let Some(outline) = &outline else { continue };
            for (ours, theirs) in
                [(outline.locate(path), marked.locate(path)), (outline.locate_key(path), marked.locate_key(path))]
            {
                let Some(ours) = ours else { continue };
                // The parser counts a comment to the quoted text before it.
                let length = theirs.map_or(0, |theirs| theirs.length.min(ours.length));
                let theirs = theirs.map(|theirs| Span { length, ..theirs });
                assert_eq!(Some(ours), theirs, "{path} in\n{text}");
                known += 1;
            }
        }
        (known, 2 * all.len())
    }

    #[test]
    fn what_is_known_is_where_the_parser_has_it() {
        for (text, expected) in [
            ("a: 1\nb:\n  c: x # y\n  d: 'it'\n", 18),
            ("---\n# head\na:\n- x\n- b: 1\n  c: 2\n-   d:\n      e: f\nü: \"ä\" # z\n", 52),
            ("a: |\n  b: 1\n  c\nd: {e: 1}\n", 0),
            ("a: b\n  c\nd: &x 1\ne: *x\n", 0),
            ("a:\nb: 'x\n\n  y: z'\n", 0),
            ("a:\n  -\n    b: 1\n  - - c\n  - \"d: e\"\n", 0),
            ("\"a\": 1\n'b c': 2\n3: 4\ntrue: 5\na: 6\n", 0),
        ] {
            let (known, _) = agree(text);
            assert!(known >= expected, "{known} known in\n{text}");
        }
    }

    #[test]
    fn nearly_every_place_of_our_contracts_is_known() {
        for text in [
            include_str!("../../../../contracts/node_registration_orchestrator/contract.yaml"),
            include_str!("../../../../contracts/node_registration_reducer/contract.yaml"),
            include_str!("../../../../contracts/node_registry_effect/contract.yaml"),
        ] {
            let (known, all) = agree(text);
            assert!(known * 10 > all * 7, "{known} of {all}");
        }
    }

    #[test]
    fn nearly_every_place_of_real_contracts_is_known() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
        let manifest = std::fs::read_to_string(corpus.join("manifest.json")).expect("the corpus beside the checkout");
        let files: Vec<Value> = serde_json::from_str(&manifest).expect("a list");
        let (mut known, mut all) = (0, 0);
        for file in &files {
            let path = corpus.join(file["repo"].as_str().expect("text")).join(file["path"].as_str().expect("text"));
            let (here, of) = agree(&std::fs::read_to_string(path).expect("a file"));
            (known, all) = (known + here, all + of);
        }
        assert!(known * 100 > all * 90, "{known} of {all}");
    }
}
