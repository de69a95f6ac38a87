//! Decides where in a file's text a place of the contract stands.
//!
//! Values are read by serde, which forgets positions; only when there is something to report are they sought, and
//! then in the outline that lines and their indentation give. Where that is not enough (flow style, texts over
//! several lines, anchors) the text is parsed once more.

mod marked;
mod marks;
mod outline;

use std::cell::OnceCell;

use crate::diagnostic::Span;
use crate::path::KeyPath;
use marked::Marked;
use outline::Outline;

/// The span of a place given as line and column, both from 1.
pub(crate) fn span_at(text: &str, line: usize, column: usize) -> Span {
    let offset = offset(text, &line_starts(text), line, column.saturating_sub(1));
    fitted(text, Span { line, column, offset, length: 1 })
}

/// Finds places in one text, which is read once for all of them.
pub struct Locator<'a> {
    text: &'a str,
    outline: Option<Outline<'a>>,
    marked: OnceCell<Marked<'a>>,
}

impl<'a> Locator<'a> {
    /// For the places of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, outline: Outline::of(text), marked: OnceCell::new() }
    }

    /// The place of a path: of the scalar it leads to, else of its key, else of a map's first key; where the text ends
    /// before the path does, of the last place on the way.
    pub fn locate(&self, path: &KeyPath) -> Option<Span> {
        let outlined = self.outline.as_ref().and_then(|outline| outline.locate(path));
        outlined.or_else(|| self.marked().locate(path).map(|span| fitted(self.text, span)))
    }

    /// The place of the key a path ends with, where it has one.
    pub(crate) fn locate_key(&self, path: &KeyPath) -> Option<Span> {
        let outlined = self.outline.as_ref().and_then(|outline| outline.locate_key(path));
        outlined.or_else(|| self.marked().locate_key(path).map(|span| fitted(self.text, span)))
    }

    fn marked(&self) -> &Marked<'a> {
        self.marked.get_or_init(|| Marked::new(self.text))
    }
}

/// The span with whole characters of the text: a parser may stop beyond its end, or count an empty place as one byte.
fn fitted(text: &str, span: Span) -> Span {
    let offset = text.floor_char_boundary(span.offset.min(text.len().saturating_sub(1)));
    let end = text.ceil_char_boundary((span.offset + span.length).clamp(offset + 1, text.len().max(offset + 1)));
    Span { offset, length: end - offset, ..span }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect()
}

/// Byte offset of a character of a line (line from 1, character from 0).
fn offset(text: &str, line_starts: &[usize], line: usize, character: usize) -> usize {
    let start = line_starts.get(line.saturating_sub(1)).copied().unwrap_or(text.len());
    let rest = text.get(start..).unwrap_or_default();
    rest.char_indices().nth(character).map_or(text.len(), |(index, _)| start + index)
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
