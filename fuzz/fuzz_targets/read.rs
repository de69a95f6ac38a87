//! Whatever bytes a file holds, reading it ends without a panic, and findings point into the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onex_contract::{Source, read, silence};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let reading = read(Source { file: "contract.yaml", text: &text });
    for finding in &reading.diagnostics {
        let Some(span) = finding.span else { continue };
        assert!(text.get(span.offset..span.offset + span.length).is_some(), "{finding} at {span:?}");
    }
    silence("contract.yaml", &text, reading.diagnostics);
});
