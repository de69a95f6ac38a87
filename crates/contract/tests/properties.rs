//! Whatever a file holds, reading it ends, answers twice the same, and points into the text.

#![expect(clippy::panic, clippy::expect_used, reason = "a test says what it misses and stops")]

use std::path::Path;
use std::sync::LazyLock;

use onex_contract::{Source, read};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

/// Texts of the corpus of real contracts.
static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let manifest = std::fs::read_to_string(corpus.join("manifest.json")).unwrap_or_else(|error| {
        panic!("the corpus is missing: {}: {error}; it belongs beside the checkout", corpus.display())
    });
    let files: Vec<serde_json::Value> = serde_json::from_str(&manifest).expect("the manifest is a list");
    let part = |file: &serde_json::Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    let paths = files.iter().map(|file| corpus.join(part(file, "repo")).join(part(file, "path")));
    paths.map(|path| std::fs::read_to_string(path).expect("a text")).collect()
});

fn holds(text: &str) -> Result<(), TestCaseError> {
    let source = Source { file: "some/contract.yaml", text };
    let reading = read(source);
    prop_assert_eq!(&reading.diagnostics, &read(source).diagnostics, "the same answer twice");
    for finding in &reading.diagnostics {
        let Some(span) = finding.span else { continue };
        prop_assert!(span.line >= 1 && span.column >= 1, "{} at {:?}", finding, span);
        prop_assert!(text.get(span.offset..span.offset + span.length).is_some(), "{} at {:?}", finding, span);
        prop_assert!(span.length >= 1 || text.is_empty(), "{} at {:?}", finding, span);
    }
    prop_assert!(reading.contract.is_some() || !reading.diagnostics.is_empty(), "nothing is refused without a word");
    Ok(())
}

/// One thing that goes wrong with a file.
#[derive(Clone, Debug)]
enum Slip {
    Byte(Index, u8),
    DeleteLine(Index),
    RepeatLine(Index),
    Indent(Index, usize),
    Outdent(Index),
    Cut(Index),
    Insert(Index, &'static str),
    Nest(Index, usize),
}

const ODD: [&str; 20] = [
    "\t",
    "\r\n",
    "\u{feff}",
    "ü",
    "\u{2028}",
    "- ",
    ": ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    "|\n",
    "&a ",
    "*a",
    "!include x",
    "<<: *a",
    "---\n",
];

fn slip() -> impl Strategy<Value = Slip> {
    let index = any::<Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(index, byte)| Slip::Byte(index, byte)),
        index().prop_map(Slip::DeleteLine),
        index().prop_map(Slip::RepeatLine),
        (index(), 1..5_usize).prop_map(|(index, width)| Slip::Indent(index, width)),
        index().prop_map(Slip::Outdent),
        index().prop_map(Slip::Cut),
        (index(), prop::sample::select(&ODD[..])).prop_map(|(index, odd)| Slip::Insert(index, odd)),
        (index(), 1..200_usize).prop_map(|(index, depth)| Slip::Nest(index, depth)),
    ]
}

fn made(text: &str, slip: &Slip) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let at = |index: &Index| index.index(text.len());
    match slip {
        Slip::Byte(index, byte) => bytes[at(index)] = *byte,
        Slip::Cut(index) => bytes.truncate(at(index)),
        Slip::Insert(index, odd) => drop(bytes.splice(at(index)..at(index), odd.bytes())),
        Slip::Nest(index, depth) => drop(bytes.splice(at(index)..at(index), std::iter::repeat_n(b'[', *depth))),
        Slip::DeleteLine(index) => drop(lines.remove(index.index(lines.len()))),
        Slip::RepeatLine(index) => {
            let index = index.index(lines.len());
            lines.insert(index, lines[index].clone());
        }
        Slip::Indent(index, width) => {
            let index = index.index(lines.len());
            lines[index].insert_str(0, &" ".repeat(*width));
        }
        Slip::Outdent(index) => {
            let index = index.index(lines.len());
            lines[index] = lines[index].trim_start().to_owned();
        }
    }
    match slip {
        Slip::Byte(..) | Slip::Cut(_) | Slip::Insert(..) | Slip::Nest(..) => String::from_utf8_lossy(&bytes).into(),
        _ => lines.concat(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        holds(&text)?;
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        holds(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn any_yaml_like_text_is_answered(text in r#"(( {0,6}(- |[abn]: |name: |node_type: )?("?[a-ü0-9:{}\[\]&*!|>'# -]{0,8}"?)?\n)){0,12}"#) {
        holds(&text)?;
    }

    #[test]
    fn a_real_contract_with_slips_is_answered(file in any::<Index>(), slips in prop::collection::vec(slip(), 1..5)) {
        let text = slips.iter().fold(file.get(&CORPUS).clone(), |text, slip| made(&text, slip));
        holds(&text)?;
    }

    #[test]
    fn the_order_of_keys_is_no_difference(file in any::<Index>(), order in subsequence((0..64_usize).collect::<Vec<_>>(), 64).prop_shuffle()) {
        let text = file.get(&CORPUS);
        let Ok(serde_yaml::Value::Mapping(map)) = serde_yaml::from_str(text) else { return Ok(()) };
        let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        entries.sort_by_key(|(key, _)| {
            let place = map.keys().position(|known| known == key).unwrap_or_default();
            order.get(place).copied()
        });
        let written = |map: &serde_yaml::Mapping| serde_yaml::to_string(map).expect("YAML");
        let (here, there) = (written(&map), written(&entries.into_iter().collect()));
        let fingerprint = |text: &str| read(Source { file: "contract.yaml", text }).fingerprint;
        prop_assert_eq!(fingerprint(&here), fingerprint(&there));
    }
}

/// Texts made to be slow, or to be answered at endless length.
#[test]
fn monstrous_texts_are_answered_in_short() {
    let head = "name: a\nnode_type: COMPUTE\ncontract_version: 1.0.0\n";
    let many = |part: &dyn Fn(usize) -> String| (0..1500).map(part).collect::<String>();
    for text in [
        format!("{head}{}", many(&|number| format!("key_{number}: {number}\n"))),
        format!("{head}input: {{{}}}\n", many(&|number| format!("k{number}: , "))),
        format!("{head}inner:\n{}", many(&|number| format!("  k{number}: [\n"))),
        format!("{head}consumed_events:\n{}", many(&|number| format!("- Not.A.Topic.{number}\n"))),
        format!("{head}a: {}", "[{".repeat(100_000)),
        format!("{head}a: {}", "- ".repeat(100_000)),
        format!("{head}a: \"{}\n", "x ".repeat(100_000)),
    ] {
        assert!(holds(&text).is_ok());
        let reading = read(Source { file: "contract.yaml", text: &text });
        assert!(reading.diagnostics.len() <= 1001, "{} findings", reading.diagnostics.len());
    }
}
