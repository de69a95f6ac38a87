//! The rules that the reader itself checks, while a text becomes a contract.

use super::Rule;

pub(crate) const TOO_LARGE: Rule =
    Rule::elsewhere("ONEX0001", "the file is too large", "split the contract; the limit is 1 MiB");
pub(crate) const UNREADABLE: Rule =
    Rule::elsewhere("ONEX0002", "the file is not readable as YAML", "mend the syntax at the place shown");
pub(crate) const EMPTY: Rule = Rule::elsewhere("ONEX0003", "the file is empty", "write a contract, or remove the file");
pub(crate) const NO_MAP: Rule = Rule::elsewhere("ONEX0004", "the file is not a map", "a contract starts with `name:`");
pub(crate) const WRONG_VALUE: Rule =
    Rule::elsewhere("ONEX0005", "a value is not of the kind its key needs", "write what the message expects");
pub(crate) const MISSING_KEY: Rule = Rule::elsewhere("ONEX0006", "a required key is missing", "add the key");
pub(crate) const UNKNOWN_KEY: Rule =
    Rule::elsewhere("ONEX0007", "a key has no effect", "remove it, or prefix it with `x-` if it is your own").warning();
pub(crate) const NOT_UTF8: Rule = Rule::elsewhere("ONEX0008", "the file is not UTF-8", "save the file as UTF-8");
pub(crate) const OTHERS_KEY: Rule =
    Rule::elsewhere("ONEX0009", "a key is for other tools", "nothing is to be done; this runtime does not act on it")
        .note();
pub(crate) const TAB: Rule = Rule::elsewhere("ONEX0013", "a tab is used for indentation", "indent with spaces");
pub(crate) const MARKED: Rule =
    Rule::elsewhere("ONEX0014", "the file starts with a byte order mark", "save it without one").note();
pub(crate) const WRITTEN_TWICE: Rule =
    Rule::elsewhere("ONEX0015", "a key is written twice", "remove one of the two").warning();
pub(crate) const SEVERAL_DOCUMENTS: Rule =
    Rule::elsewhere("ONEX0016", "the file holds several documents", "write one contract to a file");
pub(crate) const TOO_DEEP: Rule =
    Rule::elsewhere("ONEX0017", "the file is nested too deep", "flatten it; the limit is 64");
pub(crate) const TOO_MANY_ALIASES: Rule =
    Rule::elsewhere("ONEX0018", "aliases expand to too much", "write the values out");
pub(crate) const UNKNOWN_ANCHOR: Rule = Rule::elsewhere(
    "ONEX0019",
    "an alias has no anchor",
    "add the anchor, correct its name, or quote the text if the `*` is part of it",
);
pub(crate) const UNUSED_ALLOW: Rule = Rule::elsewhere(
    "ONEX0090",
    "an allow comment silences nothing, or gives no reason",
    "remove it, or write `# onex: allow CODE reason` beside the key",
)
.warning();
pub(crate) const NOT_INCLUDED: Rule = Rule::elsewhere(
    "ONEX0091",
    "a file cannot be included",
    "include a file below the searched directory, by a relative path, and in no circle",
);
pub(crate) const NO_NODE: Rule =
    Rule::elsewhere("ONEX0092", "the file declares no node", "nothing is to be done").note();
pub(crate) const MORE_FINDINGS: Rule = Rule::elsewhere(
    "ONEX0093",
    "the file has more findings than are told",
    "mend those that are told, then check again",
)
.note();
pub(crate) const UNNAMED: Rule =
    Rule::elsewhere("ONEX0094", "the contract has no name", "add `name:` with the name that others route to").warning();
pub(crate) const TAG: Rule =
    Rule::elsewhere("ONEX0095", "a tag is left out", "remove the tag, or quote the text if the `!` is part of it")
        .warning();

pub(super) const ALL: &[Rule] = &[
    TOO_LARGE,
    UNREADABLE,
    EMPTY,
    NO_MAP,
    WRONG_VALUE,
    MISSING_KEY,
    UNKNOWN_KEY,
    NOT_UTF8,
    OTHERS_KEY,
    TAB,
    MARKED,
    WRITTEN_TWICE,
    SEVERAL_DOCUMENTS,
    TOO_DEEP,
    TOO_MANY_ALIASES,
    UNKNOWN_ANCHOR,
    UNUSED_ALLOW,
    NOT_INCLUDED,
    NO_NODE,
    MORE_FINDINGS,
    UNNAMED,
    TAG,
];
