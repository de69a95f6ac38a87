//! Refuses, before it is parsed, a text whose brackets are nested beyond all measure: the parser's time grows with
//! the square of their depth, and one file could keep it busy for an hour.
//!
//! Brackets are only counted, so a text may be nested deeper than is told here by a trick with quotes over several
//! lines; then it takes long. What is refused is nested too deep for certain, or has a thousand brackets too many.

/// Open brackets at which a text is refused; far more than are read, so that the parser tells of the rest.
const MAX_OPEN: usize = 1000;

/// The line, from 1, on which it is too much.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets <= MAX_OPEN {
        return None;
    }
    let mut open = 0_usize;
    let mut lines = text.split('\n').enumerate();
    lines.find_map(|(index, line)| {
        let deepest = counted(line, &mut open);
        (deepest > MAX_OPEN).then_some(index + 1)
    })
}

/// How many brackets are open at most while a line is gone through, quotes and comments passed over.
fn counted(line: &str, open: &mut usize) -> usize {
    let mut deepest = *open;
    let mut quote = None;
    let mut before = b' ';
    for byte in line.bytes() {
        let begins = matches!(before, b' ' | b'[' | b'{' | b',' | b':');
        match (quote, byte) {
            (Some(open_quote), _) if byte == open_quote && before != b'\\' => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') if begins => quote = Some(byte),
            (None, b'#') if before == b' ' => break,
            (None, b'[' | b'{') => *open += 1,
            (None, b']' | b'}') => *open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(*open);
        before = byte;
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::too_deep;

    #[test]
    fn only_what_is_nested_beyond_measure_is_refused() {
        assert_eq!(too_deep(&format!("a: 1\nb: {}", "[".repeat(2000))), Some(2));
        assert_eq!(too_deep(&"k: [{\n".repeat(2000)), Some(501));
        assert_eq!(too_deep(&"[ \"]\", # ]\n".repeat(2000)), Some(1001));
        assert_eq!(too_deep(&"- {a: [b, '[', c], d: it's} # [\n".repeat(2000)), None);
        assert_eq!(too_deep(&"[".repeat(900)), None);
    }
}
