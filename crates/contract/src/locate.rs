//! Decides where in a file's text a place of the contract stands.
//!
//! Values are read by serde, which forgets positions; only when there is something to report is the
//! text parsed once more, by a parser that marks every event, and the path is walked in what it saw. It looks at
//! places only, so a text that serde reads with oddities, such as a key twice, has places all the same.

mod marks;

use crate::diagnostic::Span;
use crate::path::{KeyPath, Segment};
use crate::read::spellings;
use marks::{Mark, Shape};

/// The place of a path in a text: of the value when it is a scalar, else of its key.
pub fn locate(text: &str, path: &KeyPath) -> Option<Span> {
    Locator::new(text).locate(path)
}

/// Every node of a text with its place.
pub(crate) struct Locator<'a> {
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

impl<'a> Locator<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        Self { text, line_starts, root: marks::of(text) }
    }

    /// The place of a path: of the scalar it leads to, else of its key, else of a map's first key; where the text ends
    /// before the path does, of the last place on the way.
    pub(crate) fn locate(&self, path: &KeyPath) -> Option<Span> {
        let found = self.walk(path)?;
        Some(self.span_of(match (&found.node.shape, found.key) {
            (Shape::Scalar(_), _) => found.node,
            (_, Some(key)) => key,
            (Shape::Map(entries), None) => entries.first().map_or(found.node, |(key, _)| key),
            (Shape::List(_), None) => found.node,
        }))
    }

    /// The place of the key a path ends with, where it has one.
    pub(crate) fn locate_key(&self, path: &KeyPath) -> Option<Span> {
        self.walk(path)?.key.map(|key| self.span_of(key)).or_else(|| self.locate(path))
    }

    /// The span of a place given as line and column, both from 1.
    pub(crate) fn at(&self, line: usize, column: usize) -> Span {
        Span { line, column, offset: self.offset(line, column.saturating_sub(1)), length: 1 }
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

    /// Byte offset of a character of a line (line from 1, character from 0).
    fn offset(&self, line: usize, character: usize) -> usize {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        rest.char_indices().nth(character).map_or(self.text.len(), |(index, _)| start + index)
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

#[cfg(test)]
mod tests {
    use super::Locator;
    use crate::path::KeyPath;

    #[test]
    fn places_are_found_in_block_and_flow_style() {
        let text = "a:\n  - {b: \"x\", 'c': yy}\n  - d\nü: [1, 22]\n";
        let locator = Locator::new(text);
        let place = |path: &KeyPath| {
            locator.locate(path).map(|span| (span.line, span.column, &text[span.offset..span.offset + span.length]))
        };
        assert_eq!(place(&KeyPath::of(&["a"])), Some((1, 1, "a")));
        assert_eq!(place(&KeyPath::of(&["a"]).index(0).key("b")), Some((2, 9, "\"x\"")));
        assert_eq!(place(&KeyPath::of(&["a"]).index(0).key("c")), Some((2, 19, "yy")));
        assert_eq!(place(&KeyPath::of(&["a"]).index(1)), Some((3, 5, "d")));
        assert_eq!(place(&KeyPath::of(&["ü"]).index(1)), Some((4, 8, "22")));
        assert_eq!(place(&KeyPath::of(&["a"]).index(0).key("missing")).map(|(line, ..)| line), Some(2));
        assert_eq!(locator.locate_key(&KeyPath::of(&["a"]).index(0).key("c")).map(|span| span.column), Some(14));
    }
}
