//! Waiting for something to become true, instead of for a time to pass.

use std::time::Duration;

/// How long anything may take, on a machine that does much else.
pub const DEADLINE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(10);

/// Waits until `ready` gives something.
///
/// # Panics
///
/// It does not before the deadline; the message says what was waited for.
#[expect(clippy::disallowed_methods, reason = "tests wait for other processes, which no paused clock drives")]
pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "{what} did not happen within {DEADLINE:?}");
        std::thread::sleep(POLL);
    }
}
