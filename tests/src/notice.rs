//! What a passing test has to say, such as that it skipped something.

use std::io::{self, Write};

/// Prints a line on standard error, also where the test harness keeps the output of tests that pass to itself.
pub fn notice(line: &str) {
    // The harness captures what the print macros write, not what is written to the stream.
    let line = format!("{line}\n");
    // In one piece, so that the lines of tests that run at the same time stay whole. A test does not fail for this.
    let _ = io::stderr().write_all(line.as_bytes());
}
