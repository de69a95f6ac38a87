//! Decides how one run of a program is measured: wall-clock time, and the most memory it held at once.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command;

/// Between two looks at a program's memory.
const LOOK: Duration = Duration::from_millis(2);

/// One run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    time: Duration,
    kilobytes: u64,
}

/// All runs of one figure, the fastest first.
pub(super) struct Measured(Vec<Run>);

/// Runs a program to its end; a finding (exit code 1) is no failure here.
pub(super) fn measure(command: &mut Command) -> Result<Run> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let child = command.spawn();
    let mut child = child.with_context(|| format!("starting `{}`", command::shown(command)))?;
    let mut kilobytes = 0;
    let status = loop {
        kilobytes = kilobytes.max(high_water(child.id()));
        if let Some(status) = child.try_wait().context("waiting for a program")? {
            break status;
        }
        thread::sleep(LOOK);
    };
    let time = start.elapsed();
    match status.code() {
        Some(0 | 1) => Ok(Run { time, kilobytes }),
        _ => bail!("`{}` failed ({status})", command::shown(command)),
    }
}

/// The most memory that the process held so far. The system keeps it, so a peak between two looks is not missed.
fn high_water(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Measured {
    pub(super) fn of(mut runs: Vec<Run>) -> Self {
        runs.sort_unstable_by_key(|run| run.time);
        Self(runs)
    }

    /// The median time.
    pub(super) fn milliseconds(&self) -> u64 {
        self.0.get(self.0.len() / 2).map_or(0, |run| whole(run.time))
    }

    /// The shortest and the longest time in milliseconds.
    pub(super) fn extremes(&self) -> (u64, u64) {
        let time = |run: Option<&Run>| run.map_or(0, |run| whole(run.time));
        (time(self.0.first()), time(self.0.last()))
    }

    /// The most memory of all runs.
    pub(super) fn megabytes(&self) -> u64 {
        self.0.iter().map(|run| run.kilobytes.div_ceil(1024)).max().unwrap_or(0)
    }
}

fn whole(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_time_and_the_most_memory() {
        let run = |milliseconds, kilobytes| Run { time: Duration::from_millis(milliseconds), kilobytes };
        let measured = Measured::of(vec![run(30, 1024), run(10, 5000), run(20, 1)]);
        assert_eq!((measured.milliseconds(), measured.extremes(), measured.megabytes()), (20, (10, 30), 5));
    }

    #[test]
    fn a_program_that_cannot_be_run_is_an_error() {
        assert!(measure(&mut Command::new("/no/such/program")).is_err());
        assert!(measure(Command::new("sh").args(["-c", "exit 1"])).is_ok());
        assert!(measure(Command::new("sh").args(["-c", "exit 2"])).is_err());
    }
}
