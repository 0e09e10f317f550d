//! The process of Crossbar.io and its life time.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// Crossbar.io and its workers, a process group of its own.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Closed, by a drop or by the end of this process, it ends the process group.
    lifeline: Option<ChildStdin>,
}

impl Process {
    /// Starts `program` in `folder`, which has its configuration, and waits until it has opened all its listeners.
    pub(super) fn start(program: &Path, folder: &Path) -> io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(program)
            .args([
                "start",
                "--cbdir",
                ".",
                "--config",
                "config.json",
                "--loglevel",
                "info",
                "--color",
                "false",
            ])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let lifeline = child.stdin.take();
        let output = child.stdout.take();
        let process = Self { child, lifeline };

        let log = File::create(folder.join(LOG))?;
        let (ready, is_ready) = mpsc::channel();
        if let Some(output) = output {
            thread::spawn(move || copy_log(output, log, &ready));
        }
        let problem = match is_ready.recv_timeout(START_TIMEOUT) {
            Ok(()) => return Ok(process),
            Err(RecvTimeoutError::Disconnected) => "ended early".to_owned(),
            Err(RecvTimeoutError::Timeout) => format!("was not ready after {START_TIMEOUT:?}"),
        };
        drop(process);
        Err(io::Error::other(format!(
            "{} {problem}\n{}",
            program.display(),
            tail(&folder.join(LOG))?
        )))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Only reaps it; there is nobody to tell of an error.
        let _ = self.child.wait();
    }
}

/// The name of the log file in the folder of the process.
pub(super) const LOG: &str = "crossbar.log";

/// Runs a command that lives no longer than the standard input of this script is open. An end of the tests by a
/// signal closes it too, where a destructor would not run.
///
/// The watcher is in the process group that it kills, with its workers; nothing is worth a polite end. It keeps no
/// hold on the output, so that the end of the output is the end of the command.
const KEEPER: &str = r#"
exec 3<&0
{ read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 &
exec "$@" 2>&1 3<&-
"#;

/// What Crossbar.io prints when all is started.
const READY: &[u8] = b"NODE_BOOT_COMPLETE";

/// It takes five seconds on an idle machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// Copies the output into the log until it ends, and tells when the line comes that says that all is started.
fn copy_log(output: impl Read, mut log: File, ready: &Sender<()>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output
        .read_until(b'\n', &mut line)
        .is_ok_and(|count| count > 0)
    {
        if log.write_all(&line).is_err() {
            return;
        }
        if line.windows(READY.len()).any(|part| part == READY) {
            // Nobody may be waiting any more; the log goes on.
            let _ = ready.send(());
        }
        line.clear();
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> io::Result<String> {
    let text = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
    let lines: Vec<_> = text.lines().collect();
    Ok(lines.split_at(lines.len().saturating_sub(30)).1.join("\n"))
}
