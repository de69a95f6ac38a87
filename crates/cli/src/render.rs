//! Decides how a finding looks to people: the source line, the place underlined, the way out.

use std::fmt;
use std::io::{IsTerminal, stdout};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};
use onex_contract::{Diagnostic, Severity};

/// Bytes of a very long line that are shown on either side of a finding.
const WIDE: usize = 400;

/// A finding as the renderer wants it.
#[derive(Debug)]
struct Shown<'a> {
    finding: &'a Diagnostic,
    text: &'a str,
}

/// The lines around the finding: it is known where it stands, so the text before need not be gone through.
impl SourceCode for Shown<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let place = self.finding.span.ok_or(MietteError::OutOfBounds)?;
        let (text, end) = (self.text, span.offset() + span.len());
        let head = text.get(..span.offset()).ok_or(MietteError::OutOfBounds)?;
        let tail = text.get(end..).ok_or(MietteError::OutOfBounds)?;
        let start = head.rmatch_indices('\n').nth(before).map_or(0, |(index, _)| index + 1);
        let start = if before == 0 {
            span.offset()
        } else {
            start.max(text.floor_char_boundary(head.len().saturating_sub(WIDE)))
        };
        let stop = tail.match_indices('\n').nth(after).map_or(text.len(), |(index, _)| end + index);
        let data = text.get(start..stop.min(text.ceil_char_boundary(end + WIDE))).unwrap_or_default();
        let lines_before = text.get(start..span.offset()).unwrap_or_default().matches('\n').count();
        Ok(Box::new(MietteSpanContents::new_named(
            self.finding.file.clone(),
            data.as_bytes(),
            (start, data.len()).into(),
            place.line.saturating_sub(1 + lines_before),
            if before == 0 { place.column.saturating_sub(1) } else { 0 },
            data.lines().count(),
        )))
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.finding.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.finding.span.map(|_| self as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.finding.span?;
        let end = self.text.floor_char_boundary(span.offset + span.length.min(WIDE)).max(span.offset);
        let label = LabeledSpan::new_primary_with_span(None, SourceSpan::new(span.offset.into(), end - span.offset));
        Some(Box::new(std::iter::once(label)))
    }
}

/// The finding as text, in colour when standard output is a terminal.
pub(crate) fn finding(finding: &Diagnostic, text: &str) -> String {
    let theme = if stdout().is_terminal() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let shown = Shown { finding, text };
    let mut rendered = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1);
    match handler.render_report(&mut rendered, &shown) {
        Ok(()) if finding.span.is_some() => rendered,
        _ => format!("{finding}\n"),
    }
}

#[cfg(test)]
mod tests {
    use onex_contract::{Diagnostic, KeyPath, Severity, Span};

    #[test]
    fn a_finding_is_shown_with_its_line_however_long_that_is() {
        let shown = |text: &str, offset: usize, length| {
            let line = 1 + text[..offset].matches('\n').count();
            let span = Some(Span { line, column: 7, offset, length });
            let finding = Diagnostic::new("ONEX0005", Severity::Error, KeyPath::default(), "wrong");
            super::finding(&Diagnostic { file: "c.yaml".to_owned(), span, ..finding }, text)
        };
        let short = shown("first: 1\nüber: two\nthird: 3\nfourth: 4\n", 16, 3);
        for expected in ["c.yaml:2:7", "1 │ first: 1", "2 │ über: two", "3 │ third: 3"] {
            assert!(short.contains(expected), "{expected} in\n{short}");
        }
        assert!(!short.contains("fourth"), "{short}");
        let long = "ü".repeat(100_000);
        assert!(shown(&format!("a: 1\nb: {long} c"), 5 + 3 + 200_000 + 1, 1).contains("c.yaml:2:7"));
        assert!(shown(&format!("a: 1\nb: {long} c"), 8, 200_000).contains("c.yaml:2:7"));
    }
}
