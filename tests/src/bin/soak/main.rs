//! Mixed traffic through networks that fail, for as long as one likes: `cargo xtask soak --minutes 30`.
//!
//! Clients publish, subscribe, call and are called, over WebSocket and RawSocket, through proxies that cut, stall and
//! slow them by chance, against an embedded router in the same process, which is killed and started again now and then.
//! Once in ten seconds, and at the end, it prints what was done, what failed and how, and how much memory the process has;
//! it fails if an event came twice or out of order, or if anything hung.
#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

mod chaos;
mod report;
mod traffic;

use std::{env, error::Error, process::ExitCode, sync::Arc, time::Duration};

use spell_tests::faults::FaultProxy;
use tokio::time::{Instant, interval};

use self::{report::Report, traffic::Member};

type Problem = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let ran = runtime
        .map_err(Problem::from)
        .and_then(|runtime| runtime.block_on(run()));
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("soak: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Runs for the time and with the seed that the arguments say; gives whether all was well.
async fn run() -> Result<bool, Problem> {
    let minutes = argument("--minutes")?.unwrap_or(30);
    let seed = argument("--seed")?.unwrap_or(0);
    println!(
        "{minutes} minutes, seed {seed}; {} clients",
        traffic::CLIENTS
    );
    let mut chance = fastrand::Rng::with_seed(seed);

    let router = chaos::router();
    let websocket = router.listen("ws://127.0.0.1:0").await?;
    let rawsocket = router.listen("rs://127.0.0.1:0").await?;
    let report = Arc::new(Report::default());
    let mut proxies = Vec::new();
    let mut members = Vec::new();
    for number in 0..traffic::CLIENTS {
        let url = if number % 2 == 0 {
            &websocket
        } else {
            &rawsocket
        };
        let proxy = FaultProxy::start(url, chance.u64(..)).await?;
        let member = Member::join(number, proxy.url(), report.clone()).await?;
        members.push(tokio::spawn(member.live(chance.fork())));
        proxies.push((proxy, number % 2 == 0));
    }
    let chaos = tokio::spawn(chaos::rage(router, proxies, chance.fork(), report.clone()));

    let start = Instant::now();
    let end = start + Duration::from_secs(minutes.saturating_mul(60));
    let mut tick = interval(Duration::from_secs(10));
    while Instant::now() < end {
        tick.tick().await;
        report.sample(start.elapsed());
        if members.iter().any(tokio::task::JoinHandle::is_finished) || chaos.is_finished() {
            report.wrong("a task ended".to_owned());
            break;
        }
    }
    for member in &members {
        member.abort();
    }
    chaos.abort();
    Ok(report.conclude())
}

fn argument(name: &str) -> Result<Option<u64>, Problem> {
    let mut arguments = env::args().skip_while(|argument| argument != name).skip(1);
    Ok(arguments.next().map(|value| value.parse()).transpose()?)
}
