//! What the codec takes beside serde alone, and finding boundaries beside decoding.

use std::process::Command;

use crate::{instructions, process, workspace::Workspace};

/// Counts the instructions of the workloads of the program `ratios` of the benches, and prints each beside the one that
/// it is compared with.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let program = instructions::build(workspace, "ratios")?;
    let workloads = process::output(&mut Command::new(&program))?;
    println!("{:<28} {:>10} {:>10}  instructions", "", "it", "other");
    let mut encoded = None;
    for line in workloads.lines() {
        let (workload, other) = line.split_once(' ').unwrap_or((line, line));
        let count = |workload: &str| {
            let done = if workload.matches('/').count() == SMALL {
                200
            } else {
                2
            };
            let run = |done: u64| instructions::collected(&program, &[workload, &done.to_string()]);
            Ok::<_, String>(run(done * 2)?.saturating_sub(run(done)?) / done)
        };
        let counted = (count(workload)?, count(other)?);
        print(workload, counted);
        // Both ways of a message make one figure of the table.
        match (encoded.take(), workload.strip_suffix("/decode")) {
            (Some((it, other)), Some(message)) => {
                print(message, (counted.0 + it, counted.1 + other));
            }
            _ => encoded = Some(counted),
        }
    }
    Ok(())
}

fn print(workload: &str, (it, other): (u64, u64)) {
    let percent = u128::from(it) * 1000 / u128::from(other.max(1));
    println!(
        "{workload:<28} {it:>10} {other:>10}  {}.{} %",
        percent / 10,
        percent % 10
    );
}

/// The slashes in the name of a workload that is one small message.
const SMALL: usize = 3;
