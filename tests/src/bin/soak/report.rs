//! What is printed.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Collects what happens.
#[derive(Debug, Default)]
pub(crate) struct Report(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    counts: BTreeMap<String, u64>,
    /// In microseconds, since the last sample.
    latencies: Vec<u32>,
    samples: Vec<Sample>,
    wrong: Vec<String>,
    wrongs: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    hours: f64,
    /// Resident memory.
    mebibytes: f64,
    /// The 99th percentile of the latency of calls, in milliseconds.
    p99: f64,
}

impl Report {
    pub(crate) fn count(&self, what: &str) {
        let mut state = self.state();
        match state.counts.get_mut(what) {
            Some(count) => *count = count.saturating_add(1),
            None => _ = state.counts.insert(what.to_owned(), 1),
        }
    }

    pub(crate) fn latency(&self, latency: Duration) {
        let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        self.state().latencies.push(micros);
    }

    /// Something must not have been.
    pub(crate) fn wrong(&self, what: String) {
        let mut state = self.state();
        state.wrongs = state.wrongs.saturating_add(1);
        if state.wrong.len() < 20 {
            println!("WRONG: {what}");
            state.wrong.push(what);
        }
    }

    pub(crate) fn sample(&self, elapsed: Duration) {
        let mut state = self.state();
        let mut latencies = std::mem::take(&mut state.latencies);
        latencies.sort_unstable();
        let at = latencies.len().saturating_mul(99) / 100;
        let p99 = latencies.get(at).copied().unwrap_or_default();
        let sample = Sample {
            hours: elapsed.as_secs_f64() / 3600.0,
            mebibytes: resident(),
            p99: f64::from(p99) / 1000.0,
        };
        state.samples.push(sample);
        let total: u64 = state.counts.values().sum();
        println!(
            "{:6.0} s  {:7.1} MiB  p99 of calls {:7.1} ms  {total} in all, {} wrong",
            elapsed.as_secs_f64(),
            sample.mebibytes,
            sample.p99,
            state.wrongs
        );
    }

    /// Prints the sum of it; gives whether all was well.
    pub(crate) fn conclude(&self) -> bool {
        let state = self.state();
        println!();
        for (what, count) in &state.counts {
            println!("{count:10}  {what}");
        }
        // The first fifth is for caches and pools to fill.
        let warm = state.samples.len() / 5;
        let samples = state.samples.get(warm..).unwrap_or_default();
        println!(
            "\nmemory: {:+.2} MiB per hour after warming up",
            slope(samples)
        );
        println!("{} wrong", state.wrongs);
        state.wrongs == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of the line that fits the memory best, in MiB per hour.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.iter().map(|_| 1.0).sum::<f64>().max(1.0);
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (hours, mebibytes) = (mean(|s| s.hours), mean(|s| s.mebibytes));
    let together: f64 = samples
        .iter()
        .map(|s| (s.hours - hours) * (s.mebibytes - mebibytes))
        .sum();
    let square: f64 = samples.iter().map(|s| (s.hours - hours).powi(2)).sum();
    if square > 0.0 { together / square } else { 0.0 }
}

/// The memory of this process in MiB, as Linux tells it; 0 elsewhere.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kibibytes.unwrap_or_default() / 1024.0
}
