//! Places by way of the parser's events. Right for every text, and nearly as dear as reading it. It looks at places
//! only, so a text that serde reads with oddities, such as a key twice, has places all the same.

use super::marks::{self, Mark, Shape};
use super::{line_starts, offset};
use crate::diagnostic::Span;
use crate::path::{KeyPath, Segment};
use crate::read::spellings;

/// Every node of a text with its place.
pub(super) struct Marked<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    root: Option<Mark>,
}

/// A node and, below a mapping, its key.
#[derive(Clone, Copy)]
struct Found<'n> {
    key: Option<&'n Mark>,
    node: &'n Mark,
}

impl<'a> Marked<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, line_starts: line_starts(text), root: marks::of(text) }
    }

    /// The place of a path: of the scalar it leads to, else of its key, else of a map's first key; where the text ends
    /// before the path does, of the last place on the way.
    pub(super) fn locate(&self, path: &KeyPath) -> Option<Span> {
        let found = self.walk(path)?;
        Some(self.span_of(match (&found.node.shape, found.key) {
            (Shape::Scalar(_), _) => found.node,
            (_, Some(key)) => key,
            (Shape::Map(entries), None) => entries.first().map_or(found.node, |(key, _)| key),
            (Shape::List(_), None) => found.node,
        }))
    }

    /// The place of the key a path ends with, where it has one.
    pub(super) fn locate_key(&self, path: &KeyPath) -> Option<Span> {
        self.walk(path)?.key.map(|key| self.span_of(key)).or_else(|| self.locate(path))
    }

    /// Follows a path as far as the text goes along with it.
    fn walk(&self, path: &KeyPath) -> Option<Found<'_>> {
        let mut found = Found { key: None, node: self.root.as_ref()? };
        for segment in &path.0 {
            match child(found.node, segment) {
                Some(inner) => found = inner,
                None => break,
            }
        }
        Some(found)
    }

    fn span_of(&self, mark: &Mark) -> Span {
        let (start, end) = (mark.span.start, mark.span.end);
        let offset = self.offset(start.line(), start.col());
        let one_line = end.line() == start.line();
        let end_offset = if one_line { self.offset(end.line(), end.col()) } else { self.end_of_line(start.line()) };
        Span { line: start.line(), column: start.col() + 1, offset, length: end_offset.saturating_sub(offset).max(1) }
    }

    fn offset(&self, line: usize, character: usize) -> usize {
        offset(self.text, &self.line_starts, line, character)
    }

    fn end_of_line(&self, line: usize) -> usize {
        let next = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        self.text.get(..next).map_or(next, |before| before.trim_end_matches(['\r', '\n']).len())
    }
}

/// The node below another. Of a key that stands twice, the last one, which counts; of one that has several
/// spellings, whichever is written.
fn child<'n>(node: &'n Mark, segment: &Segment) -> Option<Found<'n>> {
    match (&node.shape, segment) {
        (Shape::List(items), Segment::Index(index)) => Some(Found { key: None, node: items.get(*index)? }),
        (Shape::Map(entries), Segment::Key(name)) => {
            let written = |name: &str| entries.iter().rev().find(|(key, _)| key.is_text(name));
            let (key, node) = written(name).or_else(|| spellings(name).find_map(written))?;
            Some(Found { key: Some(key), node })
        }
        _ => None,
    }
}
