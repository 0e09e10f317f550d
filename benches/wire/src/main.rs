//! Spell as a client of a wire bench: what an operation costs through a socket.
//!
//! Takes one workload and prints one line of JSON per repetition, as the other programs of such a bench do, so that
//! one script can run them all and compare them. The router of the bench answers `bench.echo`, `bench.fire`,
//! `bench.invoke` and `bench.count`. `cargo xtask wire --bench <folder>` runs it beside them.
//!
//! | flag | default | |
//! |---|---|---|
//! | `--url` | `ws://127.0.0.1:19000/ws` | `ws://` is WebSocket, `tcp://` is RawSocket |
//! | `--realm` | `realm1` | |
//! | `--ser` | `json` | `json`, `msgpack` or `cbor` |
//! | `--wl` | `seqcall` | the workload, see `flags::Workload` |
//! | `--conc` | 64 | operations under way at a time, where the workload has several |
//! | `--payload` | 16 | bytes of the text in each message |
//! | `--n` | 0 | operations in a repetition; 0: as many as take `--secs` |
//! | `--secs` | 0.5 | seconds of a repetition |
//! | `--warm` | a tenth | operations before the first repetition, with `--n` |
//! | `--reps` | 3 | repetitions |
//! | `--rt` | `ct` | the runtime: `ct` has one thread, `mt` one for each CPU |
//! | `--watch` | none | ids of processes, the router's, whose CPU time is measured too |
//! | `--timeout` | 60 | seconds that a repetition may take |
//! | `--label` | none | to be printed |
#![expect(
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a command line program that prints ratios of measured numbers"
)]

mod client;
mod events;
mod flags;
mod report;
mod usage;
mod workloads;

use std::{env, process::ExitCode, time::Instant};

use flags::{Flags, Workload};
use report::Report;
use tokio::{runtime, time::timeout};
use usage::Usage;
use workloads::{Bench, Outcome};

/// What may go wrong; all of it ends the program.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let flags = match Flags::parse(env::args().skip(1)) {
        Ok(flags) => flags,
        Err(problem) => {
            eprintln!("spell-wire: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let mut builder = if flags.multi_thread {
        runtime::Builder::new_multi_thread()
    } else {
        runtime::Builder::new_current_thread()
    };
    let measured = match builder.enable_all().build() {
        Ok(runtime) => runtime.block_on(measure(&flags)),
        Err(error) => Err(error.into()),
    };
    if let Err(problem) = measured {
        println!("{}", report::failure(&flags, &problem.to_string()));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn measure(flags: &Flags) -> Result<(), Failure> {
    let bench = timeout(flags.timeout, Bench::new(flags));
    let bench = bench.await.map_err(|_| "setup: timeout")??;
    let operations = prepare(flags, &bench).await?;
    for repetition in 1..=flags.repetitions {
        let before = Usage::now(flags)?;
        let outcome = run(flags, &bench, operations).await?;
        let after = match outcome.end {
            Some(end) => end,
            None => Usage::now(flags)?,
        };
        let report = Report {
            operations,
            repetition,
            before,
            after,
            outcome,
        };
        println!("{}", report.line(flags));
    }
    Ok(())
}

/// Warms up, and gives how many operations a repetition has: those that it is told, or as many as take the time.
async fn prepare(flags: &Flags, bench: &Bench<'_>) -> Result<u64, Failure> {
    if flags.operations > 0 {
        let warm = flags.warm.unwrap_or_else(|| (flags.operations / 10).max(1));
        // The first session takes memory that no later one does.
        if warm > 0 && flags.workload != Workload::Idle {
            run(flags, bench, warm).await?;
        }
        return Ok(flags.operations);
    }
    let most = match flags.workload {
        Workload::Connect | Workload::Idle => 500,
        _ => 5_000_000,
    };
    let least = match flags.workload {
        Workload::PipeCall | Workload::PubAck | Workload::Callee => {
            (2 * flags.concurrency as u64).max(20)
        }
        _ => 20,
    };
    let mut operations = least;
    let mut spent = 0.0;
    loop {
        let start = Instant::now();
        run(flags, bench, operations).await?;
        let seconds = start.elapsed().as_secs_f64().max(1e-6);
        spent += seconds;
        let rate = operations as f64 / seconds;
        if seconds >= 0.1 || spent >= 2.0 || operations >= most {
            return Ok(((rate * flags.seconds) as u64).clamp(least, most));
        }
        let wanted = (operations * 10).min((rate * 0.15) as u64);
        operations = wanted.max(operations * 2).min(most);
    }
}

async fn run(flags: &Flags, bench: &Bench<'_>, operations: u64) -> Result<Outcome, Failure> {
    let outcome = timeout(flags.timeout, bench.run(operations)).await;
    outcome.map_err(|_| "timeout")?
}
