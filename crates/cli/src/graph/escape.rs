//! Decides how text of a contract becomes text of a format. Nothing that a contract says may become markup.

/// For XML and HTML, in text and in attributes. Characters that XML cannot hold are replaced.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// For a quoted label of Mermaid, which knows entities by `#name;` and reads Markdown and HTML otherwise.
pub(super) fn mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            plain if plain.is_alphanumeric() || " .,:_-/()[]{}=+?!$".contains(plain) => escaped.push(plain),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push_str(&format!("#{};", u32::from(other))),
        }
    }
    escaped
}

/// For a quoted string of DOT.
pub(super) fn dot(text: &str) -> String {
    let one_line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    one_line.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::{dot, mermaid, xml};

    #[test]
    fn markup_becomes_text() {
        let hostile = "</text><script>alert('\"&\\\u{1}')\n";
        assert_eq!(xml(hostile), "&lt;/text&gt;&lt;script&gt;alert(&#39;&quot;&amp;\\\u{fffd}&#39;) ");
        assert_eq!(mermaid(hostile), "#60;/text#62;#60;script#62;alert(#39;#34;#38;#92; #39;) ");
        assert_eq!(dot(hostile), "</text><script>alert('\\\"&\\\\ ') ");
        assert_eq!(mermaid("grüße *.register #1"), "grüße #42;.register #35;1");
    }
}
