//! Decides whether a pid is still the process that was recorded, and how that process is ended.
//!
//! A pid alone proves nothing: after a crash the kernel may have given it to a stranger. A process
//! counts as ours when its command line runs the recorded program with the recorded argument.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::command;

/// How long a service may take until it answers.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// A process that outlives the command that started it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Process {
    /// As it was started; 0, which no process has, when that is not known.
    pub(super) pid: u32,
    /// The file name of the program, such as `postgres`.
    pub(super) program: String,
    /// Text that one argument holds and that no other workspace's process has: a path of ours.
    pub(super) argument: String,
    /// Where the program writes its pid, so that a restart by a test is followed.
    pub(super) pid_file: Option<PathBuf>,
}

impl Process {
    /// A process of which only the pid file is known, if that exists.
    pub(super) fn from_pid_file(program: &str, argument: &Path, pid_file: PathBuf) -> Self {
        Self { pid: 0, program: program.to_owned(), argument: argument.display().to_string(), pid_file: Some(pid_file) }
    }

    /// This very command, as a test run that holds the services.
    pub(super) fn myself() -> Self {
        Self { pid: std::process::id(), program: "xtask".to_owned(), argument: String::new(), pid_file: None }
    }

    /// The pid under which it runs now, if it runs.
    pub(super) fn current(&self) -> Option<u32> {
        let written = self.pid_file.as_deref().and_then(first_number);
        written.into_iter().chain([self.pid]).find(|pid| self.is(*pid))
    }

    fn is(&self, pid: u32) -> bool {
        let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else {
            return false;
        };
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split('\0');
        let program = words.next().map(Path::new).and_then(Path::file_name);
        program.is_some_and(|name| name == self.program.as_str())
            && (self.argument.is_empty() || words.any(|word| word.contains(&self.argument)))
    }

    /// Asks it to end with `signal`, then insists.
    pub(super) fn stop(&self, signal: &str) -> Result<()> {
        for signal in [signal, "KILL"] {
            let Some(pid) = self.current() else { return Ok(()) };
            send(pid, signal)?;
            if until(STOP_DEADLINE, || Ok(!self.is(pid)))? {
                return Ok(());
            }
        }
        bail!("`{}` with pid {} does not end", self.program, self.pid)
    }
}

/// Sends a signal. A process that ended in the meantime is no error.
fn send(pid: u32, signal: &str) -> Result<()> {
    let script = "kill -s \"$1\" \"$2\" 2>/dev/null || ! kill -0 \"$2\" 2>/dev/null";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", signal, &pid.to_string()]);
    command::capture(&mut shell).map(drop).context("sending a signal")
}

fn first_number(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.lines().next()?.trim().parse().ok()
}

/// A service that was just started: as it is recorded, and as a child while we still live.
pub(super) struct Started {
    pub(super) process: Process,
    child: Child,
}

/// Starts `session`, a `setsid PROGRAM ..` command that runs `process`, its output in `log`.
///
/// `setsid` replaces itself by the program, so the pid is the program's own, and neither Ctrl-C
/// nor a closed terminal reaches it.
pub(super) fn detach(session: &mut Command, process: Process, log: &Path) -> Result<Started> {
    debug_assert_eq!(session.get_program(), "setsid");
    let output = fresh_log(log).with_context(|| format!("opening {}", log.display()))?;
    let errors = output.try_clone().context("sharing a log file")?;
    session.stdin(Stdio::null()).stdout(output).stderr(errors);
    let child = session.spawn().context("starting `setsid`")?;
    Ok(Started { process: Process { pid: child.id(), ..process }, child })
}

/// A new log; the one before stays beside it, since it may say why a service died.
fn fresh_log(path: &Path) -> std::io::Result<File> {
    if path.exists() {
        fs::rename(path, path.with_extension("log.old"))?;
    }
    File::create(path)
}

impl Started {
    /// Waits until the service answers, or says what its log says.
    pub(super) fn wait(&mut self, log: &Path, answers: impl Fn() -> bool) -> Result<()> {
        let program = self.process.program.clone();
        let ready = until(START_DEADLINE, || {
            if let Some(status) = self.child.try_wait().context("watching a service")? {
                bail!("`{program}` ended while starting ({status}): {}", tail(log));
            }
            Ok(answers())
        })?;
        if !ready {
            bail!("`{program}` does not answer after {START_DEADLINE:?}: {}", tail(log));
        }
        Ok(())
    }
}

/// Repeats `ready` until it holds; false when it still does not at the deadline.
pub(super) fn until(limit: Duration, mut ready: impl FnMut() -> Result<bool>) -> Result<bool> {
    let start = Instant::now();
    while !ready()? {
        if start.elapsed() > limit {
            return Ok(false);
        }
        std::thread::sleep(POLL);
    }
    Ok(true)
}

/// The last lines of a log, as one line of a message.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(5)..];
    format!("{} (see {})", last.join(" / "), log.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(pid: u32, argument: &str) -> Process {
        Process { pid, program: "sleep".into(), argument: argument.into(), pid_file: None }
    }

    #[test]
    fn a_pid_is_ours_only_with_the_recorded_command_line() {
        let mut child = Command::new("sleep").arg("61.25").spawn().unwrap();
        assert!(until(STOP_DEADLINE, || Ok(recorded(child.id(), "61.25").current().is_some())).unwrap());
        assert!(recorded(child.id(), "another argument").current().is_none());
        assert!(recorded(std::process::id(), "61.25").current().is_none());

        recorded(child.id(), "61.25").stop("TERM").unwrap();
        child.wait().unwrap();
    }
}
