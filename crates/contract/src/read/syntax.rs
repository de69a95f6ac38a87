//! Decides what to say to somebody whose text is no YAML: the parser tells what it expected, which is seldom what the
//! author has to do.

/// What the parser says, in parts, and the way out.
const WAYS_OUT: &[(&str, &str)] = &[
    (
        "mapping values are not allowed",
        "put the text in quotes if the `: ` is part of it; else the key above is indented differently",
    ),
    ("cannot start any token", "put the text in quotes: it starts with a character that YAML keeps for itself"),
    ("while scanning an alias", "put the text in quotes: a bare `*` names an anchor"),
    ("while scanning an anchor", "put the text in quotes: a bare `&` declares an anchor"),
    ("while parsing a flow sequence", "close the list with `]`, or put a comma between its entries"),
    (
        "while parsing a flow mapping",
        "close the map with `}`, put a comma between its entries, or put a text that has `{` or `: ` in quotes",
    ),
    ("while parsing a block collection", "indent this line as the lines around it: its `- ` belongs to no list"),
    ("while parsing a block mapping", "indent this line as the keys around it"),
    ("while scanning a quoted scalar", "close the text with the quote it starts with"),
    ("while scanning a simple key", "write `key: value`: the `:` is missing, or the text goes on over several lines"),
];

pub(super) fn way_out(message: &str) -> Option<&'static str> {
    WAYS_OUT.iter().find(|(said, _)| message.contains(said)).map(|(_, way_out)| *way_out)
}
