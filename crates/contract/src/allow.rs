//! Decides which findings an author has answered for: `# onex: allow ONEX0123 reason` beside a key, or on the line
//! above it, silences that code on that line. One that silences nothing, or gives no reason, is a finding itself.
//!
//! Only what is shown is silenced. A contract with an error does not run, whatever its comments say.

use crate::diagnostic::{Diagnostic, Span};
use crate::path::KeyPath;
use crate::rules::reading::UNUSED_ALLOW;

const MARK: &str = "# onex: allow ";

struct Allow<'a> {
    code: &'a str,
    has_reason: bool,
    /// The line it speaks for.
    line: usize,
    span: Span,
    used: bool,
}

/// Whether a text has comments that may silence something.
pub fn has_allows(text: &str) -> bool {
    text.contains(MARK)
}

/// The findings of one file that its comments do not silence, with those about the comments themselves.
pub fn silence(file: &str, text: &str, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut allows = allows(text);
    if allows.is_empty() {
        return findings;
    }
    let mut left: Vec<Diagnostic> = Vec::new();
    for finding in findings {
        let line = finding.span.map(|span| span.line);
        match allows.iter_mut().find(|allow| allow.has_reason && allow.code == finding.code && Some(allow.line) == line)
        {
            Some(allow) => allow.used = true,
            None => left.push(finding),
        }
    }
    left.extend(allows.iter().filter(|allow| !allow.used).map(|allow| unused(file, allow)));
    left
}

fn allows(text: &str) -> Vec<Allow<'_>> {
    let mut offset = 0;
    let mut allows = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some((before, after)) = line.split_once(MARK) {
            let (code, reason) = after.trim().split_once(char::is_whitespace).unwrap_or((after.trim(), ""));
            let stands_alone = before.trim().is_empty();
            let span = Span {
                line: index + 1,
                column: before.chars().count() + 1,
                offset: offset + before.len(),
                length: MARK.len() + code.len(),
            };
            let has_reason = !reason.trim().is_empty();
            allows.push(Allow { code, has_reason, line: index + 1 + usize::from(stands_alone), span, used: false });
        }
        offset += line.len();
    }
    allows
}

fn unused(file: &str, allow: &Allow<'_>) -> Diagnostic {
    let message = if allow.has_reason {
        format!("nothing here has the code {}", allow.code)
    } else {
        format!("an allow of {} needs a reason", allow.code)
    };
    let finding = UNUSED_ALLOW.finding(KeyPath::default(), message);
    Diagnostic { file: file.to_owned(), span: Some(allow.span), ..finding }
}

#[cfg(test)]
mod tests {
    use super::silence;
    use crate::read::{Source, read};

    fn codes(text: &str) -> Vec<(&'static str, usize)> {
        let reading = read(Source { file: "c.yaml", text });
        let left = silence("c.yaml", text, reading.diagnostics);
        left.into_iter().map(|finding| (finding.code, finding.span.map_or(0, |span| span.line))).collect()
    }

    const HEAD: &str = "name: a\nnode_type: COMPUTE\ncontract_version: 1.0.0\n";

    #[test]
    fn a_comment_silences_its_line_and_is_reported_when_unused() {
        assert_eq!(codes(&format!("{HEAD}colour: red\n")), [("ONEX0007", 4)]);
        assert_eq!(codes(&format!("{HEAD}colour: red # onex: allow ONEX0007 ours\n")), []);
        assert_eq!(codes(&format!("{HEAD}# onex: allow ONEX0007 ours\ncolour: red\n")), []);
        assert_eq!(codes(&format!("{HEAD}colour: red # onex: allow ONEX0007\n")), [("ONEX0007", 4), ("ONEX0090", 4)]);
        assert_eq!(codes(&format!("{HEAD}x-colour: red # onex: allow ONEX0007 ours\n")), [("ONEX0090", 4)]);
    }
}
