//! The binary in a directory of its own. What it writes is collected while it runs, so that a full pipe never
//! stops it, and nothing of the caller's environment reaches it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use onex_event::{Envelope, NodeRegistrationResultEvent};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::agent::Agent;
use super::wait::{DEADLINE, until};
use crate::workspace;

/// Where results are published.
const RESULT_TOPIC: &str = "onex.evt.platform.node-registration-result.v1";

/// A directory that the program is started in; its data directory is the usual one below it.
#[derive(Debug)]
pub struct Home {
    directory: TempDir,
}

impl Home {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "making a directory is no default")]
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path().join(".onex")
    }

    /// A file of the data directory.
    pub fn data_file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    /// Writes a file, with the directories above it.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, contents).expect("a file");
        path
    }

    /// The program with these arguments, not yet started.
    pub fn onex(&self, arguments: &[&str]) -> Program {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.path()).env_clear();
        Program { command, input: None }
    }

    /// `onex run --input - --once` over these bytes, to its end.
    pub fn feed(&self, input: impl AsRef<[u8]>) -> Ended {
        self.onex(&["run", "--input", "-", "--once"]).input(input).run()
    }

    /// The program with the example's configuration of real services, these ones, not yet started.
    pub fn onex_with(&self, agent: &Agent, database: &str, arguments: &[&str]) -> Program {
        let config = workspace("examples/onex.services.yaml").display().to_string();
        self.onex(&[arguments, &["--config", &config]].concat())
            .env("ONEX_REGISTRY_BACKENDS_CONSUL_ADDRESS", &agent.address)
            .env("CONSUL_HTTP_TOKEN", &agent.token)
            .env("DATABASE_URL", database)
    }

    /// [`Home::feed`] with real services.
    pub fn feed_with(&self, agent: &Agent, database: &str, input: impl AsRef<[u8]>) -> Ended {
        self.onex_with(agent, database, &["run", "--input", "-", "--once"]).input(input).run()
    }
}

/// The binary beside the test executable.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let found = test.ancestors().skip(1).take(3).map(|directory| directory.join("onex")).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("no `onex` near {}: run `cargo build -p onex` first", test.display()))
}

/// A program that is not yet started.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Program {
    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this on its standard input, which ends after it.
    #[must_use]
    pub fn input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = Some(bytes.as_ref().to_vec());
        self
    }

    /// Starts it and waits for its end.
    pub fn run(self) -> Ended {
        self.start().end()
    }

    /// Starts it. Without [`Program::input`], its standard input stays open for [`Running::say`].
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take();
        if let Some(input) = self.input {
            let pipe = stdin.take();
            // Who does not read to the end, or is killed, closes the pipe; that is no error of the test.
            thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(&input)));
        }
        let (stdout, stderr) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        Running {
            lines: lines_of(stdout),
            notices: lines_of(stderr),
            child,
            stdin,
            seen: Vec::new(),
            said: String::new(),
        }
    }
}

/// The lines of a stream as they come, collected by a thread of their own, until the stream ends.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            // The test may have ended already; the stream is read to its end all the same.
            let _ = sender.send(String::from_utf8(std::mem::take(&mut line)).expect("output is UTF-8"));
        }
    });
    lines
}

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    notices: Receiver<String>,
    seen: Vec<String>,
    said: String,
}

impl Running {
    /// Writes to its standard input.
    pub fn say(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).expect("it reads");
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until it has written that many lines to standard output.
    pub fn wait_for_results(&mut self, count: usize) {
        while self.seen.len() < count {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("{} of {count} results: {}", self.seen.len(), self.heard()),
            }
        }
    }

    /// Waits until a line of standard error holds this.
    pub fn wait_for_notice(&mut self, text: &str) {
        while !self.said.contains(text) {
            let line = self.notices.recv_timeout(DEADLINE);
            self.said.push_str(&line.unwrap_or_else(|_| panic!("no `{text}` in: {}", self.said)));
        }
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("it runs");
    }

    /// `kill -9`, and what it had written.
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("it runs");
        self.end()
    }

    /// `SIGTERM`, and what it wrote until its end.
    pub fn terminate(self) -> Ended {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end. Its standard input stays as it is.
    pub fn end(mut self) -> Ended {
        let status = until("the end of the program", || self.child.try_wait().expect("a child"));
        let lines = std::mem::take(&mut self.seen).into_iter().chain(self.lines.iter()).collect();
        let stderr = std::mem::take(&mut self.said) + &self.notices.iter().collect::<String>();
        Ended { status, lines, stderr }
    }

    /// What it has said on standard error so far.
    fn heard(&mut self) -> &str {
        self.said.extend(self.notices.try_iter());
        &self.said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, and a test that fails must not fail once more here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// The lines of its standard output, with their line breaks.
    pub lines: Vec<String>,
    /// Its standard error.
    pub stderr: String,
}

impl Ended {
    /// The same, when its exit code is this one.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.stderr, self.lines.concat());
        self
    }

    /// Its standard output as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.lines.concat()).expect("standard output is JSON")
    }

    /// The results it published, which is all that its standard output may hold.
    pub fn results(&self) -> Vec<Published> {
        self.lines.iter().map(|line| published(line)).collect()
    }

    /// The results of a program that was killed, which may have stopped in the middle of a line.
    pub fn whole_results(&self) -> Vec<Published> {
        self.lines.iter().filter(|line| line.ends_with('\n')).map(|line| published(line)).collect()
    }
}

/// One published result.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Where.
    pub topic: String,
    /// What.
    pub envelope: Envelope<NodeRegistrationResultEvent>,
}

impl Published {
    /// The result.
    pub fn result(&self) -> &NodeRegistrationResultEvent {
        &self.envelope.payload
    }

    /// The status, as it is on the wire.
    pub fn status(&self) -> String {
        serde_json::to_value(self.result().status).expect("JSON").as_str().expect("a word").to_owned()
    }

    /// Whether every intent was in place before, and nothing was tried.
    pub fn changed_nothing(&self) -> bool {
        let results = &self.result().intent_results;
        results.iter().all(|result| result.success && result.already_applied && result.attempts == 0)
    }
}

fn published(line: &str) -> Published {
    let mut value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let map = value.as_object_mut().expect("an object");
    assert_eq!(map.keys().collect::<Vec<_>>(), ["envelope", "topic"], "{line}");
    let topic = map["topic"].as_str().expect("a topic").to_owned();
    assert!(topic == RESULT_TOPIC || !topic.contains("platform"), "{topic}");
    let envelope = serde_json::from_value(map["envelope"].take()).unwrap_or_else(|error| panic!("{error}: {line}"));
    Published { topic, envelope }
}
