//! Section 19 of the semantics: cases V (what is sound), O (how runs go) and R (what is only declared upstream).
//!
//! A test is named by the cases it is for, in front of its name: `o34`, `o55_r11_an_attempt_that_…`. The tables are
//! one line a case and one test a line; what needs more than a line is a test of its own. [`page`] lists all of them
//! with their verdicts in `docs/cases.md`.

mod failing;
mod limits;
mod order;
mod page;
mod records;
mod retries;
mod soundness;
mod undoing;
mod verdicts;

use std::future::Future;

use crate::support::Case;

/// One test per line: its name, what is made, and what is expected of it by `$check`.
macro_rules! table {
    ($check:ident: $($name:ident $made:expr => $expected:expr;)*) => {
        $(#[test] fn $name() { $check($made, $expected); })*
    };
}
use table;

/// Runs a future on paused time.
fn paused<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// A case whose steps come one after another.
fn sequential(graph: &str) -> Case {
    Case::of(graph).rules("execution_mode: sequential")
}

/// A case whose steps run at once.
fn parallel(graph: &str) -> Case {
    Case::of(graph).rules("execution_mode: parallel")
}

/// The run ends so.
fn ends(case: Case, expected: &str) {
    paused(async {
        let world = case.world();
        let end = world.run().await.expect("it ends");
        assert_eq!(world.told(&end), expected);
    });
}

/// Effects begin, and are undone, in this order.
fn begins(case: Case, expected: &str) {
    paused(async {
        let world = case.world();
        world.run().await.expect("it ends");
        assert_eq!(world.script.done().began.join(","), expected);
    });
}
