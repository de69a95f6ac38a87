//! Decides what is read of this process: what it holds in memory, what it has written, and its processor time.

use std::fs;

/// Megabytes resident now.
pub(crate) fn resident_megabytes() -> f64 {
    field("/proc/self/status", "VmRSS:") as f64 / 1024.0
}

/// The most megabytes that were resident at once.
pub(crate) fn most_resident_megabytes() -> f64 {
    field("/proc/self/status", "VmHWM:") as f64 / 1024.0
}

/// Bytes handed to the disk so far.
pub(crate) fn written_bytes() -> u64 {
    field("/proc/self/io", "write_bytes:")
}

/// Processor time so far, in seconds, of all threads.
pub(crate) fn processor_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    // In user mode and in the kernel, in hundredths of a second.
    let times = after_name.split_whitespace().skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
