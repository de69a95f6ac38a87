//! The manual pages of the rules, one file to a code: what it means, why it matters, a contract that breaks the rule
//! and the mended one. `onex explain` prints them; a test runs every example through the checker.

/// The page of a code, in Markdown.
pub(super) fn of(code: &str) -> &'static str {
    PAGES.iter().find(|(known, _)| *known == code).map_or("", |(_, page)| page)
}

macro_rules! pages {
    ($($code:literal),* $(,)?) => { &[$(($code, include_str!(concat!("pages/", $code, ".md")))),*] };
}

const PAGES: &[(&str, &str)] = pages![
    "ONEX0001", "ONEX0002", "ONEX0003", "ONEX0004", "ONEX0005", "ONEX0006", "ONEX0007", "ONEX0008", "ONEX0009",
    "ONEX0010", "ONEX0011", "ONEX0012", "ONEX0013", "ONEX0014", "ONEX0015", "ONEX0016", "ONEX0017", "ONEX0018",
    "ONEX0019", "ONEX0020", "ONEX0021", "ONEX0022", "ONEX0023", "ONEX0024", "ONEX0030", "ONEX0031", "ONEX0032",
    "ONEX0040", "ONEX0041", "ONEX0042", "ONEX0043", "ONEX0044", "ONEX0045", "ONEX0046", "ONEX0047", "ONEX0050",
    "ONEX0051", "ONEX0052", "ONEX0053", "ONEX0054", "ONEX0055", "ONEX0060", "ONEX0061", "ONEX0062", "ONEX0063",
    "ONEX0064", "ONEX0065", "ONEX0070", "ONEX0071", "ONEX0072", "ONEX0080", "ONEX0081", "ONEX0082", "ONEX0083",
    "ONEX0084", "ONEX0085", "ONEX0086", "ONEX0087", "ONEX0090", "ONEX0091", "ONEX0092", "ONEX0093", "ONEX0094",
    "ONEX0095",
];
