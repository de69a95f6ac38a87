//! Secrets go nowhere: not into results, logs, dead letters, nor into any byte of a file that the program keeps,
//! wherever in an event, an envelope or a malformed line they came.

#![expect(clippy::expect_used, reason = "a test reports by panicking")]

use std::path::Path;

use onex_tests::process::{Ended, Home, event, node};
use onex_tests::text;
use serde_json::{Value, json};

const ENVELOPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/events/introspection.envelope.jsonl");

/// A secret, found wherever it went.
const SECRET: &str = "hunter2-7f3a";

/// Places where the secret is, in all that the program wrote; its files are read as bytes.
fn leaks(home: &Home, ended: &Ended) -> Vec<String> {
    let files = std::fs::read_dir(home.data()).expect("a data directory").map(|entry| entry.expect("readable").path());
    let written = files.map(|file| (file.display().to_string(), std::fs::read(&file).expect("readable")));
    let streams = [("standard output", ended.lines.concat()), ("standard error", ended.stderr.clone())];
    let streams = streams.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    let holds = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    let all = written.chain(streams);
    all.filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect()
}

/// The program over one line, killed so that its write-ahead logs stay, and started again to its end.
fn leaks_of_event(line: &str) -> Vec<String> {
    let home = Home::new();
    let mut running = home.onex(&["run", "--input", "-"]).env("ONEX_LOG", "trace").start();
    running.say(&format!("{line}\n"));
    running.wait_for_results(1);
    let killed = running.kill();
    assert!(home.data_file("journal.db-wal").is_file() && home.data_file("registry.db-wal").is_file());
    let while_it_ran = leaks(&home, &killed);
    let ended = home.onex(&["run", "--once"]).run().expect_code(0);
    [while_it_ran, leaks(&home, &ended)].concat()
}

/// The program over one line that it does not take.
fn leaks_of_malformed(line: &str) -> Vec<String> {
    let home = Home::new();
    let ended = home.onex(&["run", "--input", "-", "--once"]).env("ONEX_LOG", "trace").input(line).run();
    leaks(&home, &ended.expect_code(1))
}

/// Every line holds the secret, and nothing that is made of it does.
fn check_secrets(lines: impl IntoIterator<Item = (String, String)>, leaks_of: fn(&str) -> Vec<String>) {
    let mut found = Vec::new();
    for (name, line) in lines {
        assert!(line.contains(SECRET), "{name}");
        let leaks = leaks_of(&line);
        found.extend((!leaks.is_empty()).then(|| format!("{name}: {}", leaks.join(", "))));
    }
    assert!(found.is_empty(), "the secret went on:\n{}", found.join("\n"));
}

#[test]
fn a_secret_in_an_event_goes_nowhere() {
    let places = [
        ("metadata", json!({"password": SECRET, "region": "eu"})),
        ("metadata", json!({"deep": [{"clientSecret": SECRET}], "tokens": [SECRET]})),
        ("endpoints", json!({"health": format!("http://user:{SECRET}@127.0.0.1:9/health")})),
        ("endpoints", json!({"api": format!("http://127.0.0.1:9/api?token={SECRET}")})),
        ("declared_capabilities", json!({"config": {"api_key": SECRET}})),
        ("node_name", json!(format!("postgres://user:{SECRET}@127.0.0.1/db"))),
    ];
    let lines = places.map(|(key, value)| {
        let mut told = event(node(1), 1);
        told[key] = value;
        (told[key].to_string(), told.to_string())
    });
    check_secrets(lines, leaks_of_event);
}

#[test]
fn a_secret_in_an_envelope_goes_nowhere() {
    let envelope = |key: &str, value: Value| {
        let first = text(Path::new(ENVELOPES)).lines().next().expect("a line").to_owned();
        let mut envelope: Value = serde_json::from_str(&first).expect("JSON");
        envelope[key] = value;
        envelope.to_string()
    };
    let places = [
        ("metadata", json!({"headers": {"authorization": format!("Basic {SECRET}")}})),
        ("metadata", json!({"tags": {"api_key": SECRET}})),
        ("source_tool", json!(format!("http://user:{SECRET}@127.0.0.1/"))),
        ("security_context", json!({"access_token": SECRET})),
    ];
    let lines = places.map(|(key, value)| (format!("{key} {value}"), envelope(key, value)));
    check_secrets(lines, leaks_of_event);
}

#[test]
fn a_secret_in_a_malformed_line_goes_nowhere() {
    let with = |metadata: Value| {
        let mut told = event(node(1), 1);
        told["metadata"] = metadata;
        told
    };
    let unknown = |metadata: Value| {
        let mut told = with(metadata);
        told["flavour"] = json!("sweet");
        told.to_string()
    };
    let truncated = |metadata: Value| {
        let line = json!({"a": with(metadata)}).to_string();
        line[..line.len() - 1].to_owned()
    };
    let cut_inside = {
        let line = with(json!({"password": SECRET})).to_string();
        line[..line.find(SECRET).expect("it is there") + SECRET.len()].to_owned()
    };
    let lines = [
        ("unknown key", unknown(json!({"password": SECRET}))),
        ("truncated", truncated(json!({"password": SECRET}))),
        ("truncated, URL", truncated(json!({"home": format!("http://u:{SECRET}@h/")}))),
        ("truncated, snake case", truncated(json!({"api_key": SECRET}))),
        ("truncated, camel case", truncated(json!({"clientSecret": SECRET}))),
        ("truncated, plural", truncated(json!({"tokens": [SECRET]}))),
        ("truncated, list", truncated(json!({"password": [SECRET]}))),
        ("truncated, object", truncated(json!({"password": {"current": SECRET}}))),
        ("truncated, quote in the secret", truncated(json!({"password": format!("a\"{SECRET}")}))),
        ("truncated, header", truncated(json!({"authorization": format!("Basic {SECRET}")}))),
        ("cut inside the secret", cut_inside),
        ("over 1 MiB", {
            let mut told = with(json!({"password": SECRET}));
            told["node_name"] = json!("x".repeat(1 << 20));
            told.to_string()
        }),
    ];
    check_secrets(lines.map(|(name, line)| (name.to_owned(), line)), leaks_of_malformed);
}
