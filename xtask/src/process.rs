//! Programs that a task runs.

use std::process::{Command, Stdio};

/// Runs a command to its end; its output goes to the user. Anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("cannot start {}: {error}", describe(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed: {status}", describe(command)))
    }
}

/// Runs a command to its end and gives what it printed; its errors go to the user.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", describe(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", describe(command), output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| format!("{} printed no text: {error}", describe(command)))
}

/// The command as one would type it.
fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}
