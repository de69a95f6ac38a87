//! `crashing DIRECTORY JOURNAL POINT`: one life of the system that ends at a point of its way, see
//! `onex_tests::crash`. Says how many points it passed when it comes to its end.

#![expect(clippy::print_stdout, reason = "the number of points is what it is started for")]

use std::path::Path;
use std::process::ExitCode;

use onex_tests::crash::run_process;
use onex_tests::process::block_on;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, journal, point] = &arguments[..] else { return ExitCode::from(2) };
    let Ok(point) = point.parse() else { return ExitCode::from(2) };
    println!("{}", block_on(run_process(Path::new(directory), journal, point)));
    ExitCode::SUCCESS
}
