//! Events that a bench counts while they arrive.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use spell::{Event, Subscription};
use tokio::{sync::Notify, time::timeout};

use crate::workloads::Outcome;

/// What arrived since [`Events::expect`].
#[derive(Debug)]
pub(crate) struct Events {
    text: String,
    expected: AtomicU64,
    arrived: AtomicU64,
    next: AtomicU64,
    bad: AtomicU64,
    out_of_order: AtomicU64,
    complete: Notify,
}

impl Events {
    /// Counts the events of a subscription, each a number and this text.
    pub(crate) fn count(mut subscription: Subscription, text: String) -> Arc<Self> {
        let events = Arc::new(Self {
            text,
            expected: AtomicU64::new(0),
            arrived: AtomicU64::new(0),
            next: AtomicU64::new(0),
            bad: AtomicU64::new(0),
            out_of_order: AtomicU64::new(0),
            complete: Notify::new(),
        });
        let counting = Arc::clone(&events);
        tokio::spawn(async move {
            while let Some(event) = subscription.next().await {
                counting.see(&event);
            }
        });
        events
    }

    fn see(&self, event: &Event) {
        match event.args::<(u64, &str)>() {
            Ok((number, text)) => {
                if text != self.text {
                    self.bad.fetch_add(1, Relaxed);
                }
                if self.next.swap(number + 1, Relaxed) != number {
                    self.out_of_order.fetch_add(1, Relaxed);
                }
            }
            Err(_) => {
                self.bad.fetch_add(1, Relaxed);
            }
        }
        if self.arrived.fetch_add(1, Relaxed) + 1 == self.expected.load(Relaxed) {
            self.complete.notify_one();
        }
    }

    /// So many are to come, numbered from 0.
    pub(crate) fn expect(&self, count: u64) {
        for counter in [&self.arrived, &self.next, &self.bad, &self.out_of_order] {
            counter.store(0, Relaxed);
        }
        self.expected.store(count, Relaxed);
    }

    /// Waits until all have arrived, or none has for a while.
    pub(crate) async fn all(&self) -> Outcome {
        let start = Instant::now();
        let expected = self.expected.load(Relaxed);
        let mut last = (0, start);
        while timeout(STEP, self.complete.notified()).await.is_err() {
            let arrived = self.arrived.load(Relaxed);
            if arrived >= expected {
                break;
            }
            if arrived != last.0 {
                last = (arrived, Instant::now());
            } else if last.1.elapsed() > PATIENCE {
                break;
            }
        }
        let arrived = self.arrived.load(Relaxed);
        let bad = self.bad.load(Relaxed);
        let is_short = arrived < expected;
        Outcome {
            ok: arrived.saturating_sub(bad),
            bad,
            lost: expected.saturating_sub(arrived),
            out_of_order: self.out_of_order.load(Relaxed),
            seconds: is_short.then(|| (last.1 - start).as_secs_f64().max(1e-6)),
            ..Outcome::default()
        }
    }
}

/// How often to look whether still some arrive.
const STEP: Duration = Duration::from_millis(100);
/// After so long without one, the others are lost.
const PATIENCE: Duration = Duration::from_secs(2);
