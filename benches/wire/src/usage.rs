//! What the process has used so far: time, CPU time, memory.

use std::{fs, time::Instant};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};

use crate::{Failure, flags::Flags};

/// All that is measured of one moment; what an interval took is the difference of two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) at: Instant,
    /// CPU seconds of this process, as the program and inside of the kernel.
    pub(crate) user: f64,
    pub(crate) system: f64,
    pub(crate) voluntary_switches: i64,
    pub(crate) involuntary_switches: i64,
    /// CPU seconds of the watched processes.
    pub(crate) watched: f64,
    /// Seconds that the host took from this machine.
    pub(crate) stolen: f64,
}

impl Usage {
    pub(crate) fn now(flags: &Flags) -> Result<Self, Failure> {
        let watched = flags.watched.iter().map(|process| cpu_seconds(*process));
        let watched = watched.sum();
        let stolen = stolen();
        let own = getrusage(UsageWho::RUSAGE_SELF)?;
        Ok(Self {
            at: Instant::now(),
            user: seconds(own.user_time()),
            system: seconds(own.system_time()),
            voluntary_switches: own.voluntary_context_switches(),
            involuntary_switches: own.involuntary_context_switches(),
            watched,
            stolen,
        })
    }
}

/// A line of `/proc/self/status`, such as `VmRSS`, in KiB; 0 where there is no such line.
pub(crate) fn memory(line: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|text| {
        let (name, value) = text.split_once(':')?;
        (name == line).then(|| value.split_whitespace().next()?.parse().ok())?
    });
    value.unwrap_or(0.0)
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// What the threads of a process had of the CPUs, from its own accounts, which are finer than ticks.
fn cpu_seconds(process: u32) -> f64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return 0.0;
    };
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

fn stolen() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = text.lines().next().and_then(|line| {
        let ticks = line.split_whitespace().nth(8)?;
        ticks.parse::<f64>().ok()
    });
    ticks.unwrap_or(0.0) / 100.0
}
