//! Decides how a finding looks to people: the source line, the place underlined, the way out.

use std::fmt;
use std::io::{IsTerminal, stdout};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan};
use onex_contract::{Diagnostic, Severity};

/// A finding as the renderer wants it.
#[derive(Debug)]
struct Shown<'a> {
    finding: &'a Diagnostic,
    source: NamedSource<String>,
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

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.finding.span.map(|_| &self.source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.finding.span?;
        let label = LabeledSpan::new_primary_with_span(None, SourceSpan::new(span.offset.into(), span.length));
        Some(Box::new(std::iter::once(label)))
    }
}

/// The finding as text, in colour when standard output is a terminal.
pub(crate) fn finding(finding: &Diagnostic, text: &str) -> String {
    let theme = if stdout().is_terminal() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let shown = Shown { finding, source: NamedSource::new(&finding.file, text.to_owned()) };
    let mut rendered = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1);
    match handler.render_report(&mut rendered, &shown) {
        Ok(()) if finding.span.is_some() => rendered,
        _ => format!("{finding}\n"),
    }
}
