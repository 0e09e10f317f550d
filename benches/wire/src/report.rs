//! The lines that the scripts of a bench read.

use serde_json::{Map, Value, json};

use crate::{
    flags::Flags,
    usage::{Usage, memory},
    workloads::Outcome,
};

/// One repetition.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) operations: u64,
    pub(crate) repetition: u32,
    pub(crate) before: Usage,
    pub(crate) after: Usage,
    pub(crate) outcome: Outcome,
}

impl Report {
    /// A line of JSON.
    pub(crate) fn line(mut self, flags: &Flags) -> Value {
        let (before, after, outcome) = (self.before, self.after, &mut self.outcome);
        let measured = (after.at - before.at).as_secs_f64();
        let seconds = outcome.seconds.unwrap_or(measured);
        let operations = self.operations as f64;
        let user = after.user - before.user;
        let system = after.system - before.system;
        let mut line = head(flags, self.operations, self.repetition);
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
        put("secs", json!(seconds));
        put("ops_s", json!(operations / seconds));
        put("cpu_us_op", json!((user + system) * 1e6 / operations));
        put("cpu_user", json!(user));
        put("cpu_sys", json!(system));
        let watched = after.watched - before.watched;
        put("router_us_op", json!(watched * 1e6 / operations));
        let switches = after.voluntary_switches - before.voluntary_switches;
        put("vcs", json!(switches));
        let switches = after.involuntary_switches - before.involuntary_switches;
        put("ics", json!(switches));
        put("steal", json!(after.stolen - before.stolen));
        put("ok", json!(outcome.ok));
        put("bad", json!(outcome.bad));
        put("lost", json!(outcome.lost));
        put("ooo", json!(outcome.out_of_order));
        put("hwm_kb", json!(memory("VmHWM")));
        let latencies = &mut outcome.latencies;
        latencies.sort_unstable();
        for (key, part) in [("p50_us", 0.5), ("p99_us", 0.99), ("max_us", 1.0)] {
            let place = (latencies.len().saturating_sub(1) as f64 * part) as usize;
            if let Some(latency) = latencies.get(place) {
                put(key, json!(latency.as_secs_f64() * 1e6));
            }
        }
        for (key, value) in &outcome.memory {
            put(key, json!(value));
        }
        Value::Object(line)
    }
}

/// The line of what could not be measured.
pub(crate) fn failure(flags: &Flags, problem: &str) -> Value {
    let mut line = head(flags, flags.operations, 0);
    line.insert("error".to_owned(), json!(problem));
    Value::Object(line)
}

fn head(flags: &Flags, operations: u64, repetition: u32) -> Map<String, Value> {
    let head = [
        ("client", json!("spell")),
        ("label", json!(flags.label)),
        ("transport", json!(flags.transport())),
        ("ser", json!(flags.serialization.name())),
        ("wl", json!(flags.workload.name())),
        ("rt", json!(if flags.multi_thread { "mt" } else { "ct" })),
        ("n", json!(operations)),
        ("conc", json!(flags.concurrency)),
        ("payload", json!(flags.payload)),
        ("rep", json!(repetition)),
    ];
    let head = head.into_iter();
    head.map(|(key, value)| (key.to_owned(), value)).collect()
}
