//! The operations, and what became of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use spell::{Client, prelude::*};
use tokio::task::JoinSet;

use crate::{
    Failure, client,
    events::Events,
    flags::{Flags, Workload},
    usage::{Usage, memory},
};

/// A workload that can be run again and again.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    flags: &'a Flags,
    text: Arc<str>,
    /// `None` for workloads that open sessions of their own.
    client: Option<Client>,
    events: Option<Arc<Events>>,
}

/// What became of the operations of one run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) ok: u64,
    pub(crate) bad: u64,
    pub(crate) lost: u64,
    pub(crate) out_of_order: u64,
    pub(crate) latencies: Vec<Duration>,
    /// Figures of memory, in KiB.
    pub(crate) memory: Vec<(&'static str, f64)>,
    /// How long it took, where the end was seen late.
    pub(crate) seconds: Option<f64>,
    /// The moment at which the last operation was over, where something followed.
    pub(crate) end: Option<Usage>,
}

impl<'a> Bench<'a> {
    /// All that is not measured.
    pub(crate) async fn new(flags: &'a Flags) -> Result<Self, Failure> {
        let mut bench = Self {
            flags,
            text: text(flags.payload).into(),
            client: None,
            events: None,
        };
        if matches!(flags.workload, Workload::Connect | Workload::Idle) {
            return Ok(bench);
        }
        let client = client::connect(flags).await?;
        match flags.workload {
            Workload::Events | Workload::EventBursts => {
                let subscription = client::subscribe(&client).await?;
                bench.events = Some(Events::count(subscription, text(flags.payload)));
            }
            Workload::Callee => client::register(&client).await?,
            _ => {}
        }
        bench.client = Some(client);
        Ok(bench)
    }

    /// Do so many operations.
    pub(crate) async fn run(&self, operations: u64) -> Result<Outcome, Failure> {
        match self.flags.workload {
            Workload::SeqCall => self.call(operations).await,
            Workload::PipeCall => self.at_once(operations, false).await,
            Workload::PubAck => {
                let outcome = self.at_once(operations, true).await?;
                self.published(operations, outcome).await
            }
            Workload::Publish => self.publish(operations).await,
            Workload::Events => self.receive(operations).await,
            Workload::EventBursts => self.receive_bursts(operations).await,
            Workload::Callee => {
                let (concurrency, payload) = (self.flags.concurrency, self.flags.payload);
                let client = self.client()?;
                let (ok, bad) = client::invoke(client, operations, concurrency, payload).await?;
                Ok(Outcome {
                    ok,
                    bad,
                    ..Outcome::default()
                })
            }
            Workload::Connect => self.connect(operations).await,
            Workload::Idle => self.idle(operations).await,
        }
    }

    async fn call(&self, operations: u64) -> Result<Outcome, Failure> {
        let client = self.client()?;
        let mut outcome = Outcome::default();
        outcome.latencies.reserve(operations as usize);
        for number in 0..operations {
            let start = Instant::now();
            outcome.tell(client::echo(client, number, &self.text).await?);
            outcome.latencies.push(start.elapsed());
        }
        Ok(outcome)
    }

    /// Calls or publications, as many at a time as there are tasks.
    async fn at_once(&self, operations: u64, publishes: bool) -> Result<Outcome, Failure> {
        let next = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..self.flags.concurrency {
            let (client, text) = (self.client()?.clone(), Arc::clone(&self.text));
            let next = Arc::clone(&next);
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= operations {
                        return Ok::<_, Failure>(outcome);
                    }
                    outcome.tell(if publishes {
                        client::publish_acknowledged(&client, number, &text).await?;
                        true
                    } else {
                        client::echo(&client, number, &text).await?
                    });
                }
            });
        }
        let mut outcome = Outcome::default();
        while let Some(task) = tasks.join_next().await {
            outcome.add(&task??);
        }
        Ok(outcome)
    }

    async fn publish(&self, operations: u64) -> Result<Outcome, Failure> {
        let client = self.client()?;
        let last = operations.saturating_sub(1);
        for number in 0..last {
            client::publish(client, number, &self.text).await?;
        }
        client::publish_acknowledged(client, last, &self.text).await?;
        let outcome = Outcome {
            ok: operations,
            ..Outcome::default()
        };
        self.published(operations, outcome).await
    }

    /// Asks the router whether it got all of them.
    async fn published(&self, operations: u64, outcome: Outcome) -> Result<Outcome, Failure> {
        let end = Some(Usage::now(self.flags)?);
        let (ok, bad) = client::published(self.client()?).await?;
        let bad = outcome.bad + bad + operations.saturating_sub(ok);
        Ok(Outcome {
            bad,
            end,
            ..outcome
        })
    }

    async fn receive(&self, operations: u64) -> Result<Outcome, Failure> {
        let events = self.events.as_ref().ok_or("there is no subscription")?;
        events.expect(operations);
        client::fire(self.client()?, operations, self.flags.payload).await?;
        Ok(events.all().await)
    }

    async fn receive_bursts(&self, operations: u64) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let mut left = operations;
        while left > 0 {
            let burst = left.min(self.flags.concurrency.max(1) as u64);
            outcome.add(&self.receive(burst).await?);
            left -= burst;
        }
        Ok(outcome)
    }

    async fn connect(&self, operations: u64) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let mut clients = Vec::new();
        for _ in 0..operations {
            let start = Instant::now();
            clients.push(client::connect(self.flags).await?);
            outcome.latencies.push(start.elapsed());
            outcome.ok += 1;
        }
        outcome.end = Some(Usage::now(self.flags)?);
        leave(clients).await;
        Ok(outcome)
    }

    async fn idle(&self, operations: u64) -> Result<Outcome, Failure> {
        let before = memory("VmRSS");
        let mut clients = Vec::new();
        for _ in 0..operations {
            clients.push(client::connect(self.flags).await?);
        }
        // What follows the handshake is part of it.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let idle = memory("VmRSS");
        let mut outcome = Outcome::default();
        for client in &clients {
            outcome.tell(client::echo(client, 1, "x").await?);
        }
        let used = memory("VmRSS");
        let sessions = operations as f64;
        outcome.memory = vec![
            ("rss_base_kb", before),
            ("rss_kb", idle),
            ("rss_after_call_kb", used),
            ("kb_per_session", (idle - before) / sessions),
            ("kb_per_session_after_call", (used - before) / sessions),
        ];
        leave(clients).await;
        Ok(outcome)
    }

    fn client(&self) -> Result<&Client, Failure> {
        Ok(self.client.as_ref().ok_or("there is no session")?)
    }
}

impl Outcome {
    fn tell(&mut self, is_right: bool) {
        if is_right {
            self.ok += 1;
        } else {
            self.bad += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.bad += other.bad;
        self.lost += other.lost;
        self.out_of_order += other.out_of_order;
    }
}

async fn leave(clients: Vec<Client>) {
    for client in clients {
        // What was measured is over; a session that is gone by now is no failure.
        let _ = client.leave().await;
    }
}

/// The text of a message, so many letters: the one that the router of the bench expects.
fn text(length: usize) -> String {
    let letters = (0..length).map(|place| (place * 31 + place / 64) % 26);
    letters
        .filter_map(|letter| ('a'..='z').nth(letter))
        .collect()
}
