//! The shape of a text and the place of every part of it, made of the parser's events.

use saphyr_parser::{Event, Parser, Span, StrInput};

/// A part of the text.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) span: Span,
    pub(super) shape: Shape,
}

/// What a part is.
#[derive(Debug)]
pub(super) enum Shape {
    Scalar(String),
    List(Vec<Mark>),
    Map(Vec<(Mark, Mark)>),
}

impl Mark {
    pub(super) fn is_text(&self, text: &str) -> bool {
        matches!(&self.shape, Shape::Scalar(written) if written == text)
    }
}

/// A list or map that is not closed yet; the children of a map are its keys and values in turn.
struct Open {
    span: Span,
    is_map: bool,
    children: Vec<Mark>,
}

/// The parts of the first document; nothing when not even its beginning can be parsed.
pub(super) fn of(text: &str) -> Option<Mark> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new(StrInput::new(text)) {
        // A text that breaks off has places up to there.
        let Ok((event, span)) = event else { break };
        let closed = match event {
            Event::Scalar(value, ..) => Some(Mark { span, shape: Shape::Scalar(value.into_owned()) }),
            Event::Alias(_) => Some(Mark { span, shape: Shape::Scalar(String::new()) }),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                open.push(Open { span, is_map: matches!(event, Event::MappingStart(..)), children: Vec::new() });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(close),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                None
            }
        };
        match (closed, open.last_mut()) {
            (Some(mark), Some(parent)) => parent.children.push(mark),
            (Some(root), None) => return Some(root),
            (None, _) => {}
        }
    }
    unfinished(open)
}

/// What there is of a text that broke off: everything open is closed where it stands.
fn unfinished(mut open: Vec<Open>) -> Option<Mark> {
    let mut inner = close(open.pop()?);
    while let Some(mut outer) = open.pop() {
        outer.children.push(inner);
        inner = close(outer);
    }
    Some(inner)
}

fn close(open: Open) -> Mark {
    let Open { span, is_map, children } = open;
    if !is_map {
        return Mark { span, shape: Shape::List(children) };
    }
    let mut entries = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        entries.push((key, value));
    }
    Mark { span, shape: Shape::Map(entries) }
}
