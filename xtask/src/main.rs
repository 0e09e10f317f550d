//! The tasks of this workspace, as `cargo xtask <task>`.
#![expect(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

mod crossbar;
mod examples;
mod features;
mod installation;
mod instructions;
mod javascript;
mod process;
mod ratios;
mod routers;
mod soak;
mod test;
mod wire;
mod workspace;

use std::{env, process::ExitCode};

use workspace::Workspace;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&task, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &str, rest: &[String]) -> Result<(), String> {
    if matches!(task, "" | "help" | "--help" | "-h") {
        println!("{HELP}");
        return Ok(());
    }
    let workspace = Workspace::load()?;
    match task {
        "test" => test::run(&workspace, rest),
        "crossbar" => {
            println!("{}", crossbar::install(&workspace)?.display());
            Ok(())
        }
        "javascript" => {
            println!("{}", javascript::install(&workspace)?.display());
            Ok(())
        }
        "routers" => {
            println!("{}", routers::build(&workspace)?.display());
            Ok(())
        }
        "examples" => examples::run(&workspace),
        "features" => features::check(&workspace),
        "instructions" => instructions::run(&workspace, rest),
        "ratios" => ratios::run(&workspace),
        "wire" => wire::run(&workspace, rest),
        "soak" => soak::run(&workspace, rest),
        _ => Err(format!("there is no task `{task}`\n\n{HELP}")),
    }
}

const HELP: &str = "\
Usage: cargo xtask <task>

  test [arguments]   set up the routers and peers of other makes, then run all tests (also against them), doctests
                     and examples; with arguments: only `cargo test --workspace --all-features <arguments>`
  crossbar           set up Crossbar.io under target/ if needed, and print the path of its program
  javascript         set up the JavaScript libraries under target/ if needed, and print the path of their modules
  routers            build the routers of other crates under target/, and print the path of their programs
  examples           run every example and check that it succeeds
  features           check each library crate alone with its sets of features
  instructions [--record]
                     count instructions per operation (needs valgrind), and fail where they are over 5 % more than
                     those in benches/instructions.txt; with --record write them there instead
  ratios             count instructions of the codec beside serde alone, and of finding the boundaries of large
                     arguments beside decoding them (needs valgrind)
  wire --bench <folder> [client]...
                     what operations cost on the wire: Spell beside the limit and the named clients of a wire bench
  soak [--minutes <number>] [--seed <number>]
                     mixed traffic over networks that fail, 30 minutes by default; prints what failed
                     and how much the memory grew";
