use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use spell::prelude::*;
use spell_router::Router;

use crate::support::join;

#[tokio::test]
async fn the_figures_of_all_peers_of_a_realm_are_summed_up() {
    let recorder = Figures::default();
    let _guard = set_default_local_recorder(&recorder);
    let router = Router::local();
    let callee = join(&router).await.unwrap();
    let caller = join(&router).await.unwrap();
    let echo = callee.register("com.example.echo");
    let echo = echo.handler(|(text,): (String,)| async move { Ok(text) });
    let _echo = echo.await.unwrap();
    let waiting = callee.register("com.example.wait").await.unwrap();
    for _ in 0..2 {
        caller.call("com.example.echo").arg("hello").await.unwrap();
    }
    let call = caller.call("com.example.wait").start().await.unwrap();

    let counter = |name: &str, kind: Option<&str>| recorder.counter(name, kind);
    assert_eq!(counter("spell_attempts_total", None), 2);
    assert_eq!(counter("spell_sessions_joined_total", None), 2);
    assert_eq!(counter("spell_messages_sent_total", Some("CALL")), 3);
    assert_eq!(counter("spell_messages_received_total", Some("WELCOME")), 2);
    let received = caller.statistics().received.total().bytes;
    let all = received + callee.statistics().received.total().bytes;
    let recorded = recorder.sum("spell_bytes_received_total");
    assert_eq!(recorded, all);
    assert_eq!(recorder.gauge("spell_sessions"), "2");
    assert_eq!(recorder.gauge("spell_pending_requests"), "1");

    drop((call, waiting));
    caller.leave().await.unwrap();
    assert_eq!(recorder.gauge("spell_sessions"), "1");
    assert_eq!(recorder.gauge("spell_pending_requests"), "0");
    assert_eq!(counter("spell_sessions_lost_total", None), 0);
}

/// What was recorded, by name and labels.
#[derive(Default)]
struct Figures {
    counters: Series,
    gauges: Series,
}

type Series = Mutex<BTreeMap<String, Arc<AtomicU64>>>;

/// A name with its labels.
fn shown(key: &Key) -> String {
    let mut labels: Vec<_> = key
        .labels()
        .map(|label| format!("{}={}", label.key(), label.value()))
        .collect();
    labels.sort_unstable();
    format!("{} {}", key.name(), labels.join(" "))
}

fn series(series: &Series, key: &Key) -> Arc<AtomicU64> {
    let mut series = series.lock().unwrap();
    series.entry(shown(key)).or_default().clone()
}

fn read(series: &Series, name: &str) -> u64 {
    let series = series.lock().unwrap();
    let value = series.get(name);
    value.map_or(0, |value| value.load(Ordering::Relaxed))
}

impl Figures {
    fn counter(&self, name: &str, kind: Option<&str>) -> u64 {
        let kind = kind.map_or_else(String::new, |kind| format!("kind={kind} "));
        read(
            &self.counters,
            &format!("{name} {kind}realm=com.example.realm"),
        )
    }

    fn gauge(&self, name: &str) -> String {
        let name = format!("{name} realm=com.example.realm");
        f64::from_bits(read(&self.gauges, &name)).to_string()
    }

    /// All series of a counter.
    fn sum(&self, name: &str) -> u64 {
        let counters = self.counters.lock().unwrap();
        let of = counters.iter().filter(|(key, _)| key.starts_with(name));
        of.map(|(_, value)| value.load(Ordering::Relaxed)).sum()
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(series(&self.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(series(&self.gauges, key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
