//! Decides how a file or standard input becomes messages: line by line, in batches that share a commit, the
//! lines that cannot be taken named and kept.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use onex_orchestrator::Clock;
use onex_runtime::{DeadLetter, DeadLetterFile, Ingress, Rejection, SystemClock};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::tally::Tally;

/// Lines that share a commit, at most.
const BATCH: usize = 256;
/// How long a line waits for company, so that a slow producer is not kept waiting.
const PATIENCE: Duration = Duration::from_millis(5);
/// Longest line that is read whole; the rest of a longer one is skipped.
const MAX_LINE: usize = (1 << 20) + 1;

/// A line that was read.
struct Line {
    number: usize,
    text: String,
    /// Whether its bytes were UTF-8; `text` stands for them with marks in place of what was not.
    is_utf8: bool,
}

/// Feeds a file, or standard input for `-`, to the end.
pub(crate) async fn feed(
    path: &Path,
    ingress: &Ingress,
    letters: &DeadLetterFile,
    tally: &Tally,
) -> anyhow::Result<()> {
    let mut lines = Lines::open(path).await?;
    loop {
        let batch = lines.batch().await?;
        if batch.is_empty() {
            return Ok(());
        }
        let (readable, garbled): (Vec<Line>, Vec<Line>) = batch.into_iter().partition(|line| line.is_utf8);
        let texts: Vec<String> = readable.iter().map(|line| line.text.clone()).collect();
        let rejections = ingress.submit(&texts).await.context("the input cannot be taken in")?;
        reject(&readable, rejections, letters, tally)?;
        reject(&garbled, (0..garbled.len()).map(|position| (position, not_utf8())).collect(), letters, tally)?;
    }
}

fn not_utf8() -> Rejection {
    Rejection { code: "ONEX1014", reason: "the line is not UTF-8".to_owned() }
}

fn reject(
    batch: &[Line],
    rejections: Vec<(usize, Rejection)>,
    letters: &DeadLetterFile,
    tally: &Tally,
) -> anyhow::Result<()> {
    let at = SystemClock.now();
    let rejected = rejections.into_iter().filter_map(|(position, rejection)| Some((batch.get(position)?, rejection)));
    let mut dead = Vec::new();
    for (line, Rejection { code, reason }) in rejected {
        eprintln!("line {}: {code} {reason}", line.number);
        dead.push(DeadLetter::new(at, format!("line {}", line.number), code, &reason, 1, &line.text));
    }
    if !dead.is_empty() {
        tally.rejected.fetch_add(dead.len(), Ordering::SeqCst);
        letters.keep(&dead)?;
    }
    Ok(())
}

struct Lines {
    reader: Box<dyn AsyncBufRead + Unpin + Send>,
    number: usize,
    /// What has been read of a line whose end has not come yet; kept over a wait that was cut short.
    begun: Vec<u8>,
}

impl Lines {
    async fn open(path: &Path) -> anyhow::Result<Self> {
        let reader: Box<dyn AsyncBufRead + Unpin + Send> = if path == Path::new("-") {
            Box::new(BufReader::new(tokio::io::stdin()))
        } else {
            let file = tokio::fs::File::open(path).await;
            Box::new(BufReader::new(file.with_context(|| format!("cannot read `{}`", path.display()))?))
        };
        Ok(Self { reader, number: 0, begun: Vec::new() })
    }

    /// The next lines, blank ones left out; empty at the end.
    async fn batch(&mut self) -> anyhow::Result<Vec<Line>> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let next = if batch.is_empty() {
                self.next().await?
            } else {
                match timeout(PATIENCE, self.next()).await {
                    Ok(next) => next?,
                    Err(_) => break,
                }
            };
            match next {
                Some(line) if line.text.trim().is_empty() => {}
                Some(line) => batch.push(line),
                None => break,
            }
        }
        Ok(batch)
    }

    /// The next line. Safe to cancel: what was read stays in `begun`.
    async fn next(&mut self) -> anyhow::Result<Option<Line>> {
        loop {
            let available = self.reader.fill_buf().await.context("the input cannot be read")?;
            if available.is_empty() {
                return Ok(self.finish_last());
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(available.len());
            let room = MAX_LINE.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&available[..taken.min(room)]);
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Ok(Some(self.finish_line()));
            }
        }
    }

    fn finish_last(&mut self) -> Option<Line> {
        (!self.begun.is_empty()).then(|| self.finish_line())
    }

    fn finish_line(&mut self) -> Line {
        self.number += 1;
        let bytes = std::mem::take(&mut self.begun);
        // A line cut at the limit may end within a character; its length is what is wrong with it then.
        let is_utf8 = bytes.len() >= MAX_LINE || std::str::from_utf8(&bytes).is_ok();
        Line { number: self.number, text: String::from_utf8_lossy(&bytes).into_owned(), is_utf8 }
    }
}
